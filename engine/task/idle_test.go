package task_test

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// TestIdleChannels: they do not hold, and when all are idle downstream is told,
// once, behind everything.
func TestIdleChannels(t *testing.T) {
	l := link("op", &script{process: passOn}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(10))
	r.send(1, 2)
	r.run(t)
	want(t, "before", out.take(-1), "1", "2")
	r.send(1, idle)
	r.run(t)
	want(t, "one idle", out.take(-1), "<10")
	r.send(0, 3, idle, idle)
	r.run(t)
	want(t, "both idle", out.take(-1), "3", "idle")
	r.send(1, idle)
	r.run(t)
	want(t, "idle again", out.take(-1))
	r.send(1, 4, gpflow.Timestamp(30))
	r.run(t)
	want(t, "one back", out.take(-1), "4", "<30")
	r.send(1, idle)
	r.run(t)
	want(t, "both idle again", out.take(-1), "idle")
}

// TestIdleAndEnded: what remains after channels have ended may be idle, and is
// not the end of time.
func TestIdleAndEnded(t *testing.T) {
	for name, first := range map[string][]any{"idle first": {1, idle}, "end first": {0, gpflow.MaxTimestamp, drained}} {
		t.Run(name, func(t *testing.T) {
			l := link("op", &script{process: passOn}, 0)
			out := read(l, 0, numbers(), plenty)
			r := newRig(2, l)
			r.send(0, 1, gpflow.Timestamp(10))
			r.send(1, 2, gpflow.Timestamp(20))
			r.run(t)
			want(t, "before", out.take(-1), "1", "2", "<10")
			second := []any{0, gpflow.MaxTimestamp, drained}
			if first[0] == 0 {
				second = []any{1, idle}
			}
			r.send(first[0].(int), first[1:]...)
			r.run(t)
			r.send(second[0].(int), second[1:]...)
			if p := r.run(t); p != task.Idle {
				t.Errorf("the task came to %d", p)
			}
			got := out.take(-1)
			if slices.Contains(got, "<max") || len(got) == 0 || got[len(got)-1] != "idle" {
				t.Errorf("out: %v", got)
			}
			r.send(1, 3, gpflow.Timestamp(40), gpflow.MaxTimestamp, drained)
			r.run(t)
			want(t, "after", out.take(-1), "3", "<max", "end")
		})
	}
}

// TestIdleBehindWhatItSetsFree: a mark that is set free by the last channel
// going idle is handled before downstream hears of it.
func TestIdleBehindWhatItSetsFree(t *testing.T) {
	l := link("window", &script{process: swallow, mark: func(m gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		out.Create(m)[0] = gpflow.Int(int64(m))
		return true, nil
	}}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(10), stopped)
	r.send(1, 2, idle)
	r.run(t)
	want(t, "out", out.take(-1), "10", "<10", "idle")
}

// TestStoppedWhileIdle: an idle channel that is stopped is not the end of time.
func TestStoppedWhileIdle(t *testing.T) {
	l := link("op", &script{process: passOn}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(2, l)
	r.send(0, 1, gpflow.Timestamp(5), idle, stopped)
	r.run(t)
	r.send(1, 7, gpflow.Timestamp(9), gpflow.MaxTimestamp, drained)
	r.run(t)
	if r.Drained() {
		t.Error("a task with a channel that was stopped says that its input was drained")
	}
	if got := out.take(-1); slices.Contains(got, "<max") || got[len(got)-1] != "stopped" {
		t.Errorf("out: %v", got)
	}
}

// TestIdleBehindTimer: what a timer emits while all channels are idle does not have
// downstream wait for more: it is told again.
func TestIdleBehindTimer(t *testing.T) {
	l := link("op", &script{process: passOn, timer: func(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		out.Create(now)[0] = gpflow.Int(int64(now))
		return true, nil
	}}, 0)
	out := read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	l.Timer(50)
	r.send(0, 1, gpflow.Timestamp(10), idle)
	r.run(t)
	want(t, "before", out.take(-1), "1", "<10", "idle")
	r.Tick(50)
	r.run(t)
	want(t, "behind the timer", out.take(-1), "50", "idle")
}
