package mapper

import (
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

func schema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "at", Type: gpflow.Type{Kind: gpflow.KindTimestamp, Layout: "unix_ms"}},
		gpflow.Column{Name: "home", Type: gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{
			{Name: "city", Type: gpflow.T(gpflow.KindString).Opt()},
		}}},
	)
}

func row(t gpflow.Timestamp, user string, n int64) optest.Step {
	return optest.Row(t, gpflow.String(user), gpflow.Int(n), gpflow.Time(t), gpflow.String("Delft"))
}

func sel(pairs ...string) map[string]any {
	var es []gpflow.NamedExpr
	for i := 0; i < len(pairs); i += 2 {
		es = append(es, gpflow.NamedExpr{Name: pairs[i], Expr: pairs[i+1]})
	}
	return map[string]any{"select": es}
}

func TestMap(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config:    sel("name", "user + '!'", "u", "user", "city", "home.city", "part", "100 % n", "more", "n + var.one", "n", "event.n"),
		Constants: gpflow.Constants{"var.one": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(1)}},
		Steps:     []optest.Step{row(7, "a", 3), row(5, "b", 0), optest.Mark(6), row(9, "", 9), optest.End()},
		Want: map[string][]string{
			"":       {`{"name":"a!","u":"a","city":"Delft","part":1,"more":4,"n":3} @7`, `{"name":"!","u":"","city":"Delft","part":1,"more":10,"n":9} @9`},
			"errors": {`expression {"user":"b","n":0,"at":"1970-01-01T00:00:00.000005Z","home":{"city":"Delft"}}`},
		},
	})
}

// Without failures the harness also narrows the columns.
func TestColumns(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: sel("name", "upper(user)", "double", "n * 2", "at", "at"),
		Steps:  []optest.Step{row(1, "a", 1), optest.Mark(1), row(2, "b", 2)},
		Want: map[string][]string{"": {
			`{"name":"A","double":2,"at":"1970-01-01T00:00:00.000001Z"} @1`, `{"name":"B","double":4,"at":"1970-01-01T00:00:00.000002Z"} @2`,
		}},
	})
}

// What nobody reads is not computed, and does not fail.
func TestUnreadDoesNotFail(t *testing.T) {
	c := optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: sel("part", "100 % n", "n", "n"),
		Steps: []optest.Step{row(1, "a", 0)},
	}
	got := optest.Play(t, c, optest.Options{Wanted: map[string]bool{"n": true}})
	if got.Counts.Passed != 1 || got.Schema.String() != "n int" || got.Ports[""][0].String() != `{"n":0} @1` {
		t.Errorf("with only n read: %+v", got)
	}
	if got = optest.Play(t, c, optest.Options{Wanted: map[string]bool{}}); got.Counts.Passed != 1 || got.Schema.Width() != 0 {
		t.Errorf("with nothing read: %+v", got)
	}
	if got = optest.Play(t, c, optest.Options{Wanted: map[string]bool{"part": true}}); got.Counts.Diverted != 1 {
		t.Errorf("with only part read: %+v", got)
	}
}

// Text that grows fills the output before the batch is through.
func TestLargeResults(t *testing.T) {
	c := optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: sel("long", "user + user + user + user + user + user + user + user"),
	}
	for i := range 100 {
		c.Steps = append(c.Steps, row(gpflow.Timestamp(i), strings.Repeat("x", 4<<10), 1))
	}
	d := optest.NewDriver(t, c, optest.Options{})
	largest, rows := 0, 0
	d.Emit = func(_ int, b *gpflow.Batch) { largest, rows = max(largest, b.Bytes()), rows+b.N }
	w := gpflow.NewBuilder(c.In[0])
	for _, s := range c.Steps {
		copy(w.Row(s.Time), s.Values)
	}
	if err := d.Feed(w.Take(), 0); err != nil {
		t.Fatal(err)
	}
	if limit := gpflow.BatchBytes + 64<<10; rows != 100 || largest > limit {
		t.Errorf("%d rows left in batches of up to %d bytes, want at most %d", rows, largest, limit)
	}
}

func infers(in *gpflow.Schema, config map[string]any, wanted map[string]bool) (gpflow.Inferred, []gpflow.Problem) {
	var problems []gpflow.Problem
	out := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(Descriptor.Fields, config), In: []*gpflow.Schema{in}, Wanted: wanted,
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return out, problems
}

func TestInfer(t *testing.T) {
	in := schema()
	in.Key = []string{"user", "n"}
	config := sel("id", "n", "who", "user", "when", "at", "twice", "n * 2.0", "city", "home.city")
	out, problems := infers(in, config, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := out.Ports[0]
	if got, want := s.String(), `id int, who string, when timestamp("unix_ms"), twice float, city optional(string)`; got != want {
		t.Errorf("the output is %s, want %s", got, want)
	}
	if !slices.Equal(s.Key, []string{"who", "id"}) {
		t.Errorf("the key is %v, want [who id]", s.Key)
	}
	if got := strings.Join(out.Uses[0], " "); got != "n user at home.city" || len(out.Exprs) == 0 || out.Exprs[0].Interpreted != 0 {
		t.Errorf("uses %s; %+v", got, out)
	}
	out, _ = infers(in, config, map[string]bool{"twice": true})
	if s = out.Ports[0]; s.String() != "twice float" || s.Key != nil || !slices.Equal(out.Uses[0], []string{"n"}) {
		t.Errorf("with only twice wanted: %s, key %v, uses %v", s, s.Key, out.Uses)
	}
	timeless := schema()
	timeless.Timeless = true
	if out, _ = infers(timeless, config, nil); !out.Ports[0].Timeless {
		t.Error("rows without event time get one")
	}
}

func TestInferRefuses(t *testing.T) {
	updating := schema()
	updating.Mode = gpflow.Upsert
	for _, c := range []struct {
		in         *gpflow.Schema
		config     map[string]any
		path, want string
	}{
		{schema(), sel(), "select", "at least one"},
		{schema(), sel("a.b", "n"), "select.a.b", "cannot have this name"},
		{schema(), sel("event", "n"), "select.event", "cannot have this name"},
		{schema(), sel("a", "n", "a", "user"), "select.a", "twice"},
		{schema(), sel("a", "usr"), "select.a", "usr"},
		{schema(), sel("a", "nil"), "select.a", "null"},
		{schema(), sel("a", "home"), "select.a", ""},
		{updating, sel("a", "n"), "from", "upsert"},
	} {
		out, problems := infers(c.in, c.config, nil)
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Summary, c.want) {
			t.Errorf("select %v: %+v, want one of %s with %q", c.config, problems, c.path, c.want)
		}
		if c.path != "from" && out.Ports[0] != nil {
			t.Errorf("select %v has a schema all the same", c.config)
		}
	}
}

// full returns a batch of 1024 rows, and a driver for it.
func full(tb testing.TB, config map[string]any) (*optest.Driver, *gpflow.Batch) {
	c := optest.Case{Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: config}
	w := gpflow.NewBuilder(c.In[0])
	for i := range gpflow.BatchRows {
		copy(w.Row(gpflow.Timestamp(i)), row(gpflow.Timestamp(i), "user", int64(i)).Values)
	}
	return optest.NewDriver(tb, c, optest.Options{}), w.Take()
}

var plain = sel("u", "user", "m", "n * 2 + 1", "late", "n > 15", "f", "float(n) / 3.0")

func TestNoAllocations(t *testing.T) {
	d, b := full(t, plain)
	n := testing.AllocsPerRun(50, func() {
		b.Retain()
		if err := d.Feed(b, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n > 16 { // the pool of batches forgets some under the race detector
		t.Errorf("a batch of %d rows allocates %v times", b.N, n)
	}
}

func BenchmarkMap(b *testing.B) {
	d, batch := full(b, plain)
	b.ReportAllocs()
	for i := 0; i < b.N; i += batch.N {
		batch.Retain()
		if err := d.Feed(batch, 0); err != nil {
			b.Fatal(err)
		}
	}
}
