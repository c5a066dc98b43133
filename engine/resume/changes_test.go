package resume

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// connectors are kinds with a field of each class.
func connectors() *gpflow.Registry {
	fields := []gpflow.Field{
		{Name: "live", Kind: gpflow.FieldInt, Update: gpflow.Live},
		{Name: "restart", Kind: gpflow.FieldInt, Update: gpflow.Restart},
		{Name: "migrate", Kind: gpflow.FieldInt, Update: gpflow.Migrate},
		{Name: "drop", Kind: gpflow.FieldInt, Update: gpflow.Drop},
		{Name: "replace", Kind: gpflow.FieldInt, Update: gpflow.Replace},
		{Name: "block", Kind: gpflow.FieldBlock, Update: gpflow.Restart, Fields: []gpflow.Field{
			{Name: "live", Kind: gpflow.FieldInt, Update: gpflow.Live}, {Name: "drop", Kind: gpflow.FieldInt, Update: gpflow.Drop},
		}},
	}
	infer := func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} }
	r, err := gpflow.NewRegistry([]*gpflow.Descriptor{
		{Block: "source", Kind: "s", Doc: "It reads.", Fields: fields, Infer: infer, NewSource: func(*gpflow.SourceContext) (gpflow.Source, error) { return nil, nil }},
		{Block: "window", Kind: "w", Doc: "It counts.", Fields: fields, Infer: infer, NewOperator: func(*gpflow.OperatorContext) (gpflow.Operator, error) { return nil, nil }},
		{Block: "filter", Doc: "It filters.", Fields: fields, Infer: infer, NewOperator: func(*gpflow.OperatorContext) (gpflow.Operator, error) { return nil, nil }},
		{Block: "sink", Kind: "o", Doc: "It writes.", Fields: fields, Infer: infer, NewSink: func(*gpflow.SinkContext) (gpflow.Sink, error) { return nil, nil }},
	}...)
	if err != nil {
		panic(err)
	}
	return r
}

// chain is a plan of one task: source.a, filter.f, window.w, sink.o.
func chain() *plan.Plan {
	count := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.Type{Kind: gpflow.KindInt}})
	ops := []plan.Op{
		{ID: "source.a", Block: "source", Kind: "s", Parent: -1},
		{ID: "filter.f", Block: "filter"},
		{ID: "window.w", Block: "window", Kind: "w", Parent: 1, State: []gpflow.StateDescriptor{{Name: "panes", Kind: "panes", Value: count}}},
		{ID: "sink.o", Block: "sink", Kind: "o", Parent: 2, In: []*gpflow.Schema{count}},
	}
	for i := range ops {
		ops[i].Config = json.RawMessage(`{"live":1,"restart":1,"migrate":1,"drop":1,"replace":1,"block":{"live":1,"drop":1}}`)
		ops[i].Constants = map[string]plan.Constant{"var.x": {Type: "int", Value: json.RawMessage("1")}}
	}
	return &plan.Plan{KeyGroups: 128, Tasks: []plan.Task{{ID: "source.a", Parallelism: 1, Ops: ops}}}
}

// TestCompare: each change loses the state that it must, and no other.
func TestCompare(t *testing.T) {
	part := func(k checkpoint.Kind, name string, data string) checkpoint.PartState {
		return checkpoint.PartState{Part: checkpoint.Part{Kind: k, Name: name}, Data: []byte(data)}
	}
	m := &checkpoint.Manifest{Parts: []checkpoint.PartState{
		part(checkpoint.Reader, "source.a", "{}"), part(checkpoint.Task, "source.a", "{}"), part(checkpoint.Writer, "sink.o", `{"state":"eA=="}`),
	}}
	if len((node{op: &plan.Op{ID: "sink.o"}}).state(connectors(), m)) == 0 {
		t.Fatal("the manifest of the test has no state of the sink")
	}
	set := func(old, now string) func(*plan.Plan) {
		return func(p *plan.Plan) {
			for i := range p.Tasks[0].Ops {
				c := &p.Tasks[0].Ops[i].Config
				*c = json.RawMessage(strings.Replace(string(*c), old, now, 1))
			}
		}
	}
	op := func(i int, f func(*plan.Op)) func(*plan.Plan) { return func(p *plan.Plan) { f(&p.Tasks[0].Ops[i]) } }
	for _, c := range []struct {
		name   string
		change func(*plan.Plan)
		lost   string // addresses
		anew   string
	}{
		{"nothing", func(*plan.Plan) {}, "", ""},
		{"live", set(`"live":1`, `"live":2`), "", ""},
		{"restart", set(`"restart":1`, `"restart":2`), "", ""},
		{"migrate", set(`"migrate":1`, `"migrate":2`), "", ""},
		{"drop", set(`"drop":1`, `"drop":2`), "sink.o source.a window.w", "filter.f sink.o source.a window.w"},
		{"replace", set(`"replace":1`, `"replace":2`), "sink.o source.a window.w", "filter.f sink.o source.a window.w"},
		{"a live field of a block", set(`"block":{"live":1`, `"block":{"live":2`), "", ""},
		{"a field of a block that drops", set(`"live":1,"drop":1}`, `"live":1,"drop":2}`), "sink.o source.a window.w", "filter.f sink.o source.a window.w"},
		{"parallelism", func(p *plan.Plan) { p.Tasks[0].Parallelism = 3 }, "", ""},
		{"key groups", func(p *plan.Plan) { p.KeyGroups = 64 }, "window.w", "window.w"},
		{"no filter", func(p *plan.Plan) {
			ops := p.Tasks[0].Ops
			ops[2].Parent = 0
			ops[3].Parent = 1
			p.Tasks[0].Ops = slices.Delete(ops, 1, 2)
		}, "", "filter.f"},
		{"another filter", op(1, func(o *plan.Op) { o.ID = "filter.g" }), "", "filter.f"},
		{"no window", func(p *plan.Plan) {
			p.Tasks[0].Ops[3].Parent = 1
			p.Tasks[0].Ops = slices.Delete(p.Tasks[0].Ops, 2, 3)
		}, "window.w", "window.w"},
		{"no sink", func(p *plan.Plan) { p.Tasks[0].Ops = p.Tasks[0].Ops[:3] }, "sink.o", "sink.o"},
		{"another kind", op(2, func(o *plan.Op) { o.Kind = "s" }), "window.w", "window.w"},
		{"another state", op(2, func(o *plan.Op) { o.State = nil }), "window.w", "window.w"},
		{"another source", op(0, func(o *plan.Op) { o.ID = "source.b" }), "source.a window.w", "filter.f source.a window.w"},
		{"a constant", op(2, func(o *plan.Op) { o.Constants = map[string]plan.Constant{"var.x": {Value: json.RawMessage("2")}} }), "window.w", "window.w"},
		{"a constant of a filter", op(1, func(o *plan.Op) { o.Constants = map[string]plan.Constant{"var.x": {Value: json.RawMessage("2")}} }), "", ""},
		{"a constant less", op(2, func(o *plan.Op) { o.Constants = nil }), "", ""},
		{"other columns of a sink", op(3, func(o *plan.Op) { o.In = []*gpflow.Schema{gpflow.NewSchema()} }), "sink.o", "sink.o"},
	} {
		now := chain()
		c.change(now)
		got := Compare(connectors(), m, chain(), now)
		var lost, anew []string
		for _, l := range got.Lost {
			lost = append(lost, l.Address)
		}
		for address, is := range got.anew {
			if is {
				anew = append(anew, address)
			}
		}
		slices.Sort(anew)
		if want := fmt.Sprintf("[%s] [%s]", c.lost, c.anew); fmt.Sprint(lost, anew) != want {
			t.Errorf("%s: lost and anew are %v %v, want %s", c.name, lost, anew, want)
		}
	}
}

// TestLossSays: a loss says what has changed, and what comes of it.
func TestLossSays(t *testing.T) {
	m := &checkpoint.Manifest{Parts: []checkpoint.PartState{
		{Part: checkpoint.Part{Kind: checkpoint.Reader, Name: "source.a"}},
		{Part: checkpoint.Part{Kind: checkpoint.Writer, Name: "sink.o"}, Data: []byte(`{"state":"eA=="}`)},
	}}
	two := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}, gpflow.Column{Name: "m", Type: gpflow.T(gpflow.KindFloat)})
	for want, change := range map[string]func(ops []plan.Op){
		"source.a, how far it was read: drop changed, so that what it reads, from its beginning, is added to the state that is kept of window.w": func(ops []plan.Op) {
			ops[0].Config = json.RawMessage(strings.Replace(string(ops[0].Config), `"drop":1`, `"drop":2`, 1))
		},
		"window.w, what it keeps: it kept n int, and keeps n int, m float for each n int": func(ops []plan.Op) {
			ops[2].State = []gpflow.StateDescriptor{{Name: "panes", Kind: "panes", Value: two, Key: ops[3].In[0]}}
		},
		"window.w, what it keeps: it keeps the same in another form": func(ops []plan.Op) {
			ops[2].State = []gpflow.StateDescriptor{{Name: "panes", Kind: "panes", Value: ops[3].In[0], Version: 2}}
		},
		"sink.o, what it may still have to show: its records had the columns n int, and have n int, m float": func(ops []plan.Op) {
			ops[3].In = []*gpflow.Schema{two}
		},
	} {
		now := chain()
		change(now.Tasks[0].Ops)
		lost := Compare(connectors(), m, chain(), now).Lost
		if len(lost) != 1 || lost[0].String() != want {
			t.Errorf("the losses are %v, and should be\n%s", lost, want)
		}
	}
}
