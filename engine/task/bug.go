package task

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. Besides tests, only a gpflow that is
// built with the tag bugs switches one on.
type Bug uint8

// The bugs.
const (
	// NoBug is how a Task works unless Plant is called.
	NoBug Bug = iota
	// NoAlignment does not hold the channels on which a barrier has come, against
	// C2.
	NoAlignment
	// WatermarkNotRestored forgets how far time had come, against C5.
	WatermarkNotRestored
	// TimersNotRestored forgets the timers that operators had asked for, against
	// C5.
	TimersNotRestored
	// UnsettledSnapshot takes the snapshot of a task that comes to the end of time
	// at once, with rows on their way within it, against C1.
	UnsettledSnapshot
)

// Plant switches a bug on. It is called before t is used.
func (t *Task) Plant(b Bug) { t.bug = b }
