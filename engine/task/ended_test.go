package task_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/task"
)

// closing is an operator with a window for each number, which ends at the number
// and has each times.
type closing struct {
	script
	open  []gpflow.Timestamp
	each  int
	made  int // of open[0]
	marks []string
}

func newClosing(each int, open ...gpflow.Timestamp) *closing {
	c := &closing{open: open, each: each}
	c.process = func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
		for i := in.From; i < in.To; i++ {
			c.open = append(c.open, in.Time(i))
		}
		slices.Sort(c.open)
		out.Absorb(in.To - in.From)
		return in.To, nil
	}
	c.mark = func(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		c.marks = append(c.marks, mark(t))
		for len(c.open) > 0 && c.open[0] <= t {
			for ; c.made < c.each; c.made++ {
				if out.Full() {
					return false, nil
				}
				out.Create(c.open[0])[0] = gpflow.Int(int64(c.open[0]))
			}
			c.open, c.made = c.open[1:], 0
		}
		return true, nil
	}
	return c
}

// NextMark implements gpflow.MarkStepper.
func (c *closing) NextMark() gpflow.Timestamp {
	if len(c.open) == 0 {
		return gpflow.MaxTimestamp
	}
	return c.open[0]
}

// ending is a task that closes windows for a reader that takes one batch at a
// time, with the snapshots that it has taken.
type ending struct {
	*rig
	out   *reader
	op    *closing
	taken map[gpflow.CheckpointID]task.Snapshot
	left  map[gpflow.CheckpointID][]gpflow.Timestamp // windows open in each
}

func newEnding(each int, open ...gpflow.Timestamp) *ending {
	e := &ending{op: newClosing(each, open...), taken: make(map[gpflow.CheckpointID]task.Snapshot), left: make(map[gpflow.CheckpointID][]gpflow.Timestamp)}
	l := link("window", e.op, 0)
	e.out = read(l, 0, numbers(), exchange.Limit{Rows: 1, Bytes: 1 << 40})
	e.rig = newRig(2, l)
	e.OnBarrier = func(id gpflow.CheckpointID) {
		e.taken[id], e.left[id] = e.Snapshot(), slices.Clone(e.op.open)
	}
	return e
}

// end ends the input.
func (e *ending) end() {
	for c := range e.channels {
		e.send(c, gpflow.MaxTimestamp, drained)
	}
}

// rest takes all that is emitted until the task has ended, or has nothing to do.
func (e *ending) rest(t *testing.T) (got []string) {
	t.Helper()
	for {
		p := e.run(t)
		n := len(got)
		if got = append(got, e.out.take(-1)...); p == task.Ended || len(got) == n {
			return got
		}
	}
}

// count returns how often each of got is there, in the order of the first.
func count(got []string) (counts []string) {
	n := make(map[string]int)
	for _, g := range got {
		n[g]++
	}
	for _, g := range got {
		if n[g] > 0 {
			counts = append(counts, fmt.Sprintf("%s x%d", g, n[g]))
			delete(n, g)
		}
	}
	return counts
}

// TestEnded: a task that has come to the end of its input, and has windows to
// close for somebody slow, takes a checkpoint between two of them; who goes on
// from that has the others.
func TestEnded(t *testing.T) {
	const each = 3 * gpflow.BatchRows / 2
	e := newEnding(each, 10, 20, 30)
	e.end()
	if p := e.run(t); p != task.Blocked {
		t.Fatalf("the task is %v, and has nobody to send to", p)
	}
	e.Trigger(1)
	got := e.out.take(-1)
	for len(e.taken) == 0 && len(got) < 10*each {
		e.run(t)
		got = append(got, e.out.take(-1)...)
	}
	if len(e.left[1]) == 0 || len(e.left[1]) == 3 {
		t.Fatalf("the snapshot has the windows %v, and is to have some of three", e.left[1])
	}
	before := got[:slices.Index(got, "|1")]
	got = append(got, e.rest(t)...)
	want(t, "all in all", count(got), "10 x1536", "<10 x1", "|1 x1", "20 x1536", "<20 x1", "30 x1536", "<max x1", "end x1")

	second := newEnding(each, e.left[1]...)
	if err := second.Restore(e.taken[1]); err != nil {
		t.Fatal(err)
	}
	second.end()
	after := slices.DeleteFunc(second.rest(t), func(s string) bool { return s == "<10" }) // said again
	want(t, "before the snapshot and behind it", count(append(before, after...)),
		"10 x1536", "<10 x1", "20 x1536", "<20 x1", "30 x1536", "<max x1", "end x1")
}

// TestTrigger: to be told of a checkpoint changes nothing for a task that gets a
// barrier.
func TestTrigger(t *testing.T) {
	for name, c := range map[string]struct {
		play  func(e *ending)
		taken []gpflow.CheckpointID
		out   []string
	}{
		"before its barriers": {
			play: func(e *ending) {
				e.Trigger(1)
				e.run(t)
				e.send(0, barrier(1))
				e.send(1, barrier(1))
			},
			taken: []gpflow.CheckpointID{1}, out: []string{"|1"},
		},
		"behind its barriers": {
			play: func(e *ending) {
				e.send(0, barrier(1))
				e.send(1, barrier(1))
				e.run(t)
				e.Trigger(1)
				e.end()
			},
			taken: []gpflow.CheckpointID{1}, out: []string{"|1", "10", "<max", "end"},
		},
		"that is given up": {
			play:  func(e *ending) { e.Trigger(1); e.Abort(1); e.end() },
			taken: nil, out: []string{"10", "<max", "end"},
		},
		"that was given up": {
			play:  func(e *ending) { e.Abort(1); e.Trigger(1); e.end() },
			taken: nil, out: []string{"10", "<max", "end"},
		},
		"with one channel at its end": {
			play: func(e *ending) {
				e.send(0, gpflow.MaxTimestamp, drained)
				e.Trigger(1)
				e.run(t)
				e.send(1, barrier(1))
			},
			taken: []gpflow.CheckpointID{1}, out: []string{"|1"},
		},
		"at the end of time, before the ends": {
			play: func(e *ending) {
				e.send(0, gpflow.MaxTimestamp)
				e.send(1, gpflow.MaxTimestamp)
				e.run(t)
				e.out.take(-1)
				e.Trigger(1)
				e.run(t)
				e.send(0, drained)
				e.send(1, barrier(1), drained) // of somebody who had more to do
			},
			taken: []gpflow.CheckpointID{1}, out: []string{"|1", "end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnding(1, 10)
			c.play(e)
			want(t, "out", e.rest(t), c.out...)
			var taken []gpflow.CheckpointID
			for id := range e.taken {
				taken = append(taken, id)
			}
			if !slices.Equal(taken, c.taken) {
				t.Errorf("snapshots of %v, want %v", taken, c.taken)
			}
		})
	}
}

// TestQuit: a task that is told to ends at the end of time, without closing the
// windows that are still open, and says so.
func TestQuit(t *testing.T) {
	const each = 3 * gpflow.BatchRows / 2
	e := newEnding(each, 10, 20, 30)
	e.end()
	e.run(t)
	e.Quit()
	want(t, "all in all", count(e.rest(t)), "10 x1536", "<10 x1", "stopped x1")
	if want := []gpflow.Timestamp{20, 30}; !slices.Equal(e.op.open, want) {
		t.Errorf("the windows %v are left, want %v", e.op.open, want)
	}
	if e.Drained() {
		t.Error("a task that has left something to do says that it has come to the end")
	}
}

// TestEndedChild: a link that had come less far than the one before it is told
// again what that had come to.
func TestEndedChild(t *testing.T) {
	op := newClosing(1, 30)
	child := link("child", op, 0)
	out := read(child, 0, numbers(), plenty)
	head := link("head", &script{process: passOn}, 0)
	head.Children[0] = append(head.Children[0], child)
	r := newRig(1, head, child)
	err := r.Restore(task.Snapshot{
		"head": {Mark: gpflow.MaxTimestamp, Emitted: []int64{0}}, "child": {Mark: 20, Emitted: []int64{0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.send(0, gpflow.MaxTimestamp, drained)
	r.run(t)
	want(t, "out", out.take(-1), "<20", "30", "<max", "end")
}

// TestEndOfTimeNeedsNoCredit: a task that has come to the end of time may take a
// checkpoint before the one that it reads from does, and then waits for those who
// align its barrier. They must not wait, by way of the one that it reads from, for
// credit from itself.
func TestEndOfTimeNeedsNoCredit(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		out, tasks := detour(exchange.Limit{Rows: 1, Bytes: []int64{1, 60, 300}[r.IntN(3)]}, r.IntN(2) == 0)
		from := tasks[0]
		for n := 0; n < 6; {
			var batch []any
			for range 1 + r.IntN(3) {
				n++
				batch = append(batch, n)
			}
			from.send(0, batch...)
		}
		from.send(0, gpflow.MaxTimestamp)
		from.send(0, drained)
		told := []int{1 + r.IntN(60), 1 + r.IntN(60), 1 + r.IntN(60)} // at which turn
		for turn := range 2000 {
			i := r.IntN(len(tasks))
			if told[i] <= turn {
				tasks[i].Trigger(1)
				told[i], tasks[i].awake = 2000, true
			}
			if !tasks[i].awake {
				continue
			}
			tasks[i].awake = false
			p, err := tasks[i].Step()
			if err != nil {
				t.Fatal(err)
			}
			tasks[i].awake = tasks[i].awake || p == task.Worked
		}
		got := out.take(-1)
		if slices.Sort(got); !slices.Contains(got, "end") {
			t.Fatalf("seed %d: the tasks have come to %v, and wait for each other", seed, got)
		}
	}
}

// detour returns a task, one that all of its rows go to, and one that they come to
// from both, with the reader behind that. All are awake. Where windows is set, the
// rows that take the longer way are held until the end of time.
func detour(limit exchange.Limit, windows bool) (*reader, []*rig) {
	pass := func(id string) *task.Link { return link(id, &script{process: passOn}, 0) }
	join := func(l *task.Link, from func(), to *rig, channel int) {
		l.Outputs[0] = append(l.Outputs[0], exchange.NewForward(numbers(), to.channels[channel]))
		to.credit[channel] = from
	}
	head, child, side, both := pass("head"), pass("child"), pass("side"), pass("both")
	if windows {
		side.Operator = newClosing(1)
	}
	head.Children[0] = append(head.Children[0], child)
	out := read(both, 0, numbers(), plenty)
	var tasks [3]*rig
	wake := func(i int) func() { return func() { tasks[i].awake = true } }
	tasks[2] = newRigWithin(limit, 2, both)
	join(side, wake(1), tasks[2], 0)
	tasks[1] = newRigWithin(limit, 1, side)
	join(head, wake(0), tasks[1], 0)
	join(child, wake(0), tasks[2], 1)
	tasks[0] = newRig(1, head, child)
	for _, r := range tasks {
		r.awake = true
	}
	return out, tasks[:]
}

// TestEndOfTimeOverLimit: the end of time that goes out with the last rows is the
// last that a task waits for, also where there is no credit for it.
func TestEndOfTimeOverLimit(t *testing.T) {
	inboxes := []*exchange.Inbox{exchange.NewInbox(func() {}), exchange.NewInbox(func() {})}
	var channels []*exchange.Channel
	for _, x := range inboxes {
		channels = append(channels, x.Open(exchange.Limit{Rows: 1, Bytes: 1}, func() {}))
	}
	l := link("op", &script{process: passOn}, 0)
	l.Outputs[0] = append(l.Outputs[0], exchange.NewBroadcast(numbers(), channels))
	r := newRig(1, l)
	rows := make([]any, 2*gpflow.BatchRows/3)
	for i := range rows {
		rows[i] = i
	}
	r.send(0, rows...)
	r.send(0, append(rows, gpflow.MaxTimestamp)...) // with some of which a batch is full
	r.send(0, drained)
	if p := r.run(t); p != task.Ended {
		t.Errorf("the task is %v, and has sent the end of time", p)
	}
}
