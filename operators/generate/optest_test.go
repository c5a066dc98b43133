package generate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

var numbered = []gpflow.NamedExpr{
	{Name: "n", Expr: "i * 3"},
	{Name: "part", Expr: "100 / (i % 7)"}, // fails in the first of seven
	{Name: "some", Expr: "hash(i + seed)"},
}

func TestRunSource(t *testing.T) {
	for _, c := range []struct{ count, most, parallelism int }{
		{0, 0, 1}, {1, 0, 3}, {40, 0, 1}, {40, 0, 3}, {-1, 40, 2},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			config := map[string]any{"fields": numbered, "seed": int64(7)}
			if c.count >= 0 {
				config["count"] = int64(c.count)
			}
			optest.RunSource(t, optest.SourceCase{Descriptor: &Descriptor, Config: config, Parallelism: c.parallelism, Most: c.most})
		})
	}
}

// found runs a case that is to be complained of, and returns the complaint.
type found struct{ said string }

func (f *found) Helper() {}

func (f *found) Errorf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

func (f *found) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func (f *found) run(c optest.SourceCase) {
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	optest.RunSource(f, c)
}

func TestPositionOffByOneIsFound(t *testing.T) {
	for _, by := range []int64{-1, 1} {
		var f found
		f.run(optest.SourceCase{
			Descriptor: &Descriptor, Config: map[string]any{"fields": numbered, "count": int64(40)},
			Adjust: func(s gpflow.Source) { s.(*source).bugs.positionOffByOne = by },
		})
		if !strings.Contains(f.said, "gone on with behind") {
			t.Errorf("positions off by %d: %q", by, f.said)
		}
	}
}
