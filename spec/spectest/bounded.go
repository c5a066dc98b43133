package spectest

import (
	"runtime"
	"testing"
	"time"
)

// hangs is how long nothing takes that ends by itself, on the slowest of machines.
const hangs = 5 * time.Minute

// Bounded runs f, which is to allocate at most so many bytes. That is a measure
// of its work that depends neither on the machine nor on what else runs there;
// time is only looked at to find what would not end. Tests that use it are not
// parallel.
func Bounded(t *testing.T, name string, most int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%s: %v, %d KiB are allocated", name, took.Round(time.Microsecond), allocated>>10)
	if allocated > uint64(most) {
		t.Errorf("%s: %d KiB are allocated, and not at most %d", name, allocated>>10, most>>10)
	}
	if took > hangs {
		t.Errorf("%s: took %v", name, took)
	}
}
