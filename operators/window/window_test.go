package window

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

func schema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString).Opt()},
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat)},
		gpflow.Column{Name: "took", Type: gpflow.T(gpflow.KindDuration)},
		gpflow.Column{Name: "home", Type: gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{
			{Name: "city", Type: gpflow.T(gpflow.KindString)},
		}}},
	)
}

func row(t gpflow.Timestamp, user string, n int64) optest.Step {
	u := gpflow.String(user)
	if user == "" {
		u = gpflow.Null
	}
	return optest.Row(t, u, gpflow.Int(n), gpflow.Float(float64(n)/2), gpflow.Span(gpflow.Duration(n)*gpflow.Second), gpflow.String("Delft"))
}

func aggregates(pairs ...string) []gpflow.NamedExpr {
	var es []gpflow.NamedExpr
	for i := 0; i < len(pairs); i += 2 {
		es = append(es, gpflow.NamedExpr{Name: pairs[i], Expr: pairs[i+1]})
	}
	return es
}

func config(size gpflow.Duration, keys []string, pairs ...string) map[string]any {
	return map[string]any{"size": size, "key_by": keys, "aggregate": aggregates(pairs...)}
}

func TestWindow(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: config(10, []string{"user"}, "n", "count()", "total", "sum(n) * var.two", "part", "sum(100 % n)"),
		Constants: gpflow.Constants{
			"var.two": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(2)},
		},
		Steps: []optest.Step{
			row(1, "ann", 1), row(12, "bob", 2), row(9, "", 3), row(-1, "ann", 4), optest.Mark(0),
			row(-1, "ann", 5), row(3, "ann", 0), row(0, "ann", 7), optest.Mark(9), row(1, "bob", 8), optest.Mark(10),
			row(9, "ann", 9), row(10, "bob", 10), optest.End(),
		},
		Want: map[string][]string{
			"": {
				record("ann", -10, 1, 8, 0), record("ann", 0, 2, 16, 2), record("", 0, 1, 6, 1), record("bob", 0, 1, 16, 4),
				record("bob", 10, 2, 24, 0),
			},
			"late": {
				`{"user":"ann","n":5,"x":2.5,"took":"5s","home":{"city":"Delft"}}`,
				`{"user":"ann","n":9,"x":4.5,"took":"9s","home":{"city":"Delft"}}`,
			},
			"errors": {`expression {"user":"ann","n":0,"x":0,"took":"0s","home":{"city":"Delft"}}`},
		},
	})
}

func record(user string, start gpflow.Timestamp, n, total, part int) string {
	name := `"` + user + `"`
	if user == "" {
		name = "null"
	}
	return fmt.Sprintf(`{"user":%s,"window_start":"%s","window_end":"%s","n":%d,"total":%d,"part":%d} @%d`, name, start, start+10, n, total, part, start+9)
}

// A window closes at the mark that equals its end, and not before.
func TestClosesAtItsEnd(t *testing.T) {
	got := optest.Play(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: config(10, nil, "n", "count()"),
		Steps: []optest.Step{
			row(1, "a", 1), optest.Mark(9), row(9, "a", 1), optest.Mark(10), row(10, "a", 1), optest.Mark(19),
			row(20, "a", 1), optest.Mark(21), row(25, "a", 1), optest.End(),
		},
	}, optest.Options{})
	var after []gpflow.Timestamp
	for _, r := range got.Ports[""] {
		after = append(after, r.After)
	}
	if want := []gpflow.Timestamp{9, 19, 21}; !slices.Equal(after, want) || got.Counts.Late != 0 {
		t.Errorf("the windows close after the marks %d, want %d; %+v", after, want, got.Counts)
	}
}

// Without a key there is one result a window. The group columns can be used
// beside aggregates, and no row fails: the harness also narrows the columns.
// TestSteps: whether the end of time is come to at once or window by window, the
// results are the same; in steps, each window has a mark of its own behind it.
func TestSteps(t *testing.T) {
	c := optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: config(10, []string{"user"}, "n", "count()"),
		Steps: []optest.Step{row(1, "ann", 1), row(12, "bob", 2), row(35, "ann", 3), optest.Mark(5), row(31, "eve", 4), optest.End()},
	}
	at := func(o optest.Options) (rows []string, after []gpflow.Timestamp) {
		p := optest.Play(t, c, o)
		if p.Err != nil {
			t.Fatal(p.Err)
		}
		for _, r := range p.Ports[""] {
			rows, after = append(rows, r.String()), append(after, r.After)
		}
		return rows, after
	}
	for slice := range 3 {
		whole, _ := at(optest.Options{Slice: slice})
		rows, after := at(optest.Options{Slice: slice, Steps: true})
		if !slices.Equal(rows, whole) {
			t.Errorf("slices of %d: in steps %v, and at once %v", slice, rows, whole)
		}
		if want := []gpflow.Timestamp{5, 10, 20, 20}; !slices.Equal(after, want) {
			t.Errorf("slices of %d: the results follow the marks %v, want %v", slice, after, want)
		}
	}
}

func TestGlobalWindow(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: map[string]any{
			"size": 10 * gpflow.Microsecond, "offset": 3 * gpflow.Microsecond,
			"aggregate": aggregates("span", "window_end - window_start", "took", "avg(took)", "max", "max(took)", "city", "last(home.city)"),
		},
		Steps: []optest.Step{row(3, "a", 1), row(12, "b", 2), row(13, "c", 3), optest.Mark(12), optest.Mark(40), row(12, "d", 4), row(45, "e", 5), optest.End()},
		Want: map[string][]string{
			"": {
				`{"window_start":"1970-01-01T00:00:00.000003Z","window_end":"1970-01-01T00:00:00.000013Z","span":"10us","took":"1s500ms","max":"2s","city":"Delft"} @12`,
				`{"window_start":"1970-01-01T00:00:00.000013Z","window_end":"1970-01-01T00:00:00.000023Z","span":"10us","took":"3s","max":"3s","city":"Delft"} @22`,
				`{"window_start":"1970-01-01T00:00:00.000043Z","window_end":"1970-01-01T00:00:00.000053Z","span":"10us","took":"5s","max":"5s","city":"Delft"} @52`,
			},
			"late": {`{"user":"d","n":4,"x":2,"took":"4s","home":{"city":"Delft"}}`},
		},
	})
}

// A row that would overflow one sum changes no other aggregate.
func TestOverflow(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: config(10, nil, "n", "count()", "last", "last(n)", "sum", "sum(n)", "mean", "avg(n)"),
		Steps: []optest.Step{
			bare(1, math.MaxInt64), bare(2, 1), bare(3, 0), bare(4, -1), bare(5, 1), bare(6, 1), optest.End(),
		},
		Want: map[string][]string{
			"":       {`{"window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:00.00001Z","n":4,"last":1,"sum":9223372036854775807,"mean":2305843009213694000} @9`},
			"errors": {`overflow {"user":null,"n":1,"x":0,"took":"0s","home":{"city":""}}`, `overflow {"user":null,"n":1,"x":0,"took":"0s","home":{"city":""}}`},
		},
	})
}

func bare(t gpflow.Timestamp, n int64) optest.Step {
	return optest.Row(t, gpflow.Null, gpflow.Int(n), gpflow.Float(0), gpflow.Span(0), gpflow.String(""))
}

// An aggregate without a result stops the pipeline, and says where.
func TestResultFails(t *testing.T) {
	c := optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config:  config(10, []string{"user"}, "n", "count()", "rate", "1 / sum(n)"),
		Steps:   []optest.Step{row(1, "ann", 1), row(2, "bob", 0), row(3, "cy", 2), optest.End()},
		WantErr: `compute aggregate.rate of {"user":"bob"} for the window from 1970-01-01T00:00:00Z to 1970-01-01T00:00:00.00001Z: `,
	}
	optest.Run(t, c)
	got := optest.Play(t, c, optest.Options{})
	if gpflow.ErrorCode(got.Err) != "expression" || len(got.Ports[""]) != 1 || got.Counts.Created != 1 {
		t.Errorf("the run ends with %v (%s) and %+v", got.Err, gpflow.ErrorCode(got.Err), got)
	}
}

func TestWindowOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &operator{
			size:   gpflow.Duration(rapid.Int64Range(1, math.MaxInt64/2).Draw(t, "size")),
			offset: gpflow.Duration(rapid.Int64().Draw(t, "offset")),
		}
		at := gpflow.Timestamp(rapid.Int64().Draw(t, "time"))
		o.window(at)
		if o.start > at || at >= o.end && o.end != gpflow.MaxTimestamp {
			t.Fatalf("%d is not in [%d, %d)", at, o.start, o.end)
		}
		cut := o.start == gpflow.MinTimestamp || o.end == gpflow.MaxTimestamp
		if m := (int64(o.start)%int64(o.size) - int64(o.offset)%int64(o.size)) % int64(o.size); !cut && (m != 0 || o.end-o.start != gpflow.Timestamp(o.size)) {
			t.Fatalf("[%d, %d) is not a window of %d, moved by %d", o.start, o.end, o.size, o.offset)
		}
	})
}

func infers(in *gpflow.Schema, config map[string]any) (gpflow.Inferred, []gpflow.Problem) {
	var problems []gpflow.Problem
	out := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(Descriptor.Fields, config), In: []*gpflow.Schema{in},
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return out, problems
}

func TestInfer(t *testing.T) {
	out, problems := infers(schema(), config(10, []string{"home.city", "user"}, "n", "count()", "mean", "sum(x) / count()", "top", "max(user)"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := "home.city string, user optional(string), window_start timestamp, window_end timestamp, n int, mean float, top optional(string)"
	if got := out.Ports[0].String(); got != want {
		t.Errorf("the output is\n%s, want\n%s", got, want)
	}
	if key := strings.Join(out.Ports[0].Key, " "); key != "home.city user window_start" {
		t.Errorf("the key is %s", key)
	}
	if late := out.Ports[1]; !late.Timeless || late.String() != schema().String() || !out.Pass[1] || out.Pass[0] {
		t.Errorf("the late port is %s, passes %v", late, out.Pass)
	}
	if uses := strings.Join(out.Uses[0], " "); uses != "home.city user x" {
		t.Errorf("uses %s", uses)
	}
}

// A wrong key does not change what is said of the names of aggregates.
func TestNamesBesideWrongKeys(t *testing.T) {
	for _, keys := range [][]string{{"zzz"}, {"n", "n"}, {"x"}} {
		_, problems := infers(schema(), config(1, keys, "window_start", "count()"))
		last := problems[len(problems)-1]
		if len(problems) != 2 || !strings.HasSuffix(last.Summary, "a column that the window adds") {
			t.Errorf("%q: %+v", keys, problems)
		}
	}
}

func TestInferRefuses(t *testing.T) {
	timeless, updating := schema(), schema()
	timeless.Timeless, updating.Mode = true, gpflow.Retract
	none := []string(nil)
	for _, c := range []struct {
		in                 *gpflow.Schema
		config             map[string]any
		path, want, detail string
	}{
		{timeless, config(1, none, "n", "count()"), "from", "event time", "event_time"},
		{updating, config(1, none, "n", "count()"), "from", "retract", ""},
		{schema(), config(1, []string{"usr"}, "n", "count()"), "key_by[0]", `"usr"`, `"user"`},
		{schema(), config(1, []string{"zzzzzz"}, "n", "count()"), "key_by[0]", `"zzzzzz"`, "home.city"},
		{schema(), config(1, []string{"x"}, "n", "count()"), "key_by[0]", "float, which cannot", "Rounding"},
		{schema(), config(1, []string{"n", "n"}, "c", "count()"), "key_by[1]", "twice", ""},
		{schema(), config(1, none), "aggregate", "at least one", ""},
		{schema(), config(1, none, "n", "count()", "n", "sum(n)"), "aggregate.n", `Two aggregates have the name "n"`, ""},
		{schema(), config(1, []string{"user"}, "user", "count()"), "aggregate.user", "taken by a key column", ""},
		{schema(), config(1, []string{"home.city"}, "home", "count()"), "aggregate.home", "taken by a key column", ""},
		{schema(), config(1, none, "window_end", "count()"), "aggregate.window_end", "that the window adds", ""},
		{schema(), config(1, none, "a.b", "count()"), "aggregate.a.b", "cannot have this name", `"a_b"`},
		{schema(), config(1, none, "a", "sum(user)"), "aggregate.a", "sum of", ""},
		{schema(), config(1, none, "a", "sum(nn)"), "aggregate.a", "nn", ""},
		{schema(), config(1, none, "a", "n"), "aggregate.a", "", ""},
		{schema(), config(1, none, "a", "nil"), "aggregate.a", "null", ""},
	} {
		out, problems := infers(c.in, c.config)
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Summary, c.want) || !strings.Contains(problems[0].Detail, c.detail) {
			t.Errorf("%v: %+v, want one of %s with %q and %q", c.config, problems, c.path, c.want, c.detail)
		}
		if out.Ports[0] != nil {
			t.Errorf("%v has a schema all the same", c.config)
		}
	}
	two := gpflow.NewSchema(gpflow.Column{Name: "window_start", Type: gpflow.T(gpflow.KindTimestamp)})
	if _, problems := infers(two, config(1, []string{"window_start"}, "n", "count()")); len(problems) != 1 || !strings.Contains(problems[0].Summary, "of its own") {
		t.Errorf("key_by window_start: %+v", problems)
	}
	if err := Descriptor.Fields[1].Check(gpflow.Duration(0)); err == nil {
		t.Error("a window of size 0 is accepted")
	}
}

// State is named by what is computed, not by what the results are called, and
// each call is kept once.
func TestState(t *testing.T) {
	consts := gpflow.Constants{"var.k": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(3)}}
	describe := func(pairs ...string) gpflow.StateDescriptor {
		c := gpflow.NewConfig(Descriptor.Fields, config(1, []string{"user"}, pairs...))
		return Descriptor.State(c, []*gpflow.Schema{schema()}, consts)[0]
	}
	d := describe("a", "sum(n) / count()", "b", "avg( x ) + sum(n)", "c", "first(user)", "d", "max(n * var.k)", "e", "count()")
	want := "sum(n) optional(int), count() optional(int), avg(x).sum optional(float), avg(x).count optional(int), " +
		"first(user) optional(string), first(user).time optional(timestamp), first(user).split optional(string), first(user).position optional(int), max(n * 3) optional(int)"
	if d.Name != "panes" || d.Kind != "panes" || d.Version != 1 || d.Key.String() != "user optional(string)" || d.Value.String() != want {
		t.Errorf("state is %s\nkey %s\nvalue %s, want\n%s", d.Name, d.Key, d.Value, want)
	}
	if other := describe("z", "sum( n )/count()"); other.Value.String() != "sum(n) optional(int), count() optional(int)" {
		t.Errorf("state is %s", other.Value)
	}
}

// Plain columns and plain calls take the short way.
func TestShortWays(t *testing.T) {
	c := gpflow.NewConfig(Descriptor.Fields, config(1, nil, "a", "sum(n)", "b", "max(home.city)", "c", "sum(n) + 1"))
	l := build(c, schema(), nil, func(p gpflow.Problem) { t.Fatal(p) })
	if !l.aggs[0].direct || !l.aggs[1].direct || l.aggs[2].direct {
		t.Errorf("direct: %v %v %v", l.aggs[0].direct, l.aggs[1].direct, l.aggs[2].direct)
	}
	for _, a := range l.args {
		if a.String() != a.Columns()[0] {
			t.Errorf("the column %v is written %s", a.Columns(), a.String())
		}
	}
}

// The reader of keys reads what the root package writes.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var key []byte
		n := rapid.IntRange(0, 5).Draw(t, "columns")
		for range n {
			i := rapid.Int64().Draw(t, "int")
			s := rapid.StringN(0, 300, -1).Draw(t, "text")
			v := []gpflow.Value{
				gpflow.Null, gpflow.Bool(i > 0), gpflow.Int(i), gpflow.String(s), gpflow.Bytes([]byte(s)),
				gpflow.Time(gpflow.Timestamp(i)), gpflow.Span(gpflow.Duration(i)),
			}[rapid.IntRange(0, 6).Draw(t, "kind")]
			key = gpflow.AppendKey(key, v)
		}
		want, err := gpflow.DecodeKey(key, n)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]gpflow.Value, n)
		var r keyReader
		if _, err := r.read(got, key); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !gpflow.Equal(got[i], want[i]) {
				t.Fatalf("column %d is %v, want %v", i, got[i], want[i])
			}
		}
		for cut := range key {
			_, err := r.read(got, key[:cut])
			if _, want := gpflow.DecodeKey(key[:cut], n); (err == nil) != (want == nil) {
				t.Fatalf("of a key cut at %d: %v, want %v", cut, err, want)
			}
		}
		if _, err := r.read(got, append(key, 0)); err == nil {
			t.Fatal("a key with a column more is read")
		}
	})
	var r keyReader
	if _, err := r.read(make([]gpflow.Value, 1), append([]byte{3}, make([]byte, 8)...)); err == nil {
		t.Error("a float is read as a key")
	}
}
