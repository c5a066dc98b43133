package sim

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/sim/oracle"
)

// errPassing is what a call fails with that is made again.
var errPassing = &gpflow.Transient{Err: fmt.Errorf("the simulation has the call fail")}

// clock is the time as machines are told it.
func (s *scheduler) clock() time.Time { return time.UnixMicro(int64(s.now)) }

// after has an actor woken after a pause; 0 changes nothing.
func (s *scheduler) after(n *node, pause time.Duration) {
	if pause > 0 {
		n.alarm, n.ring = s.now.Add(gpflow.Duration(max(1, pause.Microseconds()))), n.wake
	}
}

// passes reports whether a call is to fail for the time being.
func (a *attempt) passes() bool { return !a.config.Calm && a.rand.IntN(60) == 0 }

// reader drives the machine of a reader. The connector is rows in memory.
type reader struct {
	*part.Reader
	a      *attempt
	node   *node
	pauses bool // the connector has nothing to give sometimes
	data   map[string][]oracle.Row
	splits []string
	next   map[string]int // row, by split
}

func (r *reader) receive(m any) error {
	switch m := m.(type) {
	case []part.Assign:
		for _, a := range m {
			r.next[a.Split.ID], _ = strconv.Atoi(string(a.At())) // none: the beginning
			r.splits = append(r.splits, a.Split.ID)
			delete(r.a.cut, a.Split.ID)
			r.Assign(a, r.a.clock())
		}
	case job.Action:
		r.Tell(m)
	}
	return nil
}

func (r *reader) work() (bool, error) {
	step, pause := r.Next(r.a.clock())
	var err error
	if step == part.Poll {
		p, failed := r.poll()
		step, pause, err = r.Polled(r.a.clock(), p, failed)
	}
	if step == part.End {
		for _, s := range r.splits {
			r.a.cut[s] = r.next[s]
		}
		return false, errFinished
	}
	r.a.after(r.node, pause)
	return step == part.Again, err
}

// poll reads some rows of a split, and what is no row.
func (r *reader) poll() (p gpflow.Progress, err error) {
	split := r.splits[r.a.rand.IntN(len(r.splits))]
	r.Reading.Begin(split)
	rows := r.data[split][r.next[split]:]
	n := 0
	for ; n < len(rows) && !r.Reading.Full(); n++ {
		x := rows[n]
		switch r.a.rand.IntN(200) {
		case 0:
			r.Reading.Fail(nil, int64(x.Position), 0, errBroken)
		case 1:
			r.Reading.Record(int64(x.Position), 0) // without a time
		}
		row := r.Reading.Record(int64(x.Position), 0)
		row[0], row[1], row[2], row[3] = gpflow.String(x.ID), gpflow.Int(x.Key), gpflow.Int(x.Value), gpflow.Time(gpflow.Timestamp(x.Time))
	}
	r.Reading.Done(gpflow.Position(strconv.Itoa(r.next[split] + n)))
	if r.a.passes() {
		return p, errPassing
	}
	r.next[split] += n
	r.a.stats.Rows += n
	r.a.read[split] = r.next[split]
	switch {
	case n == len(rows):
		r.splits = slices.DeleteFunc(r.splits, func(s string) bool { return s == split })
		p.Ended = split
	case r.pauses && r.a.rand.IntN(8) == 0:
		p.Idle, p.Wait = true, gpflow.Duration(1+r.a.rand.IntN(2000))
	}
	return p, nil
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
