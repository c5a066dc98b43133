package task

import "github.com/gpflow/gpflow"

// MarkEvery is the number of rows of a split between two watermarks. They are
// placed by a row's number within its split, so that the size of a batch
// decides nothing.
const MarkEvery = 32

// SplitClock makes the watermark of one subtask of a source out of the event
// times of its splits.
//
// The watermark of a split is its latest event time less the bound on
// disorder, taken every MarkEvery rows, when the split pauses, and when it
// ends. The subtask's is the minimum over its splits that are not idle. It
// stays where it is as long as splits are pending, whose times are not known;
// unless the splits promise ascending times in their order, when only the
// splits being read count.
//
// Which rows are late is said by the watermark of their split as it was taken
// at the rows before them: no other split, and no pause, changes it.
type SplitClock struct {
	disorder gpflow.Duration
	ordered  bool
	pending  bool
	splits   map[string]*splitTime
	now      gpflow.Timestamp
}

type splitTime struct {
	rows int64
	max  gpflow.Timestamp
	mark gpflow.Timestamp
	idle bool
	// bound is the watermark at the last row of a number that MarkEvery divides.
	bound gpflow.Timestamp
}

// NewSplitClock returns the clock of a subtask that has no splits yet and may
// get some.
func NewSplitClock(disorder gpflow.Duration, ordered bool) *SplitClock {
	return &SplitClock{
		disorder: disorder, ordered: ordered, pending: true,
		splits: make(map[string]*splitTime), now: gpflow.MinTimestamp,
	}
}

// Watermark returns the watermark that has been reached.
func (c *SplitClock) Watermark() gpflow.Timestamp { return c.now }

// Add begins a split.
func (c *SplitClock) Add(split string) {
	c.splits[split] = &splitTime{max: gpflow.MinTimestamp, mark: gpflow.MinTimestamp, bound: gpflow.MinTimestamp}
}

// Pending says whether splits that nobody reads yet are left.
func (c *SplitClock) Pending(pending bool) { c.pending = pending }

// Stamp adds to b, whose rows are the next ones of a split, the marks that
// fall into it.
func (c *SplitClock) Stamp(split string, b *gpflow.Batch) {
	s := c.splits[split]
	s.idle = false
	if s.bound != gpflow.MinTimestamp {
		b.Bounds = append(b.Bounds, gpflow.Bound{Time: s.bound})
	}
	for i, t := range b.Times {
		s.max = max(s.max, t)
		if s.rows++; s.rows%MarkEvery == 0 {
			c.mark(s, b, i+1)
		}
	}
}

// Pause takes the watermark of a split that has nothing to read just now, and
// reports whether the subtask's moved.
func (c *SplitClock) Pause(split string) bool {
	s := c.splits[split]
	if s == nil || s.rows == 0 {
		return false
	}
	s.mark = s.max.Add(-c.disorder)
	return c.Advance()
}

// Idle says that a split no longer holds the watermark, until it has rows
// again, and reports whether all splits are idle and whether the watermark
// moved.
func (c *SplitClock) Idle(split string) (all, moved bool) {
	if s := c.splits[split]; s != nil {
		s.idle = true
		if s.rows > 0 {
			s.mark = s.max.Add(-c.disorder)
		}
	}
	latest := gpflow.MinTimestamp
	for _, s := range c.splits {
		if !s.idle {
			return false, c.Advance()
		}
		latest = max(latest, s.mark)
	}
	if c.pending && !c.ordered {
		return false, false
	}
	// The latest counts, so that it does not matter which went idle first.
	moved = latest > c.now
	c.now = max(c.now, latest)
	return true, moved
}

// End forgets a split that has been read to its end, and reports whether the
// subtask's watermark moved.
func (c *SplitClock) End(split string) bool {
	moved := false
	if s := c.splits[split]; s != nil && s.rows > 0 && len(c.splits) == 1 && c.ordered {
		s.mark = s.max.Add(-c.disorder)
		moved = c.Advance()
	}
	delete(c.splits, split)
	return c.Advance() || moved
}

func (c *SplitClock) mark(s *splitTime, b *gpflow.Batch, row int) {
	s.mark = s.max.Add(-c.disorder)
	if s.mark != s.bound && row < b.N {
		b.Bounds = append(b.Bounds, gpflow.Bound{Row: row, Time: s.mark})
	}
	s.bound = s.mark
	if c.Advance() {
		b.Marks = append(b.Marks, gpflow.Mark{Row: row, Time: c.now})
	}
}

// Advance takes the minimum anew and reports whether it moved.
func (c *SplitClock) Advance() bool {
	if c.pending && !c.ordered {
		return false
	}
	low, found := gpflow.MaxTimestamp, false
	for _, s := range c.splits {
		if s.idle || c.ordered && s.rows == 0 {
			continue
		}
		low, found = min(low, s.mark), true
	}
	if !found || low <= c.now {
		return false
	}
	c.now = low
	return true
}
