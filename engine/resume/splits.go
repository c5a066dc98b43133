package resume

import (
	"iter"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// Splits are those that a reader reads, in the order in which they were added,
// and how far it has come in each.
type Splits struct {
	list []place
	bug  Bug
}

// place is how far a split has been read.
type place struct {
	gpflow.Split
	at     gpflow.Position // behind what has been sent on; nil: nothing has
	before gpflow.Position // at, one poll ago
}

// Add begins a split, behind at; nil: at its beginning.
func (s *Splits) Add(split gpflow.Split, at gpflow.Position) {
	s.list = append(s.list, place{split, at, at})
}

// Move takes note that a split has been read as far as at.
func (s *Splits) Move(id string, at gpflow.Position) {
	p := &s.list[s.index(id)]
	p.before, p.at = p.at, at
}

// End forgets a split that has been read to its end.
func (s *Splits) End(id string) {
	i := s.index(id)
	s.list = slices.Delete(s.list, i, i+1)
}

// Clear forgets all of them.
func (s *Splits) Clear() { s.list = nil }

// Len returns how many there are.
func (s *Splits) Len() int { return len(s.list) }

// At returns split i.
func (s *Splits) At(i int) gpflow.Split { return s.list[i].Split }

// All returns the splits in order.
func (s *Splits) All() iter.Seq[gpflow.Split] {
	return func(yield func(gpflow.Split) bool) {
		for i := range s.list {
			if !yield(s.list[i].Split) {
				return
			}
		}
	}
}

// Snapshot returns what a reader is which has the splits, a clock that knows
// them, and counts.
func (s *Splits) Snapshot(clock *task.SplitClock, counts gpflow.Counts) Reader {
	r := Reader{Watermark: clock.Watermark(), Counts: counts}
	for _, p := range s.list {
		x := Split{ID: p.ID, Data: p.Data, Position: p.at, Time: clock.Split(p.ID)}
		switch s.bug {
		case PositionsOneBehind:
			x.Position = p.before
		case TimesNotSaved:
			x.Time = task.SplitTime{Max: gpflow.MinTimestamp, Mark: gpflow.MinTimestamp, Bound: gpflow.MinTimestamp}
		}
		r.Splits = append(r.Splits, x)
	}
	return r
}

func (s *Splits) index(id string) int {
	return slices.IndexFunc(s.list, func(p place) bool { return p.ID == id })
}
