package optest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// The operator under test keeps, by n % 3, the last text and how many rows
// there were, in a pane of the last mark. At a mark it emits what it has kept
// before. A row with n < 0 fails, one
// with n == 0 is filtered, one with n > 9 passes, and one at or before the
// mark is late.
type operator struct {
	fault  string // the mistake it makes
	panes  gpflow.Panes
	at     gpflow.Timestamp
	cursor gpflow.Cursor
	key    []byte
	kept   []gpflow.Value
	passed int64 // rows that have passed
}

var in = gpflow.NewSchema(
	gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "text", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "extra", Type: gpflow.T(gpflow.KindBool)},
)

func describe(fault string) *gpflow.Descriptor {
	return &gpflow.Descriptor{
		Block: "toy", Summary: "A toy.", Doc: "It plays.", Example: `toy "t" { size = 1 }`,
		Fields: []gpflow.Field{
			{Name: "size", Kind: gpflow.FieldInt, Required: true, Doc: "Not used."},
			{Name: "by", Kind: gpflow.FieldColumns, Doc: "Not used."},
		},
		Traits: func(gpflow.Config) gpflow.Traits {
			switch fault {
			case "key":
				return gpflow.Traits{KeyField: "by", Key: []string{"n"}}
			case "no key":
				return gpflow.Traits{}
			}
			return gpflow.Traits{Single: true}
		},
		Ports: []gpflow.Port{{Name: "late", Doc: "Late rows."}, {Name: "errors", Doc: "Failed rows."}},
		Infer: func(i *gpflow.Inference) gpflow.Inferred {
			late := i.In[0].Select(func(string) bool { return true })
			late.Timeless = true
			out := i.In[0].Select(func(n string) bool { return n != "extra" })
			uses := []string{"n", "text"}
			if fault == "uses" {
				uses = uses[:1]
			}
			return gpflow.Inferred{Ports: []*gpflow.Schema{out, late, nil}, Uses: [][]string{uses}}
		},
		State: func(gpflow.Config, []*gpflow.Schema, gpflow.Constants) []gpflow.StateDescriptor {
			return []gpflow.StateDescriptor{{Name: "s", Kind: "panes", Value: gpflow.NewSchema(in.Columns[:2]...)}}
		},
		NewOperator: func(c *gpflow.OperatorContext) (gpflow.Operator, error) {
			if c.In[0].Index("text") < 0 {
				return nil, errors.New("no text")
			}
			return &operator{fault: fault, panes: c.State.Panes("s"), at: gpflow.MinTimestamp}, nil
		},
	}
}

func (o *operator) Process(rows gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := rows.From; i < rows.To; i++ {
		if out.Full() {
			return i, nil
		}
		row := rows.Row(i)
		n := row[0].Int()
		switch {
		case rows.Time(i) < o.at:
			out.LateRow(rows, i)
		case n < 0:
			if err := out.Fail(rows, i, &gpflow.RecordError{Code: "negative", Err: fmt.Errorf("n is %d", n)}); err != nil {
				return i, err
			}
		case n == 0:
			if o.fault != "account" {
				out.Filter(1)
			}
		case n > 9:
			to := out.Row(rows, i)
			copy(to, row[:2])
			if o.passed++; o.fault == "memory" {
				to[0] = gpflow.Int(o.passed)
			}
		default:
			o.keep(row)
			out.Absorb(1)
		}
		if o.fault == "change" {
			row[0] = gpflow.Int(0)
		}
	}
	return rows.To, nil
}

func (o *operator) keep(row []gpflow.Value) {
	o.key = gpflow.AppendKey(o.key[:0], gpflow.Int(row[0].Int()%3))
	kept, fresh := o.panes.Upsert(o.at, o.key, gpflow.HashKey(o.key))
	if fresh {
		kept[0] = gpflow.Int(0)
	}
	if o.fault == "late write" {
		o.panes.Len(o.at)
	}
	kept[0] = gpflow.Int(kept[0].Int() + 1)
	kept[1] = row[1]
	if o.fault != "clone" {
		kept[1] = row[1].Clone()
	}
}

func (o *operator) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	pane, ok := o.panes.First()
	if o.at = t; !ok || pane >= t && o.fault != "again" {
		return true, nil
	}
	for {
		next, _, row, ok := o.panes.Next(pane, o.cursor)
		if !ok {
			break
		}
		if out.Full() {
			return o.fault == "resume", nil
		}
		o.cursor = next
		if o.fault == "keep row" {
			if o.kept == nil {
				o.kept = row
			}
			row = o.kept
		}
		copy(out.Create(t-1), row)
	}
	o.panes.Drop(pane)
	o.cursor = gpflow.Cursor{}
	return true, nil
}

func toyCase(fault string) Case {
	row := func(t gpflow.Timestamp, n int64, text string) Step {
		return Row(t, gpflow.Int(n), gpflow.String(text), gpflow.Bool(true))
	}
	return Case{
		Descriptor: describe(fault), Config: map[string]any{"size": int64(1)}, In: []*gpflow.Schema{in},
		Steps: []Step{
			row(1, 1, "a"), row(2, 2, "b"), row(3, 0, "c"), row(4, 4, "d"), row(5, 12, "e"), Mark(5),
			row(4, 3, "f"), row(6, -1, "g"), row(6, 3, "h"), row(7, 5, "i"), row(7, 6, "j"), row(8, 7, "k"), row(8, 20, "l"), End(),
		},
		Want: map[string][]string{
			"": {
				`{"n":12,"text":"e"} @5`, `{"n":2,"text":"d"} @4`, `{"n":1,"text":"b"} @4`, `{"n":20,"text":"l"} @8`,
				`{"n":2,"text":"j"} @9223372036854775806`, `{"n":1,"text":"i"} @9223372036854775806`, `{"n":1,"text":"k"} @9223372036854775806`,
			},
			"late":   {`{"n":3,"text":"f","extra":true}`},
			"errors": {`negative {"n":-1,"text":"g","extra":true}`},
		},
	}
}

// recorder is a test that may fail.
type recorder struct{ said []string }

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

type stop struct{}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(stop{})
}

// try runs f and returns what it reported.
func try(f func(t TB)) string {
	r := &recorder{}
	func() {
		defer func() {
			if e := recover(); e != nil && e != (stop{}) {
				panic(e)
			}
		}()
		f(r)
	}()
	return strings.Join(r.said, "\n")
}

func TestCorrectOperatorPasses(t *testing.T) {
	Run(t, toyCase(""))
	c := toyCase("")
	for i := range c.Steps {
		if c.Steps[i].Values != nil {
			c.Steps[i].Values[0] = gpflow.Int(max(c.Steps[i].Values[0].Int(), 0))
		}
	}
	c.Want = nil
	Run(t, c) // no row fails: the pruned runs take place
}

// Each mistake is noticed.
func TestFaultsAreCaught(t *testing.T) {
	for fault, want := range map[string]string{
		"account":    "1 rows are not accounted for",
		"change":     "changes its input",
		"clone":      "#",
		"late write": "want",
		"resume":     "output full after 1",
		"keep row":   "poison: a row of state",
		"uses":       "no text",
		"memory":     "gone on with behind each batch of 1",
		"again":      "rows leave when the operator hears of the watermark",
		"key":        "by 1, 3 and 2 subtasks",
		"no key":     "its traits have neither a KeyField",
	} {
		c := toyCase(fault)
		if fault == "uses" {
			c.Steps = []Step{End()}
			c.Want = nil
		}
		if said := try(func(r TB) { Run(r, c) }); !strings.Contains(said, want) {
			t.Errorf("%s: the harness says %q, want %q", fault, said, want)
		}
	}
}

func TestWantIsCompared(t *testing.T) {
	c := toyCase("")
	c.Want["errors"] = nil
	if said := try(func(r TB) { Run(r, c) }); !strings.Contains(said, `port "errors" gives`) {
		t.Errorf("the harness says %q", said)
	}
	c = toyCase("")
	c.WantErr = "boom"
	if said := try(func(r TB) { Run(r, c) }); !strings.Contains(said, `want one with "boom"`) {
		t.Errorf("the harness says %q", said)
	}
}

func TestDescribe(t *testing.T) {
	d := describe("")
	d.Ports[0], d.Ports[1] = d.Ports[1], d.Ports[0]
	d.Fields = append(d.Fields, gpflow.Field{Name: "x", Required: true, Default: int64(1)})
	d.Traits = func(gpflow.Config) gpflow.Traits { return gpflow.Traits{KeyField: "x"} }
	said := try(func(r TB) { Describe(r, d) })
	for _, want := range []string{"errors has to be the last", "needs a name and a doc", "required, and has a default", "leaves out", "keyed by"} {
		if !strings.Contains(said, want) {
			t.Errorf("Describe says %q, want %q", said, want)
		}
	}
}
