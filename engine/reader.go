package engine

import (
	"context"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// The ports of a source that a reader feeds.
const (
	mainPort   = 0
	errorsPort = 1
)

// reader is the actor of one subtask of a source: it makes the calls of the
// connector that the machine asks for, which may block.
type reader struct {
	*part.Reader
	in    gpflow.Reader
	waker waker
	gauge *gauge
}

// Receive implements actor.Actor.
func (r *reader) Receive(_ context.Context, m any) error {
	switch m := m.(type) {
	case []part.Assign:
		for _, a := range m {
			if err := r.in.Assign(a.Split, a.At()); err != nil {
				return err
			}
			failpoint.Here("split-assigned")
			r.Assign(a, time.Now())
		}
	case job.Action:
		r.Tell(m)
	}
	return nil
}

// Work implements actor.Actor: it polls once.
func (r *reader) Work(ctx context.Context) (more bool, err error) {
	r.gauge.enter(busying)
	step, pause := r.Next(time.Now())
	if step == part.Poll {
		var p gpflow.Progress
		p, err = r.in.Poll(ctx, r.Reading)
		step, pause, err = r.Polled(time.Now(), p, err)
	}
	switch {
	case step == part.Again:
		return true, nil
	case r.Out.Ready():
		r.gauge.enter(idling)
	default:
		r.gauge.enter(blocking)
	}
	if step == part.End {
		return false, actor.ErrFinished
	}
	r.waker.set(pause)
	return false, err
}

// Close implements actor.Actor.
func (r *reader) Close() error {
	r.waker.stop()
	return r.in.Close()
}

// waker calls ring when it is time.
type waker struct {
	ring  func()
	timer *time.Timer
}

// set has ring called after a time, and not when that was said before; 0 changes
// nothing.
func (w *waker) set(span time.Duration) {
	switch {
	case span == 0:
	case w.timer == nil:
		w.timer = time.AfterFunc(span, w.ring)
	default:
		w.timer.Reset(span)
	}
}

// at is set for a time that may have passed.
func (w *waker) at(t, now gpflow.Timestamp) { w.set(max(1, time.Duration(t-now)*time.Microsecond)) }

func (w *waker) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
