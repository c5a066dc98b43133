package sim

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// link carries what is sent on one channel, from an inbox of its own into the
// receiver's, when the scheduler lets it: so channels are slow, and silent for a
// while, each for itself. It sees what has gone by.
type link struct {
	in     *exchange.Inbox
	out    *exchange.Channel
	ends   [2]*node                      // sender and receiver
	rows   int64                         // gone by
	before map[gpflow.CheckpointID]int64 // a barrier, of those
}

// open makes a channel from a sender to the inbox of a receiver. The link is where
// the sender is.
func (b *build) open(name string, x *exchange.Inbox, sender, receiver *node, schemas ...*gpflow.Schema) (*exchange.Channel, *link) {
	n := b.add("link "+name, sender.worker)
	n.to = receiver.worker
	l := &link{in: exchange.NewInbox(n.wake), ends: [2]*node{sender, receiver}, before: make(map[gpflow.CheckpointID]int64)}
	n.who = l
	limit := exchange.Limit{Rows: b.top.limitRows, Bytes: exchange.DefaultLimit.Bytes}
	c := l.in.Open(limit, sender.wake)
	l.out = x.Open(limit, n.wake)
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
		l.rows += int64(e.Batch.N)
	case exchange.Barrier:
		l.before[e.Checkpoint] = l.rows
	}
	l.out.Send(e)
	return true, nil
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
