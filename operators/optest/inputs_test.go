package optest

import (
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// union passes on what comes in on either input. With a fault it keeps a list
// of the first row, and emits it at marks.
type union struct {
	keep bool
	kept gpflow.Value
}

var listSchema = gpflow.NewSchema(
	gpflow.Column{Name: "l", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))},
	gpflow.Column{Name: "m", Type: gpflow.MapOf(gpflow.T(gpflow.KindBytes))},
)

func describeUnion(keep bool) *gpflow.Descriptor {
	return &gpflow.Descriptor{
		Block: "both", Summary: "A union.", Doc: "It joins.", Example: `both "b" {}`,
		Inputs: []string{"left", "right"},
		Infer: func(i *gpflow.Inference) gpflow.Inferred {
			return gpflow.Inferred{Ports: i.In[:1], Uses: [][]string{{"l", "m"}, {"l", "m"}}}
		},
		NewOperator: func(c *gpflow.OperatorContext) (gpflow.Operator, error) { return &union{keep: keep}, nil },
	}
}

func (u *union) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		copy(out.Row(in, i), in.Row(i))
		if u.kept.IsNull() {
			u.kept = in.Row(i)[0]
		}
	}
	return in.To, nil
}

func (u *union) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	if u.keep {
		out.Create(t)[0] = u.kept
	}
	return true, nil
}

func unionCase(keep bool) Case {
	values := func(s string) []gpflow.Value {
		return []gpflow.Value{
			gpflow.List([]gpflow.Value{gpflow.String(s)}), gpflow.Map([]gpflow.Entry{{Key: "k", Value: gpflow.Bytes([]byte(s))}}),
		}
	}
	return Case{
		Descriptor: describeUnion(keep), In: []*gpflow.Schema{listSchema, listSchema},
		Steps: []Step{
			Row(1, values("a")...), On(1, Row(2, values("b")...)), Mark(5), On(1, Mark(3)), On(1, Row(4, values("")...)), On(1, Mark(9)), Row(5, values("d")...),
		},
	}
}

// The node's watermark is the least of its inputs', and rows keep their order.
func TestInputs(t *testing.T) {
	c := unionCase(false)
	c.Want = map[string][]string{"": {
		`{"l":["a"],"m":{"k":"YQ=="}} @1`, `{"l":["b"],"m":{"k":"Yg=="}} @2`, `{"l":[""],"m":{"k":""}} @4`, `{"l":["d"],"m":{"k":"ZA=="}} @5`,
	}}
	Run(t, c)
	var after []gpflow.Timestamp
	for _, r := range Play(t, c, Options{}).Ports[""] {
		after = append(after, r.After)
	}
	const none = gpflow.MinTimestamp
	if want := [4]gpflow.Timestamp{none, none, 3, 5}; [4]gpflow.Timestamp(after) != want {
		t.Errorf("the rows follow the marks %v, want %v", after, want)
	}
}

// A list that was kept without a copy is noticed.
func TestListsArePoisoned(t *testing.T) {
	got := Play(t, unionCase(true), Options{}).Ports[""]
	if l := got[2].Values[0].List(); l[0].Str() == "a" {
		t.Error("a list of a released batch is still there")
	}
}

// An operator may be given state of another kind.
func TestStateOption(t *testing.T) {
	asked := 0
	Play(t, toyCase(""), Options{State: func(descs []gpflow.StateDescriptor) gpflow.State {
		asked += len(descs)
		return newMemory(descs)
	}})
	if asked != 1 {
		t.Errorf("state was asked for %d descriptors, not 1", asked)
	}
}

// echo emits five rows for each that comes in. With a fault it does not remember
// where it was, in a row or at a mark.
type echo struct {
	forgetRow, forgetMark bool

	made int // of the row, or at the mark
}

func (e *echo) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		if e.forgetRow {
			e.made = 0
		}
		if !e.five(in.Time(i), out) {
			return i, nil
		}
		out.Absorb(1)
	}
	return in.To, nil
}

// five reports whether all five rows have been emitted.
func (e *echo) five(t gpflow.Timestamp, out *gpflow.Collector) bool {
	for ; e.made < 5; e.made++ {
		if out.Full() {
			return false
		}
		out.Create(t)[0] = gpflow.Int(int64(e.made))
	}
	e.made = 0
	return true
}

func (e *echo) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	if e.forgetMark {
		e.made = 0
	}
	return e.five(t, out), nil
}

func echoCase(e echo) Case {
	s := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	return Case{
		Descriptor: &gpflow.Descriptor{
			Block: "echo", Summary: "An echo.", Doc: "It repeats.", Example: `echo "e" {}`,
			Infer: func(*gpflow.Inference) gpflow.Inferred {
				return gpflow.Inferred{Ports: []*gpflow.Schema{s}, Uses: [][]string{nil}}
			},
			NewOperator: func(*gpflow.OperatorContext) (gpflow.Operator, error) { fresh := e; return &fresh, nil },
		},
		In:    []*gpflow.Schema{s},
		Steps: []Step{Row(1, gpflow.Int(7)), Mark(2), Row(3, gpflow.Int(8)), End()},
	}
}

// An operator that begins a row or a mark anew on each call is found out, and
// one that goes on where it was is not.
func TestEndlessRowIsCaught(t *testing.T) {
	for _, slice := range []int{0, 1, 3} {
		if got := Play(t, echoCase(echo{}), Options{Slice: slice}); len(got.Ports[""]) != 20 {
			t.Errorf("output full after %d: %d rows", slice, len(got.Ports[""]))
		}
	}
	for what, e := range map[string]echo{"row 0": {forgetRow: true}, "mark 2": {forgetMark: true}} {
		for _, o := range []Options{{Slice: 3, Most: 1000}, {Slice: 1, Most: 20}} {
			said := try(func(r TB) { Play(r, echoCase(e), o) })
			if !strings.Contains(said, "is not done with the "+what+" after") || !strings.Contains(said, "does not begin anew") {
				t.Errorf("%s, %+v: the harness says %q", what, o, said)
			}
		}
	}
	if said := try(func(r TB) { Run(r, echoCase(echo{forgetRow: true})) }); !strings.Contains(said, "131") {
		t.Errorf("the harness says %q", said)
	}
}
