package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/storage"
)

// regions says what the regions of a plan are.
type regions struct {
	of    map[string]int // region of a node, by address, which is also the id of a task
	names [][]string     // addresses of each, in the order of the plan
	place map[string]int // of a node in the plan
}

// all returns all regions.
func (r *regions) all() []int {
	all := make([]int, len(r.names))
	for i := range all {
		all[i] = i
	}
	return all
}

// divide finds the regions of the plan.
func (r *Run) divide() {
	r.regions = regions{of: make(map[string]int), place: make(map[string]int)}
	for i, tasks := range plan.Regions(r.plan) {
		r.regions.names = append(r.regions.names, nil)
		for _, id := range tasks {
			r.regions.of[id] = i
		}
	}
	for i := range r.plan.Tasks {
		t := &r.plan.Tasks[i]
		region := r.regions.of[t.ID]
		for o := range t.Ops {
			id := t.Ops[o].ID
			r.regions.place[id] = len(r.regions.place)
			r.regions.of[id] = region
			r.regions.names[region] = append(r.regions.names[region], id)
		}
	}
	for _, names := range r.regions.names {
		r.fates.regions = append(r.fates.regions, Region{Nodes: names})
	}
}

// region is the actor above those of a region, of which plan.Regions says what it
// is: it hears how they end, and ends when all have.
type region struct {
	index    int
	ref      *actor.Ref
	master   *actor.Ref
	children map[*actor.Ref]func() string // the name of each in what is said about it
	ending   bool                         // torn down
}

// The messages of regions.
type (
	// tearDown tells a region to end all of its parts at once.
	tearDown struct{}
	// fault tells the job what a part of a region, or an attempt to make it anew,
	// has failed with.
	fault struct {
		region int
		err    error
	}
)

// Receive implements actor.Actor.
func (r *region) Receive(_ context.Context, m any) error {
	switch m := m.(type) {
	case actor.Exited:
		if m.Err != nil {
			r.failed(m)
		}
		delete(r.children, m.Ref)
	case tearDown:
		r.ending = true
		for c := range r.children {
			c.Kill()
		}
	}
	return nil
}

// failed tells the job, unless it has torn the region down: that parts fail then
// says nothing, except where it forbids that they are started again.
func (r *region) failed(e actor.Exited) {
	if r.ending && (errors.Is(e.Err, context.Canceled) || restartable(e.Err)) {
		return
	}
	err := fmt.Errorf("%s: %w", r.children[e.Ref](), e.Err)
	var failure *RecordFailure
	if errors.As(e.Err, &failure) {
		err = failure // it names the node itself
	}
	r.master.Send(fault{r.index, err})
}

// Work implements actor.Actor.
func (r *region) Work(context.Context) (bool, error) {
	if len(r.children) == 0 {
		return false, actor.ErrFinished
	}
	return false, nil
}

// Close implements actor.Actor.
func (r *region) Close() error { return nil }

// restartable reports whether what has failed may be started again from the last
// checkpoint by the process itself. It may, whether it is an error or a panic,
// unless it would come to the same again, or to worse:
//
//   - a record met on_error = "fail", or was one more than on_error allows: it
//     would be met again,
//   - a connector says that its error is final,
//   - another process has taken over (C6): there is nothing left to go on with,
//   - an fsync has failed: what was written may be lost, though it seems to be there,
//   - the state is damaged, or not one that this program can read.
//
// What is wrong at the first start is returned by Start, and a ledger that does
// not add up is found at the end only; neither comes here.
func restartable(err error) bool {
	var (
		record  *RecordFailure
		final   *gpflow.FinalError
		stale   *checkpoint.StaleEpoch
		lost    *storage.SyncError
		damaged *checkpoint.Damaged
		newer   *checkpoint.Newer
		hash    *checkpoint.KeyHash
		changed *resume.LossError
	)
	return !errors.As(err, &record) && !errors.As(err, &final) && !errors.As(err, &stale) && !errors.As(err, &lost) &&
		!errors.As(err, &damaged) && !errors.As(err, &newer) && !errors.As(err, &hash) && !errors.As(err, &changed)
}

// headline returns what an error says without the stack of a panic.
func headline(err error) string {
	text := err.Error()
	var p *actor.PanicError
	if errors.As(err, &p) {
		text = strings.TrimSuffix(text, "\n"+string(p.Stack))
	}
	return text
}
