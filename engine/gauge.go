package engine

import (
	"sync"
	"time"
)

// activity is what a part of a job spends its time on.
type activity int

const (
	idling   activity = iota // there is nothing to do
	busying                  // working, or waiting for a disk
	blocking                 // whoever comes next has no room
	activities
)

// gauge measures how an actor spends its time. The actor enters an activity
// where it begins another one; others may look at any time.
type gauge struct {
	now activity // written by the actor, which may read it without mu

	mu    sync.Mutex
	since time.Time // zero: not begun
	spent [activities]time.Duration
}

// enter begins an activity, if it is another one.
func (g *gauge) enter(a activity) {
	if a == g.now && !g.since.IsZero() {
		return
	}
	at := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.since.IsZero() {
		g.spent[g.now] += at.Sub(g.since)
	}
	g.now, g.since = a, at
}

// read returns what has been spent until at on each activity.
func (g *gauge) read(at time.Time) [activities]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	spent := g.spent
	if !g.since.IsZero() {
		spent[g.now] += max(0, at.Sub(g.since))
	}
	return spent
}

// Load is how a node's subtasks have spent their time of late, as shares that
// add up to 1, or are all 0 where nothing is known. Nodes of one task share one
// load, but a source and a sink have their own.
type Load struct {
	Busy    float64 `json:"busy"`
	Idle    float64 `json:"idle"`
	Blocked float64 `json:"back_pressured"`
}

// sample is what had been counted at a time.
type sample struct {
	at    time.Time
	nodes []nodeSample // in the order of the plan
}

type nodeSample struct {
	in       int64
	subtasks []int64 // in, by subtask
	restarts int64
	spent    [activities]time.Duration
}

// pulse keeps samples, to tell what is the case of late from what has been
// since the start.
type pulse struct {
	mu         sync.Mutex
	first      sample // not changed behind the start
	older, old sample
}

// lately is the least time that rates are taken over; it is up to twice as long
// where somebody looks every second.
const lately = time.Second

// briefly is the least time that says anything about a rate.
const briefly = 100 * time.Millisecond

// begin takes the sample of the start.
func (p *pulse) begin(s sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first, p.older, p.old = s, s, s
}

// since takes a sample, and returns the one to compare it with: the first where
// all is to count.
func (p *pulse) since(s sample, all bool) sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	if all {
		return p.first
	}
	if s.at.Sub(p.old.at) >= lately {
		p.older, p.old = p.old, s
	}
	return p.older
}

// skew returns the largest of what came into each subtask between two samples, as
// a multiple of their mean.
func skew(was, is []int64) float64 {
	if len(is) < 2 {
		return 0
	}
	var most, all int64
	for i := range is {
		n := max(0, is[i]-was[i]) // a region that has failed has gone back
		most, all = max(most, n), all+n
	}
	if all == 0 {
		return 0
	}
	return float64(most) * float64(len(is)) / float64(all)
}

// rates fills in what a node has done between two samples.
func (n *Node) rates(was, is nodeSample, span time.Duration) {
	if is.restarts != was.restarts { // it has gone back, and its subtasks are others
		was = nodeSample{in: min(was.in, is.in)}
	}
	if span >= briefly {
		n.Rate = float64(is.in-was.in) / span.Seconds()
	}
	var total time.Duration
	for a := range is.spent {
		total += is.spent[a] - was.spent[a]
	}
	if total <= 0 {
		return
	}
	share := func(a activity) float64 { return float64(is.spent[a]-was.spent[a]) / float64(total) }
	n.Busy, n.Idle, n.Blocked = share(busying), share(idling), share(blocking)
}
