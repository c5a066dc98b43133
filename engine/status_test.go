package engine

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
)

// TestLoad: whoever waits for a sink that stands still is blocked, and the sink
// is busy; behind that, all have been idle.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{
			inTask(1, source("source.a", at(0))),
			inTask(1, operator("op.x", "pass"), below(sink("sink.out", clicks()), 0, 0)),
		}, joint("source.a", 0, 0, "op.x", plan.Hash, "k"))
		w.feeds["source.a"].splits["s"] = series(10_000, 100)
		gate := make(chan struct{})
		w.stores["sink.out"].gate = gate
		run := w.start(Options{Limit: exchange.Limit{Rows: 100, Bytes: 1 << 20}, PollRows: 50})
		synctest.Wait() // everybody waits for the sink
		for range 3 {
			<-time.After(time.Second) // of the bubble's clock
			run.Status()
		}
		s := run.Status()
		for address, want := range map[string]Load{"source.a": {Blocked: 1}, "op.x": {Blocked: 1}, "sink.out": {Busy: 1}} {
			if n := nodeOf(t, s, address); n.Load != want || n.Rate != 0 {
				t.Errorf("%s: %+v and %g records a second, want %+v and none", address, n.Load, n.Rate, want)
			}
		}
		close(gate)
		r, err := run.Wait()
		if err != nil || r.Outcome != job.Finished {
			t.Fatalf("%s, %v", r.Outcome, err)
		}
		n := nodeOf(t, r.Status, "source.a")
		if want := 10_000 / r.Elapsed.Seconds(); math.Abs(n.Rate-want) > 1 {
			t.Errorf("%g records a second over all of it, want %g", n.Rate, want)
		}
		select {
		case <-run.Done():
		default:
			t.Error("Done is open behind Wait")
		}
	})
}

// TestHeldBy: a watermark is held by the subtask of a source that is the
// furthest behind, through all that lies between.
func TestHeldBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{
			inTask(1, source("source.a", at(0))),
			inTask(1, source("source.b", at(0))),
			inTask(2, operator("op.x", "pass")),
			inTask(1, operator("op.y", "pass"), below(sink("sink.out", clicks()), 0, 0)),
		}, joint("source.a", 0, 0, "op.x", plan.Hash, "k"), joint("source.b", 0, 0, "op.x", plan.Hash, "k"), joint("op.x", 0, 0, "op.y", plan.Rebalance))
		w.feeds["source.a"].splits["s"] = series(100, 100)
		w.feeds["source.b"].splits["s"] = series(100, 100)
		w.feeds["source.b"].open = true
		run := w.start(Options{})
		synctest.Wait()
		for address, want := range map[string]string{"source.a": "", "op.x": "source.b", "op.y": "source.b", "sink.out": ""} {
			if n := nodeOf(t, run.Status(), address); n.HeldBy != want {
				t.Errorf("%s is held by %q, want %q", address, n.HeldBy, want)
			}
		}
		run.Drain()
		if r, err := run.Wait(); err != nil || r.Outcome != job.Finished {
			t.Errorf("%s, %v", r.Outcome, err)
		}
	})
}

func TestSkew(t *testing.T) {
	for _, c := range []struct {
		was, is []int64
		want    float64
	}{
		{[]int64{0}, []int64{7}, 0},
		{[]int64{5, 0}, []int64{5, 0}, 0},
		{[]int64{5, 0}, []int64{15, 10}, 1}, // what was there before does not count
		{[]int64{0, 0}, []int64{30, 10}, 1.5},
		{[]int64{0, 0, 0}, []int64{0, 0, 4}, 3},
	} {
		if got := skew(c.was, c.is); got != c.want {
			t.Errorf("%v to %v: %g, want %g", c.was, c.is, got, c.want)
		}
	}
}
