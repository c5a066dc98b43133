package task

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// Link is one operator within a task, with the links and outputs that take
// what it emits. A head without an operator passes its input on: it stands for
// a source, whose ports it has, or before a sink, which looks at no marks.
type Link struct {
	ID       string
	Operator gpflow.Operator   // nil: pass on
	Out      *gpflow.Collector // nil: before a sink
	Hold     gpflow.Duration   // subtracted from marks
	// Children and Outputs take what leaves each port.
	Children [][]*Link
	Outputs  [][]*exchange.Output

	onMark  gpflow.MarkHandler  // nil: the operator does not care
	stepper gpflow.MarkStepper  // nil: the operator comes to the end of time at once
	onTimer gpflow.TimerHandler // nil: likewise
	timers  []gpflow.Timestamp  // asked for, not yet due
	due     gpflow.Timestamp    // the time to give to onTimer, if firing
	firing  bool

	in      gpflow.Rows      // input at work; Batch is nil where there is none
	cuts    cuts             // of the input
	cut     int              // cuts.list[:cut] have been handled
	emitted []int64          // rows by port
	taken   int64            // rows that came in
	mark    gpflow.Timestamp // the last one handled
	amid    bool             // in the middle of step, which the operator is not done with
	step    gpflow.Timestamp // a mark on the way to the next one of cuts, if amid
	pause   bool             // to return at the next step to the end of time
}

// init resolves the operator's optional methods, once.
func (l *Link) init() {
	l.onMark, _ = l.Operator.(gpflow.MarkHandler)
	l.onTimer, _ = l.Operator.(gpflow.TimerHandler)
	l.stepper, _ = l.Operator.(gpflow.MarkStepper)
	l.emitted = make([]int64, len(l.Children))
	l.mark = gpflow.MinTimestamp
}

// busy reports whether there is work for run.
func (l *Link) busy() bool { return l.in.Batch != nil || l.firing }

// settled reports whether what is left to do follows from the state of the
// operator and from marks alone, so that it can be left to whoever goes on from
// a snapshot.
func (l *Link) settled() bool {
	return !l.firing && !l.amid && (l.in.Batch == nil || l.in.From == l.in.N)
}

// drop forgets the marks that are left to handle.
func (l *Link) drop() {
	if b := l.in.Batch; b != nil {
		l.in = gpflow.Rows{}
		b.Release()
	}
}

// accept makes b, whose reference it takes over, the link's input. It comes
// from within the task, on the one channel there is.
func (l *Link) accept(b *gpflow.Batch) {
	l.cuts.reset(b)
	for _, m := range b.Marks {
		l.cuts.mark(m.Row, m.Time)
	}
	l.take(b, 0)
}

// take makes b the link's input. The marks are in l.cuts.
func (l *Link) take(b *gpflow.Batch, input int) {
	l.in = gpflow.Rows{Batch: b, Input: input}
	l.cuts.upTo(b.N)
	l.cut = 0
	l.judge(gpflow.MinTimestamp)
	l.taken += int64(b.N)
}

// run works on the input until it is finished or the collector is full, and
// hands on what was emitted. A timer waits for the input at work, so that an
// operator is never asked for something else in the middle of a row.
func (l *Link) run() error {
	if l.in.Batch == nil {
		return l.fire()
	}
	for {
		cuts := l.cuts.list[l.cut:]
		end := l.in.N
		if len(cuts) > 0 {
			end = cuts[0].row
		}
		if l.in.From < end {
			if err := l.process(end); err != nil {
				return err
			}
			if l.in.From < end {
				l.deliver()
				return nil
			}
		}
		if len(cuts) == 0 {
			break
		}
		if cuts[0].moved {
			done, err := l.reach(cuts[0].mark)
			if err != nil {
				return err
			}
			if !done {
				l.deliver()
				return nil
			}
		}
		l.judge(cuts[0].bound)
		l.cut++
	}
	b := l.in.Batch
	l.in = gpflow.Rows{}
	l.deliver()
	b.Release()
	return nil
}

// process gives the rows before end to the operator, and moves l.in.From to the
// first that it has not finished.
func (l *Link) process(end int) error {
	l.in.To = end
	next, err := l.Operator.Process(l.in, l.Out)
	if err != nil {
		return err
	}
	if next < l.in.From || next > end {
		return fmt.Errorf("%s: the operator was given rows %d to %d and says that %d is next", l.ID, l.in.From, end, next)
	}
	l.Out.In += int64(next - l.in.From)
	l.in.From = next
	return nil
}

// judge says which of the rows that follow are late, and so which of those that
// are made of them.
func (l *Link) judge(t gpflow.Timestamp) {
	l.in.Bound = t
	l.limit(t)
}

// limit says which of the rows emitted from now on are late.
func (l *Link) limit(t gpflow.Timestamp) {
	if t != gpflow.MinTimestamp {
		t = t.Add(-l.Hold)
	}
	for p := range l.Children {
		if w := l.Out.Port(p); w != nil {
			w.Bound(t)
		}
	}
}

// reach handles a mark; the end of time, step by step. One that had been reached
// is nothing new.
func (l *Link) reach(t gpflow.Timestamp) (done bool, err error) {
	for l.mark < t {
		if !l.amid {
			l.step = t
			if t == gpflow.MaxTimestamp && l.stepper != nil {
				if next := l.stepper.NextMark(); next > l.mark {
					l.step = next
				}
			}
		}
		done, err := l.handle(l.step)
		l.amid = err == nil && !done
		if err != nil || !done || l.step == t {
			return done, err
		}
		if l.pause {
			return false, nil
		}
	}
	return true, nil
}

// handle gives a mark to the operator and sends it on behind what it emits,
// which no bound concerns.
func (l *Link) handle(t gpflow.Timestamp) (done bool, err error) {
	if l.onMark != nil {
		l.limit(gpflow.MinTimestamp)
		if done, err = l.onMark.OnMark(t, l.Out); err != nil || !done {
			return false, err
		}
	}
	l.come(t)
	if t != gpflow.MaxTimestamp {
		t = t.Add(-l.Hold)
	}
	for p := range l.Children {
		if w := l.Out.Port(p); w != nil {
			w.Mark(t)
		}
	}
	return true, nil
}

// come takes note that a mark has been handled. Behind the end of time no timer is
// left: what it emits would belong to no checkpoint of who has heard of the end, and
// has taken one there.
func (l *Link) come(t gpflow.Timestamp) {
	l.mark = t
	if t == gpflow.MaxTimestamp {
		l.timers, l.firing = nil, false
	}
}

// deliver hands on what the collector holds.
func (l *Link) deliver() {
	for p := range l.Children {
		if w := l.Out.Port(p); w != nil {
			if b := w.Take(); b != nil {
				l.emitted[p] += int64(b.N)
				l.send(p, b)
			}
		}
	}
}

// send gives b to everybody who reads port p.
func (l *Link) send(p int, b *gpflow.Batch) {
	readers := len(l.Children[p]) + len(l.Outputs[p])
	for range readers - 1 {
		b.Retain()
	}
	if readers == 0 {
		b.Release()
	}
	for _, c := range l.Children[p] {
		c.accept(b)
	}
	for _, o := range l.Outputs[p] {
		o.Push(b)
	}
}

// pass sends b on as it is, in the place of run. The marks of a source's rows
// hold for its other ports too.
func (l *Link) pass(port int, b *gpflow.Batch) {
	l.taken += int64(b.N)
	l.emitted[port] += int64(b.N)
	if n := len(b.Marks); n > 0 && l.Out != nil {
		l.mark = b.Marks[n-1].Time
		for p := range l.Children {
			if w := l.Out.Port(p); p != port && w != nil {
				w.Mark(b.Marks[n-1].Time)
				l.send(p, w.Take())
			}
		}
	}
	l.send(port, b)
}

// Timer asks for a call of OnTimer at a time. Operators get it as
// OperatorContext.Timer.
func (l *Link) Timer(at gpflow.Timestamp) { l.timers = append(l.timers, at) }

// tick makes the timers due that lie at or before now.
func (l *Link) tick(now gpflow.Timestamp) {
	kept := l.timers[:0]
	for _, t := range l.timers {
		if t > now {
			kept = append(kept, t)
		} else {
			l.firing, l.due = l.onTimer != nil, now
		}
	}
	l.timers = kept
}

// fire runs OnTimer.
func (l *Link) fire() error {
	l.limit(gpflow.MinTimestamp)
	done, err := l.onTimer.OnTimer(l.due, l.Out)
	l.firing = !done
	l.deliver()
	return err
}
