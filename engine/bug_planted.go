//go:build bugs

package engine

import (
	"os"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// plant switches on the bug that GPFLOW_BUG names, if it is one of a task or of
// its state, so that tests with real processes can be seen to find it. It is
// called before anything is restored.
func plant(s *subtask) {
	switch os.Getenv("GPFLOW_BUG") {
	case "no-alignment":
		s.Task.Plant(task.NoAlignment)
	case "forget-dirty":
		s.plantState(state.ForgetDirty)
	case "no-copy-on-write":
		s.plantState(state.NoCopyOnWrite)
	}
}

func (s *subtask) plantState(b state.Bug) {
	for _, m := range s.States {
		m.Plant(b)
	}
}

// plantedInCoordinator returns the bug that GPFLOW_BUG names, if it is one of the
// coordinator of checkpoints.
func plantedInCoordinator() checkpoint.Bug {
	switch os.Getenv("GPFLOW_BUG") {
	case "commit-before-stored":
		return checkpoint.CommitBeforeStored
	case "complete-without-all":
		return checkpoint.CompleteWithoutAll
	}
	return ""
}
