package task_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/task"
)

// TestResumes: an operator that makes 5,000 rows of one goes on when there is
// credit, and no input is taken before it has finished.
func TestResumes(t *testing.T) {
	l := link("many", &script{process: multiply(5000)}, 0)
	out := read(l, 0, numbers(), exchange.Limit{Rows: 1000, Bytes: 1 << 30})
	r := newRig(1, l)
	r.send(0, 1, gpflow.Timestamp(1), 2, gpflow.MaxTimestamp, drained)
	r.send(0)
	var got []string
	for {
		p := r.run(t)
		if rows, _ := out.channel.InFlight(); rows > 999+2*gpflow.BatchRows {
			t.Fatalf("%d rows are in flight", rows)
		}
		if p == task.Ended {
			break
		}
		if p == task.Blocked && r.Flow(0).Taken != 2 {
			t.Fatalf("%d rows taken in while blocked", r.Flow(0).Taken)
		}
		got = append(got, out.take(1)...)
	}
	got = append(got, out.take(-1)...)
	want(t, "out", got, slices.Concat(slices.Repeat([]string{"1"}, 5000), []string{"<1"}, slices.Repeat([]string{"2"}, 5000), []string{"<max", "end"})...)
	if c := r.Flow(0).Counts; c.In != 2 || c.Created != 10000 || c.Balance() != 0 || r.Flow(0).Emitted[0] != 10000 {
		t.Errorf("the ledger says %+v, emitted %v", c, r.Flow(0).Emitted)
	}
	if out.woken == 0 {
		t.Error("the task is never woken")
	}
}

// TestMarksKeepTheirPlace: rows before a mark are processed before it is
// handled, and what the mark makes goes out before the mark.
func TestMarksKeepTheirPlace(t *testing.T) {
	var log []string
	op := &script{
		process: func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
			log = append(log, fmt.Sprintf("rows %d-%d", in.From, in.To))
			return passOn(in, out)
		},
		mark: func(m gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
			log = append(log, mark(m))
			out.Create(m)[0] = gpflow.Int(int64(m) * 100)
			return true, nil
		},
	}
	l := link("op", op, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	r.send(0, gpflow.Timestamp(1), 11, 12, gpflow.Timestamp(2), 13, gpflow.Timestamp(3))
	r.run(t)
	want(t, "calls", log, "<1", "rows 0-2", "<2", "rows 2-3", "<3")
	want(t, "out", out.take(-1), "100", "<1", "11", "12", "200", "<2", "13", "300", "<3")
	if now, holder := r.Watermark(); now != 3 || holder != 0 {
		t.Errorf("the watermark is %d, held by %d", now, holder)
	}
}

// TestMarksResume: a mark that makes much goes out in slices too.
func TestMarksResume(t *testing.T) {
	left := 5000
	op := &script{process: swallow, mark: func(m gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		for ; left > 0; left-- {
			if out.Full() {
				return false, nil
			}
			out.Create(m)[0] = gpflow.Int(int64(left))
		}
		return true, nil
	}}
	l := link("window", op, 0)
	out := read(l, 0, numbers(), exchange.Limit{Rows: 100, Bytes: 1 << 30})
	r := newRig(1, l)
	r.send(0, 1, 2, gpflow.Timestamp(9), 3)
	var got []string
	for r.run(t) == task.Blocked {
		if in := r.Flow(0).Counts.In; left > 0 && in != 2 {
			t.Fatalf("%d rows were processed before the mark was done", in)
		}
		got = append(got, out.take(1)...)
	}
	got = append(got, out.take(-1)...)
	if n := len(got); n != 5001 || got[0] != "5000" || got[4999] != "1" || got[5000] != "<9" {
		t.Errorf("%d came, the last %v", n, got[n-1])
	}
}

// TestFork: rows go down every branch, and each mark once.
func TestFork(t *testing.T) {
	head := link("head", &script{process: passOn}, 0)
	a := link("a", &script{process: multiply(2)}, 0)
	b := link("b", &script{process: passOn}, 0)
	leaf := link("leaf", &script{process: passOn}, 0)
	head.Children[0] = []*task.Link{a, b}
	a.Children[0] = []*task.Link{leaf}
	s := numbers()
	outs := []*reader{read(head, 0, s, plenty), read(a, 0, s, plenty), read(b, 0, s, plenty), read(leaf, 0, s, plenty)}
	r := newRig(1, head, a, b, leaf)
	r.send(0, 1, gpflow.Timestamp(5), 2, gpflow.MaxTimestamp, drained)
	if p := r.run(t); p != task.Ended {
		t.Fatalf("the task came to %d", p)
	}
	want(t, "head", outs[0].take(-1), "1", "<5", "2", "<max", "end")
	want(t, "a", outs[1].take(-1), "1", "1", "<5", "2", "2", "<max", "end")
	want(t, "b", outs[2].take(-1), "1", "<5", "2", "<max", "end")
	want(t, "leaf", outs[3].take(-1), "1", "1", "<5", "2", "2", "<max", "end")
	if r.Links() != 4 || r.Flow(1).Emitted[0] != 4 || r.Flow(3).Taken != 4 {
		t.Errorf("a emitted %v, and its leaf took %d", r.Flow(1).Emitted, r.Flow(3).Taken)
	}
}

// TestSidePorts: late rows and errors leave through their ports, which carry
// every mark and the end.
func TestSidePorts(t *testing.T) {
	op := &script{process: func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
		for i := in.From; i < in.To; i++ {
			switch in.Row(i)[0].Int() % 3 {
			case 0:
				out.LateRow(in, i)
			case 1:
				if err := out.Fail(in, i, errPlanted); err != nil {
					return i, err
				}
			default:
				copy(out.Row(in, i), in.Row(i))
			}
		}
		return in.To, nil
	}}
	l := link("window", op, 1, numbers(), numbers(), gpflow.ErrorSchema())
	main, late, errs := read(l, 0, numbers(), plenty), read(l, 1, numbers(), plenty), read(l, 2, gpflow.ErrorSchema(), plenty)
	r := newRig(1, l)
	r.send(0, 0, 1, 2, gpflow.Timestamp(4), 3, gpflow.Timestamp(5), 5, gpflow.MaxTimestamp, drained)
	r.run(t)
	want(t, "main", main.take(-1), "2", "<5", "5", "<max", "end")
	want(t, "late", late.take(-1), "0", "<4", "3", "<max", "end")
	want(t, "errors", errs.take(-1), "*", "<max", "end")
	if c := r.Flow(0).Counts; c.Balance() != 0 || c.Late != 2 || c.Diverted != 1 || c.Passed != 2 {
		t.Errorf("the ledger says %+v", c)
	}
}

// TestStopped: where the input was stopped before its end, no window closes,
// and downstream is told.
func TestStopped(t *testing.T) {
	var marks []string
	l := link("window", &script{process: swallow, mark: func(m gpflow.Timestamp, _ *gpflow.Collector) (bool, error) {
		marks = append(marks, mark(m))
		return true, nil
	}}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(5), stopped)
	r.send(1, 7, gpflow.MaxTimestamp, drained)
	if p := r.run(t); p != task.Ended || r.Drained() {
		t.Errorf("the task came to %d, drained %t", p, r.Drained())
	}
	want(t, "marks", marks, "<5")
	want(t, "out", out.take(-1), "<5", "stopped")
	if p, err := r.Step(); p != task.Ended || err != nil {
		t.Errorf("a step behind the end came to %d, %v", p, err)
	}
}

// TestBlocked: while any output lacks credit no input is taken, whichever
// output it is.
func TestBlocked(t *testing.T) {
	for starved := range 2 {
		t.Run(fmt.Sprint(starved), func(t *testing.T) {
			l := link("op", &script{process: passOn}, 0)
			outs := make([]*reader, 2)
			for i := range outs {
				limit := plenty
				if i == starved {
					limit.Rows = 2
				}
				outs[i] = read(l, 0, numbers(), limit)
			}
			for _, o := range outs {
				o.take(-1) // both wait: what comes is sent at once
			}
			r := newRig(1, l)
			r.send(0, 1, 2)
			r.send(0, 3)
			if p := r.run(t); p != task.Blocked || r.Flow(0).Taken != 2 || r.inbox.Queued() != 1 {
				t.Fatalf("the task came to %d with %d rows taken, and %d queued", p, r.Flow(0).Taken, r.inbox.Queued())
			}
			got := outs[starved].take(-1)
			if outs[starved].woken != 1 {
				t.Errorf("woken %d times when there was credit", outs[starved].woken)
			}
			if p := r.run(t); p != task.Idle {
				t.Errorf("then the task came to %d", p)
			}
			want(t, "the starved one", append(got, outs[starved].take(-1)...), "1", "2", "3")
			want(t, "the other", outs[1-starved].take(-1), "1", "2", "3")
		})
	}
}

// TestBlockedSendsWhatIsCollected: what another output has collected does not
// wait for the one that lacks credit.
func TestBlockedSendsWhatIsCollected(t *testing.T) {
	l := link("op", &script{process: passOn}, 0)
	starved, other := read(l, 0, numbers(), exchange.Limit{Rows: 1, Bytes: 1 << 30}), read(l, 0, numbers(), plenty)
	starved.take(-1)
	r := newRig(1, l)
	r.send(0, 1, 2, gpflow.Timestamp(3))
	r.send(0, 4)
	if p := r.run(t); p != task.Blocked {
		t.Errorf("the task came to %d", p)
	}
	want(t, "the other", other.take(-1), "1", "2", "<3")
}

// TestDiamond: from = [a, b] of one source is two channels, and the watermark
// is the lower one's. Marks stand where they moved it. Rows come with the bound
// of their own split, which does not depend on the other channel, and go on with it.
func TestDiamond(t *testing.T) {
	var inputs []int
	var bounds []gpflow.Timestamp
	l := link("union", &script{process: func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
		inputs = append(inputs, in.Input)
		bounds = append(bounds, in.Bound)
		return passOn(in, out)
	}}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(10), bound(10), 2, gpflow.Timestamp(20))
	r.send(1, 3, gpflow.Timestamp(5), bound(30), 4, gpflow.Timestamp(15), 5)
	r.send(0, bound(20), 6, gpflow.MaxTimestamp, drained)
	r.send(1, gpflow.MaxTimestamp, drained)
	r.run(t)
	want(t, "out", out.take(-1), "1", "late<10", "2", "late<min", "3", "<5", "late<30", "4", "<15", "5", "late<20", "6", "<max", "end")
	if !slices.Equal(inputs, []int{0, 0, 1, 1, 1, 0}) {
		t.Errorf("the inputs were %v", inputs)
	}
	const never = gpflow.MinTimestamp
	if !slices.Equal(bounds, []gpflow.Timestamp{never, 10, never, 30, 30, 20}) {
		t.Errorf("the bounds were %v", bounds)
	}
}

// TestBoundsOfMadeRows: what an operator makes of rows is late where they are,
// and what it makes at a mark is not.
func TestBoundsOfMadeRows(t *testing.T) {
	l := link("op", &script{process: passOn, mark: func(at gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		out.Create(at)[0] = gpflow.Int(int64(at))
		return true, nil
	}}, 0)
	l.Hold = 2
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	r.send(0, bound(10), 11, gpflow.Timestamp(20), 21)
	r.run(t)
	want(t, "out", out.take(-1), "late<8", "11", "late<min", "20", "<18", "late<8", "21")
}

// TestHold: marks leave later by what the operator holds back, but for the last.
func TestHold(t *testing.T) {
	l := link("join", &script{process: passOn}, 0)
	l.Hold = 7
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	r.send(0, gpflow.Timestamp(10), 1, gpflow.MaxTimestamp)
	r.run(t)
	want(t, "out", out.take(-1), "<3", "1", "<max")
}

// TestSource: the head of a source's task passes batches on as they are, by
// port, and the marks of its rows hold for its other ports.
func TestSource(t *testing.T) {
	l := link("source", nil, 0, numbers(), numbers())
	main, errs := read(l, 0, numbers(), plenty), read(l, 1, numbers(), plenty)
	child := link("op", &script{process: passOn}, 0)
	l.Children[0] = []*task.Link{child}
	leaf := read(child, 0, numbers(), plenty)
	r := newRig(1, l, child)
	r.send(0, 1, gpflow.Timestamp(5), 2)
	w := gpflow.NewBuilder(r.schema)
	w.Row(0)[0] = gpflow.Int(99)
	r.channels[0].Send(exchange.Event{Batch: w.Take(), Port: 1})
	r.send(0, idle, gpflow.MaxTimestamp, drained)
	r.run(t)
	want(t, "main", main.take(-1), "1", "<5", "2", "idle", "<max", "end")
	want(t, "errors", errs.take(-1), "<5", "99", "idle", "<max", "end")
	want(t, "child", leaf.take(-1), "1", "<5", "2", "idle", "<max", "end")
	if f := r.Flow(0); f.Taken != 3 || !slices.Equal(f.Emitted, []int64{2, 1}) {
		t.Errorf("the flow is %+v", f)
	}
}

// TestBeforeASink: a head without operator and collector hands on.
func TestBeforeASink(t *testing.T) {
	l := &task.Link{ID: "sink", Children: make([][]*task.Link, 1), Outputs: make([][]*exchange.Output, 1)}
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(5), idle)
	r.send(1, 2, gpflow.MaxTimestamp, drained)
	r.send(0, gpflow.MaxTimestamp, drained)
	r.run(t)
	if got := slices.DeleteFunc(out.take(-1), func(s string) bool { return s[0] == '<' }); !slices.Equal(got, []string{"1", "2", "idle", "end"}) && !slices.Equal(got, []string{"1", "2", "end"}) {
		t.Errorf("out: %v", got)
	}
	if !r.Drained() {
		t.Error("the input was read to its end, and the task says it was not")
	}
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		op   script
		want string
	}{
		"error":     {script{process: func(gpflow.Rows, *gpflow.Collector) (int, error) { return 0, errPlanted }}, "op: planted"},
		"mark":      {script{process: passOn, mark: func(gpflow.Timestamp, *gpflow.Collector) (bool, error) { return false, errPlanted }}, "op: planted"},
		"backwards": {script{process: func(gpflow.Rows, *gpflow.Collector) (int, error) { return -1, nil }}, "rows 0 to 2"},
		"too far":   {script{process: func(in gpflow.Rows, _ *gpflow.Collector) (int, error) { return in.To + 1, nil }}, "3 is next"},
	} {
		t.Run(name, func(t *testing.T) {
			l := link("op", &c.op, 0)
			read(l, 0, numbers(), plenty)
			r := newRig(1, l)
			r.send(0, 1, 2, gpflow.Timestamp(3))
			for {
				p, err := r.Step()
				if err != nil {
					if !strings.Contains(err.Error(), c.want) {
						t.Errorf("the error is %v", err)
					}
					break
				}
				if p != task.Worked {
					t.Fatal("no error")
				}
			}
			if err := r.Close(); err != nil || c.op.closed != 1 {
				t.Errorf("closed %d times: %v", c.op.closed, err)
			}
		})
	}
}

// badClose is an operator that cannot be closed.
type badClose struct{ script }

func (b *badClose) Close() error { return errPlanted }

func TestCloseClosesEveryOperator(t *testing.T) {
	first, second := &badClose{script{process: passOn}}, &script{process: passOn}
	r := newRig(1, link("first", first, 0), link("second", second, 0))
	if err := r.Close(); !errors.Is(err, errPlanted) || !strings.Contains(err.Error(), "first") || second.closed != 1 {
		t.Errorf("close: %v, the second one %d times", err, second.closed)
	}
}
