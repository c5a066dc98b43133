package window

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
	"github.com/gpflow/gpflow/operators/window/oracle"
)

var propertySchema = gpflow.NewSchema(
	gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "i", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "o", Type: gpflow.T(gpflow.KindInt).Opt()},
	gpflow.Column{Name: "f", Type: gpflow.T(gpflow.KindFloat)},
	gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp)},
	gpflow.Column{Name: "d", Type: gpflow.T(gpflow.KindInt)},
)

var propertyAggregates = []gpflow.NamedExpr{
	{Name: "n", Expr: "count()"},
	{Name: "sum_i", Expr: "sum(i)"},
	{Name: "avg_i", Expr: "avg(i)"},
	{Name: "min_i", Expr: "min(i)"},
	{Name: "max_i", Expr: "max(i)"},
	{Name: "first_i", Expr: "first(i)"},
	{Name: "last_i", Expr: "last(i)"},
	{Name: "sum_o", Expr: "sum(o)"},
	{Name: "min_o", Expr: "min(o)"},
	{Name: "max_o", Expr: "max(o)"},
	{Name: "sum_f", Expr: "sum(f)"},
	{Name: "avg_f", Expr: "avg(f)"},
	{Name: "min_f", Expr: "min(f)"},
	{Name: "max_f", Expr: "max(f)"},
	{Name: "min_s", Expr: "min(s)"},
	{Name: "max_s", Expr: "max(s)"},
	{Name: "first_s", Expr: "first(s)"},
	{Name: "last_s", Expr: "last(s)"},
	{Name: "min_at", Expr: "min(at)"},
	{Name: "last_at", Expr: "last(at)"},
	{Name: "ratio", Expr: "sum(f) / count()"},
	{Name: "checked", Expr: "sum(1 / d)"},
}

// Whatever comes in, in whatever order and batches, every row is in the result
// of its window and key, on late or on errors, and the results are those of
// the definition.
func TestWindowEqualsOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 40).Draw(t, "size")
		offset := rapid.Int64Range(-50, 50).Draw(t, "offset")
		events := rapid.SliceOfN(rapid.Custom(drawEvent), 0, 60).Draw(t, "events")
		c := optest.Case{
			Descriptor: &Descriptor, In: []*gpflow.Schema{propertySchema},
			Config: map[string]any{
				"key_by": []string{"k"}, "size": gpflow.Duration(size), "offset": gpflow.Duration(offset), "aggregate": propertyAggregates,
			},
		}
		rows := 0
		for i, e := range events {
			if e.Row == nil {
				c.Steps = append(c.Steps, optest.Mark(gpflow.Timestamp(e.Mark)))
				continue
			}
			events[i].Row.Position = rows
			rows++
			c.Steps = append(c.Steps, step(e.Row))
		}
		c.Steps = append(c.Steps, optest.End())
		o := optest.Options{Batch: rapid.IntRange(0, 9).Draw(t, "batch"), Slice: rapid.IntRange(0, 3).Draw(t, "slice")}
		if rapid.Bool().Draw(t, "tables") {
			o.State = tables(1) // of one group, so that keys come in the order of the oracle
		}
		got := optest.Play(t, c, o)
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		want := oracle.Tumbling(merge(append(events, oracle.Event{Mark: math.MaxInt64})), size, offset)
		compare(t, got, want)
		c2 := got.Counts
		if int(c2.In) != rows || int(c2.Absorbed) != rows-len(want.Late)-len(want.Failed) {
			t.Fatalf("the ledger of %d rows is %+v", rows, c2)
		}
	})
}

// merge makes one of marks without a row between, as batches do.
func merge(events []oracle.Event) []oracle.Event {
	var out []oracle.Event
	for _, e := range events {
		if n := len(out); n > 0 && e.Row == nil && out[n-1].Row == nil {
			out[n-1].Mark = max(out[n-1].Mark, e.Mark)
			continue
		}
		out = append(out, e)
	}
	return out
}

func drawEvent(t *rapid.T) oracle.Event {
	if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
		return oracle.Event{Mark: rapid.Int64Range(-60, 150).Draw(t, "mark")}
	}
	r := &oracle.Row{
		Time: rapid.Int64Range(-60, 160).Draw(t, "time"),
		Key:  rapid.SampledFrom([]string{"", "a", "b", "a longer key"}).Draw(t, "key"),
		Int: rapid.OneOf(rapid.Int64Range(-9, 9), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MaxInt64 / 2})).
			Draw(t, "int"),
		Float: rapid.Float64Range(-1000, 1000).Draw(t, "float"),
		Str:   rapid.StringN(0, 6, -1).Draw(t, "str"),
		Bad:   rapid.IntRange(0, 9).Draw(t, "bad") == 0,
	}
	if rapid.Bool().Draw(t, "there") {
		o := rapid.Int64Range(-9, 9).Draw(t, "opt")
		r.Opt = &o
	}
	return oracle.Event{Row: r}
}

func step(r *oracle.Row) optest.Step {
	opt, d := gpflow.Null, gpflow.Int(1)
	if r.Opt != nil {
		opt = gpflow.Int(*r.Opt)
	}
	if r.Bad {
		d = gpflow.Int(0)
	}
	return optest.Row(gpflow.Timestamp(r.Time), gpflow.String(r.Key), gpflow.Int(r.Int), opt, gpflow.Float(r.Float),
		gpflow.String(r.Str), gpflow.Time(gpflow.Timestamp(r.Time)), d)
}

func compare(t *rapid.T, got *optest.Played, want oracle.Outcome) {
	t.Helper()
	var late, failed []int
	for _, r := range got.Ports["late"] {
		late = append(late, int(r.Position))
	}
	for _, r := range got.Ports["errors"] {
		failed = append(failed, int(r.Value("origin.offset").Int()))
	}
	if !slices.Equal(late, want.Late) || !slices.Equal(failed, want.Failed) {
		t.Fatalf("late %v, want %v; failed %v, want %v", late, want.Late, failed, want.Failed)
	}
	rows := got.Ports[""]
	if len(rows) != len(want.Results) {
		t.Fatalf("%d results, want %d", len(rows), len(want.Results))
	}
	for i, r := range want.Results {
		for name, v := range expected(r) {
			if g := rows[i].Value(name); !near(g, v) {
				t.Fatalf("key %q, window %d: %s = %s, want %s", r.Key, r.Start, name, show(g), show(v))
			}
		}
		after := gpflow.MinTimestamp
		if r.Marked {
			after = gpflow.Timestamp(r.After)
		}
		if rows[i].After != after {
			t.Fatalf("the result of window %d follows the mark %s, not %s", r.Start, rows[i].After, after)
		}
		if rows[i].Time != gpflow.Timestamp(r.End-1) {
			t.Fatalf("the result of window %d has the time %d", r.Start, rows[i].Time)
		}
	}
}

// expected returns what the definition says of a result.
func expected(r oracle.Result) map[string]gpflow.Value {
	n := len(r.Rows)
	ints, floats, strs, times, opts := r.Ints(), r.Floats(), r.Strs(), r.ByTime(), r.Opts()
	first, last := times[0], times[n-1]
	out := map[string]gpflow.Value{
		"k": gpflow.String(r.Key), "window_start": stamp(r.Start), "window_end": stamp(r.End), "n": gpflow.Int(int64(n)),
		"sum_i": gpflow.Int(r.SumInt()), "avg_i": gpflow.Float(float64(r.SumInt()) / float64(n)),
		"min_i": gpflow.Int(ints[0]), "max_i": gpflow.Int(ints[n-1]), "first_i": gpflow.Int(first.Int), "last_i": gpflow.Int(last.Int),
		"sum_o": gpflow.Null, "min_o": gpflow.Null, "max_o": gpflow.Null,
		"sum_f": gpflow.Float(r.SumFloat()), "avg_f": gpflow.Float(r.SumFloat() / float64(n)), "ratio": gpflow.Float(r.SumFloat() / float64(n)),
		"min_f": gpflow.Float(floats[0]), "max_f": gpflow.Float(floats[n-1]),
		"min_s": gpflow.String(strs[0]), "max_s": gpflow.String(strs[n-1]), "first_s": gpflow.String(first.Str), "last_s": gpflow.String(last.Str),
		"min_at": stamp(first.Time), "last_at": stamp(last.Time), "checked": gpflow.Float(float64(n)),
	}
	if len(opts) > 0 {
		sum := int64(0)
		for _, o := range opts {
			sum += o
		}
		out["sum_o"], out["min_o"], out["max_o"] = gpflow.Int(sum), gpflow.Int(slices.Min(opts)), gpflow.Int(slices.Max(opts))
	}
	return out
}

func stamp(t int64) gpflow.Value { return gpflow.Time(gpflow.Timestamp(t)) }

func show(v gpflow.Value) string {
	s := gpflow.NewSchema(gpflow.Column{Name: "v", Type: gpflow.T(gpflow.KindAny)})
	return fmt.Sprintf("%s %s", v.Kind(), gpflow.RowJSON(nil, s, []gpflow.Value{v}))
}

// near reports whether values are equal; floats, whose sums depend on the
// order, within what that can make.
func near(a, b gpflow.Value) bool {
	if a.Kind() == gpflow.KindFloat && b.Kind() == gpflow.KindFloat {
		return math.Abs(a.Float()-b.Float()) <= 1e-9+1e-12*math.Abs(b.Float())
	}
	return gpflow.Equal(a, b)
}
