package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/job"
)

// retried is source.a -> op.x -> sink.out, where the source and the sink make calls
// again so often in a row, first after a second.
func retried(t *testing.T, retries int) *world {
	tasks := straight(1, "pass")
	on := plan.OnError{Action: gpflow.ActionRetry, Limit: -1, Retries: retries, Backoff: gpflow.Second}
	tasks[0].Ops[0].OnError, tasks[0].Ops[2].OnError = on, on
	w := newWorld(t, tasks)
	w.feeds["source.a"].splits["one"] = series(20, 20)
	return w
}

// times returns an error of a call that is so the first n times.
func times(n int, err error) func() error {
	return func() error {
		if n--; n >= 0 {
			return err
		}
		return nil
	}
}

var errPassing = &gpflow.Transient{Err: errPlanted}

// TestRetried: what fails for the time being is made again, after pauses that double,
// and has no effect; the pauses begin anew behind what went well.
func TestRetried(t *testing.T) {
	for _, call := range []string{"Poll", "Write", "Prepare", "Commit"} {
		synctest.Test(t, func(t *testing.T) {
			plain := newWorld(t, straight(1, "pass"))
			plain.feeds["source.a"].splits["one"] = series(20, 20)
			plain.finish(Options{})

			w := retried(t, 3)
			fault := times(3, errPassing)
			if call == "Poll" {
				w.feeds["source.a"].fault = fault
			} else {
				w.stores["sink.out"].fault = func(c string) error {
					if c != call {
						return nil
					}
					return fault()
				}
			}
			began := time.Now()
			r := w.finish(Options{})
			if got := time.Since(began); got != 7*time.Second {
				t.Errorf("%s: the run took %s, and 1 s, 2 s and 4 s are waited", call, got)
			}
			if got, want := w.stores["sink.out"].rows(), plain.stores["sink.out"].rows(); !slices.Equal(got, want) {
				t.Errorf("%s: got\n%q\nwant\n%q", call, got, want)
			}
			var counted int64
			for _, n := range r.Nodes {
				counted += n.Retries
			}
			if counted != 3 {
				t.Errorf("%s: %d retries are counted", call, counted)
			}
		})
	}
}

// TestRetriesEnd: what fails more often in a row than it may, or for another reason,
// or where nothing is said of it, is final.
func TestRetriesEnd(t *testing.T) {
	for _, c := range []struct {
		retries int
		err     error
		took    time.Duration
		want    string
	}{
		{2, errPassing, 3 * time.Second, "given up after 2 retries"},
		{8, errPassing, (1 + 2 + 4 + 8 + 16 + 32 + 60 + 60) * time.Second, "given up after 8 retries"},
		{2, errPlanted, 0, "planted"},
		{0, errPassing, 0, "planted"},
	} {
		for _, call := range []string{"Poll", "Write", "Prepare"} {
			synctest.Test(t, func(t *testing.T) {
				w := retried(t, c.retries)
				if c.retries == 0 {
					w = newWorld(t, straight(1, "pass"))
					w.feeds["source.a"].splits["one"] = series(20, 20)
				}
				if call == "Poll" {
					w.feeds["source.a"].fault = func() error { return c.err }
				} else {
					w.stores["sink.out"].fault = func(x string) error {
						if x == call {
							return c.err
						}
						return nil
					}
				}
				began := time.Now()
				_, err := w.fail(c.want, "planted")
				if got := time.Since(began); got != c.took || c.took == 0 && strings.Contains(err.Error(), "given up") {
					t.Errorf("%s: the run took %s, not %s: %v", call, got, c.took, err)
				}
			})
		}
	}
}

// TestNobodyIsBlockedByARetry: while a call waits to be made again, a stop ends a
// source, and the end of the context ends all, at once.
func TestNobodyIsBlockedByARetry(t *testing.T) {
	for _, call := range []string{"Poll", "Write", "Commit"} {
		synctest.Test(t, func(t *testing.T) {
			w := retried(t, 1000)
			always := func(c string) error {
				if c == call {
					return errPassing
				}
				return nil
			}
			w.feeds["source.a"].fault = func() error { return always("Poll") }
			w.stores["sink.out"].fault = always
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			run, err := w.tryStart(ctx, Options{})
			if err != nil {
				t.Fatal(err)
			}
			wait(10 * time.Minute)
			began := time.Now()
			want := job.Stopped
			if call == "Poll" {
				run.Stop()
			} else {
				want = job.Failed
				cancel()
			}
			r, err := run.Wait()
			if r.Outcome != want || time.Since(began) > 0 {
				t.Errorf("%s: the job %s %s later: %v", call, r.Outcome, time.Since(began), err)
			}
			w.closed()
		})
	}
}

// TestARetryIsInTheLog says what failed, and when it is tried again.
func TestARetryIsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := retried(t, 5)
		fault := times(1, errPassing)
		w.stores["sink.out"].fault = func(string) error { return fault() }
		var said strings.Builder
		w.finish(Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
		for _, want := range []string{"node=sink.out", "in=1s", "retry=1", "of=5", "error=planted"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("the log does not say %q: %s", want, fmt.Sprint(&said))
			}
		}
	})
}

// TestRetriesOfAStart: what a region has counted when it is made anew still counts.
func TestRetriesOfAStart(t *testing.T) {
	of := func(retries int64) *node { return &node{meters: []*meter{{retries: retries}}} }
	v := &view{nodes: []*node{of(3)}}
	for range 2 {
		v = v.with(&build{nodes: []*node{of(1)}})
	}
	if n := v.nodes[0].status().Retries; n != 5 {
		t.Errorf("%d retries", n)
	}
}
