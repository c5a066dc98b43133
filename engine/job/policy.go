package job

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// Policy says what a failure of a region leads to.
type Policy struct {
	// Attempts is how many failures of a region, within Within, lead to a
	// restart each; one more ends the job. 0: the first one does.
	Attempts int
	Within   gpflow.Duration
	// Seed spreads the restarts of jobs that have failed for one reason; 0: they
	// wait for exactly as long as is said.
	Seed uint64
}

// The time from a failure to the restart doubles from firstWait to longestWait,
// and is firstWait again for a region that has run for as long as healthy. Up to
// a part in spread is taken off it, by chance.
const (
	firstWait   = gpflow.Second
	longestWait = 60 * gpflow.Second
	healthy     = 2 * longestWait
	spread      = 5
)

// retries is what a region has used up of a policy. What has been long ago does
// not count: there is no number of failures in a lifetime that ends a job.
type retries struct {
	policy   Policy
	failures []gpflow.Timestamp // within the time that counts, in order
	next     gpflow.Duration    // the wait before the next restart; 0: the first
	since    gpflow.Timestamp   // when the region was started
	drawn    uint64
}

// started takes note that the region runs.
func (r *retries) started(now gpflow.Timestamp) { r.since = now }

// failed takes note of a failure. It returns how long to wait before a restart
// and how many failures there have been in the time that counts, or false where
// there have been too many.
func (r *retries) failed(now gpflow.Timestamp) (wait gpflow.Duration, attempt int, ok bool) {
	from := now.Add(-r.policy.Within)
	r.failures = slices.DeleteFunc(r.failures, func(t gpflow.Timestamp) bool { return t <= from })
	if len(r.failures) >= r.policy.Attempts {
		return 0, len(r.failures) + 1, false
	}
	r.failures = append(r.failures, now)
	if r.next == 0 || now >= r.since.Add(healthy) {
		r.next = firstWait
	}
	wait = r.next - r.chance(r.next/spread)
	r.next = min(2*r.next, longestWait)
	r.since = gpflow.MaxTimestamp.Add(-healthy) // it does not run
	return wait, len(r.failures), true
}

// exhausted is the end of a job because of one failure too many.
func (r *retries) exhausted(last error) error {
	if r.policy.Attempts == 0 {
		return last
	}
	if r.policy.Attempts == 1 {
		return fmt.Errorf("more than the one failure within %s that restart allows; the last: %w", r.policy.Within, last)
	}
	return fmt.Errorf("more than the %d failures within %s that restart allows; the last: %w", r.policy.Attempts, r.policy.Within, last)
}

// chance returns a number from 0 to most, the next in the order of the seed.
func (r *retries) chance(most gpflow.Duration) gpflow.Duration {
	if r.policy.Seed == 0 {
		return 0
	}
	r.drawn++
	x := r.policy.Seed + r.drawn*0x9e3779b97f4a7c15 // splitmix64
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return gpflow.Duration((x ^ x>>31) % uint64(most+1))
}
