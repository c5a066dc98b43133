package checkpoint

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// requested queues a request. The savepoint of a stop is made last, with the
// stop.
func (c *Coordinator) requested(e Requested) {
	if e.Stop && !c.stop {
		c.stop, c.stopName = true, e.Name
	}
	if e.Name == "" {
		c.plain = true
		return
	}
	if !slices.Contains(c.names, e.Name) {
		c.names = append(c.names, e.Name)
	}
	if i := slices.Index(c.names, c.stopName); i >= 0 {
		c.names = append(slices.Delete(c.names, i, i+1), c.stopName)
	}
}

// begin begins the next checkpoint, if there is to be one now. What was asked
// for does not wait for a pause, unless the last one has failed.
func (c *Coordinator) begin() {
	if c.flight != nil || c.over || len(c.down) > 0 || c.now < c.heal || !c.wanted() && !c.periodic() {
		return
	}
	c.last++
	f := &flight{id: c.last, began: c.now, plain: c.plain, acks: make(map[Part]Snapshot)}
	if len(c.names) > 0 {
		f.name = c.names[0]
	}
	f.stop = c.resting || c.stop && len(c.names) <= 1
	c.plain = false
	c.due = c.now.Add(c.config.Every)
	c.flight = f
	if c.living > 0 {
		c.resting = f.stop
		c.do(Trigger{f.id, f.stop})
	}
	c.store()
}

// wanted reports whether a checkpoint is to be made without regard to the
// period.
func (c *Coordinator) wanted() bool {
	if c.ending {
		return len(c.names) > 0
	}
	return c.living == 0 || c.stop || c.plain || len(c.names) > 0
}

func (c *Coordinator) periodic() bool {
	return c.config.Every > 0 && !c.ending && c.now >= max(c.due, c.rest)
}

// deadline returns when the checkpoint in flight times out. Where no reader is
// left there is no time-out: the parts that live have only to come to their end
// (C7).
func (c *Coordinator) deadline() gpflow.Timestamp {
	f := c.flight
	if f == nil || f.storing || c.config.Timeout == 0 || c.readers > 0 && c.reading == 0 {
		return never
	}
	return f.began.Add(c.config.Timeout)
}

func (c *Coordinator) timeout() {
	if at := c.deadline(); at == never || at > c.now {
		return
	}
	_, parts := c.Waiting()
	more := ""
	if n := len(parts) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	c.fail(fmt.Errorf("timed out after %s, not acknowledged by %s%s", c.config.Timeout, parts[0], more))
}

// finish ends the job when the last checkpoint is completed and committed.
func (c *Coordinator) finish() {
	if c.ending && !c.over && len(c.down) == 0 && c.flight == nil && len(c.names) == 0 && len(c.commits) == 0 {
		c.over = true
		c.do(Done{c.completed, c.finished})
	}
}

// sleep asks for the next Tick, if another than before.
func (c *Coordinator) sleep() {
	if c.over {
		return
	}
	at := c.deadline()
	switch {
	case c.flight != nil || len(c.down) > 0:
	case c.wanted():
		at = c.heal
	case c.config.Every > 0 && !c.ending:
		at = max(c.due, c.rest, c.heal)
	}
	if at != c.wake && at != never {
		c.wake = at
		c.do(WakeAt{at})
	}
}
