package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// slice is how many steps a task makes before it looks at its mailbox.
const slice = 64

// subtask is the actor around a task's machine.
type subtask struct {
	ref    *actor.Ref
	task   *task.Task
	meters []*meter // by operator
	timer  *time.Timer
	report reporter
	states map[string]*state.Memory // of the operators that keep some, by address
	frozen map[gpflow.CheckpointID]map[string]*state.Frozen
	gauge  *gauge
	coding sync.WaitGroup // snapshots that are being encoded
	coded  buffers        // and those that were
}

// Receive implements actor.Actor.
func (s *subtask) Receive(_ context.Context, m any) (err error) {
	defer diskFailed(&err)
	switch m := m.(type) {
	case job.TriggerTasks:
		s.task.Trigger(m.ID)
	case job.QuitTasks:
		s.task.Quit()
	case abort:
		s.task.Abort(m.id)
		s.coded.aborted(m.id)
		for address, f := range s.frozen[m.id] {
			s.states[address].Aborted(f)
			f.Release()
		}
		delete(s.frozen, m.id)
	case completed:
		s.coded.completed(m.id)
		for address, f := range s.frozen[m.id] {
			s.states[address].Completed(f)
		}
		for id, frozen := range s.frozen {
			if id > m.id {
				continue
			}
			for _, f := range frozen {
				f.Release()
			}
			delete(s.frozen, id)
		}
	}
	return nil
}

// snapshot takes part in a checkpoint: the state is frozen at once, and encoded
// beside the work that goes on; where it may not fit the memory, when it is stored.
func (s *subtask) snapshot(id gpflow.CheckpointID, hand func(checkpoint.Snapshot, error)) (frozen map[string]*state.Frozen) {
	data := task.Encode(s.task.Snapshot())
	if len(s.states) == 0 {
		hand(checkpoint.Snapshot{Data: data}, nil)
		return nil
	}
	frozen, delta := s.freeze()
	if !delta {
		for address, f := range frozen {
			if f.Delta() { // they lie in one object, which is whole or a delta
				s.states[address].Aborted(f)
				f.Release()
				frozen[address] = s.states[address].Freeze(true)
			}
		}
	}
	if spilled(frozen) {
		hand(checkpoint.Snapshot{Data: data, Pieces: pieces(frozen), Delta: delta}, nil)
		return frozen
	}
	buffer := s.coded.take()
	s.coding.Go(func() {
		packed, err := pack(buffer, frozen)
		s.coded.lend(id, packed)
		hand(checkpoint.Snapshot{Data: data, State: packed, Delta: delta}, err)
	})
	return frozen
}

// pack appends what is frozen of each operator to dst, as resume.Pack does, and
// releases it.
func pack(dst []byte, frozen map[string]*state.Frozen) (packed []byte, failed error) {
	packed = dst
	for _, address := range slices.Sorted(maps.Keys(frozen)) {
		f := frozen[address]
		more, err := f.Append(packed, packedAt(address))
		f.Release()
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: encode the state: %w", address, err))
			continue
		}
		packed = more
	}
	return packed, failed
}

// freeze takes views of the state of all operators, and reports whether all are
// deltas.
func (s *subtask) freeze() (frozen map[string]*state.Frozen, delta bool) {
	frozen, delta = make(map[string]*state.Frozen, len(s.states)), true
	for address, m := range s.states {
		frozen[address] = m.Freeze(false)
		delta = delta && frozen[address].Delta()
	}
	return frozen, delta
}

// barrier hands in the snapshot of a checkpoint.
func (s *subtask) barrier(id gpflow.CheckpointID) {
	failpoint.Here("task-aligned")
	s.frozen[id] = s.snapshot(id, func(c checkpoint.Snapshot, err error) {
		if err != nil {
			s.report.decline(id, err)
			return
		}
		failpoint.Here("state-encoded")
		s.report.acknowledge(id, c)
		failpoint.Here("task-acknowledged")
	})
	failpoint.Here("task-frozen")
}

// end hands in what the task was at its end, behind all that it has handed in
// before.
func (s *subtask) end() {
	s.coding.Wait()
	if s.task.Drained() {
		s.report.gone(checkpoint.Snapshot{Data: task.Encode(s.task.Snapshot())})
	}
}

// Work implements actor.Actor.
func (s *subtask) Work(context.Context) (more bool, err error) {
	defer diskFailed(&err)
	s.gauge.enter(busying)
	if _, ok := s.task.NextTimer(); ok {
		s.task.Tick(now())
	}
	for range slice {
		progress, err := s.task.Step()
		switch {
		case err != nil:
			return false, err
		case progress == task.Ended:
			s.end()
			s.gauge.enter(idling)
			return false, actor.ErrFinished
		case progress != task.Worked:
			s.publish()
			s.arm()
			if progress == task.Blocked {
				s.gauge.enter(blocking)
			} else {
				s.gauge.enter(idling)
			}
			return false, nil
		}
	}
	s.publish()
	return true, nil
}

// place returns where in the spec the operator of t stands that was called last.
// It is called when the actor has ended.
func (s *subtask) place(t *plan.Task) string {
	at := slices.IndexFunc(t.Ops, func(o plan.Op) bool { return o.ID == s.task.At() })
	return t.Ops[max(0, at)].Range
}

func now() gpflow.Timestamp { return gpflow.Timestamp(time.Now().UnixMicro()) }

// arm has the subtask woken for the next timer, before it waits.
func (s *subtask) arm() {
	at, ok := s.task.NextTimer()
	if !ok {
		return
	}
	span := time.Duration(at-now()) * time.Microsecond
	if s.timer == nil {
		s.timer = time.AfterFunc(span, s.ref.Wake)
		return
	}
	s.timer.Reset(span)
}

// publish makes the ledger visible to other goroutines.
func (s *subtask) publish() {
	now, holder := s.task.Watermark()
	for i, m := range s.meters {
		m.publish(s.task.Flow(i), now, holder)
	}
}

// Close implements actor.Actor.
func (s *subtask) Close() error {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.coding.Wait()
	s.publish()
	for _, m := range s.states {
		m.Leave()
	}
	return s.task.Close()
}
