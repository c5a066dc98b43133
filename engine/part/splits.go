package part

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// splits are those that a reader reads, in the order in which they were assigned,
// and how far it has come in each, but for time.
type splits struct {
	list []task.SplitState
	last int // the one that was asked for last: it is this, or the next, mostly
}

// move takes note that a split has been read as far as at.
func (s *splits) move(id string, at gpflow.Position) { s.list[s.index(id)].Position = at }

// end forgets a split that has been read to its end.
func (s *splits) end(id string) {
	i := s.index(id)
	s.list = slices.Delete(s.list, i, i+1)
}

// snapshot returns how far each has been read, as clock, which knows them, has it
// too.
func (s *splits) snapshot(clock *task.SplitClock, bug Bug) []task.SplitState {
	all := slices.Clone(s.list)
	for i := range all {
		all[i].Time = clock.Split(all[i].ID)
		if bug == TimesNotSaved {
			all[i].Time = task.SplitTime{Max: gpflow.MinTimestamp, Mark: gpflow.MinTimestamp, Bound: gpflow.MinTimestamp}
		}
	}
	return all
}

// index returns which split has an ID, -1 where none has.
func (s *splits) index(id string) int {
	for i := range s.list {
		if at := (s.last + i) % len(s.list); s.list[at].ID == id {
			s.last = at
			return at
		}
	}
	return -1
}
