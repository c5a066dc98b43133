package checkpoint

import "github.com/gpflow/gpflow"

// Config says when checkpoints are made.
type Config struct {
	// Every is the time from the begin of one checkpoint to that of the next;
	// 0: only on request and at the end.
	Every gpflow.Duration
	// Timeout is how long the parts have to acknowledge a checkpoint before it
	// is aborted; 0: for ever. Storing it is not counted.
	Timeout gpflow.Duration
	// MinPause is the least time from the end of one checkpoint to the begin of
	// the next that comes by itself.
	MinPause gpflow.Duration
	// MaxFailures is how many checkpoints in a row may fail before the job does:
	// it fails with that one; 0: any number.
	MaxFailures int
	// Plant is a bug for tests to find; "": none.
	Plant Bug
}

// failurePause is the least time from a checkpoint that has failed to the next.
const failurePause = 100 * gpflow.Millisecond

// Bug is a mistake that the coordinator makes if told to, so that tests can
// show that they would find it.
type Bug string

// The bugs.
const (
	// CommitBeforeStored commits when all parts have acknowledged, against C3.
	CommitBeforeStored Bug = "commit before stored"
	// CompleteWithoutAll does not wait for one of the parts, against C5.
	CompleteWithoutAll Bug = "complete without all"
	// ForgetAborted forgets what was prepared for an aborted checkpoint, against
	// C8.
	ForgetAborted Bug = "forget aborted"
	// ForgetUncommitted leaves out of a checkpoint what an earlier one had
	// prepared and is not yet committed, against C4: a recovery from the new one
	// would not commit it.
	ForgetUncommitted Bug = "forget uncommitted"
	// ForgetRestored does not commit what the checkpoint that the job goes on
	// from had prepared, against C4.
	ForgetRestored Bug = "forget restored"
	// CommitAtOnce does not wait for a sink to commit one thing before it is
	// told to commit the next.
	CommitAtOnce Bug = "commit at once"
	// KeepPrepared keeps what parts that begin anew had prepared and is in no
	// checkpoint, against C8.
	KeepPrepared Bug = "keep prepared"
	// ForgetUp does not commit what the checkpoint lists at which parts begin
	// anew, against C4.
	ForgetUp Bug = "forget up"
	// KeepGone takes parts that begin anew for gone where they had been, against
	// C5.
	KeepGone Bug = "keep gone"
)

// CoordinatorEvent is something that happened: one of the types below.
type CoordinatorEvent interface{ coordinatorEvent() }

// The events. What a part says comes in the order in which it was said; what
// different parts say, in any.
type (
	// Tick says that time has passed. There is one when the job starts, which
	// begins the first period, and one when a WakeAt is due; others do no harm.
	Tick struct{}
	// Restored comes first, if at all, and says what the checkpoint that the job
	// goes on from lists: it is committed again (C4).
	Restored struct{ Committables []Pending }
	// Requested asks for a checkpoint. One that is in flight does not count, for
	// what came before the request may be behind its barriers.
	Requested struct {
		// Name is that of the savepoint that is to be made; "": it need not be
		// one. Two requests of one name ask for one savepoint.
		Name string
		// Stop says that the job is to end with the checkpoint.
		Stop bool
	}
	// Acknowledged says what a part was behind the barrier of a checkpoint.
	Acknowledged struct {
		ID       gpflow.CheckpointID
		Part     Part
		Snapshot Snapshot // belongs to the coordinator
	}
	// Declined says that a part cannot take part in a checkpoint.
	Declined struct {
		ID   gpflow.CheckpointID
		Part Part
		Err  error
	}
	// Gone says that a part has come to the end of its input, has sent on all
	// that it had, and what it was then. A part that only rests behind the
	// barrier of a Trigger with Stop is not gone.
	Gone struct {
		Part     Part
		Snapshot Snapshot // belongs to the coordinator
	}
	// Stored says that a checkpoint's segments and manifest are durable, and
	// that it is durably the current one.
	Stored struct{ ID gpflow.CheckpointID }
	// StoreFailed says that a checkpoint may not be stored. It may be, too: the
	// answer of a store can be lost. But the store must be done with it: what
	// is in doubt may have been written or not, it must not appear later, and
	// never take the place of a newer current one.
	StoreFailed struct {
		ID  gpflow.CheckpointID
		Err error
	}
	// Committed says that what a Commit with this part and ID asked for is
	// visible.
	Committed struct {
		ID   gpflow.CheckpointID
		Part Part
	}
)

func (Tick) coordinatorEvent()         {}
func (Restored) coordinatorEvent()     {}
func (Requested) coordinatorEvent()    {}
func (Acknowledged) coordinatorEvent() {}
func (Declined) coordinatorEvent()     {}
func (Gone) coordinatorEvent()         {}
func (Stored) coordinatorEvent()       {}
func (StoreFailed) coordinatorEvent()  {}
func (Committed) coordinatorEvent()    {}

// CoordinatorAction is something to do: one of the types below.
type CoordinatorAction interface{ coordinatorAction() }

// The actions.
type (
	// Trigger has the readers that are not gone send barriers. A task or writer
	// whose inputs have all ended gets none from them; it may be told itself, or
	// be waited for until it is gone.
	Trigger struct {
		ID gpflow.CheckpointID
		// Stop has the readers rest behind the barrier, without an end of their
		// output, until they are ended or triggered again. They stay so when the
		// checkpoint is aborted: all triggers that follow say Stop too.
		Stop bool
	}
	// Abort tells all parts that a checkpoint is over: a task that aligns its
	// barriers lets go, and a table that has frozen its changes for it takes
	// them back, since the next delta has them again. What sinks have prepared
	// for it stays prepared (C8).
	Abort struct {
		ID  gpflow.CheckpointID
		Err error
		// Down says that parts of it went down: it has not failed by itself.
		Down bool
	}
	// Store has a checkpoint made durable. Stored or StoreFailed answers it.
	Store struct {
		ID gpflow.CheckpointID
		// Base is the completed checkpoint that deltas are relative to; 0: none has
		// been completed in this attempt, and it is the one that the job goes on
		// from, if any.
		Base gpflow.CheckpointID
		// Parts has all parts, those that are gone included. Their committables
		// are nil here. A part that had been gone for the last completed
		// checkpoint already, and has keyed state, has an empty delta.
		Parts map[Part]Snapshot
		// Gone are the parts whose snapshot is of their end, in the order given.
		Gone []Part
		// Committables has all that may have to be committed behind this
		// checkpoint, by ID: what is still to be committed for those that are
		// completed, what was prepared for those that were aborted (C8), and
		// what was prepared for this one. The ID of what a part prepared at its
		// end is the first that the end could count for.
		Committables []Pending
		// Final says that all parts are gone, and this is what they were then:
		// there is nothing to go on from.
		Final bool
		// Name is that of the savepoint that this is to be; "": it is none.
		Name string
	}
	// Completed tells all parts that a checkpoint is completed: what has changed
	// up to it is in no later delta. It subsumes all that began before it.
	Completed struct{ ID gpflow.CheckpointID }
	// Commit has a part's prepared output shown. Part and ID are as in Store, and
	// together those of no other Commit. Committed answers it; before that, there
	// is no other for the part.
	Commit struct {
		ID          gpflow.CheckpointID
		Part        Part
		Committable gpflow.Committable
	}
	// Done says that the job can end: its last checkpoint is completed, and
	// everything is committed.
	Done struct {
		ID    gpflow.CheckpointID // the last one completed
		Final bool                // all parts were gone: the job has finished
	}
	// Fail says that the job is to end with an error.
	Fail struct{ Err error }
	// WakeAt asks for a Tick. It takes the place of the one before.
	WakeAt struct{ Time gpflow.Timestamp }
)

func (Trigger) coordinatorAction()   {}
func (Abort) coordinatorAction()     {}
func (Store) coordinatorAction()     {}
func (Completed) coordinatorAction() {}
func (Commit) coordinatorAction()    {}
func (Done) coordinatorAction()      {}
func (Fail) coordinatorAction()      {}
func (WakeAt) coordinatorAction()    {}
