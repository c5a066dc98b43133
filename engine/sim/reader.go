package sim

import (
	"slices"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/sim/oracle"
	"github.com/gpflow/gpflow/engine/task"
)

// The messages to a reader.
type (
	assign struct {
		split gpflow.Split
		from  *splitData // nil: its beginning
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

// readerData is the snapshot of a reader.
type readerData struct {
	Splits    []splitData
	Watermark gpflow.Timestamp
}

// splitData is how far a split has been read.
type splitData struct {
	ID       string
	Data     []byte
	Position gpflow.Position
	Time     task.SplitTime
}

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
	splits  []readSplit
	last    bool
	resting bool
	stopped bool
	drained bool
	resumed bool
	quiet   bool
}

type readSplit struct {
	gpflow.Split
	next int             // row
	at   gpflow.Position // behind what has been sent on
}

func (r *reader) receive(m any) error {
	switch m := m.(type) {
	case assign:
		s := readSplit{Split: m.split}
		if m.from == nil {
			r.clock.Add(s.ID)
		} else {
			r.clock.Resume(s.ID, m.from.Time)
			s.at = m.from.Position
			s.next, _ = strconv.Atoi(string(s.at)) // none: the beginning
		}
		r.splits = append(r.splits, s)
	case trigger:
		r.out.Send(exchange.Event{Kind: exchange.Barrier, Checkpoint: m.id})
		r.report.acknowledge(m.id, r.snapshot())
		r.resting = r.resting || m.stop
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

func (r *reader) snapshot() checkpoint.Snapshot {
	d := readerData{Watermark: r.clock.Watermark()}
	for _, s := range r.splits {
		at := s.at
		if r.a.config.Own == PositionOffByOne && s.next > 0 {
			at = gpflow.Position(strconv.Itoa(s.next - 1))
		}
		d.Splits = append(d.Splits, splitData{ID: s.ID, Data: s.Data, Position: at, Time: r.clock.Split(s.ID)})
	}
	return checkpoint.Snapshot{Data: encode(d)}
}

func (r *reader) work() (bool, error) {
	switch {
	case r.stopped:
		return false, r.end(false)
	case r.resting:
		return false, nil
	case r.resumed:
		r.resumed = false
		r.mark(nil)
		return true, nil
	case r.drained || len(r.splits) == 0 && r.last:
		return false, r.end(true)
	case len(r.splits) == 0 || !r.out.Ready():
		return false, nil
	}
	r.poll(r.a.rand.IntN(len(r.splits)))
	return true, nil
}

// poll reads some rows of a split, and sends them on.
func (r *reader) poll(i int) {
	s := &r.splits[i]
	rows := r.data[s.ID]
	n := min(1+r.a.rand.IntN(r.a.top.most), len(rows)-s.next)
	r.reading.Begin(s.ID)
	for _, x := range rows[s.next : s.next+n] {
		row := r.reading.Record(int64(x.Position), 0)
		row[0], row[1], row[2] = gpflow.String(x.ID), gpflow.Int(x.Key), gpflow.Int(x.Value)
	}
	b, _, split, _ := r.reading.TakeReading()
	for k := range n {
		b.Times[k] = gpflow.Timestamp(rows[s.next+k].Time)
	}
	s.next += n
	s.at = gpflow.Position(strconv.Itoa(s.next))
	r.a.stats.Rows += n
	r.a.read[s.ID] = s.next
	if b != nil {
		r.clock.Stamp(split, b)
	}
	ended := s.next == len(rows)
	moved := false
	if ended {
		r.splits = slices.Delete(r.splits, i, i+1)
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

// enumerator finds the splits of a bounded source a few at a time.
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
	if !e.bounded {
		n = len(e.left) // one that is found later holds no watermark back
	}
	found := e.left[:n:n]
	e.left = e.left[n:]
	done := len(e.left) == 0
	e.a.send(e.node, e.a.master.node, job.Discovered{Source: e.source, Splits: found, Done: done})
	if done {
		return false, errFinished
	}
	return true, nil
}
