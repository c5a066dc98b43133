// Package part has the machines of the parts of a job: that of a Reader, which is a
// subtask of a source, of a Writer, which is one of a sink, and of a Subtask, which
// is one of a task. Each decides what is done next, keeps the ledger, and hands in
// snapshots. It does no I/O, starts no goroutine, and is told the time: an actor of
// the engine, or of a simulation, drives it, makes the calls that it asks for, and
// gives it their results. One goroutine uses it, besides what is said otherwise.
package part

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// Step is what a machine asks of whoever drives it.
type Step uint8

// The steps.
const (
	Rest    Step = iota // nothing: until a message, a wake, or the end of the pause that is said with it, if one is
	Again               // to be asked again
	Poll                // a call of gpflow.Reader.Poll, with Reader.Reading
	Write               // a call of gpflow.Sink.Write, with Writer.Batch and Writer.Fail
	Prepare             // a call of gpflow.Sink.Prepare, with what Writer.Point returns
	Commit              // a call of gpflow.Sink.Commit, with Writer.Committable
	End                 // the end of the part, all being well
)

// Report is how a part tells the job's machine what it has come to.
type Report struct {
	Part checkpoint.Part
	Send func(job.Event)
}

func (r Report) acknowledge(id gpflow.CheckpointID, s checkpoint.Snapshot) {
	r.Send(job.Point{CoordinatorEvent: checkpoint.Acknowledged{ID: id, Part: r.Part, Snapshot: s}})
}

// decline says that there is no snapshot.
func (r Report) decline(id gpflow.CheckpointID, err error) {
	r.Send(job.Point{CoordinatorEvent: checkpoint.Declined{ID: id, Part: r.Part, Err: err}})
}

// gone hands in the last snapshot of a part whose input has been read to its
// end.
func (r Report) gone(s checkpoint.Snapshot) {
	r.Send(job.Point{CoordinatorEvent: checkpoint.Gone{Part: r.Part, Snapshot: s}})
}
