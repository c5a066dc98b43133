package sim

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// The actors of regions are spread over workers. Master, archivist, clocks and
// enumerators are on the first, with some of the others.

// route is a connection from one worker to another. That back is another one.
type route struct{ from, to int }

// workers are where actors are, and what lies between them.
type workers struct {
	count int
	cuts  map[route]gpflow.Timestamp // until when nothing goes by
}

// clear returns from when on something goes by from one worker to another.
func (w *workers) clear(from, to int) gpflow.Timestamp {
	if from == to {
		return gpflow.MinTimestamp
	}
	if t, ok := w.cuts[route{from, to}]; ok {
		return t
	}
	return gpflow.MinTimestamp
}

// isolate cuts a connection between two workers, or both of them, or all of one.
// They heal after a while: what was sent meanwhile has waited, as in a connection
// that sends again what was lost. Where that takes too long for a channel, one of
// its ends fails.
func (a *attempt) isolate() {
	if a.workers.count < 2 {
		return
	}
	one := a.rand.IntN(a.workers.count)
	other := (one + 1 + a.rand.IntN(a.workers.count-1)) % a.workers.count
	cut := []route{{one, other}}
	switch a.rand.IntN(3) {
	case 0:
		cut = append(cut, route{other, one})
	case 1:
		cut = cut[:0]
		for w := range a.workers.count {
			if w != one {
				cut = append(cut, route{one, w}, route{w, one})
			}
		}
	}
	long := a.rand.IntN(3) == 0
	time := 1 + a.rand.IntN(5000)
	if long {
		time *= 20
	}
	for _, r := range cut {
		a.workers.cuts[r] = a.now.Add(gpflow.Duration(time))
	}
	a.stats.Cut++
	a.trace.say("FAULT: %v is cut for %d", cut, time)
	if long {
		a.disconnect(cut)
	}
}

// disconnect has an end of a channel over one of these connections fail, if there
// is one.
func (a *attempt) disconnect(cut []route) {
	var over []*node
	for _, n := range a.nodes {
		if l, ok := n.who.(*link); ok && !n.dead && slices.Contains(cut, route{n.worker, n.to}) {
			over = append(over, l.ends[a.rand.IntN(2)])
		}
	}
	over = slices.DeleteFunc(over, func(n *node) bool { return n.dead || n.doom != spared })
	if len(over) > 0 {
		a.breaks(over[a.rand.IntN(len(over))], before)
	}
}

// loseWorker has all actors of a worker fail at once; not of the first, whose end
// is that of everything.
func (a *attempt) loseWorker() {
	if a.workers.count < 2 {
		return
	}
	w := 1 + a.rand.IntN(a.workers.count-1)
	a.stats.LostWorkers++
	a.trace.say("FAULT: worker %d is lost", w)
	for _, n := range a.nodes {
		if _, ok := n.who.(*link); !ok && !n.dead && n.doom == spared && n.worker == w {
			a.breaks(n, before)
		}
	}
}

// breaks has a part of a region fail.
func (a *attempt) breaks(n *node, how doom) {
	n.doom, n.awake = how, true
	a.stats.Broken++
	a.trace.say("FAULT: %s is to fail, %d", n.name, n.doom)
}
