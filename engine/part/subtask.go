package part

import (
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// SubtaskConfig says what a Subtask is made of. Its functions are called within the
// machine's own.
type SubtaskConfig struct {
	Report Report // any goroutine may call Report.Send, as Aside does
	Task   *task.Task
	States map[string]*state.Memory // of the operators that keep some, by address
	// Aside has something done that takes long: at once, later, or on another
	// goroutine. Settle returns when all of it is done.
	Aside  func(func())
	Settle func()
	Plant  Bug
}

// Subtask is the machine of a task's part in checkpoints.
type Subtask struct {
	SubtaskConfig
	frozen map[gpflow.CheckpointID]frozen // of checkpoints that are under way
	coded  buffers                        // of the snapshots that were handed in
}

// frozen is the state of the operators at a checkpoint, by address.
type frozen map[string]*state.Frozen

func (f frozen) release() {
	for _, v := range f {
		v.Release()
	}
}

// NewSubtask returns the machine of a task that has not begun. Its Barrier becomes
// the task's OnBarrier.
func NewSubtask(c SubtaskConfig) *Subtask {
	s := &Subtask{SubtaskConfig: c, frozen: make(map[gpflow.CheckpointID]frozen)}
	c.Task.OnBarrier = s.Barrier
	return s
}

// Tell takes what the job, a job.Action, or its coordinator of checkpoints, a
// checkpoint.CoordinatorAction, says to all tasks.
func (s *Subtask) Tell(m any) {
	switch m := m.(type) {
	case job.TriggerTasks:
		s.Task.Trigger(m.ID)
	case job.QuitTasks:
		s.Task.Quit()
	case checkpoint.Abort:
		s.Task.Abort(m.ID)
		if s.Plant == AbortCompletes {
			s.completed(m.ID)
			return
		}
		if s.Plant == AbortFrees {
			s.coded.completed(m.ID)
		}
		s.coded.aborted(m.ID)
		for address, f := range s.frozen[m.ID] {
			s.States[address].Aborted(f)
		}
		s.frozen[m.ID].release()
		delete(s.frozen, m.ID)
	case checkpoint.Completed:
		s.completed(m.ID)
	}
}

// completed has the states forget what a checkpoint holds, and lets go of it and
// of those before.
func (s *Subtask) completed(id gpflow.CheckpointID) {
	s.coded.completed(id)
	for address, f := range s.frozen[id] {
		s.States[address].Completed(f)
	}
	for other, f := range s.frozen {
		if other <= id {
			f.release()
			delete(s.frozen, other)
		}
	}
}

// Barrier takes the snapshot of a checkpoint: the state is frozen at once, and
// encoded beside the work that goes on; where it may not fit the memory, when it is
// stored.
func (s *Subtask) Barrier(id gpflow.CheckpointID) {
	failpoint.Here("task-aligned")
	s.snapshot(id, checkpoint.Snapshot{Data: task.Encode(s.Task.Snapshot())})
	failpoint.Here("task-frozen")
}

// snapshot hands in c with the keyed state.
func (s *Subtask) snapshot(id gpflow.CheckpointID, c checkpoint.Snapshot) {
	if len(s.States) == 0 {
		s.hand(id, c, nil)
		return
	}
	f, spilled := s.freeze(&c)
	s.frozen[id] = f
	if spilled {
		c.Pieces = state.PackPieces(f)
		s.hand(id, c, nil)
		return
	}
	buffer := s.coded.take()
	if s.Plant == AbortFrees {
		s.coded.lend(id, buffer)
	}
	s.Aside(func() {
		var err error
		c.State, err = state.Pack(buffer, f)
		s.coded.lend(id, c.State)
		s.hand(id, c, err)
	})
}

// freeze takes views of the state of all operators, and reports whether some lie on
// the disk. All are whole where one has to be: they lie in one object.
func (s *Subtask) freeze(c *checkpoint.Snapshot) (f frozen, spilled bool) {
	f = make(frozen, len(s.States))
	c.Delta = true
	for address, m := range s.States {
		f[address] = m.Freeze(false)
		c.Delta = c.Delta && f[address].Delta()
	}
	for address, m := range s.States {
		if v := f[address]; v.Delta() && !c.Delta && s.Plant != MixedDeltas {
			m.Aborted(v)
			v.Release()
			f[address] = m.Freeze(true)
		}
		spilled = spilled || f[address].Spilled()
	}
	return f, spilled
}

// hand hands in the snapshot of a checkpoint, or says that there is none.
func (s *Subtask) hand(id gpflow.CheckpointID, c checkpoint.Snapshot, err error) {
	if err != nil {
		s.Report.decline(id, err)
		return
	}
	failpoint.Here("state-encoded")
	s.Report.acknowledge(id, c)
	failpoint.Here("task-acknowledged")
}

// Run has the task make so many steps at most, and returns what the last one came
// to. At the end the task hands in what it was, behind all that it has handed in
// before.
func (s *Subtask) Run(now gpflow.Timestamp, steps int) (p task.Progress, err error) {
	if _, ok := s.Task.NextTimer(); ok {
		s.Task.Tick(now)
	}
	for range steps {
		if p, err = s.Task.Step(); err != nil || p != task.Worked {
			break
		}
	}
	if p == task.Ended {
		s.Settle()
		if s.Task.Drained() {
			s.Report.gone(checkpoint.Snapshot{Data: task.Encode(s.Task.Snapshot())})
		}
	}
	return p, err
}

// Pause returns the time until an operator's next timer, before which the task need
// not run unless a message comes; 0: there is none.
func (s *Subtask) Pause(now gpflow.Timestamp) time.Duration {
	at, ok := s.Task.NextTimer()
	if !ok {
		return 0
	}
	return span(max(1, gpflow.Duration(at-now)))
}
