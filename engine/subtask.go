package engine

import (
	"context"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/task"
)

// slice is how many steps a task makes before it looks at its mailbox.
const slice = 64

// subtask is the actor around a task's machine.
type subtask struct {
	ref    *actor.Ref
	task   *task.Task
	meters []*meter // by operator
	timer  *time.Timer
}

// Receive implements actor.Actor.
func (s *subtask) Receive(context.Context, any) error { return nil }

// Work implements actor.Actor.
func (s *subtask) Work(context.Context) (more bool, err error) {
	if _, ok := s.task.NextTimer(); ok {
		s.task.Tick(now())
	}
	for range slice {
		progress, err := s.task.Step()
		switch {
		case err != nil:
			return false, err
		case progress == task.Ended:
			return false, actor.ErrFinished
		case progress != task.Worked:
			s.publish()
			s.arm()
			return false, nil
		}
	}
	s.publish()
	return true, nil
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
	now, _ := s.task.Watermark()
	for i, m := range s.meters {
		m.publish(s.task.Flow(i), now)
	}
}

// Close implements actor.Actor.
func (s *subtask) Close() error {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.publish()
	return s.task.Close()
}
