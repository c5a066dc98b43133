package job

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
)

const second = gpflow.Timestamp(gpflow.Second)

// TestWaits: the wait doubles from a second to a minute, and begins anew when
// the region has run for long.
func TestWaits(t *testing.T) {
	r := retries{policy: Policy{Attempts: 100, Within: 3600 * gpflow.Second}}
	now := 1000 * second
	var waits []gpflow.Duration
	fail := func() {
		wait, _, ok := r.failed(now)
		if !ok {
			t.Fatalf("the job ends at the failure behind %v", waits)
		}
		waits = append(waits, wait/gpflow.Second)
		now = now.Add(wait)
	}
	r.started(now)
	for range 8 {
		fail()
		r.started(now)
	}
	now = now.Add(healthy - 1)
	fail() // not long enough
	fail() // the restart itself fails
	r.started(now)
	now = now.Add(healthy)
	fail()
	now = now.Add(10 * healthy) // in which it does not run
	fail()
	if want := []gpflow.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 1, 2}; !slices.Equal(waits, want) {
		t.Errorf("the waits are %v, and should be %v", waits, want)
	}
}

// TestRate: what counts are the failures in a span of time, and not in a
// lifetime.
func TestRate(t *testing.T) {
	r := retries{policy: Policy{Attempts: 2, Within: 10 * gpflow.Second}}
	for i, c := range []struct {
		at      gpflow.Timestamp
		attempt int
		ok      bool
	}{{0, 1, true}, {9, 2, true}, {10, 2, true}, {18, 3, false}} {
		if _, attempt, ok := r.failed(c.at * second); attempt != c.attempt || ok != c.ok {
			t.Errorf("failure %d at %d s: attempt %d, %t", i, c.at, attempt, ok)
		}
	}
	for i := range gpflow.Timestamp(1000) {
		if _, _, ok := r.failed((100 + 6*i) * second); !ok {
			t.Fatalf("failure %d, of two in any 10 s, ends the job", i)
		}
	}
	none := retries{policy: Policy{Within: 10 * gpflow.Second}}
	if _, _, ok := none.failed(0); ok {
		t.Error("the first failure leads to a restart, and there should be none")
	}
}

// TestSpread: the waits of a seed are a little shorter than is said, and those of
// another one differ.
func TestSpread(t *testing.T) {
	waits := func(seed uint64) (all []gpflow.Duration) {
		r := retries{policy: Policy{Attempts: 100, Within: gpflow.Second, Seed: seed}}
		for i := range gpflow.Timestamp(50) {
			r.started(i * 1000 * second)
			wait, _, _ := r.failed((i*1000 + 500) * second)
			if wait > firstWait || wait < firstWait-firstWait/spread {
				t.Fatalf("a wait of %s", wait)
			}
			all = append(all, wait)
		}
		return all
	}
	a, b := waits(1), waits(2)
	if slices.Equal(a, b) || !slices.Equal(a, waits(1)) || slices.Max(a)-slices.Min(a) < firstWait/10 {
		t.Errorf("the waits of two seeds: %v, %v", a, b)
	}
}
