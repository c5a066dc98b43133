package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// small is a plan of a source in front of a sink in another task.
func small() *Plan {
	s := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	return &Plan{
		Format: Format, Pipeline: "p", KeyGroups: 16, KeyHash: gpflow.KeyHashName,
		Tasks: []Task{
			{ID: "source.a", Parallelism: 1, Ops: []Op{{
				ID: "source.a", Block: "source", Config: []byte("{}"), Parent: -1, Ports: []Port{{Schema: s, Read: true}},
				OnError: OnError{Action: gpflow.ActionFail, Limit: -1}, Range: "p.hcl:1,1",
			}}},
			{ID: "sink.b", Parallelism: 1, Ops: []Op{{ID: "sink.b", Block: "sink", Config: []byte("{}"), Parent: -1, In: []*gpflow.Schema{s}}}},
		},
		Edges: []Edge{{From: "source.a", To: "sink.b", Partition: Forward}},
	}
}

func TestEncodingIsStable(t *testing.T) {
	one, err := Encode(small())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(one)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Errorf("%s\nbecomes\n%s", one, two)
	}
	if Digest(one) != Digest(two) || Digest(one) == Digest(append(one, ' ')) {
		t.Error("the digest is not that of the content")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Plan)
		want  string
	}{
		"another format":               {func(p *Plan) { p.Format = 99 }, "format 99"},
		"another key hash":             {func(p *Plan) { p.KeyHash = "md5" }, `"md5"`},
		"a task of nothing":            {func(p *Plan) { p.Tasks[0].Ops = nil }, "no operators"},
		"no subtasks":                  {func(p *Plan) { p.Tasks[1].Parallelism = 0 }, "impossible parallelism"},
		"more than groups":             {func(p *Plan) { p.Tasks[1].Parallelism = 17 }, "impossible parallelism"},
		"an edge up":                   {func(p *Plan) { p.Edges[0].From, p.Edges[0].To = "sink.b", "source.a" }, "later task"},
		"an edge to nowhere":           {func(p *Plan) { p.Edges[0].To = "sink.c" }, "later task"},
		"a port of nobody":             {func(p *Plan) { p.Edges[0].FromPort = 3 }, "port that does not exist"},
		"an operator of its own child": {func(p *Plan) { p.Tasks[0].Ops[0].Parent = 0 }, "before its parent"},
	} {
		t.Run(name, func(t *testing.T) {
			p := small()
			c.spoil(p)
			data, err := Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Decode([]byte("{")); err == nil {
		t.Error("half a plan is decoded")
	}
}

func TestConstantsSurvive(t *testing.T) {
	kinds := func(k gpflow.Kind) gpflow.Type { return gpflow.T(k) }
	cs := gpflow.Constants{
		"var.i":   {Type: kinds(gpflow.KindInt), Value: gpflow.Int(-1 << 63)},
		"var.f":   {Type: kinds(gpflow.KindFloat), Value: gpflow.Float(3)},
		"var.s":   {Type: kinds(gpflow.KindString), Value: gpflow.String(`a "quoted" ✓`)},
		"var.b":   {Type: kinds(gpflow.KindBool), Value: gpflow.Bool(true)},
		"var.n":   {Type: kinds(gpflow.KindString).Opt(), Value: gpflow.Null},
		"local.l": {Type: gpflow.ListOf(kinds(gpflow.KindFloat)), Value: gpflow.List([]gpflow.Value{gpflow.Float(1), gpflow.Float(2.5)})},
		"local.m": {Type: gpflow.MapOf(kinds(gpflow.KindInt)), Value: gpflow.Map([]gpflow.Entry{{Key: "k", Value: gpflow.Int(1)}})},
		"local.d": {Type: kinds(gpflow.KindDuration), Value: gpflow.Span(90 * gpflow.Second)},
		"unused":  {Type: kinds(gpflow.KindInt), Value: gpflow.Int(1)},
	}
	names := []string{"var.i", "var.f", "var.s", "var.b", "var.n", "local.l", "local.m", "local.d"}
	plain, err := EncodeConstants(cs, names)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeConstants(plain)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(names) {
		t.Errorf("%d constants, want %d", len(got), len(names))
	}
	for _, n := range names {
		if !gpflow.Equal(got[n].Value, cs[n].Value) || !got[n].Type.Equal(cs[n].Type) {
			t.Errorf("%s is %v, want %v", n, got[n], cs[n])
		}
	}
	if _, err := EncodeConstants(cs, []string{"var.none"}); err == nil {
		t.Error("a constant that does not exist is encoded")
	}
}
