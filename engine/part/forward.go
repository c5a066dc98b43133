package part

import (
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
)

// The ports of a source that a reader feeds.
const (
	mainPort   = 0
	errorsPort = 1
)

// forward sends on what one poll has read.
func (r *Reader) forward(now time.Time, b *gpflow.Batch, failed []gpflow.FailedRecord, split string, p gpflow.Progress) error {
	rows, failed, p, err := r.cut(now, b, failed, split, p)
	if err != nil {
		return err
	}
	for _, f := range failed {
		r.counts.In++
		if err := r.fail(r.Failures.Undecoded(split, f, r.Errors)); err != nil {
			return err
		}
	}
	if b != nil {
		r.counts.In += int64(rows)
		var left int
		if b, left, err = r.times.stamp(b, rows, now, r.failRow); err != nil {
			return err
		}
		r.counts.Filtered += int64(left)
	}
	if b != nil {
		r.counts.Passed += int64(b.N)
		r.idle.Rows(split, now)
		r.clock.Stamp(split, b)
	}
	if r.settle(p) {
		r.mark(b)
	} else if b != nil {
		r.send(b, mainPort)
	}
	if r.Errors != nil {
		if e := r.Errors.Take(); e != nil {
			r.send(e, errorsPort)
		}
	}
	if p.Ended != "" {
		r.Report.Send(job.SplitEnded{Reader: r.Name, Split: p.Ended})
	}
	return nil
}

// settle takes note of a split that has ended, or of the pause of all, and reports
// whether the watermark has moved.
func (r *Reader) settle(p gpflow.Progress) (moved bool) {
	switch {
	case p.Ended != "":
		r.splits.end(p.Ended)
		r.idle.Forget(p.Ended)
		return r.clock.End(p.Ended)
	case p.Idle:
		return r.clock.Pause()
	}
	return moved
}

// cut ends a split where its event time has passed the end of its source's input.
// It returns how many rows of b come before that, the records that failed before it,
// and the progress that this is.
func (r *Reader) cut(now time.Time, b *gpflow.Batch, failed []gpflow.FailedRecord, split string, p gpflow.Progress) (int, []gpflow.FailedRecord, gpflow.Progress, error) {
	if b == nil {
		return 0, failed, p, nil
	}
	rows := r.times.end(b, now)
	if rows == b.N {
		return rows, failed, p, nil
	}
	for i, f := range failed {
		if f.After > rows {
			failed = failed[:i]
			break
		}
	}
	if p.Ended == "" {
		if err := r.drop(split); err != nil {
			return 0, nil, p, err
		}
	}
	return rows, failed, gpflow.Progress{Ended: split}, nil
}

// drop has a split, which has ended by time, read no further.
func (r *Reader) drop(split string) error {
	if r.Dropper != nil {
		return r.Dropper.Drop(split)
	}
	if r.dropped == nil {
		r.dropped = make(map[string]bool)
	}
	r.dropped[split] = true
	return nil
}

func (r *Reader) failRow(b *gpflow.Batch, row int, err error) error {
	return r.fail(r.Failures.Failed(b, row, err, r.Errors))
}

func (r *Reader) fail(a gpflow.Action, err error) error {
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

// mark sends b, or no rows, with the watermark behind it.
func (r *Reader) mark(b *gpflow.Batch) {
	t := r.clock.Watermark()
	if b == nil {
		r.Reading.Mark(t)
		b = r.Reading.Take()
	} else if n := len(b.Marks); n == 0 || b.Marks[n-1].Time < t {
		b.Marks = append(b.Marks, gpflow.Mark{Row: b.N, Time: t})
	}
	r.send(b, mainPort)
}

func (r *Reader) send(b *gpflow.Batch, port int) {
	r.quiet = false
	r.Out.Send(exchange.Event{Batch: b, Port: port})
}

// hush says, once, that this subtask has nothing to say about time.
func (r *Reader) hush() {
	if !r.quiet {
		r.quiet = true
		r.Out.Send(exchange.Event{Kind: exchange.Idle})
	}
}
