// Package exchange moves batches between subtasks: inboxes with credit, and
// outputs that route rows to them.
//
// Nothing here starts a goroutine or waits. Whoever finds no input, or no
// credit, parks, and is woken through the function it gave.
package exchange

import (
	"sync"
	"sync/atomic"

	"github.com/gpflow/gpflow"
)

// Kind says what an Event is.
type Kind uint8

// The kinds of events. Only Data needs credit.
const (
	Data    Kind = iota // a batch: rows, marks or both
	Idle                // the channel has nothing to say about time until its next Data
	Barrier             // what came before belongs to a checkpoint, what comes behind does not
	End                 // nothing more comes
)

// Event is what travels on a channel, in order.
type Event struct {
	Kind  Kind
	Batch *gpflow.Batch // of Data; the receiver releases it
	// Port is the output of a source that the rows of Data are from.
	Port int
	// Drained, of End, says that the input was read to its end, and not
	// stopped before it.
	Drained bool
	// Checkpoint is the one of Barrier.
	Checkpoint gpflow.CheckpointID
}

// Limit is how much may be in flight on a channel: sent, and not yet
// processed. The last batch may overdraw it, and an Output has up to another
// one collected: the ceiling of a channel is the limit and two batches
// (gpflow.BatchRows and gpflow.BatchBytes, or one row where that is larger).
type Limit struct{ Rows, Bytes int64 }

// DefaultLimit is the limit of a channel where nothing else is configured.
var DefaultLimit = Limit{Rows: 8 * gpflow.BatchRows, Bytes: 4 * gpflow.BatchBytes}

// Inbox is the input of one subtask: a queue that any number of channels feed,
// each with credit of its own. Send is called by the senders' goroutines,
// everything else by the receiver's.
type Inbox struct {
	wake     func()
	channels []*Channel
	waiting  atomic.Bool // the receiver found nothing and will wait to be woken

	mu    sync.Mutex
	queue []item // guarded by mu

	cur  []item // taken from queue, and being handed out
	next int
	hold []bool // channels that Hold was called for; nil: none
	held []item // what came on these, in order
	last *item  // handed out last: its credit is returned with the next Take
}

type item struct {
	event   Event
	channel int
	rows    int64
	bytes   int64
}

// NewInbox returns an inbox that calls wake, from any goroutine, when there is
// something to take and the receiver had been told that there was not.
func NewInbox(wake func()) *Inbox { return &Inbox{wake: wake} }

// Channel is the sending end of one channel into an inbox. Except for what is
// said of Sent and Received, one goroutine uses it.
type Channel struct {
	inbox  *Inbox
	index  int
	limit  Limit
	wake   func()
	schema []*gpflow.Schema // by port, for the codec; nil: events are passed as they are
	bare   bool             // marks mean nothing here
	over   bool             // the end of time was sent: no rows follow
	bug    Bug

	rows, bytes atomic.Int64 // credit
	starved     atomic.Bool  // the sender found no credit and may wait
	sent        atomic.Int64
	received    atomic.Int64
}

// Open adds a channel before the first Send. wake is called, from any
// goroutine, when there is credit again after Ready had said that there was
// none.
func (x *Inbox) Open(limit Limit, wake func()) *Channel {
	c := &Channel{inbox: x, index: len(x.channels), limit: limit, wake: wake}
	c.rows.Store(limit.Rows)
	c.bytes.Store(limit.Bytes)
	x.channels = append(x.channels, c)
	return c
}

// Encode makes c encode and decode every event, as a link between processes
// does. schemas are those of the rows, by port.
func (c *Channel) Encode(schemas ...*gpflow.Schema) { c.schema = schemas }

// Timeless says that the marks on c mean nothing: a sink looks at none, and gets
// those of all whom its task reads from, as they are.
func (c *Channel) Timeless() { c.bare = true }

// Sent returns the rows sent so far. Any goroutine may call it.
func (c *Channel) Sent() int64 { return c.sent.Load() }

// Received returns the rows taken from the inbox so far. Any goroutine may
// call it.
func (c *Channel) Received() int64 { return c.received.Load() }

// InFlight returns the rows and bytes sent, and not yet processed. Any
// goroutine may call it.
func (c *Channel) InFlight() (rows, bytes int64) {
	return c.limit.Rows - c.rows.Load(), c.limit.Bytes - c.bytes.Load()
}

// Ready reports whether there is credit. Where there is none, the sender is
// woken when half of the limit is free, whatever it asks until then: a yes takes
// nothing back that a no has promised.
//
// Behind the end of time there always is: no rows follow. The receiver may have
// taken a checkpoint there that the sender has not, and may not give back credit
// before somebody else gets the sender's barrier.
func (c *Channel) Ready() bool {
	if c.over && c.bug != EndNeedsCredit || c.credit(0) {
		return true
	}
	c.starved.Store(true)
	return c.credit(0)
}

func (c *Channel) credit(share int64) bool {
	if share == 0 {
		return c.rows.Load() > 0 && c.bytes.Load() > 0
	}
	return c.rows.Load() >= c.limit.Rows/share && c.bytes.Load() >= c.limit.Bytes/share
}

// ReceiverIdle reports whether the receiver has nothing to do, so that what is
// at hand should be sent at once.
func (c *Channel) ReceiverIdle() bool { return c.inbox.waiting.Load() }

// Send puts e into the inbox. It never blocks: the sender asks Ready before it
// makes more.
func (c *Channel) Send(e Event) {
	it := item{event: e, channel: c.index}
	if e.Kind == Data {
		if c.schema != nil {
			it.event.Batch = passThrough(e.Batch, c.schema[e.Port])
		}
		it.rows, it.bytes = int64(it.event.Batch.N), int64(it.event.Batch.Bytes())
		c.rows.Add(-it.rows)
		c.bytes.Add(-it.bytes)
		c.sent.Add(it.rows)
		c.over = c.over || !c.bare && it.event.Batch.Ends()
	}
	x := c.inbox
	x.mu.Lock()
	x.queue = append(x.queue, it)
	x.mu.Unlock()
	if x.waiting.Load() && x.waiting.CompareAndSwap(true, false) {
		x.wake()
	}
}

// passThrough returns b as it arrives at the other side of a network link.
func passThrough(b *gpflow.Batch, s *gpflow.Schema) *gpflow.Batch {
	out, err := DecodeBatch(AppendBatch(nil, b), s)
	if err != nil {
		panic("exchange: a batch does not survive its encoding: " + err.Error())
	}
	b.Release()
	return out
}

// Take returns the next event and its channel's index, or ok = false if there
// is none; the receiver is then woken when there is. It returns the credit of
// the event before: an event has been processed when the next is asked for.
func (x *Inbox) Take() (channel int, e Event, ok bool) {
	x.giveBack()
	for {
		if x.next == len(x.cur) && !x.refill() {
			return 0, Event{}, false
		}
		it := &x.cur[x.next]
		x.next++
		if x.hold != nil && x.hold[it.channel] {
			x.held = append(x.held, *it)
			continue
		}
		x.last = it
		x.channels[it.channel].received.Add(it.rows)
		return it.channel, it.event, true
	}
}

// Hold keeps back what comes on a channel until Free. Its credit is not given
// back, so that its sender stops.
func (x *Inbox) Hold(channel int) {
	if x.hold == nil {
		x.hold = make([]bool, len(x.channels))
	}
	x.hold[channel] = true
}

// Free ends the holding of all channels: what was kept back comes next, in the
// order in which it had come.
func (x *Inbox) Free() {
	x.hold = nil
	if len(x.held) > 0 {
		x.cur, x.next = append(x.held, x.cur[x.next:]...), 0
		x.held = nil
	}
}

func (x *Inbox) giveBack() {
	it := x.last
	if it == nil {
		return
	}
	x.last = nil
	it.event.Batch = nil
	if it.event.Kind != Data {
		return
	}
	c := x.channels[it.channel]
	c.rows.Add(it.rows)
	c.bytes.Add(it.bytes)
	if c.starved.Load() && c.credit(2) && c.starved.CompareAndSwap(true, false) {
		c.wake()
	}
}

// refill swaps the queue for what has been handed out.
func (x *Inbox) refill() bool {
	for range 2 {
		x.mu.Lock()
		if len(x.queue) > 0 {
			clear(x.cur)
			x.cur, x.queue, x.next = x.queue, x.cur[:0], 0
			x.mu.Unlock()
			x.waiting.Store(false)
			return true
		}
		x.mu.Unlock()
		// Say so, then look once more: a Send that came in between has not
		// seen it.
		x.waiting.Store(true)
	}
	return false
}

// Empty reports whether Take would find nothing.
func (x *Inbox) Empty() bool {
	if x.next < len(x.cur) {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.queue) == 0
}

// Channels returns the number of channels.
func (x *Inbox) Channels() int { return len(x.channels) }

// Queued returns the rows that wait. Any goroutine may call it.
func (x *Inbox) Queued() int64 {
	var n int64
	for _, c := range x.channels {
		n += c.Sent() - c.Received()
	}
	return n
}
