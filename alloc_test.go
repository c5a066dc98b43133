//go:build !race

package gpflow_test

import (
	"testing"

	"github.com/gpflow/gpflow"
)

// The race detector makes pools forget, so this is not built with it.

// TestBuildingAllocatesNothing in the steady state.
func TestBuildingAllocatesNothing(t *testing.T) {
	s := batchSchema()
	w, out := gpflow.NewBuilder(s), gpflow.NewBuilder(s)
	text := gpflow.String("some text")
	round := func() {
		for i := range 256 {
			row := w.Row(gpflow.Timestamp(i))
			row[0], row[1] = gpflow.Int(int64(i)), text
			w.Place("a", int64(i), 0)
		}
		w.Mark(1)
		in := w.Take()
		for i := range in.N {
			out.AppendFrom(in, i)
		}
		in.Release()
		out.Take().Release()
	}
	round()
	if n := testing.AllocsPerRun(100, round); n >= 1 {
		t.Errorf("a round of 256 rows allocates %v times", n)
	}
}
