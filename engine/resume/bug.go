package resume

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. No product code switches one on.
type Bug uint8

// The bugs.
const (
	// NoBug is how everything works unless Plant is called.
	NoBug Bug = iota
	// TimersToOne gives the timers of a subtask to one other when there are more
	// or fewer than there were, wherever its key groups are now.
	TimersToOne
	// MarksOfNamesakes has a subtask go on from how far time had come in the one
	// of its number, whatever its inputs are now.
	MarksOfNamesakes
	// DropHomeless commits nothing that was prepared by a subtask that is no more,
	// against C4.
	DropHomeless
	// LastSplitLost hands out one split less than were being read where readers
	// are gone.
	LastSplitLost
	// CurrentForgotten has regions begin anew where the job did, whatever has been
	// stored since, against C9.
	CurrentForgotten
	// FoundIgnored claims an epoch where it is in doubt which checkpoint is current,
	// and goes on from the last of which it is known that it was, against C9.
	FoundIgnored
	// RetainAtOnce removes checkpoints of which savepoints are still to be made.
	RetainAtOnce
	// SaveCurrent makes savepoints of the checkpoint that is current, and not of
	// the one that was asked for, whose output is committed.
	SaveCurrent
)

// Plant switches a bug on. It is called before f is used.
func (f *Former) Plant(b Bug) { f.bug = b }

// Plant switches a bug on. It is called before a is used.
func (a *Archive) Plant(b Bug) { a.bug = b }
