// Package task runs one subtask as a step machine: it takes events from the
// subtask's inbox, drives the tree of its operators, and sends on what they
// emit. It starts no goroutine, waits for nothing, does no I/O and knows no
// clock; whoever drives it parks when Step has nothing to do.
package task

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// Progress is what a Step came to.
type Progress uint8

// The outcomes of a Step.
const (
	Worked  Progress = iota // call again
	Idle                    // no input: call again when the inbox has some
	Blocked                 // no credit: call again when an output has some
	Ended                   // every channel has ended, and everything has been sent on
)

// Task is one subtask. One goroutine uses it, except for its inbox's sending
// ends.
type Task struct {
	inbox *exchange.Inbox
	links []*Link // parents before children
	outs  []*exchange.Output
	clock *clock
	align aligner
	// OnBarrier is called when the barrier of a checkpoint has come on every
	// channel, before it is sent on: what Snapshot returns then belongs to that
	// checkpoint. It may be nil.
	OnBarrier func(gpflow.CheckpointID)
	// input is the head's input that each channel feeds.
	input []int
	empty *gpflow.Builder
	done  bool
	quiet bool // a channel went idle or ended: all may be idle now
	idle  bool // Idle was sent downstream
	// stopped says that a channel has ended before the end of its input, or that
	// Quit has left something to do.
	stopped bool
	asked   gpflow.CheckpointID // by Trigger; 0: none
	quit    bool                // Quit was called
	bug     Bug
	at      *Link // the operator that was called last
}

// New returns a task over links, the head first. input says, for each channel
// of the inbox, which input of the head it feeds; in is the schema of the
// head's first input, or of a source's rows.
func New(inbox *exchange.Inbox, links []*Link, input []int, in *gpflow.Schema) *Task {
	t := &Task{inbox: inbox, links: links, clock: newClock(inbox.Channels()), input: input, empty: gpflow.NewBuilder(in)}
	t.align.come = make([]bool, inbox.Channels())
	for _, l := range links {
		l.init()
		for _, os := range l.Outputs {
			t.outs = append(t.outs, os...)
		}
	}
	return t
}

// Step does one piece of work: a slice of an operator's, or one event.
func (t *Task) Step() (Progress, error) {
	if t.done {
		return Ended, nil
	}
	if !t.ready() {
		if t.flush(); !t.ready() { // the end of time, which may have been sent, needs no more credit
			return Blocked, nil
		}
	}
	if t.pause() {
		return Worked, nil
	}
	if l := t.deepest(); l != nil {
		t.at = l
		if err := l.run(); err != nil {
			return Worked, fmt.Errorf("%s: %w", l.ID, err)
		}
		t.flushIdle()
		t.quiet, t.idle = t.quiet || t.idle, false // what a timer emits behind an Idle ends that: it is said again
		return Worked, nil
	}
	if t.clock.live == 0 {
		t.finish()
		return Ended, nil
	}
	t.hush()
	channel, e, ok := t.inbox.Take()
	if !ok {
		t.flush()
		return Idle, nil
	}
	t.event(channel, e)
	return Worked, nil
}

// At returns the ID of the operator that was called last, "" where none was. When
// a Step has failed or panicked, it is the one that has.
func (t *Task) At() string {
	if t.at == nil {
		return ""
	}
	return t.at.ID
}

// deepest returns the link furthest from the head that has work, so that what
// was emitted is gone before more is made.
func (t *Task) deepest() *Link {
	for _, l := range slices.Backward(t.links) {
		if l.busy() {
			return l
		}
	}
	return nil
}

func (t *Task) ready() bool {
	for _, o := range t.outs {
		if !o.Ready() {
			return false
		}
	}
	return true
}

// flush sends everything that has been collected: nothing more comes for now.
func (t *Task) flush() {
	for _, o := range t.outs {
		o.Flush()
	}
}

func (t *Task) flushIdle() {
	for _, o := range t.outs {
		o.FlushIdle()
	}
}

func (t *Task) event(channel int, e exchange.Event) {
	switch e.Kind {
	case exchange.Data:
		t.clock.active(channel)
		t.idle = false
		t.data(channel, e)
	case exchange.Idle:
		t.quiet = true
		if t.clock.pause(channel) {
			t.advance()
		}
	case exchange.Barrier:
		hold, free := t.align.barrier(channel, e.Checkpoint)
		if free {
			t.inbox.Free()
		}
		if hold && t.bug != NoAlignment {
			t.inbox.Hold(channel)
		}
		t.aligned()
	case exchange.End:
		t.quiet = true
		t.stopped = t.stopped || !e.Drained
		t.clock.end(channel)
		t.aligned()
	}
}

// aligned takes the checkpoint whose barrier has come everywhere, if there is
// one, and sends the barrier on.
func (t *Task) aligned() {
	if !t.align.complete(t.clock.ended) {
		return
	}
	t.take(t.align.id)
}

// take takes a checkpoint, and sends its barrier on.
func (t *Task) take(id gpflow.CheckpointID) {
	t.over(id)
	if t.OnBarrier != nil {
		t.OnBarrier(id)
	}
	for _, o := range t.outs {
		o.Signal(exchange.Event{Kind: exchange.Barrier, Checkpoint: id})
	}
	failpoint.Here("barrier-forwarded")
}

// Abort gives up a checkpoint: what its barriers have held goes on.
func (t *Task) Abort(id gpflow.CheckpointID) { t.over(id) }

// over ends what was being done for a checkpoint, or one before it.
func (t *Task) over(id gpflow.CheckpointID) {
	if t.align.abort(id) {
		t.inbox.Free()
	}
	if t.asked <= id {
		t.asked = 0
	}
	t.hurry()
}

// hush tells downstream, once, that every channel is idle. It is called when
// what the channels had sent before has been processed.
func (t *Task) hush() {
	if !t.quiet {
		return
	}
	t.quiet = false
	if t.idle || !t.clock.allIdle() {
		return
	}
	t.idle = true
	for _, o := range t.outs {
		o.Signal(exchange.Event{Kind: exchange.Idle})
	}
}

// data gives a batch to the head, which is told where the watermark of the
// subtask moves.
func (t *Task) data(channel int, e exchange.Event) {
	head := t.links[0]
	head.cuts.reset(e.Batch)
	for _, m := range e.Batch.Marks {
		if t.clock.observe(channel, m.Time) {
			head.cuts.mark(m.Row, t.clock.now)
		}
	}
	if head.Operator != nil {
		head.take(e.Batch, t.input[channel])
		return
	}
	head.pass(e.Port, e.Batch)
	t.flushIdle()
}

// advance tells the head of a watermark that came without a batch.
func (t *Task) advance() {
	head := t.links[0]
	if head.Operator == nil && head.Out == nil {
		return
	}
	t.empty.Mark(t.clock.now)
	if b := t.empty.Take(); head.Operator != nil {
		head.accept(b)
	} else {
		head.pass(0, b)
	}
}

// finish sends on that nothing more comes.
func (t *Task) finish() {
	t.done = true
	for _, o := range t.outs {
		o.Signal(exchange.Event{Kind: exchange.End, Drained: t.Drained()})
	}
}

// Drained reports whether the input was read to its end.
func (t *Task) Drained() bool { return t.clock.live == 0 && !t.stopped }

// Watermark returns the subtask's watermark, and the channel that holds it
// back, or -1.
func (t *Task) Watermark() (gpflow.Timestamp, int) { return t.clock.now, t.clock.holder() }

// NextTimer returns the earliest time that an operator waits for.
func (t *Task) NextTimer() (at gpflow.Timestamp, ok bool) {
	for _, l := range t.links {
		for _, x := range l.timers {
			if !ok || x < at {
				at, ok = x, true
			}
		}
	}
	return at, ok
}

// Tick tells the task that the clock has reached now.
func (t *Task) Tick(now gpflow.Timestamp) {
	for _, l := range t.links {
		l.tick(now)
	}
}

// Flow is the ledger of one operator of a task, with what crossed its edges.
type Flow struct {
	Counts  gpflow.Counts
	Taken   int64   // rows that came in, counted by the task
	Emitted []int64 // rows that left, by port, counted by the task
}

// Links returns the number of operators.
func (t *Task) Links() int { return len(t.links) }

// Flow returns the ledger of operator i. Emitted is the task's own: it is to be
// read before the next Step.
func (t *Task) Flow(i int) Flow {
	l := t.links[i]
	f := Flow{Taken: l.taken, Emitted: l.emitted}
	if l.Out != nil {
		f.Counts = l.Out.Counts
	}
	return f
}

// Close closes the operators that hold something.
func (t *Task) Close() error {
	var first error
	for _, l := range t.links {
		if c, ok := l.Operator.(gpflow.Closer); ok {
			if err := c.Close(); err != nil && first == nil {
				first = fmt.Errorf("%s: close: %w", l.ID, err)
			}
		}
	}
	return first
}
