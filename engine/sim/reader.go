package sim

import (
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/sim/oracle"
	"github.com/gpflow/gpflow/engine/task"
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
	trigger     struct {
		id   gpflow.CheckpointID
		stop bool
	}
)

// reader does what the engine's reader does, on rows in memory.
type reader struct {
	a       *attempt
	node    *node
	id      job.Reader
	report  reporter
	reading *gpflow.Reading
	data    map[string][]oracle.Row
	out     *exchange.Channel
	clock   *task.SplitClock
	splits  resume.Splits
	next    map[string]int // row, by split
	last    bool
	resting bool
	stopped bool
	drained bool
	resumed bool
	quiet   bool
}

func (r *reader) receive(m any) error {
	switch m := m.(type) {
	case assign:
		var at gpflow.Position
		if m.from == nil {
			r.clock.Add(m.split.ID)
		} else {
			r.clock.Resume(m.split.ID, m.from.Time)
			at = m.from.Position
		}
		r.next[m.split.ID], _ = strconv.Atoi(string(at)) // none: the beginning
		r.splits.Add(m.split, at)
		delete(r.a.cut, m.split.ID)
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
		if !r.quiet {
			r.quiet = true
			r.out.Send(exchange.Event{Kind: exchange.Idle})
		}
	case noMore:
		r.last = true
	case stopReading:
		r.stopped = true
	case endInput:
		r.drained = true
	}
	return nil
}

func (r *reader) trigger(m trigger) {
	r.out.Send(exchange.Event{Kind: exchange.Barrier, Checkpoint: m.id})
	r.report.acknowledge(m.id, r.snapshot())
	r.resting = r.resting || m.stop
}

func (r *reader) snapshot() checkpoint.Snapshot {
	return checkpoint.Snapshot{Data: resume.Encode(r.splits.Snapshot(r.clock, gpflow.Counts{}))}
}

func (r *reader) work() (bool, error) {
	switch {
	case r.stopped:
		return false, r.end(false)
	case r.drained:
		for s := range r.splits.All() {
			r.a.cut[s.ID] = r.next[s.ID]
		}
		r.splits.Clear()
		return false, r.end(true)
	case r.resting:
		return false, nil
	case r.resumed:
		r.resumed = false
		r.mark(nil)
		return true, nil
	case r.splits.Len() == 0 && r.last:
		return false, r.end(true)
	case r.splits.Len() == 0 || !r.out.Ready():
		return false, nil
	}
	r.poll(r.splits.At(r.a.rand.IntN(r.splits.Len())).ID)
	return true, nil
}

// poll reads some rows of a split, and sends them on.
func (r *reader) poll(split string) {
	rows := r.data[split][r.next[split]:]
	n := min(1+r.a.rand.IntN(r.a.top.most), len(rows))
	r.reading.Begin(split)
	for _, x := range rows[:n] {
		row := r.reading.Record(int64(x.Position), 0)
		row[0], row[1], row[2] = gpflow.String(x.ID), gpflow.Int(x.Key), gpflow.Int(x.Value)
	}
	b, _, _, _ := r.reading.TakeReading()
	for k := range n {
		b.Times[k] = gpflow.Timestamp(rows[k].Time)
	}
	r.next[split] += n
	r.splits.Move(split, gpflow.Position(strconv.Itoa(r.next[split])))
	r.a.stats.Rows += n
	r.a.read[split] = r.next[split]
	if b != nil {
		r.clock.Stamp(split, b)
	}
	ended := n == len(rows)
	moved := false
	if ended {
		r.splits.End(split)
		moved = r.clock.End(split)
	}
	if moved {
		r.mark(b)
	} else if b != nil {
		r.send(b)
	}
	if ended {
		r.report.send(job.SplitEnded{Reader: r.id, Split: split})
	}
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
	r.send(b)
}

func (r *reader) send(b *gpflow.Batch) {
	r.quiet = false
	r.out.Send(exchange.Event{Batch: b})
}

// end tells the task that nothing more comes.
func (r *reader) end(drained bool) error {
	if drained {
		r.clock.Reach(gpflow.MaxTimestamp)
		r.reading.Mark(gpflow.MaxTimestamp)
		r.send(r.reading.Take())
		r.report.gone(r.snapshot())
	}
	r.out.Send(exchange.Event{Kind: exchange.End, Drained: drained})
	return errFinished
}

// enumerator finds the splits of a bounded source a few at a time. Those of
// another are all there at the start, since one that is found later holds no
// watermark back; that no more come is known later.
type enumerator struct {
	a       *attempt
	node    *node
	source  string
	bounded bool
	left    []gpflow.Split
	asked   bool
}

func (e *enumerator) receive(any) error { e.asked = true; return nil }

func (e *enumerator) work() (bool, error) {
	if !e.asked {
		return false, nil
	}
	n := e.a.rand.IntN(len(e.left) + 1)
	done := n == len(e.left)
	if !e.bounded {
		n, done = len(e.left), len(e.left) == 0 && e.a.rand.IntN(4) == 0
	}
	found := e.left[:n:n]
	e.left = e.left[n:]
	for _, s := range found {
		e.a.cut[s.ID] = 0
	}
	e.a.send(e.node, e.a.master.node, job.Discovered{Source: e.source, Splits: found, Done: done})
	if done {
		return false, errFinished
	}
	return true, nil
}
