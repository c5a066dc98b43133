package job

import (
	"errors"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// A region is a part of the job that no record leaves or enters. When a part of
// it fails, all of its parts are ended, for what is in flight between them is
// lost; then, after a while, they are made anew at the current checkpoint, or at
// the beginning where there is none. The other regions go on, but no checkpoint
// begins before all run again.
//
// Which checkpoint is current is not known while one is being stored, nor after
// storing one has failed, until the next is stored. In the first case the region
// waits. In the second all regions are made anew, together, at what the store says
// is current: what the others have kept since is relative to another one.
type (
	// Broken says that a part of a region has ended with an error that need not
	// come again, or that the region could not be made anew. One that will come
	// again is a Failure.
	Broken struct {
		Region int // index in Config.Regions
		Err    error
	}
	// Fallen says that all parts of a region have ended, as TearDown asks.
	Fallen struct{ Region int }
	// Due says that the time of a Wait has come.
	Due struct{ Region int }
	// Rebuilt says that regions have been made anew, and do not run yet.
	Rebuilt struct {
		Regions      []int
		At           gpflow.CheckpointID // 0: at the beginning
		Sources      []Source            // theirs, as they were then
		Committables []checkpoint.Pending
	}
)

// The actions of regions.
type (
	// TearDown has all parts of a region ended, at once.
	TearDown struct{ Region int }
	// Wait asks for a Due. It takes the place of the one before.
	Wait struct {
		Region int
		Time   gpflow.Timestamp
	}
	// Restarting says what becomes of a failure, to tell people.
	Restarting struct {
		Region  int
		Err     error
		Wait    gpflow.Duration // from the failure
		Attempt int             // how many failures there have been in the time that counts
		Whole   bool            // all regions begin anew
	}
	// Rebuild has the parts of regions made anew at the current checkpoint; Claim
	// says that the store is to be asked which that is, as at a start. Rebuilt
	// answers it, or Broken for one of the regions, which leaves nothing of any.
	Rebuild struct {
		Regions []int
		Claim   bool
	}
)

func (Broken) event()      {}
func (Fallen) event()      {}
func (Due) event()         {}
func (Rebuilt) event()     {}
func (TearDown) action()   {}
func (Wait) action()       {}
func (Restarting) action() {}
func (Rebuild) action()    {}

// region is what the machine knows of a region.
type region struct {
	names    []string // of its parts
	retries  retries
	down     bool        // from a failure until it is made anew
	fallen   bool        // if down: all parts have ended
	due      bool        // likewise: it need not wait
	building bool        // likewise: it is being made
	untold   *Restarting // likewise: what is still to be said
}

// ofRegion takes an event of regions.
func (j *Job) ofRegion(now gpflow.Timestamp, e Event) []Action {
	switch e := e.(type) {
	case Broken:
		return j.broken(now, e)
	case Fallen:
		j.regions[e.Region].fallen = true
	case Due:
		j.regions[e.Region].due = true
	case Rebuilt:
		return j.rebuilt(now, e)
	}
	return nil
}

// isDown reports whether the parts of a name are down: what they still say does
// not count.
func (j *Job) isDown(name string) bool {
	return slices.ContainsFunc(j.regions, func(r *region) bool { return r.down && slices.Contains(r.names, name) })
}

// broken takes a failure of a region.
func (j *Job) broken(now gpflow.Timestamp, e Broken) []Action {
	if !j.durable || e.Region >= len(j.regions) || j.points.Over() {
		return j.finish(Failed, e.Err)
	}
	r := j.regions[e.Region]
	if r.down && !r.building {
		return nil // a part that is being ended
	}
	wait, attempt, ok := r.retries.failed(now)
	if !ok {
		return j.finish(Failed, r.retries.exhausted(e.Err))
	}
	as := j.fell(now, e)
	r.due = false
	r.untold = &Restarting{Region: e.Region, Err: e.Err, Wait: wait, Attempt: attempt}
	return append(as, Wait{e.Region, now.Add(wait)})
}

// fell takes a region down, or back to where nothing of it is left.
func (j *Job) fell(now gpflow.Timestamp, e Broken) []Action {
	if !j.regions[e.Region].building {
		return j.tearDown(now, e.Region, e.Err)
	}
	for i, r := range j.regions {
		if i == e.Region || j.whole {
			r.building = false
		}
	}
	return nil
}

// tearDown ends a region because of an error, which need not be its own.
func (j *Job) tearDown(now gpflow.Timestamp, i int, err error) []Action {
	r := j.regions[i]
	r.down, r.fallen, r.due = true, false, true
	return append([]Action{TearDown{i}}, j.point(now, checkpoint.Down{Names: r.names, Err: err})...)
}

// revive goes on with the regions that are down.
func (j *Job) revive(now gpflow.Timestamp) []Action {
	if j.over || j.points.Storing() && j.bug != RebuildWhileStoring {
		return nil
	}
	var as []Action
	if j.doubt && !j.whole && j.bug != IgnoreDoubt {
		as = j.all(now)
	}
	var ready []int
	for i, r := range j.regions {
		if r.untold != nil {
			r.untold.Whole = j.whole
			as = append(as, *r.untold)
			r.untold = nil
		}
		if r.down && r.fallen && r.due && !r.building {
			ready = append(ready, i)
		}
	}
	if j.whole {
		if len(ready) == len(j.regions) {
			as = append(as, j.rebuild(ready))
		}
		return as
	}
	for _, i := range ready {
		as = append(as, j.rebuild([]int{i}))
	}
	return as
}

// all takes all regions down where one is, for want of knowing which checkpoint
// is current.
func (j *Job) all(now gpflow.Timestamp) []Action {
	first := slices.IndexFunc(j.regions, func(r *region) bool { return r.down })
	if first < 0 {
		return nil
	}
	j.whole = true
	var as []Action
	for i, r := range j.regions {
		if !r.down {
			as = append(as, j.tearDown(now, i, errors.New("another region begins anew, and storing the last checkpoint had failed"))...)
		}
	}
	return as
}

func (j *Job) rebuild(regions []int) Action {
	for _, i := range regions {
		j.regions[i].building = true
	}
	return Rebuild{regions, j.whole && j.bug != RebuildWithoutClaim}
}

// hurry has regions that are down wait no longer: somebody waits for the end.
func (j *Job) hurry() {
	for _, r := range j.regions {
		r.due = true
	}
}

// rebuilt goes on with regions that have been made anew.
func (j *Job) rebuilt(now gpflow.Timestamp, e Rebuilt) []Action {
	var names []string
	for _, i := range e.Regions {
		r := j.regions[i]
		r.down, r.building = false, false
		r.retries.started(now)
		names = append(names, r.names...)
	}
	if j.whole {
		j.whole, j.doubt = false, false
	}
	for w := range j.ended {
		if slices.Contains(names, w.Sink) && j.bug != KeepEnded {
			delete(j.ended, w)
		}
	}
	var begun []*source
	for _, s := range e.Sources {
		x := newSource(s)
		j.sources[slices.IndexFunc(j.sources, func(o *source) bool { return o.Address == s.Address })] = x
		begun = append(begun, x)
	}
	var as []Action
	if j.draining {
		as = endInput(begun)
	} else {
		as = j.start(begun)
	}
	return append(as, j.point(now, checkpoint.Up{Names: names, At: e.At, Committables: e.Committables})...)
}
