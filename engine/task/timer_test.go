package task_test

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/task"
)

func TestTimers(t *testing.T) {
	l := link("op", nil, 0)
	var fired []string
	l.Operator = &script{
		process: func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
			for i := in.From; i < in.To; i++ {
				l.Timer(in.Time(i) + 100)
			}
			return passOn(in, out)
		},
		timer: func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
			fired = append(fired, mark(now))
			out.Create(now)[0] = gpflow.Int(int64(now))
			return true, nil
		},
	}
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	if _, ok := r.NextTimer(); ok {
		t.Error("a timer before anybody has asked for one")
	}
	r.send(0, 7, 5, 6)
	r.run(t)
	if at, ok := r.NextTimer(); !ok || at != 105 {
		t.Errorf("the next timer is at %d", at)
	}
	r.Tick(104)
	r.run(t)
	want(t, "too early", out.take(-1), "7", "5", "6")
	r.Tick(106)
	r.run(t)
	want(t, "two at once", out.take(-1), "106")
	want(t, "fired", fired, "<106")
	if at, ok := r.NextTimer(); !ok || at != 107 {
		t.Errorf("the next timer is at %d", at)
	}
}

// TestTimersResume: what a timer makes goes out in slices, and no input is
// taken before that.
func TestTimersResume(t *testing.T) {
	left := 3000
	l := link("op", nil, 0)
	l.Operator = &script{process: passOn, timer: func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		for ; left > 0; left-- {
			if out.Full() {
				return false, nil
			}
			out.Create(now)[0] = gpflow.Int(0)
		}
		return true, nil
	}}
	l.Timer(10)
	out := read(l, 0, numbers(), exchange.Limit{Rows: 10, Bytes: 1 << 30})
	r := newRig(1, l)
	r.Tick(10)
	r.send(0, 1)
	var got []string
	for r.run(t) == task.Blocked {
		if left > 0 && r.Flow(0).Taken > 0 {
			t.Fatal("input was taken while a timer was at work")
		}
		got = append(got, out.take(1)...)
	}
	got = append(got, out.take(-1)...)
	if n := len(got); n != 3001 || got[0] != "0" || got[3000] != "1" {
		t.Errorf("%d rows came", n)
	}
}

// TestTimersWaitForTheRow: an operator in the middle of a row, or of a mark, is
// not asked to do something else.
func TestTimersWaitForTheRow(t *testing.T) {
	many := multiply(3000)
	l := link("op", nil, 0)
	l.Operator = &script{process: many, timer: func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		out.Create(now)[0] = gpflow.Int(99)
		return true, nil
	}}
	out := read(l, 0, numbers(), exchange.Limit{Rows: 10, Bytes: 1 << 30})
	l.Timer(10)
	r := newRig(1, l)
	r.send(0, 1, gpflow.Timestamp(5))
	r.run(t) // it is blocked in the middle
	r.Tick(10)
	var got []string
	for r.run(t) == task.Blocked {
		got = append(got, out.take(1)...)
	}
	got = append(got, out.take(-1)...)
	if n := len(got); n != 3002 || got[2999] != "1" || got[3000] != "<5" || got[3001] != "99" {
		t.Errorf("%d came; the timer fired inside of a row", n)
	}
}

// TestTimersEnd: nothing comes behind the end of time, neither from a timer that is
// due when that is handled nor from a later one.
func TestTimersEnd(t *testing.T) {
	l := link("op", nil, 0)
	l.Operator = &script{
		process: passOn,
		timer: func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
			out.Create(now)[0] = gpflow.Int(99)
			return true, nil
		},
	}
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	l.Timer(10)
	l.Timer(20)
	r.send(0, 1, gpflow.MaxTimestamp)
	if _, err := r.Step(); err != nil { // it has begun with the batch
		t.Fatal(err)
	}
	r.Tick(10)
	r.run(t)
	r.Tick(20)
	r.run(t)
	want(t, "out", out.take(-1), "1", "<max")
	if at, ok := r.NextTimer(); ok {
		t.Errorf("a timer at %d behind the end of time", at)
	}
}
