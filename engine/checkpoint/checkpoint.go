// Package checkpoint makes checkpoints of a job: the coordinator, a pure state
// machine that decides when one begins and when it is complete; the manifest,
// which says what is in it; and the keeper, which writes manifests and what they
// refer to into a store and finds them again.
//
// The invariants C1 to C9 that the code cites:
//
//	C1 an effect is in manifest n if and only if it precedes barrier n on its channel
//	C2 nobody consumes past barrier n before it has come on every live channel
//	C3 external effects of checkpoint n are visible only after manifest n is durable
//	C4 Commit is idempotent, and called again on recovery
//	C5 one manifest holds plan, sources, positions, state, watermarks, ledger and committables
//	C6 a stale epoch can neither write a manifest nor commit
//	C7 when all sources have ended a final checkpoint commits the rest; it has no time-out
//	C8 what was prepared for a checkpoint that was aborted is committed with the next
//	   one that completes in the same attempt; recovery aborts what was prepared after
//	   the checkpoint it goes back to
//	C9 before the first Commit of checkpoint n, that n is current is durable; recovery
//	   never silently goes below the current checkpoint
package checkpoint

import "github.com/gpflow/gpflow"

// Kind says what a part of a job is.
type Kind string

// The kinds of parts.
const (
	Reader Kind = "reader" // a subtask of a source
	Task   Kind = "task"   // a subtask of a task
	Writer Kind = "writer" // a subtask of a sink
)

// Part names a part of a job that takes part in its checkpoints.
type Part struct {
	Kind    Kind
	Name    string // the address of a source or sink, the id of a task
	Subtask int
}

// Snapshot is what a part hands in: what it was behind barrier n.
type Snapshot struct {
	// Data is the part's own: positions, clocks, timers, counts. It is small,
	// and lies in the manifest.
	Data []byte
	// State is the keyed state of a task's operators, nil where it has none. It
	// lies in an object of its own.
	State []byte
	// Pieces gives the keyed state to give, where it may not fit the memory: one
	// piece after the other, each of which lies in an object of its own. It stops
	// where give fails, with that error; a piece is valid until give returns. It may be called from any goroutine, and
	// again, and then gives the same. State is nil then.
	Pieces func(give func(piece []byte) error) error
	// Delta says that State, or Pieces, has only what has changed since the last checkpoint
	// that was completed, whose segments are needed too.
	Delta bool
	// Committable is what a writer has prepared; nil: nothing.
	Committable gpflow.Committable
}
