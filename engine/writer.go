package engine

import (
	"context"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// The messages to a writer.
type (
	commit struct{ checkpoint.Pending }
	finish struct{}
)

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
	report reporter
	from   gpflow.CheckpointID // the one that was gone on from; 0: none
	last   gpflow.CheckpointID // the newest that was prepared
	gauge  *gauge
}

// Receive implements actor.Actor.
func (w *writer) Receive(ctx context.Context, m any) error {
	switch m := m.(type) {
	case commit:
		w.gauge.enter(busying)
		failpoint.Here("commit-begun")
		if err := w.sink.Commit(ctx, m.Committable); err != nil {
			return fmt.Errorf("commit the output: %w", err)
		}
		failpoint.Here("commit-done")
		if m.ID <= w.from {
			failpoint.Here("recommitted")
		}
		w.job.Send(job.Point{CoordinatorEvent: checkpoint.Committed{ID: m.ID, Part: m.Part}})
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// prepare makes what has been written durable, and returns the snapshot of that.
func (w *writer) prepare(ctx context.Context, id gpflow.CheckpointID, final bool) (checkpoint.Snapshot, error) {
	p, err := w.sink.Prepare(ctx, id, final)
	if err != nil {
		return checkpoint.Snapshot{}, fmt.Errorf("prepare the output: %w", err)
	}
	w.last = id
	return checkpoint.Snapshot{Data: encode(writerData{p.State, w.counts}), Committable: p.Committable}, nil
}

// Work implements actor.Actor: it writes one batch.
func (w *writer) Work(ctx context.Context) (more bool, err error) {
	_, e, ok := w.inbox.Take()
	if !ok {
		w.gauge.enter(idling)
		return false, nil
	}
	w.gauge.enter(busying)
	switch e.Kind {
	case exchange.Data:
		if err := w.write(ctx, e.Batch); err != nil {
			return false, err
		}
	case exchange.Barrier:
		if e.Checkpoint <= w.last {
			break
		}
		failpoint.Here("prepare-begun")
		s, err := w.prepare(ctx, e.Checkpoint, false)
		if err != nil {
			return false, err
		}
		failpoint.Here("prepared")
		w.report.acknowledge(e.Checkpoint, s)
		failpoint.Here("writer-acknowledged")
	case exchange.End:
		if e.Drained {
			s, err := w.prepare(ctx, w.last+1, true)
			if err != nil {
				return false, err
			}
			w.report.gone(s)
		}
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
