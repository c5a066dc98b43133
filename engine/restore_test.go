package engine

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// TestRestoredTime: where the wiring has changed, a subtask does not go on from
// how far time had come in its namesake, whose input may have ended; rows of the
// others may come to it now.
func TestRestoredTime(t *testing.T) {
	at := func(mark gpflow.Timestamp) savedOperator {
		return savedOperator{OperatorState: task.OperatorState{Mark: mark, Taken: 1, Emitted: []int64{1}}}
	}
	former := map[string][]savedOperator{"filter.f": {at(gpflow.MaxTimestamp), at(5), at(7)}}
	for _, c := range []struct {
		unchanged bool
		n         int
		marks     []gpflow.Timestamp
	}{
		{true, 3, []gpflow.Timestamp{gpflow.MaxTimestamp, 5, 7}},
		{false, 3, []gpflow.Timestamp{5, 5, 5}},
		{false, 2, []gpflow.Timestamp{5, 5}},
	} {
		s := &saved{operators: former, unchanged: c.unchanged}
		taken := int64(0)
		for i, want := range c.marks {
			o, ok := s.operator("filter.f", i, c.n)
			if !ok || o.Mark != want {
				t.Errorf("unchanged %t: subtask %d of %d is at %d, want %d", c.unchanged, i, c.n, o.Mark, want)
			}
			taken += o.Taken
		}
		if taken != 3 {
			t.Errorf("unchanged %t: the ledger of %d subtasks has %d rows, want 3", c.unchanged, c.n, taken)
		}
	}
}
