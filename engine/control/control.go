// Package control is how other processes talk to one that runs a pipeline: over
// a unix socket in the pipeline's state directory, which only the owner of the
// directory can open.
//
// One connection is one question: a Request and a line's end, both ways as JSON,
// and the Answer. Both sides ignore fields that they do not know.
package control

import (
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/job"
)

// Verb is what a Request asks for.
type Verb string

// The verbs.
const (
	// Status asks for a picture of the run, at once.
	Status Verb = "status"
	// Stop asks for an end in order; the answer comes behind it, with Outcome.
	Stop Verb = "stop"
	// Savepoint asks for a savepoint; the answer comes when it is there.
	Savepoint Verb = "savepoint"
	// Checkpoint asks for a checkpoint of now; the answer comes when it is there.
	Checkpoint Verb = "checkpoint"
)

// Request is a question.
type Request struct {
	Do Verb `json:"do"`
	// Drain has a Stop end the input where it is, so that windows close.
	Drain bool `json:"drain,omitempty"`
	// Savepoint is the name of the one to be made; of a Stop, "" is none.
	Savepoint string `json:"savepoint,omitempty"`
}

// Answer is the answer to a Request.
type Answer struct {
	// Error says why what was asked for has not been done; "": it has.
	Error   string         `json:"error,omitempty"`
	Status  *engine.Status `json:"status,omitempty"`  // of Status, and of Stop
	Outcome job.Outcome    `json:"outcome,omitempty"` // of Stop
	// Checkpoint is the one that a savepoint was made of.
	Checkpoint gpflow.CheckpointID `json:"checkpoint,omitempty"`
	// Holder is the process that answers.
	Holder Holder `json:"holder"`
}

// Holder says which process runs a pipeline.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// NotRunning is the error of a state directory on which no process answers.
type NotRunning struct {
	Dir string // the state directory
	Err error
}

func (e *NotRunning) Error() string {
	return fmt.Sprintf("no running pipeline answers in %s", e.Dir)
}

// Unwrap returns why it cannot be reached.
func (e *NotRunning) Unwrap() error { return e.Err }
