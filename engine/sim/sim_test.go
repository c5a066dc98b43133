package sim_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine/sim"
)

func TestCalm(t *testing.T) {
	for seed := range uint64(100) {
		if r := sim.Run(seed, sim.Config{Calm: true}); r.Err != nil {
			t.Errorf("seed %d: %v", seed, r.Err)
		}
	}
}

func TestFaults(t *testing.T) {
	var all sim.Stats
	for seed := range uint64(200) {
		r := sim.Run(seed, sim.Config{})
		all.Add(r.Stats)
		if r.Err != nil {
			t.Errorf("seed %d: %v", seed, r.Err)
		}
	}
	t.Logf("%+v", all)
}

var replay = flag.Int("sim.seed", -1, "replay this seed and print its story")

func TestSeed(t *testing.T) {
	if *replay < 0 {
		t.Skip("no -sim.seed")
	}
	r := sim.Run(uint64(*replay), sim.Config{Calm: os.Getenv("CALM") != "", Trace: true})
	t.Logf("%s\n%v", strings.Join(r.Story, "\n"), r.Err)
}
