package part_test

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
)

// TestCommitAtHome: what a subtask had prepared is committed by itself, or by the
// first one where it is no more.
func TestCommitAtHome(t *testing.T) {
	p := part.NewParts[int]()
	p.Writers[job.Writer{Sink: "s"}], p.Writers[job.Writer{Sink: "s", Subtask: 1}], p.Writers[job.Writer{Sink: "t", Subtask: 2}] = 0, 1, 2
	var got []int
	for i := range 4 {
		c := checkpoint.Commit{Part: checkpoint.Part{Name: "s", Subtask: i}}
		if !p.Deliver(c, func(to int, _ any) { got = append(got, to) }) {
			t.Error("a commit is for nobody")
		}
	}
	if !slices.Equal(got, []int{0, 1, 0, 0}) {
		t.Errorf("it is committed by %v", got)
	}
	if p.Deliver(checkpoint.Done{}, nil) {
		t.Error("that the job can end is for a part")
	}
}
