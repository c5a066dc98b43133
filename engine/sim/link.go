package sim

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// link carries what is sent on one channel, from an inbox of its own into the
// receiver's, when the scheduler lets it: so channels are slow, and silent for a
// while, each for itself. It sees what has gone by.
type link struct {
	in       *exchange.Inbox
	out      *exchange.Channel
	ends     [2]*node // sender and receiver
	broken   func(promise, format string, args ...any)
	rows     int64                         // gone by
	over     bool                          // the end of time has gone by
	timeless bool                          // marks say nothing
	before   map[gpflow.CheckpointID]int64 // a barrier, of those
}

// open makes a channel from a sender to the inbox of a receiver. The link is where
// the sender is.
func (b *build) open(name string, x *exchange.Inbox, sender, receiver *node, schemas ...*gpflow.Schema) (*exchange.Channel, *link) {
	n := b.add("link "+name, sender.worker)
	n.to = receiver.worker
	l := &link{in: exchange.NewInbox(n.wake), ends: [2]*node{sender, receiver}, broken: b.broken, before: make(map[gpflow.CheckpointID]int64)}
	n.who = l
	c := l.in.Open(b.top.limit, sender.wake)
	l.out = x.Open(b.top.limit, n.wake)
	c.Plant(b.config.Exchange)
	l.out.Plant(b.config.Exchange)
	if b.top.encode {
		c.Encode(schemas...)
	}
	return c, l
}

func (l *link) receive(any) error { return nil }

func (l *link) work() (bool, error) {
	if !l.out.Ready() {
		return false, nil
	}
	_, e, ok := l.in.Take()
	if !ok {
		return false, nil
	}
	switch e.Kind {
	case exchange.Data:
		l.pass(e.Batch)
	case exchange.Barrier:
		l.before[e.Checkpoint] = l.rows
	}
	l.out.Send(e)
	return true, nil
}

// pass looks at a batch that goes by.
func (l *link) pass(b *gpflow.Batch) {
	if l.over && b.N > 0 {
		l.broken("end of time", "%s sends %d rows to %s behind it", l.ends[0].name, b.N, l.ends[1].name)
	}
	l.over = l.over || !l.timeless && b.Ends()
	l.rows += int64(b.N)
}

// ahead returns the rows that precede a barrier on the channel: all of them
// where the channel has ended without one.
func (l *link) ahead(id gpflow.CheckpointID) int64 {
	if n, ok := l.before[id]; ok {
		return n
	}
	return l.rows
}

// ahead returns the rows that precede a barrier on all of an inbox's channels.
func ahead(links []*link, id gpflow.CheckpointID) (n int64) {
	for _, l := range links {
		n += l.ahead(id)
	}
	return n
}
