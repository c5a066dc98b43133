package part

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// splits are those that a reader reads, in the order in which they were assigned,
// and how far it has come in each.
type splits []place

// place is how far a split has been read.
type place struct {
	gpflow.Split
	at     gpflow.Position // behind what has been sent on; nil: nothing has
	before gpflow.Position // at, one poll ago
}

// move takes note that a split has been read as far as at.
func (s splits) move(id string, at gpflow.Position) {
	p := &s[s.index(id)]
	p.before, p.at = p.at, at
}

// end forgets a split that has been read to its end.
func (s *splits) end(id string) {
	i := s.index(id)
	*s = slices.Delete(*s, i, i+1)
}

// snapshot returns how far each has been read, as clock, which knows them, has it
// too.
func (s splits) snapshot(clock *task.SplitClock, bug Bug) (all []task.SplitState) {
	for _, p := range s {
		x := task.SplitState{ID: p.ID, Data: p.Data, Position: p.at, Time: clock.Split(p.ID)}
		switch bug {
		case PositionsOneBehind:
			x.Position = p.before
		case TimesNotSaved:
			x.Time = task.SplitTime{Max: gpflow.MinTimestamp, Mark: gpflow.MinTimestamp, Bound: gpflow.MinTimestamp}
		}
		all = append(all, x)
	}
	return all
}

func (s splits) index(id string) int {
	return slices.IndexFunc(s, func(p place) bool { return p.ID == id })
}
