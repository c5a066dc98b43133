package checkpoint

import (
	"cmp"
	"fmt"
	"slices"
)

// commit is output that a completed checkpoint lists.
type commit struct {
	Pending
	asked bool // a Commit is under way
}

// counts reports whether a part has handed in what the checkpoint in flight
// needs of it.
func (c *Coordinator) counts(m *member) bool {
	_, ok := c.flight.acks[m.Part]
	return ok || m.gone
}

// store has the checkpoint in flight stored when all parts count.
func (c *Coordinator) store() {
	f := c.flight
	if f == nil || f.storing {
		return
	}
	missing := 0
	for _, m := range c.members {
		if !c.counts(m) {
			missing++
		}
	}
	if c.config.Plant == CompleteWithoutAll && missing == 1 && c.living > 1 {
		missing = 0
	}
	if missing > 0 {
		return
	}
	f.storing, f.final = true, c.living == 0 && len(f.acks) == 0
	c.split()
	parts, gone := c.snapshots()
	c.do(Store{f.id, c.completed, parts, gone, c.listed(), f.final, f.name})
	if c.config.Plant == CommitBeforeStored {
		c.queue()
	}
}

// split takes from what was prepared that which lies before the barriers of the
// checkpoint in flight: the end of a part that had acknowledged it does not.
func (c *Coordinator) split() {
	var later []Pending
	for _, p := range c.prepared {
		if p.ID <= c.flight.id {
			c.flight.takes = append(c.flight.takes, p)
		} else {
			later = append(later, p)
		}
	}
	slices.SortStableFunc(c.flight.takes, func(a, b Pending) int { return cmp.Compare(a.ID, b.ID) })
	c.prepared = later
}

// snapshots returns what the parts count with for the checkpoint in flight, and
// which count with their end.
func (c *Coordinator) snapshots() (parts map[Part]Snapshot, gone []Part) {
	f := c.flight
	parts = make(map[Part]Snapshot, len(c.members))
	for _, m := range c.members {
		s, ok := f.acks[m.Part]
		if !ok && m.gone {
			s = m.end
			f.atEnd = append(f.atEnd, m)
			gone = append(gone, m.Part)
		}
		s.Committable = nil
		parts[m.Part] = s
	}
	return parts, gone
}

// listed returns all that may have to be committed behind the checkpoint in
// flight.
func (c *Coordinator) listed() []Pending {
	var list []Pending
	if c.config.Plant != ForgetUncommitted {
		for _, p := range c.commits {
			list = append(list, p.Pending)
		}
	}
	return append(list, c.flight.takes...)
}

// complete: the checkpoint in flight is stored, and the current one. From here
// on its effects may be seen (C3, C9).
func (c *Coordinator) complete() {
	f := c.flight
	c.completed, c.failures = f.id, 0
	c.rest = c.now.Add(c.config.MinPause)
	c.ending = c.ending || f.stop || f.final
	c.finished = c.finished || f.final
	if i := slices.Index(c.names, f.name); i >= 0 {
		c.names = slices.Delete(c.names, i, i+1)
	}
	for _, m := range f.atEnd {
		if m.end.State != nil || m.end.Delta {
			m.end.State, m.end.Delta = nil, true // nothing has changed since
		}
	}
	c.do(Completed{f.id})
	c.queue()
	c.flight = nil
}

// fail ends the checkpoint in flight. What was prepared for it is kept for the
// next one (C8).
func (c *Coordinator) fail(cause error) {
	f := c.flight
	c.prepared = append(f.takes, c.prepared...)
	if c.config.Plant == ForgetAborted {
		c.prepared = nil
	}
	c.flight = nil
	c.plain = c.plain || f.plain
	c.failures++
	c.heal = c.now.Add(max(c.config.MinPause, failurePause))
	err := fmt.Errorf("checkpoint %d: %w", f.id, cause)
	c.do(Abort{f.id, err, false})
	if n := c.config.MaxFailures; n > 0 && c.failures >= n {
		c.over = true
		c.do(Fail{fmt.Errorf("%d checkpoints in a row have failed, and max_failures is %d; the last: %w", c.failures, n, err)})
	}
}

// restored commits again what the checkpoint gone on from lists (C4).
func (c *Coordinator) restored(e Restored) {
	if c.config.Plant == ForgetRestored {
		return
	}
	for _, p := range e.Committables {
		c.commits = append(c.commits, commit{Pending: p})
	}
	c.ask()
}

// queue has what the checkpoint in flight takes committed.
func (c *Coordinator) queue() {
	for _, p := range c.flight.takes {
		c.commits = append(c.commits, commit{Pending: p})
	}
	c.ask()
}

// ask has each part commit the first of what it has to commit.
func (c *Coordinator) ask() {
	busy := make(map[Part]bool)
	for i := range c.commits {
		p := &c.commits[i]
		if !busy[p.Part] && !p.asked && !c.down[p.Part.Name] {
			p.asked = true
			c.do(Commit{p.ID, p.Part, p.Committable})
		}
		busy[p.Part] = c.config.Plant != CommitAtOnce
	}
}

func (c *Coordinator) committed(e Committed) {
	i := slices.IndexFunc(c.commits, func(p commit) bool { return p.Part == e.Part && p.ID == e.ID && p.asked })
	if i >= 0 {
		c.commits = slices.Delete(c.commits, i, i+1)
		c.ask()
	}
}
