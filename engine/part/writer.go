package part

import (
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// WriterConfig says what a Writer is made of. Its functions are called within the
// machine's own.
type WriterConfig struct {
	Name     job.Writer
	Report   Report
	Inbox    *exchange.Inbox
	Failures gpflow.FailurePolicy
	Retry    Retry
	// Publish is given the ledger where it has changed, before anybody is told who
	// may look.
	Publish func(gpflow.Counts)
	// From is the checkpoint that the job goes on from, and Counts the ledger there;
	// zero: it starts fresh.
	From   gpflow.CheckpointID
	Counts gpflow.Counts
	Plant  Bug
}

// Writer is the machine of one subtask of a sink. A call of the sink that is to be
// made again waits, and what comes behind it waits in the inbox.
type Writer struct {
	WriterConfig
	commits []checkpoint.Commit // that are asked for, and not done
	event   exchange.Event      // that is not done with, where taken is set
	taken   bool
	step    Step                // the call that was asked for
	skipped int64               // records of the batch that is being written
	last    gpflow.CheckpointID // the newest that was prepared
}

// NewWriter returns a writer whose sink has recovered.
func NewWriter(c WriterConfig) *Writer {
	w := &Writer{WriterConfig: c, last: c.From}
	w.Publish(w.Counts)
	return w
}

// Commit has what was prepared shown.
func (w *Writer) Commit(c checkpoint.Commit) { w.commits = append(w.commits, c) }

// Batch returns the rows to write.
func (w *Writer) Batch() *gpflow.Batch { return w.event.Batch }

// Point returns what to prepare for: a checkpoint, or that nothing more will be
// written.
func (w *Writer) Point() (id gpflow.CheckpointID, final bool) {
	if w.event.Kind == exchange.End {
		return w.last + 1, true
	}
	return w.event.Checkpoint, false
}

// Committable returns what to commit, and who had prepared it.
func (w *Writer) Committable() checkpoint.Commit { return w.commits[0] }

// Fail takes a record of the batch that the sink cannot write. There is no port to
// divert it to.
func (w *Writer) Fail(row int, err error) error {
	if _, err := w.Failures.Failed(w.event.Batch, row, err, nil); err != nil {
		return err
	}
	w.skipped++
	return nil
}

// Next returns what is to be done now. Behind Rest that is asked again after pause,
// unless it is 0, or when a message has come or there is something in the inbox.
func (w *Writer) Next(now time.Time) (step Step, pause time.Duration) {
	if pause := w.Retry.left(now); pause > 0 {
		return Rest, pause
	}
	w.step = w.next()
	switch w.step {
	case Commit:
		failpoint.Here("commit-begun")
	case Prepare:
		if _, final := w.Point(); !final {
			failpoint.Here("prepare-begun")
		}
	case Write:
		w.skipped = 0
	}
	return w.step, 0
}

// next finds out what is to be done.
func (w *Writer) next() Step {
	if len(w.commits) > 0 {
		return Commit
	}
	if !w.taken {
		if _, w.event, w.taken = w.Inbox.Take(); !w.taken {
			return Rest
		}
	}
	switch e := &w.event; {
	case e.Kind == exchange.Data && e.Batch.N > 0:
		return Write
	case e.Kind == exchange.Data:
		e.Batch.Release()
	case e.Kind == exchange.Barrier && e.Checkpoint > w.last, e.Kind == exchange.End && e.Drained:
		return Prepare
	case e.Kind == exchange.End:
		w.Report.Send(job.Ended{Writer: w.Name})
	}
	w.taken = false
	return Again
}

// Done takes what has come of the call that was asked for. It returns as Next does,
// or the error that ends the writer.
func (w *Writer) Done(now time.Time, p gpflow.Prepared, err error) (step Step, pause time.Duration, failure error) {
	if err != nil {
		switch w.step {
		case Commit:
			err = fmt.Errorf("commit the output: %w", err)
		case Prepare:
			err = fmt.Errorf("prepare the output: %w", err)
		}
		pause, err = w.Retry.again(now, err)
		w.taken = w.taken && (w.Plant != RetryForgotten || w.step != Write)
		return Rest, pause, err
	}
	w.Retry.succeeded()
	switch w.step {
	case Commit:
		w.committed()
	case Prepare:
		w.prepared(p)
	case Write:
		w.written()
	}
	return Again, 0, nil
}

func (w *Writer) written() {
	b := w.event.Batch
	w.Counts.In += int64(b.N)
	w.Counts.Passed += int64(b.N) - w.skipped
	w.Counts.Skipped += w.skipped
	w.Publish(w.Counts)
	b.Release()
	w.event, w.taken = exchange.Event{}, false
}

// prepared hands in what has been made durable.
func (w *Writer) prepared(p gpflow.Prepared) {
	id, final := w.Point()
	w.last = id
	s := checkpoint.Snapshot{Data: task.Encode(task.WriterState{State: p.State, Counts: w.Counts}), Committable: p.Committable}
	w.taken = false
	if final {
		w.Report.gone(s)
		w.Report.Send(job.Ended{Writer: w.Name, Drained: true})
		return
	}
	failpoint.Here("prepared")
	w.Report.acknowledge(id, s)
	failpoint.Here("writer-acknowledged")
}

func (w *Writer) committed() {
	c := w.commits[0]
	w.commits = w.commits[1:]
	failpoint.Here("commit-done")
	if c.ID <= w.From {
		failpoint.Here("recommitted")
	}
	w.Report.Send(job.Point{CoordinatorEvent: checkpoint.Committed{ID: c.ID, Part: c.Part}})
}
