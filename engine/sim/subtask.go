package sim

import (
	"errors"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// errFinished ends an actor, all being well.
var errFinished = errors.New("finished")

var errDeclined = errors.New("the simulation has the part decline")

// reporter is how a part hands in its snapshots.
type reporter struct {
	a    *attempt
	node *node
	part checkpoint.Part
}

func (r reporter) send(e job.Event) { r.a.send(r.node, r.a.master.node, e) }

func (r reporter) acknowledge(id gpflow.CheckpointID, s checkpoint.Snapshot) {
	r.send(job.Point{CoordinatorEvent: checkpoint.Acknowledged{ID: id, Part: r.part, Snapshot: s}})
}

func (r reporter) decline(id gpflow.CheckpointID, err error) {
	r.send(job.Point{CoordinatorEvent: checkpoint.Declined{ID: id, Part: r.part, Err: err}})
}

func (r reporter) gone(s checkpoint.Snapshot) {
	r.send(job.Point{CoordinatorEvent: checkpoint.Gone{Part: r.part, Snapshot: s}})
}

// subtask does what the engine's subtask does with a task. What that encodes on
// another goroutine waits in coding until the scheduler likes.
type subtask struct {
	a      *attempt
	node   *node
	task   *task.Task
	head   string // address of its first operator
	report reporter
	states map[string]*state.Memory
	order  []string // addresses of states
	frozen map[gpflow.CheckpointID]map[string]*state.Frozen
	coding []func()

	links []*link // into the inbox
	base  int64   // rows that had come in before this attempt
	mark  gpflow.Timestamp
	holds []*hold
}

// The messages to a subtask.
type (
	abort     struct{ id gpflow.CheckpointID }
	completed struct{ id gpflow.CheckpointID }
)

func (s *subtask) receive(m any) error {
	switch m := m.(type) {
	case job.TriggerTasks:
		s.task.Trigger(m.ID)
	case job.QuitTasks:
		s.task.Quit()
	case abort:
		s.task.Abort(m.id)
		for address, f := range s.frozen[m.id] {
			s.states[address].Aborted(f)
		}
		delete(s.frozen, m.id)
	case completed:
		for address, f := range s.frozen[m.id] {
			s.states[address].Completed(f)
		}
		for id := range s.frozen {
			if id <= m.id {
				delete(s.frozen, id)
			}
		}
	}
	return nil
}

// barrier takes part in a checkpoint.
func (s *subtask) barrier(id gpflow.CheckpointID) {
	if taken, want := s.task.Flow(0).Taken-s.base, ahead(s.links, id); taken != want {
		s.a.broken("C1, C2", "%s takes its snapshot for checkpoint %d behind %d rows, and %d precede its barriers", s.node.name, id, taken, want)
	}
	snapshot := s.task.Snapshot()
	mark := s.mark
	if mark == gpflow.MaxTimestamp { // the end of time, on the way to which it may be
		mark = snapshot[s.head].Mark
		s.a.stats.Halfway++
	}
	s.a.mark(id, s.report.part, mark)
	data := task.Encode(snapshot)
	if len(s.states) == 0 {
		s.acknowledge(id, checkpoint.Snapshot{Data: data})
		return
	}
	frozen, delta := s.freeze()
	s.frozen[id] = frozen
	s.coding = append(s.coding, func() {
		states := make(map[string][]byte)
		for _, address := range s.order {
			packed, err := frozen[address].Encode()
			if err != nil {
				s.a.broken("encode", "%s: %v", address, err)
			}
			frozen[address].Release()
			states[address] = packed
		}
		s.acknowledge(id, checkpoint.Snapshot{Data: data, State: resume.Pack(states), Delta: delta})
	})
}

func (s *subtask) acknowledge(id gpflow.CheckpointID, c checkpoint.Snapshot) {
	if !s.a.config.Calm && s.a.rand.IntN(150) == 0 {
		s.report.decline(id, errDeclined)
		return
	}
	s.report.acknowledge(id, c)
}

// freeze takes views of the state of all operators, which are all whole where
// one has to be: they lie in one object.
func (s *subtask) freeze() (frozen map[string]*state.Frozen, delta bool) {
	frozen, delta = make(map[string]*state.Frozen), true
	for _, address := range s.order {
		frozen[address] = s.states[address].Freeze(false)
		delta = delta && frozen[address].Delta()
	}
	if delta {
		return frozen, true
	}
	for _, address := range s.order {
		if f := frozen[address]; f.Delta() {
			s.states[address].Aborted(f)
			f.Release()
			frozen[address] = s.states[address].Freeze(true)
		}
	}
	return frozen, false
}

// pending implements background.
func (s *subtask) pending() bool { return len(s.coding) > 0 }

// think implements background.
func (s *subtask) think() {
	s.coding[0]()
	s.coding = s.coding[1:]
}

func (s *subtask) work() (bool, error) {
	if _, ok := s.task.NextTimer(); ok {
		s.task.Tick(s.a.now)
	}
	for range 1 + s.a.rand.IntN(4) {
		progress, err := s.task.Step()
		if err != nil {
			return false, err
		}
		s.look()
		switch progress {
		case task.Ended:
			for s.pending() {
				s.think()
			}
			if s.task.Drained() {
				s.a.mark(0, s.report.part, s.mark)
				s.report.gone(checkpoint.Snapshot{Data: task.Encode(s.task.Snapshot())})
			}
			return false, errFinished
		case task.Idle:
			s.rest()
			return false, nil
		case task.Blocked:
			s.arm()
			return false, nil
		}
	}
	return true, nil
}

// look sees to it that time does not go back.
func (s *subtask) look() {
	t, _ := s.task.Watermark()
	if t < s.mark {
		s.a.broken("watermark", "that of %s goes back from %d to %d", s.node.name, s.mark, t)
	}
	s.mark = t
}

// rest waits for input, or for the next timer.
func (s *subtask) rest() {
	for _, h := range s.holds {
		if h.overdue(s.a.now) {
			s.a.broken("timers", "%s has not sent on a row whose time had come", s.node.name)
		}
	}
	s.arm()
}

func (s *subtask) arm() {
	if at, ok := s.task.NextTimer(); ok {
		s.node.alarm, s.node.ring = max(at, s.a.now+1), s.node.wake
	}
}
