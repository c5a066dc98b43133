package checkpoint_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/engine/checkpoint"
)

// TestCoordinatorKeepsTheLedger: whatever happens in whatever order, the rules
// of ledger hold, and every row of the job's input is visible once at its end.
func TestCoordinatorKeepsTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld("", func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		if err := w.run(rapid.IntRange(0, 400).Draw(t, "steps")); err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(w.trace, "\n"))
		}
	})
}

// TestCoordinatorSeeds is the same for many more runs, each of a seed.
func TestCoordinatorSeeds(t *testing.T) {
	what := make(map[string]int)
	for seed := range uint64(1000) {
		w, err := runSeed("", seed)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(w.trace, "\n"))
		}
		for _, line := range w.trace {
			for _, s := range []string{"goes on", "Stored", "StoreFailed", "Abort", "-> checkpoint.Commit", "checkpoint.Gone", "Final:true Name", "Done", "Fail ", "Stop:true"} {
				if strings.Contains(line, s) {
					what[s]++
				}
			}
		}
	}
	t.Logf("lines of the traces: %v", what)
	for s, n := range what {
		if n < 50 {
			t.Errorf("%q came %d times: the runs show too little", s, n)
		}
	}
}

// TestCoordinatorBugsAreFound: the ledger would find the coordinator's mistakes.
func TestCoordinatorBugsAreFound(t *testing.T) {
	const limit = 200
	for _, bug := range []checkpoint.Bug{
		checkpoint.CommitBeforeStored, checkpoint.CompleteWithoutAll, checkpoint.ForgetAborted,
		checkpoint.ForgetUncommitted, checkpoint.ForgetRestored, checkpoint.CommitAtOnce,
	} {
		t.Run(string(bug), func(t *testing.T) {
			for seed := range uint64(limit) {
				if _, err := runSeed(bug, seed); err != nil {
					t.Logf("found after %3d runs: %v", seed+1, err)
					return
				}
			}
			t.Errorf("not found in %d runs", limit)
		})
	}
}

func runSeed(bug checkpoint.Bug, seed uint64) (w *world, err error) {
	r := rand.New(rand.NewPCG(seed, 1))
	w = newWorld(bug, r.IntN)
	return w, w.run(r.IntN(400))
}
