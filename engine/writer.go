package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// The messages to a writer.
type (
	commit struct{ checkpoint.Pending }
	finish struct{}
)

// writer is the actor of one subtask of a sink: it may block in I/O. A call of the
// sink that is to be made again waits by a timer, and what comes behind it waits in
// the inbox: nobody but those who send there is held up.
type writer struct {
	id      job.Writer
	job     *actor.Ref
	ref     *actor.Ref
	inbox   *exchange.Inbox
	sink    gpflow.Sink
	policy  policy
	meter   *meter
	counts  gpflow.Counts
	commits []commit       // that are asked for, and not done
	event   exchange.Event // that is not done with, where taken is set
	taken   bool
	batch   *gpflow.Batch                  // being written
	failed  func(row int, err error) error // w.fail, made once and not for each batch
	report  reporter
	from    gpflow.CheckpointID // the one that was gone on from; 0: none
	last    gpflow.CheckpointID // the newest that was prepared
	gauge   *gauge
	retry   retrier
	timer   *time.Timer // of a call that is to be made again
}

// Receive implements actor.Actor.
func (w *writer) Receive(_ context.Context, m any) error {
	switch m := m.(type) {
	case commit:
		w.commits = append(w.commits, m)
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
	return checkpoint.Snapshot{Data: resume.Encode(resume.Writer{State: p.State, Counts: w.counts}), Committable: p.Committable}, nil
}

// Work implements actor.Actor: it commits once, or takes one event, or makes such a
// call again.
func (w *writer) Work(ctx context.Context) (more bool, err error) {
	pause := w.retry.left()
	if pause <= 0 {
		if !w.next() {
			w.gauge.enter(idling)
			return false, nil
		}
		w.gauge.enter(busying)
		err := w.call(ctx)
		if err == nil {
			w.retry.succeeded()
			return true, nil
		}
		if pause, err = w.retry.again(err); err != nil {
			return false, err
		}
	}
	w.gauge.enter(idling)
	w.wakeAfter(pause)
	return false, nil
}

// next reports whether there is something to do.
func (w *writer) next() bool {
	if len(w.commits) > 0 || w.taken {
		return true
	}
	_, w.event, w.taken = w.inbox.Take()
	return w.taken
}

// call does the next thing, which is then done with. After an error it is not.
func (w *writer) call(ctx context.Context) error {
	if len(w.commits) > 0 {
		c := w.commits[0]
		failpoint.Here("commit-begun")
		if err := w.sink.Commit(ctx, c.Committable); err != nil {
			return fmt.Errorf("commit the output: %w", err)
		}
		failpoint.Here("commit-done")
		if c.ID <= w.from {
			failpoint.Here("recommitted")
		}
		w.commits = w.commits[1:]
		w.job.Send(job.Point{CoordinatorEvent: checkpoint.Committed{ID: c.ID, Part: c.Part}})
		return nil
	}
	if err := w.take(ctx, &w.event); err != nil {
		return err
	}
	w.event, w.taken = exchange.Event{}, false
	return nil
}

// take does what an event asks for.
func (w *writer) take(ctx context.Context, e *exchange.Event) error {
	switch e.Kind {
	case exchange.Data:
		return w.write(ctx, e.Batch)
	case exchange.Barrier:
		if e.Checkpoint <= w.last {
			return nil
		}
		failpoint.Here("prepare-begun")
		s, err := w.prepare(ctx, e.Checkpoint, false)
		if err != nil {
			return err
		}
		failpoint.Here("prepared")
		w.report.acknowledge(e.Checkpoint, s)
		failpoint.Here("writer-acknowledged")
	case exchange.End:
		if e.Drained {
			s, err := w.prepare(ctx, w.last+1, true)
			if err != nil {
				return err
			}
			w.report.gone(s)
		}
		w.job.Send(job.Ended{Writer: w.id, Drained: e.Drained})
	}
	return nil
}

func (w *writer) wakeAfter(span time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(span, w.ref.Wake)
		return
	}
	w.timer.Reset(span)
}

func (w *writer) write(ctx context.Context, b *gpflow.Batch) error {
	if b.N > 0 {
		w.batch = b
		before := w.counts.Skipped
		if err := w.sink.Write(ctx, b, w.failed); err != nil {
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
func (w *writer) Close() error {
	if w.timer != nil {
		w.timer.Stop()
	}
	return w.sink.Close()
}
