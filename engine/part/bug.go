package part

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. No product code switches one on.
type Bug uint8

// The bugs.
const (
	// NoBug is how everything works unless another one is planted.
	NoBug Bug = iota
	// PositionsOneBehind has a reader hand in where it had been a poll earlier,
	// against C1.
	PositionsOneBehind
	// TimesNotSaved has a reader hand in nothing about time in its splits, against
	// C5.
	TimesNotSaved
	// CountsNotSaved has a reader hand in an empty ledger.
	CountsNotSaved
	// UnreadKept has a reader send on what a poll had read that is made again.
	UnreadKept
	// RetryForgotten has a writer go on behind a batch whose write is to be made
	// again.
	RetryForgotten
	// AbortCompletes has the state of a task forget what changed before a
	// checkpoint that was given up.
	AbortCompletes
	// AbortFrees has a subtask use the memory of a snapshot again when its
	// checkpoint is given up, while it may still be encoded.
	AbortFrees
	// MixedDeltas has a task hand in deltas beside whole states, in one object.
	MixedDeltas
)
