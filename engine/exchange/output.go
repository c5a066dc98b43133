package exchange

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// Output sends the rows of one edge to the subtasks of the receiver. Rows are
// collected until a batch is full, the receiver is idle, or the sender has
// nothing else to do: batches grow under load, and nothing waits without it.
//
// It belongs to the sender's goroutine.
type Output struct {
	channels []*Channel
	held     []held // by channel
	wide     []int  // slots whose values may point to memory
	route    router
	keyer    gpflow.Keyer  // of hash
	computed gpflow.RowKey // of hashComputed
	owner    []int32       // key group -> channel, of hash
	next     int           // channel of the next batch, of rebalance
	key      []byte
	emitted  int64
}

// held is what has been collected for a channel, and not yet sent.
type held struct {
	*gpflow.Builder
	bytes  int // that the rows point to
	pushes int // since there was nothing
}

// maxPushes is how many pushes a row or a mark may wait for others: where the
// keys of a channel are rare, and its receiver is busy with other senders, its
// watermark would stand still.
const maxPushes = 32

// router spreads the rows [from, to) of b over the channels.
type router func(o *Output, b *gpflow.Batch, from, to int)

// NewForward returns an output to one channel.
func NewForward(s *gpflow.Schema, c *Channel) *Output {
	return newOutput(s, []*Channel{c}, (*Output).forward)
}

// NewRebalance returns an output that sends batches in turn.
func NewRebalance(s *gpflow.Schema, cs []*Channel) *Output {
	return newOutput(s, cs, (*Output).rebalance)
}

// NewBroadcast returns an output that sends every row everywhere.
func NewBroadcast(s *gpflow.Schema, cs []*Channel) *Output {
	return newOutput(s, cs, (*Output).broadcast)
}

// NewHash returns an output that sends a row to the owner of its key group, which
// follows from its columns.
func NewHash(s *gpflow.Schema, cs []*Channel, key gpflow.Keyer, groups int) *Output {
	o := newOutput(s, cs, (*Output).hash)
	o.keyer, o.owner = key, owners(groups, len(cs))
	return o
}

// NewHashComputed returns an output that sends a row to the owner of its key
// group, which follows from what key makes of it. The output alone calls key.
func NewHashComputed(s *gpflow.Schema, cs []*Channel, key gpflow.RowKey, groups int) *Output {
	o := newOutput(s, cs, (*Output).hashComputed)
	o.computed, o.owner = key, owners(groups, len(cs))
	return o
}

// owners returns the channel of each key group.
func owners(groups, channels int) []int32 {
	owner := make([]int32, groups)
	for g := range owner {
		owner[g] = int32(keygroup.Owner(g, groups, channels))
	}
	return owner
}

func newOutput(s *gpflow.Schema, cs []*Channel, route router) *Output {
	o := &Output{channels: cs, route: route}
	for range cs {
		o.held = append(o.held, held{Builder: gpflow.NewBuilder(s)})
	}
	for i, c := range s.Columns {
		switch c.Type.Kind {
		case gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindTimestamp, gpflow.KindDuration:
		default:
			o.wide = append(o.wide, i)
		}
	}
	return o
}

// Emitted returns the rows pushed so far.
func (o *Output) Emitted() int64 { return o.emitted }

// Ready reports whether there is credit on all channels.
func (o *Output) Ready() bool {
	for _, c := range o.channels {
		if !c.Ready() {
			return false
		}
	}
	return true
}

// Push sends the rows and marks of b on, and takes over the caller's reference
// to it.
func (o *Output) Push(b *gpflow.Batch) {
	o.emitted += int64(b.N)
	if len(o.channels) == 1 && o.whole(b) {
		return
	}
	o.spread(b)
	for i := range o.held {
		h := &o.held[i]
		h.Forget()
		if h.Empty() {
			continue
		}
		if h.pushes++; h.pushes >= maxPushes {
			o.flush(i)
		}
	}
	b.Release()
}

// spread copies the rows of b to their channels, and the marks and bounds to all.
func (o *Output) spread(b *gpflow.Batch) {
	marks, bounds := b.Marks, b.Bounds
	if len(bounds) == 0 || bounds[0].Row > 0 {
		o.bound(gpflow.MinTimestamp)
	}
	for row := 0; ; {
		end := b.N
		for ; len(marks) > 0; marks = marks[1:] {
			if marks[0].Row > row {
				end = marks[0].Row
				break
			}
			o.Mark(marks[0].Time)
		}
		for ; len(bounds) > 0; bounds = bounds[1:] {
			if bounds[0].Row > row {
				end = min(end, bounds[0].Row)
				break
			}
			o.bound(bounds[0].Time)
		}
		if row == b.N {
			return
		}
		o.route(o, b, row, end)
		row = end
	}
}

// whole sends b as it is where copying its rows would gain nothing.
func (o *Output) whole(b *gpflow.Batch) bool {
	if b.N < gpflow.BatchRows/2 && b.Bytes() < gpflow.BatchBytes/2 {
		return false
	}
	o.flush(0)
	o.channels[0].Send(Event{Batch: b})
	return true
}

// add copies row r of b to what is held for channel i.
func (o *Output) add(i int, b *gpflow.Batch, r int) {
	h := &o.held[i]
	h.AppendFrom(b, r)
	if len(o.wide) > 0 {
		row := b.Row(r)
		for _, s := range o.wide {
			h.bytes += row[s].Size()
		}
	}
	if h.Full() || h.bytes >= gpflow.BatchBytes {
		o.flush(i)
	}
}

// copy adds the rows [from, to) of b to channel i.
func (o *Output) copy(i int, b *gpflow.Batch, from, to int) {
	if !o.held[i].Fits(b) {
		o.flush(i)
	}
	for r := from; r < to; r++ {
		o.add(i, b, r)
	}
}

func (o *Output) forward(b *gpflow.Batch, from, to int) { o.copy(0, b, from, to) }

func (o *Output) rebalance(b *gpflow.Batch, from, to int) { o.copy(o.next, b, from, to) }

func (o *Output) broadcast(b *gpflow.Batch, from, to int) {
	for i := range o.channels {
		o.copy(i, b, from, to)
	}
}

func (o *Output) hash(b *gpflow.Batch, from, to int) {
	o.fit(b)
	for r := from; r < to; r++ {
		o.key = o.keyer.Append(o.key[:0], b.Row(r))
		o.add(int(o.owner[keygroup.Of(gpflow.HashKey(o.key), len(o.owner))]), b, r)
	}
}

func (o *Output) hashComputed(b *gpflow.Batch, from, to int) {
	o.fit(b)
	for r := from; r < to; r++ {
		o.key = o.computed(o.key[:0], b.Row(r))
		o.add(int(o.owner[keygroup.Of(gpflow.HashKey(o.key), len(o.owner))]), b, r)
	}
}

// fit makes room for rows of b on every channel.
func (o *Output) fit(b *gpflow.Batch) {
	for i := range o.held {
		if !o.held[i].Fits(b) {
			o.flush(i)
		}
	}
}

// Mark puts a watermark behind the rows pushed so far, on every channel. It
// leaves with the next batch.
func (o *Output) Mark(t gpflow.Timestamp) {
	for i := range o.held {
		o.held[i].Mark(t)
	}
}

// bound says which of the rows that follow are late, on every channel.
func (o *Output) bound(t gpflow.Timestamp) {
	for i := range o.held {
		o.held[i].Bound(t)
	}
}

// flush sends what has been collected for channel i.
func (o *Output) flush(i int) {
	h := &o.held[i]
	h.bytes, h.pushes = 0, 0
	if b := h.Take(); b != nil {
		o.channels[i].Send(Event{Batch: b})
		if i == o.next {
			o.next = (o.next + 1) % len(o.channels)
		}
	}
}

// FlushIdle sends what has been collected for receivers that have nothing to
// do.
func (o *Output) FlushIdle() {
	for i, c := range o.channels {
		if c.ReceiverIdle() && !o.held[i].Empty() {
			o.flush(i)
		}
	}
}

// Flush sends everything that has been collected.
func (o *Output) Flush() {
	for i := range o.channels {
		o.flush(i)
	}
}

// Signal sends an Idle or End event to every channel, behind all rows.
func (o *Output) Signal(e Event) {
	o.Flush()
	for _, c := range o.channels {
		c.Send(e)
	}
}
