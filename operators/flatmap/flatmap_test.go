package flatmap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

func schema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "id", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindString)).Opt()},
		gpflow.Column{Name: "text", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "home", Type: gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{
			{Name: "city", Type: gpflow.T(gpflow.KindString).Opt()},
		}}},
		gpflow.Column{Name: "any", Type: gpflow.T(gpflow.KindAny)},
		gpflow.Column{Name: "attrs", Type: gpflow.MapOf(gpflow.T(gpflow.KindInt))},
	)
}

func list(tags ...string) gpflow.Value {
	var vs []gpflow.Value
	for _, s := range tags {
		vs = append(vs, gpflow.String(s))
	}
	return gpflow.List(vs)
}

func row(t gpflow.Timestamp, id int64, tags gpflow.Value) optest.Step {
	return optest.Row(t, gpflow.Int(id), tags, gpflow.String(fmt.Sprint("t", id)), gpflow.String("Delft"), gpflow.Null, gpflow.Map(nil))
}

type config = map[string]any

func TestFlatMap(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config: config{"each": "tags", "as": "tag", "index": "at", "keep": []string{"text", "id"}},
		Steps: []optest.Step{
			row(5, 1, list("a", "b", "c")), optest.Mark(4), row(7, 2, list()), row(6, 3, gpflow.Null),
			optest.Mark(6), row(9, 4, list("", "d")), optest.End(),
		},
		Want: map[string][]string{"": {
			`{"text":"t1","id":1,"tag":"a","at":0} @5`, `{"text":"t1","id":1,"tag":"b","at":1} @5`, `{"text":"t1","id":1,"tag":"c","at":2} @5`,
			`{"text":"t4","id":4,"tag":"","at":0} @9`, `{"text":"t4","id":4,"tag":"d","at":1} @9`,
		}},
	})
}

// Without keep, all columns but the list are kept, and the element may take the
// list's name.
func TestKeepAll(t *testing.T) {
	in := schema().Select(func(name string) bool { return name != "any" && name != "attrs" })
	values := func(tags gpflow.Value) []gpflow.Value {
		return []gpflow.Value{gpflow.Int(1), tags, gpflow.String("x"), gpflow.Null}
	}
	for _, each := range []string{"tags", "event.tags"} {
		optest.Run(t, optest.Case{
			Descriptor: &Descriptor, In: []*gpflow.Schema{in}, Config: config{"each": each, "as": "tags"},
			Steps: []optest.Step{optest.Row(3, values(list("a", "b"))...), optest.Row(3, values(list("c"))...)},
			Want: map[string][]string{"": {
				`{"id":1,"text":"x","home":{"city":null},"tags":"a"} @3`, `{"id":1,"text":"x","home":{"city":null},"tags":"b"} @3`,
				`{"id":1,"text":"x","home":{"city":null},"tags":"c"} @3`,
			}},
		})
	}
}

// A list may be computed. Nothing is made of a record whose list cannot be.
func TestExpression(t *testing.T) {
	optest.Run(t, optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{schema()},
		Config:    config{"each": "[id, 12 / id, var.one]", "as": "n", "keep": []string{}},
		Constants: gpflow.Constants{"var.one": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(1)}},
		Steps:     []optest.Step{row(1, 4, list()), row(2, 0, list()), optest.Mark(2), row(3, 2, list())},
		Want: map[string][]string{
			"":       {`{"n":4} @1`, `{"n":3} @1`, `{"n":1} @1`, `{"n":2} @3`, `{"n":6} @3`, `{"n":1} @3`},
			"errors": {`expression {"id":0,"tags":[],"text":"t0","home":{"city":"Delft"},"any":null,"attrs":{}}`},
		},
	})
}

// numbers returns a driver and a batch of so many rows with a list of n numbers
// and a text of so many bytes.
func numbers(tb testing.TB, keep []string, rows, n, text int) (*optest.Driver, *gpflow.Batch) {
	in := gpflow.NewSchema(
		gpflow.Column{Name: "list", Type: gpflow.ListOf(gpflow.T(gpflow.KindInt))},
		gpflow.Column{Name: "text", Type: gpflow.T(gpflow.KindString)},
	)
	var vs []gpflow.Value
	for i := range n {
		vs = append(vs, gpflow.Int(int64(i)))
	}
	w := gpflow.NewBuilder(in)
	for i := range rows {
		row := w.Row(gpflow.Timestamp(i))
		row[0], row[1] = gpflow.List(vs), gpflow.String(strings.Repeat("x", text))
	}
	c := optest.Case{
		Descriptor: &Descriptor, In: []*gpflow.Schema{in},
		Config: config{"each": "list", "as": "n", "index": "at", "keep": keep},
	}
	return optest.NewDriver(tb, c, optest.Options{Most: 2 * n}), w.Take()
}

// A long list leaves in slices.
func TestLongList(t *testing.T) {
	const n = 1_000_000
	d, b := numbers(t, []string{}, 1, n, 0)
	next, largest := int64(0), 0
	d.Emit = func(_ int, b *gpflow.Batch) {
		largest = max(largest, b.N)
		for i := range b.N {
			if row := b.Row(i); row[0].Int() != next || row[1].Int() != next || b.Time(i) != 0 {
				t.Fatalf("element %d is %d at %d", next, row[0].Int(), row[1].Int())
			}
			next++
		}
	}
	if err := d.Feed(b, 0); err != nil {
		t.Fatal(err)
	}
	if next != n || largest > gpflow.BatchRows || d.Out.Created != n || d.Out.Absorbed != 1 {
		t.Errorf("%d elements in batches of up to %d: %+v", next, largest, d.Out.Counts)
	}
}

// What is kept counts for each new record: a link between processes carries it
// so often.
func TestKeptTextFillsTheOutput(t *testing.T) {
	d, b := numbers(t, []string{"text"}, 2, 100, 64<<10)
	rows, batches := 0, 0
	d.Emit = func(_ int, b *gpflow.Batch) { rows, batches = rows+b.N, batches+1 }
	if err := d.Feed(b, 0); err != nil {
		t.Fatal(err)
	}
	if rows != 200 || batches < 200/4 {
		t.Errorf("%d records in %d batches, want 200 in 50 or more", rows, batches)
	}
}

func infers(in *gpflow.Schema, c config, wanted map[string]bool) (gpflow.Inferred, []gpflow.Problem) {
	var problems []gpflow.Problem
	out := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(Descriptor.Fields, c), In: []*gpflow.Schema{in}, Wanted: wanted,
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return out, problems
}

func TestInfer(t *testing.T) {
	in := schema()
	in.Key = []string{"id"}
	all := config{"each": "tags", "as": "tag", "index": "at"}
	for _, c := range []struct {
		config       config
		wanted       map[string]bool
		schema, uses string
		key          []string
	}{
		{all, nil, "id int, text string, home.city optional(string), any any, attrs map(int), tag string, at int", "tags id text home.city any attrs", []string{"id", "at"}},
		{all, map[string]bool{"tag": true}, "tag string", "tags", nil},
		{all, map[string]bool{"at": true, "text": true}, "text string, at int", "tags text", nil},
		{all, map[string]bool{"at": true, "id": true}, "id int, at int", "tags id", []string{"id", "at"}},
		{config{"each": "split(text, ' ')", "as": "word", "keep": []string{"text"}}, nil, "text string, word string", "text", nil},
		{config{"each": "tags", "as": "tag", "keep": []string{"id"}}, nil, "id int, tag string", "tags id", nil},
		{config{"each": "[id]", "as": "tag", "keep": []string{"tags"}, "index": "i"}, nil, "tags optional(list(string)), tag int, i int", "id tags", nil},
	} {
		out, problems := infers(in, c.config, c.wanted)
		if len(problems) > 0 {
			t.Errorf("%v: %+v", c.config, problems)
			continue
		}
		if s := out.Ports[0]; s.String() != c.schema || strings.Join(out.Uses[0], " ") != c.uses || !slices.Equal(s.Key, c.key) {
			t.Errorf("%v, wanted %v: (%s), key %v, uses %v", c.config, c.wanted, s, s.Key, out.Uses[0])
		}
	}
	timeless := schema()
	timeless.Timeless = true
	if out, _ := infers(timeless, all, nil); !out.Ports[0].Timeless {
		t.Error("rows without event time get one")
	}
}

func TestInferRefuses(t *testing.T) {
	updating := schema()
	updating.Mode = gpflow.Retract
	good := schema()
	for _, c := range []struct {
		in               *gpflow.Schema
		each, as, index  string
		keep             []string
		path, text, want string // text: what the range is around
		code             string
	}{
		{good, "tagz", "t", "", nil, "each", "tagz", "tagz", "GPF-0122"},
		{good, "1 +", "t", "", nil, "each", "", "ends too early", ""},
		{good, "id", "t", "", nil, "each", "", "int, not a list", codeColumnType},
		{good, "attrs", "t", "", nil, "each", "", "map(int), not a list", codeColumnType},
		{good, "any", "t", "", nil, "each", "", "not known", codeColumnType},
		{good, "tags", "a.b", "", nil, "as", "", "cannot have this name", ""},
		{good, "tags", "", "", nil, "as", "", "cannot have this name", ""},
		{good, "tags", "event", "", nil, "as", "", "cannot have this name", ""},
		{good, "tags", "id", "", nil, "as", "", `"id" is taken`, codeSameColumn},
		{good, "tags", "home", "", nil, "as", "", `"home.city"`, codeSameColumn},
		{good, "tags", "id", "", []string{"id"}, "as", "", `"id" is taken`, codeSameColumn},
		{good, "tags", "t", "t", nil, "index", "", "taken by the element", codeSameColumn},
		{good, "tags", "t", "id", nil, "index", "", `"id" is taken`, codeSameColumn},
		{good, "tags", "t", "1", nil, "index", "", "cannot have this name", ""},
		{good, "tags", "t", "", []string{"idd"}, "keep[0]", "", `no column "idd"`, "GPF-0122"},
		{good, "tags", "t", "", []string{"id", "id"}, "keep[1]", "", "twice", ""},
		{updating, "tags", "t", "", nil, "from", "", "retract", ""},
	} {
		values := config{"each": c.each, "as": c.as}
		if c.index != "" {
			values["index"] = c.index
		}
		if c.keep != nil {
			values["keep"] = c.keep
		}
		out, problems := infers(c.in, values, nil)
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Summary, c.want) || problems[0].Code != c.code {
			t.Errorf("%v: %+v, want one of %s with %q", values, problems, c.path, c.want)
			continue
		}
		if p := problems[0]; c.text != "" && c.each[p.From:p.To] != c.text {
			t.Errorf("%v: the range is %d-%d", values, p.From, p.To)
		}
		if out.Ports[0] != nil {
			t.Errorf("%v has a schema all the same", values)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	d, b := numbers(t, []string{"text"}, 32, 32, 5)
	n := testing.AllocsPerRun(50, func() {
		b.Retain()
		if err := d.Feed(b, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n > 16 { // the pool of batches forgets some under the race detector
		t.Errorf("%d records of 32 elements allocate %v times", b.N, n)
	}
}

func BenchmarkFlatMap(b *testing.B) {
	d, batch := numbers(b, []string{"text"}, 256, 32, 5)
	b.ReportAllocs()
	for i := 0; i < b.N; i += batch.N * 32 {
		batch.Retain()
		if err := d.Feed(batch, 0); err != nil {
			b.Fatal(err)
		}
	}
}
