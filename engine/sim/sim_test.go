package sim_test

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine/sim"
)

var (
	seeds = flag.Uint64("sim.seeds", 200, "how many seeds to run")
	first = flag.Uint64("sim.first", 0, "the first of them")
	seed  = flag.Int64("sim.seed", -1, "a seed to replay, with its story")
)

// TestCalm: without faults, in one start, whatever the order of things.
func TestCalm(t *testing.T) {
	for seed := range uint64(50) {
		if r := sim.Run(seed, sim.Config{Calm: true}); r.Err != nil {
			t.Errorf("seed %d: %v", seed, r.Err)
		}
	}
}

func TestSeeds(t *testing.T) {
	var all sim.Stats
	failed, goroutines := 0, runtime.NumGoroutine()
	for seed := *first; seed < *first+*seeds; seed++ {
		r := sim.Run(seed, sim.Config{})
		all.Add(r.Stats)
		if r.Err == nil {
			continue
		}
		t.Errorf("seed %d: %v", seed, r.Err)
		if failed++; failed == 1 {
			r = sim.Run(seed, sim.Config{Trace: true})
			t.Logf("the last of its story; all of it: go test -run TestSeed$ ./engine/sim -v -sim.seed %d\n%s", seed, tail(r.Story, 80))
		}
		if failed == 20 {
			t.Fatal("that is enough")
		}
	}
	t.Logf("%d seeds: %+v", *seeds, all)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d encoders are left behind", n-goroutines)
	}
	if *seeds < 200 {
		return
	}
	for i, n := range append(all.Died[:], all.Stops, all.Rescaled, all.Aborted, all.Savepoints, all.Stale, all.Overtaken, all.Halfway, all.Broken, all.Rebuilt, all.Doubts, all.Cut, all.LostWorkers, all.Exhausted, all.Retried, all.Spilled, all.Overlapped) {
		if n < 3 {
			t.Errorf("what is number %d in the list was met %d times: the faults are not what they should be", i, n)
		}
	}
}

// TestTampered: where an object of the store has been changed, a start refuses
// to go on, or what it does is right all the same: nothing needs the object.
func TestTampered(t *testing.T) {
	var all sim.Stats
	for seed := *first; seed < *first+*seeds; seed++ {
		r := sim.Run(seed, sim.Config{Tamper: true})
		all.Add(r.Stats)
		if r.Err != nil {
			t.Errorf("seed %d: %v", seed, r.Err)
		}
	}
	t.Logf("%d seeds: %+v", *seeds, all)
	if *seeds >= 200 && all.Refused < 3 {
		t.Errorf("%d starts were refused: the store is not tampered with", all.Refused)
	}
}

// TestDrained: the output is that of the input as far as it has been read.
func TestDrained(t *testing.T) {
	var all sim.Stats
	for seed := *first; seed < *first+*seeds; seed++ {
		r := sim.Run(seed, sim.Config{Drain: true})
		all.Add(r.Stats)
		if r.Err != nil {
			t.Errorf("seed %d: %v", seed, r.Err)
		}
	}
	t.Logf("%d seeds: %+v", *seeds, all)
	if *seeds >= 200 && all.Drained < 3 {
		t.Errorf("%d splits were ended before their end", all.Drained)
	}
}

func tail(lines []string, n int) string {
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// TestSeed replays -sim.seed, and tells its story.
func TestSeed(t *testing.T) {
	r := sim.Run(uint64(*seed), sim.Config{Trace: true})
	t.Logf("%s\n%+v", strings.Join(r.Story, "\n"), r.Stats)
	if r.Err != nil {
		t.Error(r.Err)
	}
}

// TestReplay: a seed tells the same story whenever it is run, also that of a
// failure.
func TestReplay(t *testing.T) {
	for _, c := range []sim.Config{{Trace: true}, {Trace: true, Own: sim.KeepStaged}} {
		for seed := range uint64(20) {
			a, b := sim.Run(seed, c), sim.Run(seed, c)
			if !slices.Equal(a.Story, b.Story) {
				t.Errorf("seed %d: two stories, of %d and of %d lines", seed, len(a.Story), len(b.Story))
			}
			if (a.Err == nil) != (b.Err == nil) || a.Err != nil && a.Err.Error() != b.Err.Error() {
				t.Errorf("seed %d: %v, and then %v", seed, a.Err, b.Err)
			}
		}
	}
}
