package part

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// splits are those that a reader reads, in the order in which they were assigned,
// and how far it has come in each, but for time.
type splits []task.SplitState

// move takes note that a split has been read as far as at.
func (s splits) move(id string, at gpflow.Position) { s[s.index(id)].Position = at }

// end forgets a split that has been read to its end.
func (s *splits) end(id string) {
	i := s.index(id)
	*s = slices.Delete(*s, i, i+1)
}

// snapshot returns how far each has been read, as clock, which knows them, has it
// too.
func (s splits) snapshot(clock *task.SplitClock, bug Bug) []task.SplitState {
	all := slices.Clone(s)
	for i := range all {
		all[i].Time = clock.Split(all[i].ID)
		if bug == TimesNotSaved {
			all[i].Time = task.SplitTime{Max: gpflow.MinTimestamp, Mark: gpflow.MinTimestamp, Bound: gpflow.MinTimestamp}
		}
	}
	return all
}

func (s splits) index(id string) int {
	return slices.IndexFunc(s, func(x task.SplitState) bool { return x.ID == id })
}
