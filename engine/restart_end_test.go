package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// down returns the status when a region of a run has failed and is not back yet.
func down(run *engine.Run, region int) engine.Status {
	for {
		if s := run.Status(); !s.Regions[region].Next.IsZero() || s.State != "running" {
			return s
		}
		<-time.After(time.Millisecond)
	}
}

// TestNotStartedAgain: what would come again ends the job at once, and what may
// not come again does when it has come too often.
func TestNotStartedAgain(t *testing.T) {
	two := job.Policy{Attempts: 2, Within: 60 * gpflow.Second}
	for name, c := range map[string]struct {
		faults   *faults
		policy   job.Policy
		plant    func(*bench)
		text     string
		want     string
		restarts int64
	}{
		"a record": {
			policy: two, text: strings.Replace(apart, `fields = { i = "i" }`, `fields = { i = "100 / (i - 200)" }`, 1), want: "source.a: ",
		},
		"a failed fsync": {
			faults: &faults{fail: map[string][]int{"prepare sink.x": {2}}, err: &gpflow.FinalError{Err: errPlanted}}, policy: two, want: "sink.x[0]: prepare the output: planted",
		},
		"another process": {
			faults: &faults{fail: map[string][]int{"write sink.x": {300}}}, policy: two, want: "take",
			plant: func(b *bench) {
				k, err := checkpoint.Open(b.t.Context(), b.store)
				if err == nil {
					err = k.Claim(b.t.Context(), "another")
				}
				if err != nil {
					b.t.Fatal(err)
				}
			},
		},
		"no attempts": {
			faults: &faults{fail: map[string][]int{"write sink.x": {300}}}, want: "test.gp.hcl:9,1: sink.x[0]: planted: call 300",
		},
		"too often": {
			faults: &faults{fail: map[string][]int{"write sink.x": {300, 301, 302}}}, policy: two, restarts: 2,
			want: "more than the 2 failures within 1m that restart allows; the last: test.gp.hcl:9,1: sink.x[0]: planted: call 302",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if c.faults == nil {
					c.faults = &faults{}
				}
				if c.text == "" {
					c.text = apart
				}
				b := newBench(t, c.faults)
				b.policy = c.policy
				run := b.start(c.text)
				if c.plant != nil {
					<-time.After(150 * time.Millisecond)
					c.plant(b)
				}
				r, err := run.Wait()
				if r.Outcome != job.Failed || !strings.Contains(fmt.Sprint(err), c.want) {
					t.Errorf("the job %s: %v", r.Outcome, err)
				}
				if n := r.Regions[0].Restarts; n != c.restarts {
					t.Errorf("%d restarts, and there should be %d", n, c.restarts)
				}
			})
		})
	}
}

// TestDamagedStateIsNotStartedAgain: a region is not begun anew from less.
func TestDamagedStateIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &faults{fail: map[string][]int{"process filter.some": {1000}}})
		run := b.start(windows)
		down(run, 0)
		objects, err := b.store.List(t.Context(), "lineages/")
		for _, o := range objects {
			if strings.Contains(o.Name, "segments") {
				err = errors.Join(err, b.store.Put(t.Context(), o.Name, []byte("damaged")))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := run.Wait()
		var damaged *checkpoint.Damaged
		if r.Outcome != job.Failed || !errors.As(err, &damaged) {
			t.Errorf("the job %s: %v", r.Outcome, err)
		}
	})
}

// endless is apart without an end.
var endless = strings.NewReplacer("count  = 3000", "", "count  = 4000", "", "rate   = 1000", "rate   = 200").Replace(apart)

// whole complains unless what a sink has written is the beginning of what there
// is.
func (b *bench) whole(name string) int {
	b.t.Helper()
	got := b.lines(name)
	if !slices.Equal(got, numbers(len(got))) {
		b.t.Errorf("%s has %d records, not the first ones once each", name, len(got))
	}
	return len(got)
}

// TestEndWhileDown: a stop, a drain and a savepoint that are asked for while a
// region is down come when it is there again, which does not wait for its time.
func TestEndWhileDown(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(run *engine.Run) <-chan engine.Saved
		want job.Outcome
	}{
		"stop":      {func(run *engine.Run) <-chan engine.Saved { run.Stop(); return nil }, job.Stopped},
		"drain":     {func(run *engine.Run) <-chan engine.Saved { run.Drain(); return nil }, job.Finished},
		"savepoint": {func(run *engine.Run) <-chan engine.Saved { return run.StopWith("s") }, job.Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, &faults{fail: map[string][]int{"write sink.y": {500, 501, 502, 503, 504, 505, 506}}})
				run := b.start(endless)
				for down(run, 1).Regions[1].Restarts < 6 {
					<-time.After(10 * time.Millisecond)
				}
				if next := run.Status().Regions[1].Next; time.Until(next) < 50*time.Second {
					t.Errorf("the next attempt comes in %s", time.Until(next))
				}
				asked := time.Now()
				saved := c.end(run)
				r, err := run.Wait()
				if err != nil || r.Outcome != c.want {
					t.Fatalf("the job %s: %v", r.Outcome, err)
				}
				if after := time.Since(asked); after > time.Second {
					t.Errorf("it has ended after %s", after)
				}
				if x, y := b.whole("x"), b.whole("y"); x < 600 || y < 400 {
					t.Errorf("%d and %d records", x, y)
				}
				if saved != nil {
					if s := <-saved; s.Err != nil || s.ID == 0 {
						t.Errorf("the savepoint: %+v", s)
					}
				}
			})
		})
	}
}

// TestDoubt: where the answer of a store was lost, nobody knows which checkpoint is
// current. All regions begin anew, from the one that is.
func TestDoubt(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for _, name := range []string{"manifests/", "current/", "sealed/"} {
			t.Run(name+" "+when.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &faults{}
					b := newBench(t, f)
					run := b.start(apart)
					for run.Status().Checkpoints.Completed < 3 {
						<-time.After(time.Millisecond)
					}
					b.store.Fail(storagetest.Fault{When: when, Err: errPlanted, Match: func(op storagetest.Op, object string) bool {
						return op.Writes() && strings.Contains(object, name)
					}})
					for run.Status().Checkpoints.Failed < 1 {
						<-time.After(time.Millisecond)
					}
					current := run.Status().Checkpoints.Last.ID
					if name == "sealed/" || name == "current/" && when == storagetest.After {
						current++ // the one that has failed
					}
					f.mu.Lock() // fail before the next one is stored
					f.fail = map[string][]int{"write sink.y": {f.calls["write sink.y"] + 1}}
					f.mu.Unlock()
					r := b.finish(run)
					if n := restarts(r.Status); !slices.Equal(n, []int64{1, 1}) {
						t.Errorf("%v restarts", n)
					}
					if x, y := b.lines("x"), b.lines("y"); !slices.Equal(x, numbers(3000)) || !slices.Equal(y, numbers(4000)) {
						t.Errorf("%d and %d records", len(x), len(y))
					}
					again := fmt.Sprintf(`runs again" region="source.a, sink.x" from="checkpoint %d"`, current)
					if !strings.Contains(b.log.String(), `region="all nodes"`) || !strings.Contains(b.log.String(), again) {
						t.Errorf("the log does not say %s:\n%s", again, b.log.String())
					}
				})
			})
		}
	}
}

// TestFullAndFreed: a sink that is full for a while costs nothing but time, and
// so does a state directory, also where a region fails meanwhile.
func TestFullAndFreed(t *testing.T) {
	for name, f := range map[string]*faults{
		"sink":  {fail: map[string][]int{"write sink.x": {500, 501, 502, 503, 504}}, err: syscall.ENOSPC},
		"state": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, f)
				run := b.start(apart)
				<-time.After(time.Second)
				if name == "state" {
					b.fill()
					for run.Status().Checkpoints.Failed < 2 {
						<-time.After(time.Millisecond)
					}
					f.mu.Lock()
					f.fail = map[string][]int{"write sink.y": {f.calls["write sink.y"] + 1}}
					f.mu.Unlock()
					<-time.After(10 * time.Second)
					if s := run.Status(); s.State != "running" || !strings.Contains(s.Regions[0].Failure, "claim the state to go on from it") {
						t.Fatalf("it is %s: %+v", s.State, s.Regions)
					}
					b.store.SetCapacity(0)
				}
				b.finish(run)
				if x, y := b.lines("x"), b.lines("y"); !slices.Equal(x, numbers(3000)) || !slices.Equal(y, numbers(4000)) {
					t.Errorf("%d and %d records", len(x), len(y))
				}
			})
		})
	}
}

// fill leaves no room in the store.
func (b *bench) fill() {
	b.t.Helper()
	objects, err := b.store.List(b.t.Context(), "")
	if err != nil {
		b.t.Fatal(err)
	}
	used := int64(0)
	for _, o := range objects {
		used += o.Size
	}
	b.store.SetCapacity(used)
}

// TestRestartsAtRandom: faults of connectors, operators and the store, and the end
// of the process, drawn from a seed.
func TestRestartsAtRandom(t *testing.T) {
	seeds := 8
	if testing.Short() {
		seeds = 3
	}
	both := windows + strings.Replace(apart[strings.Index(apart, `source "generate" "b"`):], "count  = 4000", "count  = 2000", 1)
	var all, rows []string
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &faults{})
		b.finish(b.start(both))
		all, rows = b.lines("all.json"), b.lines("rows")
	})
	total := 0
	for seed := range seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		f := &faults{fail: make(map[string][]int), panic: random.IntN(4) == 0}
		for _, what := range []string{
			"poll source.a", "poll source.b", "process filter.some", "write sink.rows", "write sink.y", "write sink.all", "open sink.y", "recover sink.all",
			"prepare sink.rows", "prepared sink.y", "prepared sink.all", "commit sink.rows", "committed sink.y", "commit sink.all", "committed sink.all",
		} {
			most := 30
			if strings.HasPrefix(what, "poll") || strings.HasPrefix(what, "process") || strings.HasPrefix(what, "write") {
				most = 3000
			}
			if random.IntN(3) == 0 {
				f.fail[what] = []int{2 + random.IntN(most)}
			}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, f)
				b.policy.Attempts = 1000
				b.policy.Seed = uint64(seed)
				b.ends.Every = gpflow.Duration(5+random.IntN(200)) * gpflow.Millisecond
				ctx, kill := context.WithCancel(t.Context())
				run := b.startIn(ctx, both)
				for range random.IntN(3) {
					b.store.Fail(storagetest.Fault{Skip: random.IntN(100), Times: 1 + random.IntN(3), When: storagetest.When(2 * random.IntN(2)), Err: errPlanted})
				}
				if random.IntN(2) == 0 { // another start goes on from what restarted regions have made
					<-time.After(time.Duration(random.IntN(5000)) * time.Millisecond)
					kill()
					r, _ := run.Wait() // it has been killed, or had finished
					b.store.Heal()
					for _, n := range restarts(r.Status) {
						total += int(n)
					}
					delete(f.fail, "open sink.y") // a start is to go well
					delete(f.fail, "recover sink.all")
					run = b.start(both)
				}
				r := b.finish(run)
				kill()
				if got := b.lines("all.json"); !slices.Equal(got, all) {
					t.Errorf("%d windows, and there are %d", len(got), len(all))
				}
				if got := b.lines("rows"); !slices.Equal(got, rows) {
					t.Errorf("%d rows, and there are %d", len(got), len(rows))
				}
				if got := b.lines("y"); !slices.Equal(got, numbers(2000)) {
					t.Errorf("%d records, and there are 2000", len(got))
				}
				for _, n := range restarts(r.Status) {
					total += int(n)
				}
			})
		})
	}
	t.Logf("%d restarts", total)
}
