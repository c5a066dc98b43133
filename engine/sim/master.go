package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
)

// master does what the engine's master does: it feeds the job's machine and
// performs its actions.
type master struct {
	a    *attempt
	node *node
	job  *job.Job
	part.Parts[*node]
	regions    map[int]*region // that live
	clocks     []*node         // of regions
	events     []job.Event     // that actions have led to at once
	begun      bool
	outcome    job.Outcome
	err        error
	committing map[checkpoint.Part]gpflow.CheckpointID
	finished   map[job.Writer]bool // that have said so
}

func newMaster(a *attempt) *master {
	m := &master{
		a: a, node: a.add("master"), Parts: part.NewParts[*node](), regions: make(map[int]*region),
		committing: make(map[checkpoint.Part]gpflow.CheckpointID), finished: make(map[job.Writer]bool),
	}
	m.node.who = m
	for i := range a.regions {
		n := a.add(fmt.Sprintf("clock of region %d", i))
		n.who, m.clocks = alarm{}, append(m.clocks, n)
	}
	return m
}

// tick is a message of the master to itself.
type tick struct{}

// built says that regions have been made anew.
type built struct {
	asked job.Rebuild
	build *build
}

func (m *master) receive(message any) error {
	switch e := message.(type) {
	case job.Event:
		m.hear(e)
		m.step(e)
	case tick:
		m.step(job.Point{CoordinatorEvent: checkpoint.Tick{}})
	case exited:
		m.buried(e)
	case built:
		m.built(e)
	}
	return nil
}

// hear takes note of what the simulation has to know of an event.
func (m *master) hear(e job.Event) {
	switch e := e.(type) {
	case job.Ended:
		m.finished[e.Writer] = true
	case job.Point:
		if c, ok := e.CoordinatorEvent.(checkpoint.Committed); ok {
			delete(m.committing, c.Part)
			m.settle(committing)
		}
	}
}

// take makes what was built known, in the place of what was there, and starts it.
func (m *master) take(b *build) {
	m.Take(b.Parts)
	for _, w := range b.sinks {
		delete(m.finished, w)
	}
	for i := range b.attempt.regions {
		if r := b.regions[i]; r != nil {
			m.regions[i] = r
			for _, n := range r.nodes {
				if _, ok := n.who.(*link); !ok {
					r.alive++
				}
			}
			m.a.nodes = append(m.a.nodes, r.nodes...)
		}
	}
}

// built starts regions that have been made anew.
func (m *master) built(e built) {
	m.take(e.build)
	m.a.stats.Rebuilt++
	done := job.Rebuilt{Regions: e.asked.Regions, Sources: e.build.sources}
	if f := e.build.former; f != nil {
		done.At, done.Committables = f.Manifest().ID, f.Commit()
	}
	m.step(done)
}

func (m *master) work() (bool, error) {
	if !m.begun {
		m.begun = true
		m.step(job.Started{})
	}
	return false, nil
}

func (m *master) step(e job.Event) {
	m.events = append(m.events, e)
	for len(m.events) > 0 {
		e := m.events[0]
		m.events = m.events[1:]
		for _, action := range m.job.Step(m.a.now, e) {
			m.perform(action)
		}
	}
}

func (m *master) perform(action job.Action) {
	switch x := action.(type) {
	case job.Trigger:
		m.a.phase = aligning
		m.deliver(x)
	case job.Store:
		m.a.phase = storing
		m.a.complete(x)
		longest := 400
		if m.a.slow || !m.a.config.Calm && m.a.rand.IntN(4) == 0 {
			longest = 4_000_000 // storing takes longer than the wait of a region that is down
		}
		m.a.slow = false
		m.a.post(m.node, m.a.archivist.node, x, longest)
	case job.Save:
		m.a.send(m.node, m.a.archivist.node, x)
	case job.Do:
		m.do(x.CoordinatorAction)
	case job.Finish:
		m.finish(x)
	default:
		m.ofRegion(action)
	}
}

// ofRegion performs an action of regions.
func (m *master) ofRegion(action job.Action) {
	switch x := action.(type) {
	case job.TearDown:
		m.a.soon()
		maps.DeleteFunc(m.committing, func(p checkpoint.Part, _ gpflow.CheckpointID) bool {
			return slices.Contains(m.a.regions[x.Region], p.Name)
		})
		m.settle(m.a.phase)
		if r := m.regions[x.Region]; r != nil {
			r.tearDown()
		} else {
			m.events = append(m.events, job.Fallen(x))
		}
	case job.Wait:
		m.wait(x)
	case job.Restarting:
		m.a.trace.say("region %d begins anew in %s, all with it: %t, attempt %d: %v", x.Region, x.Wait, x.Whole, x.Attempt, x.Err)
	case job.Rebuild:
		m.a.soon()
		m.a.send(m.node, m.a.archivist.node, x)
	default:
		if m.deliver(action) {
			return
		}
		m.a.broken("simulation", "it does not know the action %T", action)
	}
}

// finish ends the attempt. A job that has stopped has first come to its end
// everywhere.
func (m *master) finish(x job.Finish) {
	m.outcome, m.err = x.Outcome, x.Err
	for _, w := range m.a.job.Sinks {
		if x.Outcome == job.Stopped && !m.finished[w] {
			m.a.broken("stop", "the job has stopped, and the writer %s[%d] has not ended", w.Sink, w.Subtask)
		}
	}
}

// deliver sends an action to the parts that it is for, and reports whether there are
// some. Commits may take longer than what comes behind them.
func (m *master) deliver(action any) bool {
	return m.Deliver(action, func(to *node, message any) {
		longest := 400
		if _, ok := message.(checkpoint.Commit); ok {
			longest = 8000
		}
		m.a.post(m.node, to, message, longest)
	})
}

func (m *master) do(action checkpoint.CoordinatorAction) {
	switch x := action.(type) {
	case checkpoint.Abort:
		m.a.stats.Aborted++
		m.settle(m.a.phase)
		m.a.trace.say("abort %d: %v", x.ID, x.Err)
	case checkpoint.Completed:
		m.settle(m.a.phase)
	case checkpoint.Commit:
		if id, ok := m.committing[x.Part]; ok {
			m.a.broken("commits in order", "%s is to commit what it prepared for %d before that of %d has been committed", x.Part, x.ID, id)
		}
		m.committing[x.Part] = x.ID
		m.settle(m.a.phase)
	case checkpoint.WakeAt:
		m.node.alarm, m.node.ring = max(x.Time, m.a.now+1), func() { m.a.send(m.node, m.node, tick{}) }
		if x.Time > m.a.now+far {
			m.a.leap = m.a.steps + m.a.rand.IntN(500)
		}
	}
	m.deliver(action)
}

// settle takes note that something is over that went on in a phase.
func (m *master) settle(over phase) {
	switch {
	case m.a.phase != over && m.a.phase != quiet:
	case len(m.committing) > 0:
		m.a.phase = committing
	default:
		m.a.phase = quiet
	}
}
