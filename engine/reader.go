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
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// The messages to a reader.
type (
	assign struct {
		split gpflow.Split
		from  *resume.Split // nil: its beginning
	}
	pending     struct{ left bool }
	rest        struct{}
	noMore      struct{}
	stopReading struct{}
	endInput    struct{}
)

// The ports of a source that a reader feeds.
const (
	mainPort   = 0
	errorsPort = 1
)

// reader is the actor of one subtask of a source: it polls, gives rows their
// event time and marks, and sends them to the subtask's task.
type reader struct {
	id      job.Reader
	job     *actor.Ref
	ref     *actor.Ref
	in      gpflow.Reader
	reading *gpflow.Reading
	errors  *gpflow.Builder // nil: nobody reads them
	out     *exchange.Channel
	policy  policy
	meter   *meter

	pace    *pace // shared by the subtasks
	most    int   // records to read at once
	times   *eventTimes
	clock   *task.SplitClock
	idle    *task.Idleness
	splits  resume.Splits // those that have been assigned, and not ended
	dropper gpflow.Dropper
	dropped map[string]bool // ended by time, while the reader goes on with them
	report  reporter
	last    bool // no more splits come
	resting bool // behind the barrier of a stop
	stopped bool
	drained bool // told that the input ends here
	resumed bool // what time had been reached has still to be sent
	quiet   bool // Idle was sent, and nothing since
	retry   retrier
	timer   *time.Timer
	counts  gpflow.Counts
	gauge   *gauge
}

// Receive implements actor.Actor.
func (r *reader) Receive(_ context.Context, m any) error {
	switch m := m.(type) {
	case assign:
		return r.assign(m)
	case trigger:
		if !r.drained { // else its end is what counts
			r.trigger(m)
		}
	case pending:
		r.clock.Pending(m.left)
		if r.clock.Advance() {
			r.mark(nil)
		}
	case rest:
		r.hush()
	case noMore:
		r.last = true
	case stopReading:
		r.stopped = true
	case endInput:
		r.drained = true
	}
	return nil
}

// assign begins to read a split.
func (r *reader) assign(m assign) error {
	var at gpflow.Position
	if m.from != nil {
		at = m.from.Position
		r.clock.Resume(m.split.ID, m.from.Time)
	} else {
		r.clock.Add(m.split.ID)
	}
	if err := r.in.Assign(m.split, at); err != nil {
		return fmt.Errorf("open %s: %w", m.split.ID, err)
	}
	failpoint.Here("split-assigned")
	r.splits.Add(m.split, at)
	r.idle.Add(m.split.ID, time.Now())
	return nil
}

// trigger takes part in a checkpoint: what has been sent belongs to it. The
// barrier needs no credit.
func (r *reader) trigger(m trigger) {
	r.out.Send(exchange.Event{Kind: exchange.Barrier, Checkpoint: m.id})
	failpoint.Here("barrier-sent")
	r.report.acknowledge(m.id, r.snapshot())
	failpoint.Here("reader-acknowledged")
	r.resting = r.resting || m.stop
}

func (r *reader) snapshot() checkpoint.Snapshot {
	return checkpoint.Snapshot{Data: resume.Encode(r.splits.Snapshot(r.clock, r.counts))}
}

// Work implements actor.Actor: it polls once.
func (r *reader) Work(ctx context.Context) (more bool, err error) {
	r.gauge.enter(busying)
	more, err = r.work(ctx)
	switch {
	case more:
	case !r.out.Ready():
		r.gauge.enter(blocking)
	default:
		r.gauge.enter(idling)
	}
	return more, err
}

func (r *reader) work(ctx context.Context) (more bool, err error) {
	switch {
	case r.stopped:
		return false, r.end(false)
	case r.drained:
		r.splits.Clear() // what is left of them is never read
		return false, r.end(true)
	case r.resting:
		return false, nil
	case r.resumed:
		r.resumed = false
		r.mark(nil)
		return true, nil
	case r.splits.Len() == 0 && r.last:
		return false, r.end(true)
	case r.splits.Len() == 0:
		return false, nil
	case !r.out.Ready():
		r.idle.Block(time.Now())
		return false, nil
	}
	if left := r.retry.left(); left > 0 {
		r.idle.Block(time.Now()) // as where nothing may be read
		r.wakeAfter(left)
		return false, nil
	}
	r.idle.Unblock(time.Now)
	allowed, wait := r.pace.take(r.most)
	if allowed == 0 {
		r.idle.Block(time.Now()) // nothing may be read: that is not the split's silence
		r.wakeIn(wait)
		return false, nil
	}
	r.reading.Limit(allowed)
	progress, err := r.in.Poll(ctx, r.reading)
	if err != nil {
		return false, r.again(allowed, err)
	}
	r.retry.succeeded()
	b, failed, split, at := r.reading.TakeReading()
	if r.dropped[split] {
		b, failed, at, progress.Ended = unread(b), nil, nil, ""
	}
	if at != nil {
		r.splits.Move(split, at)
	}
	r.pace.give(allowed - records(b, failed))
	if err := r.forward(b, failed, split, progress); err != nil {
		return false, err
	}
	next := r.release()
	if progress.Idle {
		r.pause(progress.Wait, next)
	}
	r.meter.set(r.counts, r.clock.Watermark())
	return !progress.Idle, nil
}

// records counts what a poll has read.
func records(b *gpflow.Batch, failed []gpflow.FailedRecord) int {
	if b == nil {
		return len(failed)
	}
	return b.N + len(failed)
}

// forward sends on what one poll has read.
func (r *reader) forward(b *gpflow.Batch, failed []gpflow.FailedRecord, split string, p gpflow.Progress) error {
	rows, failed, p, err := r.cut(b, failed, split, p)
	if err != nil {
		return err
	}
	for _, f := range failed {
		r.counts.In++
		if err := r.fail(r.policy.undecoded(split, f, r.errors)); err != nil {
			return err
		}
	}
	if b != nil {
		r.counts.In += int64(rows)
		var left int
		if b, left, err = r.times.stamp(b, rows, r.failRow); err != nil {
			return err
		}
		r.counts.Filtered += int64(left)
	}
	if b != nil {
		r.counts.Passed += int64(b.N)
		r.idle.Rows(split, time.Now())
		r.clock.Stamp(split, b)
	}
	moved := false
	if p.Ended != "" {
		r.splits.End(p.Ended)
		r.idle.Forget(p.Ended)
		moved = r.clock.End(p.Ended)
	} else if p.Idle {
		for s := range r.splits.All() {
			moved = r.clock.Pause(s.ID) || moved
		}
	}
	if moved {
		r.mark(b)
	} else if b != nil {
		r.send(b, mainPort)
	}
	if r.errors != nil {
		if e := r.errors.Take(); e != nil {
			r.send(e, errorsPort)
		}
	}
	if p.Ended != "" {
		r.job.Send(job.SplitEnded{Reader: r.id, Split: p.Ended})
	}
	return nil
}

// mark sends b, or no rows, with the watermark behind it.
func (r *reader) mark(b *gpflow.Batch) {
	t := r.clock.Watermark()
	if b == nil {
		r.reading.Mark(t)
		b = r.reading.Take()
	} else if n := len(b.Marks); n == 0 || b.Marks[n-1].Time < t {
		b.Marks = append(b.Marks, gpflow.Mark{Row: b.N, Time: t})
	}
	r.send(b, mainPort)
}

func (r *reader) send(b *gpflow.Batch, port int) {
	r.quiet = false
	r.out.Send(exchange.Event{Batch: b, Port: port})
}

// hush says, once, that this subtask has nothing to say about time.
func (r *reader) hush() {
	if !r.quiet {
		r.quiet = true
		r.out.Send(exchange.Event{Kind: exchange.Idle})
	}
}

func (r *reader) failRow(b *gpflow.Batch, row int, err error) error {
	return r.fail(r.policy.Failed(b, row, err, r.errors))
}

func (r *reader) fail(a gpflow.Action, err error) error {
	switch {
	case err != nil:
		return err
	case a == gpflow.ActionDivert:
		r.counts.Diverted++
	default:
		r.counts.Skipped++
	}
	return nil
}

// release gives up on splits that have been silent for long, and returns the
// time until the next one will have been, 0 where there is none.
func (r *reader) release() gpflow.Duration {
	silent, next := r.idle.Silent(time.Now())
	moved, all := false, false
	for _, s := range silent {
		a, m := r.clock.Idle(s)
		moved, all = moved || m, a
	}
	if moved {
		r.mark(nil)
	}
	if all {
		r.hush()
	}
	return next
}

// pause arranges to be woken after a time given by the reader, or when a split
// will have been silent for long; 0 is never.
func (r *reader) pause(wait, next gpflow.Duration) {
	if next > 0 && (wait <= 0 || next < wait) {
		wait = next
	}
	if wait > 0 {
		r.wakeIn(wait)
	}
}

func (r *reader) wakeIn(d gpflow.Duration) { r.wakeAfter(time.Duration(d) * time.Microsecond) }

func (r *reader) wakeAfter(span time.Duration) {
	if r.timer == nil {
		r.timer = time.AfterFunc(span, r.ref.Wake)
		return
	}
	r.timer.Reset(span)
}

// end tells the task that nothing more comes.
func (r *reader) end(drained bool) error {
	if drained {
		r.clock.Reach(gpflow.MaxTimestamp)
		r.reading.Mark(gpflow.MaxTimestamp)
		r.send(r.reading.Take(), mainPort)
		r.meter.set(r.counts, gpflow.MaxTimestamp)
		r.report.gone(r.snapshot())
	}
	r.out.Send(exchange.Event{Kind: exchange.End, Drained: drained})
	return actor.ErrFinished
}

// Close implements actor.Actor.
func (r *reader) Close() error {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.meter.set(r.counts, r.clock.Watermark())
	return r.in.Close()
}
