package optest

import (
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
		Traits: gpflow.Traits{Inputs: []string{"left", "right"}},
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
