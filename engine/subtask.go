package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/task"
)

// slice is how many steps a task makes before it looks at its mailbox.
const slice = 64

// rest leaves the processor to others. It takes some ten microseconds where there
// are any, and else as long as the poller of the network sleeps at least, which is a
// millisecond.
func rest() { time.Sleep(20 * time.Microsecond) }

// subtask is the actor around a task's machine.
type subtask struct {
	*part.Subtask
	meters []*meter // by operator
	waker  waker
	gauge  *gauge
	coding sync.WaitGroup // snapshots that are being encoded
}

// Receive implements actor.Actor.
func (s *subtask) Receive(_ context.Context, m any) (err error) {
	defer diskFailed(&err)
	s.Tell(m)
	return nil
}

// Work implements actor.Actor.
func (s *subtask) Work(context.Context) (more bool, err error) {
	defer diskFailed(&err)
	s.gauge.enter(busying)
	progress, err := s.Run(now(), slice)
	if err != nil {
		return false, err
	}
	s.publish()
	switch progress {
	case task.Worked:
		return true, nil
	case task.Blocked:
		s.gauge.enter(blocking)
	default:
		s.gauge.enter(idling)
	}
	if progress == task.Ended {
		return false, actor.ErrFinished
	}
	s.waker.set(s.Pause(now()))
	return false, nil
}

// place returns where in the spec the operator of t stands that was called last.
// It is called when the actor has ended.
func (s *subtask) place(t *plan.Task) string {
	at := slices.IndexFunc(t.Ops, func(o plan.Op) bool { return o.ID == s.Task.At() })
	return t.Ops[max(0, at)].Range
}

func now() gpflow.Timestamp { return gpflow.Timestamp(time.Now().UnixMicro()) }

// publish makes the ledger visible to other goroutines.
func (s *subtask) publish() {
	now, holder := s.Task.Watermark()
	for i, m := range s.meters {
		m.publish(s.Task.Flow(i), now, holder)
	}
}

// Close implements actor.Actor.
func (s *subtask) Close() error {
	s.waker.stop()
	s.coding.Wait()
	s.publish()
	for _, m := range s.States {
		m.Leave()
	}
	return s.Task.Close()
}
