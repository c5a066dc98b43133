package task_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/task"
)

// numbers is a schema of one integer.
func numbers() *gpflow.Schema {
	return gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
}

var plenty = exchange.Limit{Rows: 1 << 40, Bytes: 1 << 40}

// skip is a policy that skips, or diverts where somebody reads the errors.
type skip struct{}

func (skip) Failed(in *gpflow.Batch, row int, err error, errs *gpflow.Builder) (gpflow.Action, error) {
	if errs == nil {
		return gpflow.ActionSkip, nil
	}
	gpflow.AppendError(errs, "node", in, row, err)
	return gpflow.ActionDivert, nil
}

// script is an operator whose methods are functions.
type script struct {
	process func(in gpflow.Rows, out *gpflow.Collector) (int, error)
	mark    func(t gpflow.Timestamp, out *gpflow.Collector) (bool, error)
	timer   func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error)
	closed  int
}

func (s *script) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	return s.process(in, out)
}

func (s *script) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	if s.mark == nil {
		return true, nil
	}
	return s.mark(t, out)
}

func (s *script) OnTimer(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	return s.timer(now, out)
}

func (s *script) Close() error { s.closed++; return nil }

// passOn emits each row.
func passOn(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		copy(out.Row(in, i), in.Row(i))
	}
	return in.To, nil
}

// swallow takes rows in and emits nothing.
func swallow(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	out.Absorb(in.To - in.From)
	return in.To, nil
}

// multiply emits each row n times, in slices.
func multiply(n int) func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	made := 0
	return func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
		for i := in.From; i < in.To; i++ {
			for ; made < n; made++ {
				if out.Full() {
					return i, nil
				}
				out.Create(in.Time(i))[0] = in.Row(i)[0]
			}
			out.Absorb(1)
			made = 0
		}
		return in.To, nil
	}
}

// link returns a link around op with the given ports, one if none.
func link(id string, op gpflow.Operator, late int, ports ...*gpflow.Schema) *task.Link {
	if ports == nil {
		ports = []*gpflow.Schema{numbers()}
	}
	return &task.Link{
		ID: id, Operator: op, Out: gpflow.NewCollector(ports, late, skip{}),
		Children: make([][]*task.Link, len(ports)), Outputs: make([][]*exchange.Output, len(ports)),
	}
}

// reader is who takes what a port emits.
type reader struct {
	inbox   *exchange.Inbox
	channel *exchange.Channel
	woken   int
}

// read joins a reader to a port.
func read(l *task.Link, port int, s *gpflow.Schema, limit exchange.Limit) *reader {
	r := &reader{inbox: exchange.NewInbox(func() {})}
	r.channel = r.inbox.Open(limit, func() { r.woken++ })
	l.Outputs[port] = append(l.Outputs[port], exchange.NewForward(s, r.channel))
	return r
}

// take takes n batches or signals, all if n < 0, and returns what they say:
// integers, other values as "*", marks as "<7", bounds as "late<7", barriers as
// "|1", "idle", "end" and "stopped".
func (r *reader) take(n int) (got []string) {
	for ; n != 0; n-- {
		_, e, ok := r.inbox.Take()
		if !ok {
			break
		}
		switch {
		case e.Kind == exchange.Idle:
			got = append(got, "idle")
		case e.Kind == exchange.Barrier:
			got = append(got, fmt.Sprint("|", e.Checkpoint))
		case e.Kind == exchange.End && e.Drained:
			got = append(got, "end")
		case e.Kind == exchange.End:
			got = append(got, "stopped")
		default:
			got = append(got, says(e.Batch)...)
			e.Batch.Release()
		}
	}
	return got
}

func says(b *gpflow.Batch) (got []string) {
	m := 0
	bounds := b.Bounds
	for row := range b.N + 1 {
		for ; m < len(b.Marks) && b.Marks[m].Row == row; m++ {
			got = append(got, mark(b.Marks[m].Time))
		}
		if row == b.N {
			break
		}
		for ; len(bounds) > 0 && bounds[0].Row == row; bounds = bounds[1:] {
			got = append(got, "late"+mark(bounds[0].Time))
		}
		if v := b.Row(row)[0]; v.Kind() == gpflow.KindInt {
			got = append(got, fmt.Sprint(v.Int()))
		} else {
			got = append(got, "*")
		}
	}
	return got
}

func mark(t gpflow.Timestamp) string {
	switch t {
	case gpflow.MaxTimestamp:
		return "<max"
	case gpflow.MinTimestamp:
		return "<min"
	}
	return fmt.Sprintf("<%d", t)
}

// rig is a task with its senders.
type rig struct {
	*task.Task
	inbox    *exchange.Inbox
	channels []*exchange.Channel
	schema   *gpflow.Schema
	awake    bool     // something has come since it was set to false
	credit   []func() // by channel, what its sender is woken by; nil: nothing
}

func newRig(channels int, links ...*task.Link) *rig { return newRigWithin(plenty, channels, links...) }

// newRigWithin is newRig with a limit on what its channels carry.
func newRigWithin(limit exchange.Limit, channels int, links ...*task.Link) *rig {
	r := &rig{schema: numbers(), credit: make([]func(), channels)}
	r.inbox = exchange.NewInbox(func() { r.awake = true })
	input := make([]int, channels)
	for i := range channels {
		r.channels = append(r.channels, r.inbox.Open(limit, func() {
			if r.credit[i] != nil {
				r.credit[i]()
			}
		}))
		input[i] = i
	}
	r.Task = task.New(r.inbox, links, input, r.schema)
	return r
}

// bound is where a channel's rows are late, for send.
type bound gpflow.Timestamp

// send sends rows (int), marks (Timestamp), bounds and signals (Event) to a
// channel, the rows, marks and bounds in one batch each time.
func (r *rig) send(channel int, what ...any) {
	w := gpflow.NewBuilder(r.schema)
	flush := func() {
		if b := w.Take(); b != nil {
			r.channels[channel].Send(exchange.Event{Batch: b})
		}
	}
	for _, x := range what {
		switch x := x.(type) {
		case int:
			w.Row(gpflow.Timestamp(x))[0] = gpflow.Int(int64(x))
		case gpflow.Timestamp:
			w.Mark(x)
		case bound:
			w.Bound(gpflow.Timestamp(x))
		case exchange.Event:
			flush()
			r.channels[channel].Send(x)
		}
	}
	flush()
}

var (
	drained = exchange.Event{Kind: exchange.End, Drained: true}
	stopped = exchange.Event{Kind: exchange.End}
	idle    = exchange.Event{Kind: exchange.Idle}
)

func barrier(id gpflow.CheckpointID) exchange.Event {
	return exchange.Event{Kind: exchange.Barrier, Checkpoint: id}
}

// run steps until there is nothing to do.
func (r *rig) run(t *testing.T) task.Progress {
	t.Helper()
	for range 1 << 20 {
		p, err := r.Step()
		if err != nil {
			t.Fatal(err)
		}
		if p != task.Worked {
			return p
		}
	}
	t.Fatal("the task works for ever")
	return 0
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

var errPlanted = errors.New("planted")
