package main

import (
	"testing"
	"time"
)

// TestStopRequests: a signal that is sent twice at once, as by timeout(1), stops a
// run in order, and one that comes later quits it.
func TestStopRequests(t *testing.T) {
	began := time.Now()
	var r stopRequests
	for _, c := range []struct {
		at   time.Duration
		want int
	}{
		{0, toStop}, {time.Microsecond, nothingNew}, {echo - 1, nothingNew}, {echo, toQuit}, {time.Hour, toQuit},
	} {
		if got := r.next(began.Add(c.at)); got != c.want {
			t.Errorf("a signal %s behind the first asks for %d, want %d", c.at, got, c.want)
		}
	}
}
