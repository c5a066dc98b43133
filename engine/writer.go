package engine

import (
	"context"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
)

// The messages to a writer.
type (
	prepare struct{}
	commit  struct{ committable gpflow.Committable }
	finish  struct{}
)

// final is the checkpoint that ends a run.
const final gpflow.CheckpointID = 1

// writer is the actor of one subtask of a sink: it may block in I/O.
type writer struct {
	id     job.Writer
	job    *actor.Ref
	inbox  *exchange.Inbox
	sink   gpflow.Sink
	policy policy
	meter  *meter
	counts gpflow.Counts
	batch  *gpflow.Batch // being written
}

// Receive implements actor.Actor.
func (w *writer) Receive(ctx context.Context, m any) error {
	switch m := m.(type) {
	case prepare:
		p, err := w.sink.Prepare(ctx, final, true)
		if err != nil {
			return fmt.Errorf("prepare the output: %w", err)
		}
		w.job.Send(job.Prepared{Writer: w.id, Committable: p.Committable})
	case commit:
		if m.committable != nil {
			if err := w.sink.Commit(ctx, m.committable); err != nil {
				return fmt.Errorf("commit the output: %w", err)
			}
		}
		w.job.Send(job.Committed{Writer: w.id})
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// Work implements actor.Actor: it writes one batch.
func (w *writer) Work(ctx context.Context) (more bool, err error) {
	_, e, ok := w.inbox.Take()
	if !ok {
		return false, nil
	}
	switch e.Kind {
	case exchange.Data:
		if err := w.write(ctx, e.Batch); err != nil {
			return false, err
		}
	case exchange.End:
		w.job.Send(job.Ended{Writer: w.id, Drained: e.Drained})
	}
	return true, nil
}

func (w *writer) write(ctx context.Context, b *gpflow.Batch) error {
	if b.N > 0 {
		w.batch = b
		before := w.counts.Skipped
		if err := w.sink.Write(ctx, b, w.fail); err != nil {
			return err
		}
		w.counts.In += int64(b.N)
		w.counts.Passed += int64(b.N) - (w.counts.Skipped - before)
		w.meter.set(w.counts, gpflow.MinTimestamp)
	}
	b.Release()
	return nil
}

// fail is given to the sink for records that it cannot write. There is no port
// to divert them to.
func (w *writer) fail(row int, err error) error {
	if _, err := w.policy.Failed(w.batch, row, err, nil); err != nil {
		return err
	}
	w.counts.Skipped++
	return nil
}

// Close implements actor.Actor.
func (w *writer) Close() error { return w.sink.Close() }
