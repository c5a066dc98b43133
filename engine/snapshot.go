package engine

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// The messages to the parts of a job about its checkpoints.
type (
	abort     struct{ id gpflow.CheckpointID }
	completed struct{ id gpflow.CheckpointID }
)

// reporter is how a part hands in its snapshots. Any goroutine may use it.
type reporter struct {
	part   checkpoint.Part
	master *actor.Ref
}

// acknowledge hands in the snapshot behind the barrier of a checkpoint.
func (r reporter) acknowledge(id gpflow.CheckpointID, s checkpoint.Snapshot) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Acknowledged{ID: id, Part: r.part, Snapshot: s}})
}

// decline says that there is no snapshot.
func (r reporter) decline(id gpflow.CheckpointID, err error) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Declined{ID: id, Part: r.part, Err: err}})
}

// gone hands in the last snapshot of a part whose input has been read to its
// end.
func (r reporter) gone(s checkpoint.Snapshot) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Gone{Part: r.part, Snapshot: s}})
}
