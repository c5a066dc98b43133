package state

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. Besides tests, only a gpflow that is
// built with the tag bugs switches one on.
type Bug uint8

// The bugs.
const (
	// NoBug is how a Memory works unless Plant is called.
	NoBug Bug = iota
	// NoCopyOnWrite writes into chunks that a frozen view holds.
	NoCopyOnWrite
	// ForgetDirty leaves the bit of one row in forgetEvery unset, so that what
	// was written there is in no delta.
	ForgetDirty
	// RestoreTwice restores the first group of the next subtask as well.
	RestoreTwice
	// ReuseHeld copies into chunks that a frozen view may hold still.
	ReuseHeld
	// ForgetEvicted writes rows to the disk and does not note that no completed
	// checkpoint has them, so that they are in no delta.
	ForgetEvicted
	// ColdWins takes what the disk has of a row, where memory has it too.
	ColdWins
	// KeepDropped leaves the rows of a dropped pane on the disk, where the next
	// pane finds them.
	KeepDropped
	// ForgetStep leaves out one row in each step in which rows are written to the
	// disk.
	ForgetStep
	// ForgetKeys writes rows to the disk and does not note, of one in forgetEvery, that
	// they are there.
	ForgetKeys
)

// forgetEvery is how many rows there are for each that ForgetDirty forgets.
const forgetEvery = 16

// Plant switches a bug on. It is called before m is used.
func (m *Memory) Plant(b Bug) {
	m.bug = b
	for _, p := range m.panes {
		p.bug = b
		if b == RestoreTwice {
			p.to = min(m.to+1, m.groups)
		}
	}
}
