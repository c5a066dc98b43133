package sim

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
)

// errBroken is what a part of a region fails with, of which the world goes on.
var errBroken = errors.New("the simulation has the part fail")

// errTornDown ends the parts of a region that is torn down.
var errTornDown = errors.New("torn down")

// region is what is alive of a region.
type region struct {
	index int
	nodes []*node
	alive int // those that are no links, and of whose end the master has not heard
}

// doom says how an actor is to end.
type doom int

const (
	spared doom = iota
	before      // it fails instead of what it does next
	behind      // it fails when it has done that
	within      // of a writer: it fails in the next call of its sink that makes something last
	killed      // it does nothing more, once it hears of that
)

// exited is the last that an actor of a region sends to the master.
type exited struct {
	node *node
	err  error
}

// died tells the master of the end of an actor, behind all that it has said, of which
// something may be lost where that is no end in order. What it encodes beside its
// work may still get done.
func (a *attempt) died(n *node, err error) {
	if _, ok := n.who.(*link); ok {
		return
	}
	if err == errFinished {
		a.send(n, a.master.node, exited{n, nil})
		return
	}
	if b, ok := n.who.(background); ok {
		for b.due() < gpflow.MaxTimestamp && a.rand.IntN(8) > 0 {
			b.think()
		}
		b.drop()
	}
	for _, p := range a.master.node.mail {
		if p.from == n && a.rand.IntN(2) == 0 {
			p.mail = p.mail[:a.rand.IntN(len(p.mail)+1)]
		}
	}
	a.send(n, a.master.node, exited{n, err})
}

// tearDown ends all actors of a region, each when it is its turn and its worker can
// be told. What is under way between them is lost.
func (r *region) tearDown() {
	for _, n := range r.nodes {
		n.doom, n.awake = killed, true
	}
}

// buried takes note of the end of an actor.
func (m *master) buried(e exited) {
	r := e.node.region
	r.alive--
	switch {
	case e.err == nil || errors.Is(e.err, errTornDown):
	case errors.Is(e.err, errBroken):
		m.step(job.Broken{Region: r.index, Err: fmt.Errorf("%s: %w", e.node.name, e.err)})
	default:
		m.step(job.Failure{Err: fmt.Errorf("%s: %w", e.node.name, e.err)})
	}
	if r.alive > 0 {
		return
	}
	for _, n := range r.nodes {
		n.dead = true // links
		if s, ok := n.who.(*subtask); ok {
			for _, m := range s.States {
				m.Leave()
			}
		}
	}
	m.a.forget(r)
	delete(m.regions, r.index)
	m.step(job.Fallen{Region: r.index})
}

// shatter has a part of a region fail, where one lives.
func (a *attempt) shatter() {
	var parts []*node
	for i := range a.regions {
		r := a.master.regions[i]
		if r == nil || len(parts) > 0 && a.rand.IntN(2) == 0 {
			continue
		}
		var living []*node
		for _, n := range r.nodes {
			if _, ok := n.who.(*link); !ok && !n.dead && n.doom == spared {
				living = append(living, n)
			}
		}
		if len(living) > 0 {
			parts = living
		}
	}
	if len(parts) == 0 {
		return
	}
	n := parts[a.rand.IntN(len(parts))]
	how := before + doom(a.rand.IntN(2))
	if _, ok := n.who.(*writer); ok && a.rand.IntN(3) > 0 {
		how = within
	}
	a.breaks(n, how)
}

// alarm is the clock of a region that waits to be made anew.
type alarm struct{}

func (alarm) receive(any) error   { return nil }
func (alarm) work() (bool, error) { return false, nil }

// wait has a region told that its time has come. The clock may leap there: nobody
// has had a chance to do anything for that long.
func (m *master) wait(w job.Wait) {
	n := m.clocks[w.Region]
	n.alarm, n.ring = max(w.Time, m.a.now+1), func() { m.a.send(n, m.node, job.Due{Region: w.Region}) }
	if m.a.rand.IntN(4) > 0 {
		m.a.leap = m.a.steps + m.a.rand.IntN(500)
	}
}

// far is a time in which a job does more than a run has time for.
const far = 50_000

// leaps moves the clock to the time at which the first of the regions is due, or the
// next checkpoint, where that is far.
func (m *master) leaps() {
	next := gpflow.MaxTimestamp
	if m.node.alarm > m.a.now+far {
		next = m.node.alarm
	}
	for _, n := range m.clocks {
		if n.alarm != 0 {
			next = min(next, n.alarm)
		}
	}
	m.a.leap = 0
	if next < gpflow.MaxTimestamp && next > m.a.now {
		m.a.trace.say("the clock leaps from %d to %d", m.a.now, next)
		m.a.now = next
	}
}
