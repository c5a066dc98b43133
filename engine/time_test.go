package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
)

// Time is that of a bubble: it passes when everybody waits.

// wait lets a duration pass in a bubble.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// idleAfter is an event time whose splits are idle after some seconds.
func idleAfter(seconds int) *plan.EventTime {
	e := at(0)
	e.IdleAfter = gpflow.Duration(seconds) * gpflow.Second
	return e
}

// two is a window over the sources a, of one subtask each, and b.
func two(t *testing.T, e *plan.EventTime) *world {
	w := newWorld(t, []plan.Task{
		inTask(1, source("source.a", e)), inTask(1, source("source.b", e)),
		inTask(1, counter("window.w", false), below(sink("sink.out", counts()), 0, 0)),
	}, joint("source.a", 0, 0, "window.w", plan.Forward), joint("source.b", 0, 0, "window.w", plan.Forward))
	for _, f := range w.feeds {
		f.open = true
		f.splits["s"] = nil
	}
	return w
}

// watermark returns the watermark of the window.
func watermark(t *testing.T, run *Run) gpflow.Timestamp {
	t.Helper()
	return nodeOf(t, run.Status(), "window.w").Watermark
}

func TestAnIdleSourceReleasesTheWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := two(t, idleAfter(10))
		run := w.start(Options{})
		synctest.Wait()
		w.feeds["source.a"].add("s", record{k: 1, at: 500})
		wait(9 * time.Second)
		if m := watermark(t, run); m != gpflow.MinTimestamp {
			t.Errorf("the watermark is at %d while the other source is not idle yet", m)
		}
		wait(2 * time.Second)
		if m := watermark(t, run); m != 500 {
			t.Errorf("the watermark is at %d after the other source is idle", int64(m))
		}
		// It comes back, is late, and holds again.
		w.feeds["source.b"].add("s", record{k: 2, at: 300})
		wait(time.Second)
		w.feeds["source.a"].add("s", record{k: 1, at: 900})
		wait(time.Second)
		if n := nodeOf(t, run.Status(), "window.w"); n.Watermark != 500 || n.Late != 1 {
			t.Errorf("the watermark is at %d; %d late", int64(n.Watermark), n.Late)
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestBrokenRecordsDoNotHold: a source that has only broken records is idle
// again after them.
func TestBrokenRecordsDoNotHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := two(t, idleAfter(10))
		w.plan.Tasks[1].Ops[0] = onError(source("source.b", idleAfter(10)), gpflow.ActionDivert, -1)
		w.plan.Tasks = append(w.plan.Tasks, inTask(1, sink("sink.bad", gpflow.ErrorSchema())))
		w.plan.Edges = append(w.plan.Edges, joint("source.b", 0, 1, "sink.bad", plan.Forward))
		w.stores["sink.bad"] = &store{writers: 1}
		run := w.start(Options{})
		wait(11 * time.Second) // both are idle
		w.feeds["source.b"].add("s", record{broken: true, text: "{"})
		wait(time.Second)
		w.feeds["source.a"].add("s", record{k: 1, at: 500})
		wait(11 * time.Second)
		if m := watermark(t, run); m != 500 {
			t.Errorf("the watermark is at %d", int64(m))
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestASilentSplitBesideABusyOne is found too.
func TestASilentSplitBesideABusyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{
			inTask(1, source("source.a", idleAfter(10))),
			inTask(1, counter("window.w", false), below(sink("sink.out", counts()), 0, 0)),
		}, joint("source.a", 0, 0, "window.w", plan.Forward))
		f := w.feeds["source.a"]
		f.open, f.alone = true, true
		f.splits = map[string][]record{"busy": series(1000, 1), "silent": nil}
		f.slow = time.Second // never idle: each poll takes a second, and has a row
		run := w.start(Options{PollRows: 1})
		wait(50 * time.Second)
		if m := watermark(t, run); m != 31 {
			t.Errorf("the watermark is at %d, held by the silent split", int64(m))
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestASubtaskWithoutASplitDoesNotHold, also where the source may find more.
func TestASubtaskWithoutASplitDoesNotHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{
			inTask(3, source("source.a", at(0))),
			inTask(1, counter("window.w", false), below(sink("sink.out", counts()), 0, 0)),
		}, joint("source.a", 0, 0, "window.w", plan.Hash, "k"))
		f := w.feeds["source.a"]
		f.open, f.alone = true, true
		f.splits = map[string][]record{"p0": series(500, 1), "p1": series(500, 1)}
		run := w.start(Options{})
		synctest.Wait()
		if m := watermark(t, run); m != 499 {
			t.Errorf("the watermark is at %d with two partitions read by three subtasks", int64(m))
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestBackPressureIsNotSilence: while downstream has no room a source is not
// idle, however long it takes.
func TestBackPressureIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := two(t, idleAfter(10))
		gate := make(chan struct{})
		b := w.feeds["source.b"]
		b.splits["s"] = series(20000, 5)
		// b feeds a sink of its own that is stopped; the window hears of its
		// time all the same.
		w.plan.Tasks = append(w.plan.Tasks, inTask(1, sink("sink.slow", clicks())))
		w.plan.Edges = append(w.plan.Edges, joint("source.b", 0, 0, "sink.slow", plan.Forward))
		w.stores["sink.slow"] = &store{writers: 1, gate: gate}
		run := w.start(Options{Limit: exchange.Limit{Rows: 100, Bytes: 1 << 20}})
		synctest.Wait()
		w.feeds["source.a"].add("s", series(40, 1)...)
		w.feeds["source.a"].add("s", record{k: 1, at: 1 << 40})
		wait(time.Second)
		before := watermark(t, run)
		wait(time.Hour)
		if now := watermark(t, run); now != before || now > 20000 {
			t.Errorf("the watermark went from %d to %d while the source could not be read", int64(before), int64(now))
		}
		close(gate)
		wait(time.Second)
		if n := nodeOf(t, run.Status(), "window.w"); n.Watermark != 19999 || n.Late != 0 {
			t.Errorf("the watermark is at %d, %d rows are late", int64(n.Watermark), n.Late)
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestTimersFire: a timer that an operator asked for comes though no more rows
// do.
func TestTimersFire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, straight(1, "alarm"))
		w.feeds["source.a"].open = true
		w.feeds["source.a"].splits["s"] = series(3, 3)
		run := w.start(Options{})
		synctest.Wait()
		if n := nodeOf(t, run.Status(), "op.x"); n.In != 3 || n.Created != 0 {
			t.Errorf("%d rows in, and %d made at once", n.In, n.Created)
		}
		wait(1100 * time.Millisecond)
		if n := nodeOf(t, run.Status(), "sink.out"); n.In != 3 {
			t.Errorf("%d rows came after a second", n.In)
		}
		run.Stop()
		if _, err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
}
