// With the race detector Pebble looks at itself all the time, so that this takes
// minutes, and shows nothing more.
//go:build !race

package state

import (
	"math/rand/v2"
	"testing"
)

// TestPlanted: each mistake in the product's own code is found by the model that
// the tables are compared with, and nothing is where none is.
func TestPlanted(t *testing.T) {
	budget := tiny(t)
	run := func(bug Bug, budget *Budget, seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 6))
		return play(func(_ string, lo, hi int) int { return lo + r.IntN(hi-lo+1) }, bug, budget, 60)
	}
	for seed := range uint64(30) {
		if err := run(NoBug, nil, seed); err != nil {
			t.Fatalf("seed %d without a bug: %v", seed, err)
		}
		if seed >= 8 {
			continue
		}
		if err := run(NoBug, budget, seed); err != nil {
			t.Fatalf("seed %d without a bug, evicted: %v", seed, err)
		}
	}
	for bug, name := range map[Bug]string{
		NoCopyOnWrite: "NoCopyOnWrite", ForgetDirty: "ForgetDirty", RestoreTwice: "RestoreTwice",
		ForgetEvicted: "ForgetEvicted", ColdWins: "ColdWins", KeepDropped: "KeepDropped",
		ForgetStep: "ForgetStep", ForgetKeys: "ForgetKeys",
	} {
		found := 0
		seeds := 30
		if bug >= ForgetEvicted {
			seeds = 8
		}
		for seed := range uint64(seeds) {
			with := budget
			if bug < ForgetEvicted {
				with = nil
			}
			if err := run(bug, with, seed); err != nil {
				if found++; found == 1 {
					t.Logf("%s: seed %d found it: %v", name, seed, err)
				}
			}
		}
		t.Logf("%s: found by %d of %d seeds", name, found, seeds)
		if found < seeds/6 {
			t.Errorf("%s was found by %d of %d seeds only", name, found, seeds)
		}
	}
}
