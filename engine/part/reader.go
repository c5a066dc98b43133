package part

import (
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// Assign gives a reader a split. The message has a slice of them.
type Assign struct {
	Split gpflow.Split
	From  *task.SplitState // nil: its beginning
}

// At returns the position to read the split from; nil is its beginning.
func (a Assign) At() gpflow.Position {
	if a.From == nil {
		return nil
	}
	return a.From.Position
}

// Failures decides what becomes of records that failed.
type Failures interface {
	gpflow.FailurePolicy
	// Undecoded is Failed for a record that a source could not decode.
	Undecoded(split string, f gpflow.FailedRecord, errors *gpflow.Builder) (gpflow.Action, error)
}

// ReaderConfig says what a Reader is made of. Its functions are called within the
// machine's own.
type ReaderConfig struct {
	Name      job.Reader
	Report    Report
	Schema    *gpflow.Schema    // of the rows
	EventTime *plan.EventTime   // nil: the rows have none
	Out       *exchange.Channel // to the task: rows on port 0, and on port 1 records that failed
	Errors    *gpflow.Builder   // for those; nil: nobody reads them
	Failures  Failures
	Retry     Retry
	Pace      *Pace          // of the source
	Most      int            // records to read at once
	Dropper   gpflow.Dropper // nil: the connector cannot give up a split
	// Publish is given the ledger and the watermark where they have changed,
	// before anybody is told who may look.
	Publish func(gpflow.Counts, gpflow.Timestamp)
	Plant   Bug
}

// Reader is the machine of one subtask of a source. It gives what is read its event
// time and marks, and sends it to the subtask's task.
type Reader struct {
	ReaderConfig
	Reading *gpflow.Reading // for Poll to fill
	times   *eventTimes
	clock   *task.SplitClock
	idle    *task.Idleness
	splits  splits          // those that have been assigned, and not ended
	dropped map[string]bool // ended by time, while the connector goes on with them
	counts  gpflow.Counts
	behind  map[string]gpflow.Position // by split, of PositionsOneBehind
	allowed int                        // records, of the poll that was asked for
	last    bool                       // no more splits come
	resting bool                       // behind the barrier of a stop
	stopped bool
	drained bool // told that the input ends here
	resumed bool // what time had been reached has still to be sent
	quiet   bool // Idle was sent, and nothing since
}

// NewReader returns a reader that has no splits yet.
func NewReader(c ReaderConfig) *Reader {
	r := &Reader{behind: make(map[string]gpflow.Position), ReaderConfig: c, Reading: gpflow.NewReading(c.Schema), times: newEventTimes(c.Schema, c.EventTime)}
	e := plan.EventTime{}
	if c.EventTime != nil {
		e = *c.EventTime
	}
	r.clock, r.idle = task.NewSplitClock(e.OutOfOrder, e.Ordered), task.NewIdleness(e.IdleAfter)
	return r
}

// Resume has the reader go on from what one was, but for its splits, which are
// assigned. It is called first.
func (r *Reader) Resume(s task.ReaderState) {
	r.counts = s.Counts
	r.clock.Reach(s.Watermark)
	r.resumed = s.Watermark != gpflow.MinTimestamp
	r.publish()
}

// Assign begins a split, which has been given to the connector.
func (r *Reader) Assign(a Assign, now time.Time) {
	if a.From != nil {
		r.clock.Resume(a.Split.ID, a.From.Time)
	} else {
		r.clock.Add(a.Split.ID)
	}
	r.splits.list = append(r.splits.list, task.SplitState{ID: a.Split.ID, Data: a.Split.Data, Position: a.At()})
	r.idle.Add(a.Split.ID, now)
}

// Tell takes what the job says to the reader, all but Assign.
func (r *Reader) Tell(a job.Action) {
	switch a := a.(type) {
	case job.Trigger:
		if !r.drained { // else its end is what counts
			r.trigger(a)
		}
	case job.Pending:
		r.clock.Pending(a.Left)
		if r.clock.Advance() {
			r.mark(nil)
		}
	case job.Rest:
		r.remind() // else that would come behind, and hold the watermark
		r.hush()
	case job.NoMore:
		r.last = true
	case job.StopReading:
		r.stopped = true
	case job.EndInput:
		r.drained = true
	}
}

// trigger takes part in a checkpoint: what has been sent belongs to it. The
// barrier needs no credit.
func (r *Reader) trigger(t job.Trigger) {
	r.Out.Send(exchange.Event{Kind: exchange.Barrier, Checkpoint: t.ID})
	failpoint.Here("barrier-sent")
	r.Report.acknowledge(t.ID, r.snapshot())
	failpoint.Here("reader-acknowledged")
	r.resting = r.resting || t.Stop
}

func (r *Reader) snapshot() checkpoint.Snapshot {
	s := task.ReaderState{Splits: r.splits.snapshot(r.clock, r.Plant), Watermark: r.clock.Watermark(), Counts: r.counts}
	if r.Plant == CountsNotSaved {
		s.Counts = gpflow.Counts{}
	}
	return checkpoint.Snapshot{Data: task.Encode(s)}
}

// Next returns what is to be done now. Behind Rest that is asked again after pause,
// unless it is 0, or when a message has come, downstream has room again, or there
// is more to read.
func (r *Reader) Next(now time.Time) (step Step, pause time.Duration) {
	switch {
	case r.stopped:
		return r.end(false), 0
	case r.drained:
		r.splits = splits{} // what is left of them is never read
		return r.end(true), 0
	case r.resting:
		return Rest, 0
	case r.resumed:
		r.remind()
		return Again, 0
	case len(r.splits.list) == 0 && r.last:
		return r.end(true), 0
	case len(r.splits.list) == 0:
		return Rest, 0
	case !r.Out.Ready():
		r.idle.Block(now)
		return Rest, 0
	}
	if pause = r.Retry.left(now); pause <= 0 {
		r.allowed, pause = r.Pace.take(now, r.Most)
	}
	if pause > 0 {
		r.idle.Block(now) // nothing may be read: that is not the split's silence
		return Rest, pause
	}
	r.idle.Unblock(now)
	r.Reading.Limit(r.allowed)
	return Poll, 0
}

// remind sends, once, what time had been reached before.
func (r *Reader) remind() {
	if r.resumed {
		r.resumed = false
		r.mark(nil)
	}
}

// Polled takes what has come of the poll that was asked for, and sends on what it
// has read. It returns as Next does, or the error that ends the reader.
func (r *Reader) Polled(now time.Time, p gpflow.Progress, err error) (step Step, pause time.Duration, failure error) {
	if err != nil && r.Plant == UnreadKept {
		return r.again(now, err)
	}
	b, failed, split, at := r.Reading.TakeReading()
	if err != nil {
		unread(b)
		return r.again(now, err)
	}
	r.Retry.succeeded()
	if r.dropped[split] {
		b, failed, at, p.Ended = unread(b), nil, nil, ""
	}
	if at != nil && r.Plant == PositionsOneBehind {
		at, r.behind[split] = r.behind[split], at
	}
	if at != nil {
		r.splits.move(split, at)
	}
	r.Pace.give(r.allowed - records(b, failed))
	if err := r.forward(now, b, failed, split, p); err != nil {
		r.publish() // what it has come to, as far as that goes
		return Rest, 0, err
	}
	next := r.release(now)
	r.publish()
	if !p.Idle {
		return Again, 0, nil
	}
	if p.Wait > 0 && (next <= 0 || p.Wait < next) {
		next = p.Wait
	}
	return Rest, span(next), nil
}

// again takes the error of a poll, of which nothing counts.
func (r *Reader) again(now time.Time, err error) (Step, time.Duration, error) {
	r.Pace.give(r.allowed)
	r.idle.Block(now)
	pause, err := r.Retry.again(now, err)
	return Rest, pause, err
}

// records counts what a poll has read.
func records(b *gpflow.Batch, failed []gpflow.FailedRecord) int {
	if b == nil {
		return len(failed)
	}
	return b.N + len(failed)
}

// unread gives back a batch, of which there may be none, and returns nil.
func unread(b *gpflow.Batch) *gpflow.Batch {
	if b != nil {
		b.Release()
	}
	return nil
}

// release gives up on splits that have been silent for long, and returns the
// time until the next one may have been, 0 where there is none.
func (r *Reader) release(now time.Time) gpflow.Duration {
	if r.idle.Never() {
		return 0
	}
	silent, next := r.idle.Silent(now)
	all, moved := r.clock.Idle(silent...)
	if moved {
		r.mark(nil)
	}
	if all {
		r.hush()
	}
	return next
}

func (r *Reader) publish() { r.Publish(r.counts, r.clock.Watermark()) }

// end tells the task that nothing more comes.
func (r *Reader) end(drained bool) Step {
	if drained {
		r.clock.Reach(gpflow.MaxTimestamp)
		r.mark(nil)
	}
	r.publish()
	if drained {
		r.Report.gone(r.snapshot())
	}
	r.Out.Send(exchange.Event{Kind: exchange.End, Drained: drained})
	return End
}
