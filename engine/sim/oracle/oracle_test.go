package oracle_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/gpflow/gpflow/engine/sim/oracle"
)

// TestLate: the rows of one split, in order but for two of the same time. The
// watermark after 32 rows is 31-5; that lets in what it would have shut out
// before.
func TestLate(t *testing.T) {
	var split []oracle.Row
	for i := range 40 {
		at := int64(i)
		if i == 20 || i == 35 {
			at = 3
		}
		split = append(split, oracle.Row{ID: fmt.Sprint(i), Key: 1, Value: 1, Time: at, Position: i})
	}
	job := oracle.Job{Sources: []oracle.Source{{Splits: [][]oracle.Row{split}}}, Disorder: 5, Window: 10, Late: true}
	out := job.Output()
	want := map[string]int{
		oracle.Line(1, 0, 11, 11): 1, oracle.Line(1, 10, 10, 10): 1, oracle.Line(1, 20, 9, 9): 1, oracle.Line(1, 30, 9, 9): 1,
	}
	if !maps.Equal(out["main"], want) {
		t.Errorf("windows %v; want %v", out["main"], want)
	}
	if want := map[string]int{oracle.Line("35", 1, 1): 1}; !maps.Equal(out["late"], want) {
		t.Errorf("late %v; want %v", out["late"], want)
	}
	job.Joined = true
	out, want[oracle.Line(1, 3, 0, 1)] = job.Output(), 1
	if !maps.Equal(out["main"], want) || len(out["late"]) > 0 {
		t.Errorf("windows and late rows %v, and %v; want %v", out["main"], out["late"], want)
	}
}

func TestOps(t *testing.T) {
	job := oracle.Job{
		Sources: []oracle.Source{
			{Splits: [][]oracle.Row{{{ID: "a", Value: 6}, {ID: "b", Value: 7}}}, Ops: []string{"inc"}},
			{Splits: [][]oracle.Row{{{ID: "c", Value: 14}}, {{ID: "d", Value: 1}}}},
		},
		Ops: []string{"drop", "inc"},
	}
	want := map[string]int{oracle.Line("b", 0, 9): 1, oracle.Line("d", 0, 2): 1}
	if out := job.Output(); !maps.Equal(out["main"], want) {
		t.Errorf("rows %v; want %v", out["main"], want)
	}
}
