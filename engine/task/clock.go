package task

import "github.com/gpflow/gpflow"

// clock merges the watermarks of a subtask's channels: the subtask's is the
// minimum over the channels that are not idle, and never goes back.
//
// A channel that has ended keeps its last watermark. Where its input was read
// to the end, that is MaxTimestamp and holds nothing back; where it was
// stopped before, no window may close early because of it.
//
// The end of time has come when every channel has said so. Where only the
// channels that have not are idle, the watermark stays: they may go on.
type clock struct {
	marks []gpflow.Timestamp
	idle  []bool
	ended []bool
	live  int // channels that have not ended
	now   gpflow.Timestamp
}

func newClock(channels int) *clock {
	c := &clock{
		marks: make([]gpflow.Timestamp, channels), idle: make([]bool, channels),
		ended: make([]bool, channels), live: channels, now: gpflow.MinTimestamp,
	}
	for i := range c.marks {
		c.marks[i] = gpflow.MinTimestamp
	}
	return c
}

// observe takes a channel's watermark and reports whether the subtask's moved.
func (c *clock) observe(channel int, t gpflow.Timestamp) bool {
	c.marks[channel] = max(c.marks[channel], t)
	return c.advance()
}

// active takes note that a channel has something to say.
func (c *clock) active(channel int) { c.idle[channel] = false }

// pause takes note that a channel has nothing to say, and reports whether the
// subtask's watermark moved.
func (c *clock) pause(channel int) bool {
	c.idle[channel] = true
	return c.advance()
}

// end takes note that nothing more comes on a channel.
func (c *clock) end(channel int) {
	if !c.ended[channel] {
		c.ended[channel] = true
		c.live--
	}
}

// allIdle reports whether every channel that has not ended is idle.
func (c *clock) allIdle() bool {
	for i := range c.idle {
		if !c.idle[i] && !c.ended[i] {
			return false
		}
	}
	return c.live > 0
}

// holder returns the channel that holds the watermark back, or -1.
func (c *clock) holder() int {
	at := -1
	for i, m := range c.marks {
		if !c.idle[i] && (at < 0 || m < c.marks[at]) {
			at = i
		}
	}
	return at
}

func (c *clock) advance() bool {
	t := c.low()
	if t <= c.now {
		return false
	}
	c.now = t
	return true
}

// low returns the minimum over the channels that are not idle, leaving out
// those that have come to the end of time. Where only idle ones are left, the
// latest of them counts: so it does not matter which went idle first. The end
// of time needs every channel.
func (c *clock) low() gpflow.Timestamp {
	low, latest := gpflow.MaxTimestamp, gpflow.MinTimestamp
	held, over := false, true
	for i, m := range c.marks {
		switch {
		case m == gpflow.MaxTimestamp:
			continue
		case c.idle[i]:
			latest = max(latest, m)
		default:
			low, held = min(low, m), true
		}
		over = false
	}
	if held || over {
		return low
	}
	return latest
}
