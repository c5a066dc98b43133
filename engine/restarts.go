package engine

import (
	"slices"
	"sync"
	"time"
)

// Region is a part of a pipeline that no record leaves or enters, and that is
// started again as one when a part of it fails.
type Region struct {
	Nodes    []string `json:"nodes"` // addresses, in the order of the plan
	Restarts int64    `json:"restarts"`
	// Failure is why it was, or is to be, started again for the last time; "":
	// it has not failed.
	Failure string    `json:"failure,omitempty"`
	Failed  time.Time `json:"failed_at,omitzero"`
	// Next is when it is started again, of one that does not run.
	Next time.Time `json:"restarts_at,omitzero"`
}

// restarts keeps Regions. Any goroutine may use it.
type restarts struct {
	mu      sync.Mutex
	regions []Region
}

// failed takes note that a region has failed, and is started again after a time.
func (r *restarts) failed(region int, why string, after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := &r.regions[region]
	x.Failure, x.Failed = why, time.Now()
	x.Next = x.Failed.Add(after)
}

// restarted takes note that regions run again.
func (r *restarts) restarted(regions []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range regions {
		r.regions[i].Restarts++
		r.regions[i].Next = time.Time{}
	}
}

func (r *restarts) read() []Region {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.regions)
}
