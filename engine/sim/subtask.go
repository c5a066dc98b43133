package sim

import (
	"errors"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/task"
)

// errFinished ends an actor, all being well.
var errFinished = errors.New("finished")

var errDeclined = errors.New("the simulation has the part decline")

// subtask drives the machine of a subtask. What that has done aside goes on in coding
// when the scheduler likes.
type subtask struct {
	*part.Subtask
	a      *attempt
	node   *node
	head   string // address of its first operator
	coding []*coding
	handed handed
	thinks *coding // the one that goes on now; nil: none

	links []*link // into the inbox
	base  int64   // rows that had come in before this attempt
	mark  gpflow.Timestamp
	holds []*hold
}

func (s *subtask) receive(m any) error {
	s.Tell(m)
	return nil
}

// barrier looks at a snapshot that is about to be taken.
func (s *subtask) barrier(id gpflow.CheckpointID) {
	if taken, want := s.Task.Flow(0).Taken-s.base, ahead(s.links, id); taken != want {
		s.a.broken("C1, C2", "%s takes its snapshot for checkpoint %d behind %d rows, and %d precede its barriers", s.node.name, id, taken, want)
	}
	s.look()
	mark := s.mark
	if mark == gpflow.MaxTimestamp { // the end of time, on the way to which it may be
		mark = s.Task.Snapshot()[s.head].Mark
		s.a.stats.Halfway++
	}
	s.a.mark(id, s.Report.Part, mark)
	s.Barrier(id)
}

func (s *subtask) work() (bool, error) {
	progress, err := s.Run(s.a.now, 1+s.a.rand.IntN(4))
	if err != nil {
		return false, err
	}
	s.look()
	switch progress {
	case task.Worked:
		return true, nil
	case task.Ended:
		if s.Task.Drained() {
			s.a.mark(0, s.Report.Part, s.mark)
		}
		return false, errFinished
	case task.Idle:
		s.punctual()
	}
	s.a.after(s.node, s.Pause(s.a.now))
	return false, nil
}

// look sees to it that time does not go back.
func (s *subtask) look() {
	t, _ := s.Task.Watermark()
	if t < s.mark {
		s.a.broken("watermark", "that of %s goes back from %d to %d", s.node.name, s.mark, t)
	}
	s.mark = t
}

// punctual sees to it that what is due has been sent on.
func (s *subtask) punctual() {
	for _, h := range s.holds {
		if h.overdue(s.a.now) {
			s.a.broken("timers", "%s has not sent on a row whose time had come", s.node.name)
		}
	}
}
