package engine

import (
	"context"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/part"
)

// finish is the message that ends a writer, and the archivist.
type finish struct{}

// writer is the actor of one subtask of a sink: it makes the calls of the sink that
// the machine asks for, which may block.
type writer struct {
	*part.Writer
	sink  gpflow.Sink
	waker waker
	gauge *gauge
	fail  func(row int, err error) error // of the machine, made once and not for each batch
}

// Receive implements actor.Actor.
func (w *writer) Receive(_ context.Context, m any) error {
	switch m := m.(type) {
	case checkpoint.Commit:
		w.Commit(m)
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// Work implements actor.Actor: it makes one call.
func (w *writer) Work(ctx context.Context) (more bool, err error) {
	step, pause := w.Next(time.Now())
	if step != part.Rest && step != part.Again {
		w.gauge.enter(busying)
		p, failed := w.call(ctx, step)
		if step, pause, err = w.Done(time.Now(), p, failed); err != nil {
			return false, err
		}
	}
	if step == part.Again {
		return true, nil
	}
	w.gauge.enter(idling)
	w.waker.set(pause)
	return false, nil
}

// call makes a call of the sink.
func (w *writer) call(ctx context.Context, step part.Step) (p gpflow.Prepared, err error) {
	switch step {
	case part.Write:
		err = w.sink.Write(ctx, w.Batch(), w.fail)
	case part.Prepare:
		id, final := w.Point()
		p, err = w.sink.Prepare(ctx, id, final)
	case part.Commit:
		err = w.sink.Commit(ctx, w.Committable().Committable)
	}
	return p, err
}

// Close implements actor.Actor.
func (w *writer) Close() error {
	w.waker.stop()
	return w.sink.Close()
}
