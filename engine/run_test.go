package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/job"
)

// texts returns what a sink of clicks should have got of rs, sorted.
func texts(rs ...record) (want []string) {
	for _, r := range rs {
		row := []gpflow.Value{gpflow.Int(r.k), gpflow.Time(r.at), gpflow.String(r.text)}
		want = append(want, string(gpflow.RowJSON(nil, clicks(), row)))
	}
	slices.Sort(want)
	return want
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d rows came out, and %d should have:\n%.2000s\n%.2000s", what, len(got), len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFinished: everything arrives, once, and the ledger says so, whatever the
// parallelism, the splits and the links.
func TestFinished(t *testing.T) {
	for parallelism := 1; parallelism <= 3; parallelism++ {
		for _, splits := range []int{0, 1, 2, 5} {
			for _, encode := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%d/%t", parallelism, splits, encode), func(t *testing.T) {
					w := newWorld(t, straight(parallelism, "pass"))
					var all []record
					for i := range splits {
						rs := series(1000+1000*i, 10)
						w.feeds["source.a"].splits[fmt.Sprintf("split %d", i)] = rs
						all = append(all, rs...)
					}
					r := w.finish(Options{EncodeLinks: encode})
					out := w.stores["sink.out"]
					same(t, "sink.out", out.rows(), texts(all...))
					if out.early || out.prepared != parallelism {
						t.Errorf("%d prepared; committed before all had: %t", out.prepared, out.early)
					}
					n := int64(len(all))
					for _, address := range []string{"source.a", "op.x", "sink.out"} {
						if c := nodeOf(t, r.Status, address).Counts; c.In != n || c.Passed != n {
							t.Errorf("%s: of %d rows, %+v", address, n, c)
						}
					}
					for _, e := range r.Edges {
						if e.Sent != n || e.Received != n {
							t.Errorf("%s -> %s: %d sent, %d received", e.From, e.To, e.Sent, e.Received)
						}
					}
					if r.State != "finished" || r.Elapsed <= 0 {
						t.Errorf("state %s after %v", r.State, r.Elapsed)
					}
				})
			}
		}
	}
}

// TestPartitions: what each partitioning does to the rows of an edge.
func TestPartitions(t *testing.T) {
	for p, copies := range map[plan.Partition]int{plan.Forward: 1, plan.Rebalance: 1, plan.Broadcast: 3, plan.Hash: 1} {
		for _, encode := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", p, encode), func(t *testing.T) {
				var key []string
				if p == plan.Hash {
					key = []string{"text"}
				}
				w := newWorld(t, []plan.Task{
					inTask(3, source("source.a", at(0))),
					inTask(3, operator("op.x", "pass"), below(sink("sink.out", clicks()), 0, 0)),
				}, joint("source.a", 0, 0, "op.x", p, key...))
				rs := series(5000, 7)
				w.feeds["source.a"].splits = map[string][]record{"a": rs[:3000], "b": rs[3000:]}
				w.finish(Options{EncodeLinks: encode})
				same(t, "sink.out", w.stores["sink.out"].rows(), texts(slices.Repeat(rs, copies)...))
			})
		}
	}
}

// TestWindowsComeOutTheSame: which rows are late, and what is in each window,
// is decided by the input alone. The answer is computed here.
func TestWindowsComeOutTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rs := series(4000, 5)
	for i := range rs { // out of order, some of it far
		rs[i].at = max(0, rs[i].at-gpflow.Timestamp(random.IntN(50)))
		if random.IntN(50) == 0 {
			rs[i].at = max(0, rs[i].at-500)
		}
	}
	windows, late := expectWindows(rs, 20)
	for _, parallelism := range []int{1, 2, 3} {
		for _, poll := range []int{1, 7, 32, 1000, 0} {
			for _, encode := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%d/%t", parallelism, poll, encode), func(t *testing.T) {
					tasks, edges := windowed(1, parallelism, at(20))
					w := newWorld(t, tasks, edges...)
					w.feeds["source.a"].splits["only"] = rs
					r := w.finish(Options{PollRows: poll, EncodeLinks: encode})
					same(t, "sink.out", w.stores["sink.out"].rows(), windows)
					same(t, "sink.late", w.stores["sink.late"].rows(), texts(late...))
					if n := nodeOf(t, r.Status, "window.w"); n.Late != int64(len(late)) || n.Watermark != gpflow.MaxTimestamp {
						t.Errorf("%d late, the watermark at %v", n.Late, n.Watermark)
					}
					if n := nodeOf(t, r.Status, "source.a"); n.Watermark != gpflow.MaxTimestamp {
						t.Errorf("the source's watermark at %v", n.Watermark)
					}
				})
			}
		}
	}
}

// expectWindows says what the windows over one split are, row by row: the
// watermark moves behind every 32nd one.
func expectWindows(rs []record, disorder gpflow.Timestamp) (windows []string, late []record) {
	type cell struct{ start, k int64 }
	n := map[cell]int64{}
	mark, latest := gpflow.MinTimestamp, gpflow.MinTimestamp
	for i, r := range rs {
		start := r.at - r.at%windowSize
		if start+windowSize <= mark {
			late = append(late, r)
		} else {
			n[cell{int64(start), r.k}]++
		}
		latest = max(latest, r.at)
		if (i+1)%32 == 0 {
			mark = max(mark, latest-disorder)
		}
	}
	for c, n := range n {
		row := []gpflow.Value{gpflow.Int(c.k), gpflow.Time(gpflow.Timestamp(c.start)), gpflow.Int(n)}
		windows = append(windows, string(gpflow.RowJSON(nil, counts(), row)))
	}
	slices.Sort(windows)
	return windows, late
}

// TestDiamond: from = [a, b] where both read one source: each row counts twice,
// and no window closes before both branches have passed.
func TestDiamond(t *testing.T) {
	rs := series(3000, 5)
	for _, encode := range []bool{false, true} {
		w := newWorld(t, []plan.Task{
			inTask(1, source("source.a", at(0)), below(operator("op.x", "pass"), 0, 0), below(operator("op.y", "pass"), 0, 0)),
			inTask(2, counter("window.w", false), below(sink("sink.out", counts()), 0, 0)),
		}, joint("source.a", 1, 0, "window.w", plan.Hash, "k"), joint("source.a", 2, 0, "window.w", plan.Hash, "k"))
		w.feeds["source.a"].splits["only"] = rs
		r := w.finish(Options{EncodeLinks: encode})
		if n := nodeOf(t, r.Status, "window.w"); n.In != 6000 || n.Late != 0 || n.Created != 150 {
			t.Errorf("%d rows in, %d late, %d windows", n.In, n.Late, n.Created)
		}
	}
}

// TestStop: the end is in order, nothing is committed, no window closes early,
// and the ledger adds up.
func TestStop(t *testing.T) {
	for _, parallelism := range []int{1, 3} {
		t.Run(fmt.Sprint(parallelism), func(t *testing.T) {
			tasks, edges := windowed(parallelism, parallelism, at(0))
			w := newWorld(t, tasks, edges...)
			f := w.feeds["source.a"]
			f.open = true
			for i := range parallelism {
				f.splits[fmt.Sprint(i)] = series(5000, 5)
			}
			wrote, done := make(chan struct{}), make(chan struct{})
			w.stores["sink.out"].wrote = wrote
			run := w.start(Options{})
			<-wrote // something has come through
			go func() {
				for {
					select {
					case <-wrote:
					case <-done:
						return
					}
				}
			}()
			for range 3 {
				run.Stop()
			}
			r, err := run.Wait()
			done <- struct{}{}
			if err != nil || r.Outcome != job.Stopped || r.Imbalances != nil {
				t.Errorf("the job %s: %v %v", r.Outcome, err, r.Imbalances)
			}
			w.nothing()
			w.closed()
			if n := nodeOf(t, r.Status, "window.w"); n.Watermark == gpflow.MaxTimestamp || n.In == 0 {
				t.Errorf("%d rows in, and the watermark at %v", n.In, n.Watermark)
			}
			run.Stop() // behind the end
			if again, _ := run.Wait(); again.Elapsed != r.Elapsed {
				t.Error("a second Wait gives another report")
			}
		})
	}
}

// TestStopBeforeTheFirstRow: at any time means any.
func TestStopBeforeTheFirstRow(t *testing.T) {
	for range 50 {
		w := newWorld(t, straight(2, "pass"))
		w.feeds["source.a"].open = true
		w.feeds["source.a"].splits["only"] = series(100, 1)
		run := w.start(Options{})
		run.Stop()
		if r, err := run.Wait(); err != nil || r.Outcome != job.Stopped {
			t.Fatalf("the job %s: %v", r.Outcome, err)
		}
		w.nothing()
		w.closed()
	}
}

// TestCancel: a job that is killed has failed.
func TestCancel(t *testing.T) {
	w := newWorld(t, straight(2, "pass"))
	w.feeds["source.a"].open = true
	w.feeds["source.a"].splits["only"] = series(100, 1)
	w.stores["sink.out"].gate = make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	run, err := w.tryStart(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := run.Status(); s.State != "running" {
		t.Errorf("state %s", s.State)
	}
	cancel()
	if r, err := run.Wait(); !errors.Is(err, context.Canceled) || r.Outcome != job.Failed {
		t.Errorf("the job %s: %v", r.Outcome, err)
	}
	w.nothing()
	w.closed()
}

// TestManySplits: more splits than a mailbox has room for are handed out to a reader
// that is busy.
func TestManySplits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{inTask(1, source("source.a", at(0)), below(sink("sink.out", clicks()), 0, 0))})
		f := w.feeds["source.a"]
		f.open, f.alone, f.gate = true, true, make(chan struct{})
		for i := range 2*actor.MailboxLimit + 1 {
			f.splits[fmt.Sprint(i)] = nil
		}
		run := w.start(Options{})
		synctest.Wait()
		close(f.gate)
		synctest.Wait()
		run.Stop()
		if r, err := run.Wait(); err != nil || r.Outcome != job.Stopped {
			t.Errorf("the job %s: %v", r.Outcome, err)
		}
	})
}
