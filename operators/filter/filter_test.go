package filter

import (
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

func schema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "country", Type: gpflow.T(gpflow.KindString).Opt()},
	)
}

func row(t gpflow.Timestamp, user string, n int64) optest.Step {
	return optest.Row(t, gpflow.String(user), gpflow.Int(n), gpflow.Null)
}

func TestFilter(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config:    map[string]any{"where": `10 % n == var.rest && (country ?? "") == ""`},
		Constants: gpflow.Constants{"var.rest": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(0)}},
		Steps: []optest.Step{
			row(1, "a", 5), row(3, "b", 3), optest.Mark(2), row(2, "c", 0), row(5, "d", 2), row(4, "", 1), optest.End(),
		},
		Want: map[string][]string{
			"":       {`{"user":"a","n":5,"country":null} @1`, `{"user":"d","n":2,"country":null} @5`, `{"user":"","n":1,"country":null} @4`},
			"errors": {`expression {"user":"c","n":0,"country":null}`},
		},
	})
}

// Without failures the harness also narrows the columns.
func TestColumns(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: map[string]any{"where": "n > 1"},
		Steps: []optest.Step{row(1, "a", 1), row(2, "b", 2), optest.Mark(9), row(3, "c", 3)},
		Want:  map[string][]string{"": {`{"user":"b","n":2,"country":null} @2`, `{"user":"c","n":3,"country":null} @3`}},
	})
}

func infers(in *gpflow.Schema, where string) (gpflow.Inferred, []gpflow.Problem) {
	var problems []gpflow.Problem
	out := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(Descriptor.Fields, map[string]any{"where": where}), In: []*gpflow.Schema{in},
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return out, problems
}

func TestInfer(t *testing.T) {
	in := schema()
	out, problems := infers(in, "n > 1 && user != ''")
	if len(problems) > 0 || out.Ports[0] != in || !out.Pass[0] || strings.Join(out.Uses[0], " ") != "n user" || len(out.Exprs) != 1 {
		t.Errorf("Infer gives %+v and %v", out, problems)
	}
	for where, want := range map[string]string{
		"n + 1":        "is int, not bool",
		"nn > 1":       "nn",
		"country":      "not bool",
		"country == 1": "",
		"n >":          "",
	} {
		_, problems := infers(in, where)
		if len(problems) != 1 || problems[0].Path != "where" || !strings.Contains(problems[0].Summary, want) {
			t.Errorf("where = %q: %+v, want one with %q", where, problems, want)
		}
	}
	if _, problems = infers(in, "n == nnn"); problems[0].From != 5 || problems[0].To != 8 {
		t.Errorf("the problem lies at [%d, %d), want [5, 8)", problems[0].From, problems[0].To)
	}
	updating := schema()
	updating.Mode = gpflow.Retract
	if _, problems = infers(updating, "n > 1"); len(problems) != 1 || problems[0].Path != "from" {
		t.Errorf("a retract stream: %+v", problems)
	}
}

// full returns a batch of 1024 rows, and a driver for it.
func full(tb testing.TB, where string) (*optest.Driver, *gpflow.Batch) {
	c := optest.Case{Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: map[string]any{"where": where}}
	w := gpflow.NewBuilder(c.In[0])
	for i := range gpflow.BatchRows {
		r := w.Row(gpflow.Timestamp(i))
		r[0], r[1] = gpflow.String("user"), gpflow.Int(int64(i))
	}
	return optest.NewDriver(tb, c, optest.Options{}), w.Take()
}

func TestNoAllocations(t *testing.T) {
	d, b := full(t, "n % 2 == 0 && user == 'user'")
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

func BenchmarkFilter(b *testing.B) {
	d, batch := full(b, "n % 2 == 0 && user == 'user'")
	b.ReportAllocs()
	for i := 0; i < b.N; i += batch.N {
		batch.Retain()
		if err := d.Feed(batch, 0); err != nil {
			b.Fatal(err)
		}
	}
}
