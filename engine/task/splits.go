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
	splits   map[string]*SplitTime
	idle     int              // of splits
	now      gpflow.Timestamp // not before the minimum, but where splits are pending
}

// SplitTime is how far time has come in a split.
type SplitTime struct {
	Rows int64            `json:"rows"` // read
	Max  gpflow.Timestamp `json:"max"`  // the latest event time
	Mark gpflow.Timestamp `json:"mark"` // the watermark
	// Bound is the watermark at the last row whose number MarkEvery divides.
	Bound gpflow.Timestamp `json:"bound"`
	Idle  bool             `json:"idle,omitempty"`
}

// NewSplitClock returns the clock of a subtask that has no splits yet and may
// get some.
func NewSplitClock(disorder gpflow.Duration, ordered bool) *SplitClock {
	return &SplitClock{
		disorder: disorder, ordered: ordered, pending: true,
		splits: make(map[string]*SplitTime), now: gpflow.MinTimestamp,
	}
}

// Watermark returns the watermark that has been reached.
func (c *SplitClock) Watermark() gpflow.Timestamp { return c.now }

// Add begins a split.
func (c *SplitClock) Add(split string) {
	c.splits[split] = &SplitTime{Max: gpflow.MinTimestamp, Mark: gpflow.MinTimestamp, Bound: gpflow.MinTimestamp}
}

// Split returns how far time has come in a split.
func (c *SplitClock) Split(split string) SplitTime { return *c.splits[split] }

// Resume begins a split where another clock had come to.
func (c *SplitClock) Resume(split string, t SplitTime) {
	if c.splits[split] = &t; t.Idle {
		c.idle++
	}
}

// Reach says that the watermark had been reached before.
func (c *SplitClock) Reach(t gpflow.Timestamp) { c.now = max(c.now, t) }

// Pending says whether splits that nobody reads yet are left.
func (c *SplitClock) Pending(pending bool) { c.pending = pending }

// Stamp adds to b, whose rows are the next ones of a split, the marks that
// fall into it.
func (c *SplitClock) Stamp(split string, b *gpflow.Batch) {
	s := c.splits[split]
	if s.Idle {
		s.Idle = false
		c.idle--
	}
	if s.Bound != gpflow.MinTimestamp {
		b.Bounds = append(b.Bounds, gpflow.Bound{Time: s.Bound})
	}
	for i, t := range b.Times {
		s.Max = max(s.Max, t)
		if s.Rows++; s.Rows%MarkEvery == 0 {
			c.mark(s, b, i+1)
		}
	}
}

// Pause takes the watermarks of the splits, which have nothing to read just now, and
// reports whether the subtask's moved.
func (c *SplitClock) Pause() bool {
	for _, s := range c.splits {
		c.take(s)
	}
	return c.Advance()
}

// take takes the watermark of a split, which does not wait for its next row.
func (c *SplitClock) take(s *SplitTime) {
	if s.Rows > 0 {
		s.Mark = s.Max.Add(-c.disorder)
	}
}

// Idle says that splits no longer hold the watermark, until they have rows again,
// and reports whether all splits are idle and whether the watermark moved.
func (c *SplitClock) Idle(splits ...string) (all, moved bool) {
	for _, split := range splits {
		s := c.splits[split]
		if s == nil {
			continue
		}
		if !s.Idle {
			s.Idle = true
			c.idle++
		}
		c.take(s)
	}
	switch {
	case c.idle < len(c.splits):
		return false, len(splits) > 0 && c.Advance()
	case c.idle == 0 || c.pending && !c.ordered:
		return false, false
	}
	// The latest counts, so that it does not matter which went idle first.
	latest := gpflow.MinTimestamp
	for _, s := range c.splits {
		latest = max(latest, s.Mark)
	}
	moved = latest > c.now
	c.now = max(c.now, latest)
	return true, moved
}

// End forgets a split that has been read to its end, and reports whether the
// subtask's watermark moved.
func (c *SplitClock) End(split string) bool {
	moved, s := false, c.splits[split]
	if s != nil && len(c.splits) == 1 && c.ordered {
		c.take(s)
		moved = c.Advance()
	}
	if s != nil && s.Idle {
		c.idle--
	}
	delete(c.splits, split)
	return c.Advance() || moved
}

func (c *SplitClock) mark(s *SplitTime, b *gpflow.Batch, row int) {
	was := s.Mark
	c.take(s)
	if s.Mark != s.Bound && row < b.N {
		b.Bounds = append(b.Bounds, gpflow.Bound{Row: row, Time: s.Mark})
	}
	s.Bound = s.Mark
	if was <= c.now && c.Advance() { // else others hold it
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
		if s.Idle || c.ordered && s.Rows == 0 {
			continue
		}
		if s.Mark <= c.now {
			return false
		}
		low, found = min(low, s.Mark), true
	}
	if !found {
		return false
	}
	c.now = low
	return true
}
