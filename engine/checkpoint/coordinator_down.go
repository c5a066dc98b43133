package checkpoint

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// The events of parts that begin anew in the midst of an attempt. While parts are
// down no checkpoint begins, since they could not take part in it, and what they
// still say does not count.
type (
	// Down says that all parts of these names are being ended, and why. A
	// checkpoint that waits for parts is given up, which is no failure of the
	// checkpoint's own. One that is being stored goes on: what is current decides
	// where the parts begin anew.
	Down struct {
		Names []string
		Err   error
	}
	// Up says that the parts of these names, which were down, have begun anew: at
	// checkpoint At, which is the current one, or at the beginning, where At is 0.
	// Committables are those that it lists: theirs are committed again (C4), and
	// what they had prepared behind it is gone (C8). A part that has come to its
	// end says Gone again.
	//
	// Not all of what is current is known here where the answer of a store was
	// lost. Then all parts go down.
	Up struct {
		Names        []string
		At           gpflow.CheckpointID
		Committables []Pending
	}
)

func (Down) coordinatorEvent() {}
func (Up) coordinatorEvent()   {}

// goDown gives up what the parts cannot take part in any more.
func (c *Coordinator) goDown(e Down) {
	for _, n := range e.Names {
		c.down[n] = true
	}
	f := c.flight
	if f == nil || f.storing {
		return
	}
	c.flight, c.plain = nil, c.plain || f.plain
	c.do(Abort{f.id, fmt.Errorf("checkpoint %d: %w", f.id, e.Err), true})
}

// goUp forgets what the parts were and had prepared.
func (c *Coordinator) goUp(e Up) {
	for _, n := range e.Names {
		delete(c.down, n)
	}
	of := func(p Part) bool { return slices.Contains(e.Names, p.Name) }
	if c.config.Plant != KeepPrepared {
		c.prepared = slices.DeleteFunc(c.prepared, func(p Pending) bool { return of(p.Part) })
	}
	c.commits = slices.DeleteFunc(c.commits, func(p commit) bool { return of(p.Part) })
	for _, p := range e.Committables {
		if of(p.Part) && c.config.Plant != ForgetUp {
			c.commits = append(c.commits, commit{Pending: p})
		}
	}
	c.completed = max(c.completed, e.At)
	c.reading, c.living = 0, 0
	for _, m := range c.members {
		if of(m.Part) && (!m.gone || c.config.Plant != KeepGone) {
			m.seen, m.gone, m.end = c.last, false, Snapshot{}
		}
		if m.gone {
			continue
		}
		c.living++
		if m.Kind == Reader {
			c.reading++
		}
	}
	c.ask()
}

// dead reports whether an event is of a part that is down.
func (c *Coordinator) dead(e CoordinatorEvent) bool {
	switch e := e.(type) {
	case Acknowledged:
		return c.down[e.Part.Name]
	case Declined:
		return c.down[e.Part.Name]
	case Gone:
		return c.down[e.Part.Name]
	case Committed:
		return c.down[e.Part.Name]
	}
	return false
}

// Storing reports whether a checkpoint is being stored, so that it is not known
// yet which one is current.
func (c *Coordinator) Storing() bool { return c.flight != nil && c.flight.storing }

// Over reports whether Done or Fail has been said: nothing is left to do.
func (c *Coordinator) Over() bool { return c.over }
