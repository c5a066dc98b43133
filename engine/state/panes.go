package state

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// What is kept of dropped tables for the panes to come, so that a window that
// opens and closes all the time does not allocate. Larger tables are given
// back to the garbage collector.
const (
	spareTables = 16
	spareBytes  = 4 << 20
)

// Panes is keyed state by time. It implements gpflow.Panes.
type Panes struct {
	groups, from, to int
	width            int
	scalars          bool   // no value of a row points to memory
	panes            []pane // ascending
	last             pane   // the one used last; its table is nil if there is none
	spare            []*table
	spared           int      // bytes of spare
	counts           []uint32 // scratch of table.sort
	touch            touch    // scratch of Touch
	drops            drops
	bug              Bug

	owner   *Memory
	types   []gpflow.Type // of the columns
	left    int           // bytes that may be added before somebody looks at the budget
	copied  int           // bytes of those that went to copies beside views
	sized   []int         // the columns that are measured; nil without a budget
	lent    lent
	walk    walk
	reader  reader // of rows on the disk
	diskKey []byte // scratch
	diskRow []byte // likewise
	ghost   *cold  // of KeepDropped
}

type pane struct {
	at    gpflow.Timestamp
	table *table
}

func newPanes(m *Memory, s *gpflow.Schema) *Panes {
	p := &Panes{groups: m.groups, from: m.from, to: m.to, width: s.Width(), scalars: sizedColumns(s) == nil, owner: m, left: math.MaxInt}
	for _, c := range s.Columns {
		p.types = append(p.types, c.Type)
	}
	return p
}

// find returns the place of a pane in p.panes, or where it belongs.
func (p *Panes) find(at gpflow.Timestamp) (int, bool) {
	if n := len(p.panes); n == 0 || p.panes[n-1].at < at {
		return n, false
	}
	return slices.BinarySearchFunc(p.panes, at, func(e pane, at gpflow.Timestamp) int { return cmp.Compare(e.at, at) })
}

// get returns the table of a pane, or nil.
func (p *Panes) get(at gpflow.Timestamp) *table {
	if p.last.table != nil && p.last.at == at {
		return p.last.table
	}
	i, ok := p.find(at)
	if !ok {
		return nil
	}
	p.last = p.panes[i]
	return p.last.table
}

// Upsert implements gpflow.Panes. It allocates only where a table has to grow,
// or where a row is written for the first time since a Freeze whose view is
// still held. A key of a group that the subtask does not own was sent to the wrong place,
// which would lose it at the next change of parallelism: that panics. So does a
// failure of the disk, with a *DiskError.
func (p *Panes) Upsert(at gpflow.Timestamp, key []byte, hash uint64) (row []gpflow.Value, fresh bool) {
	if p.sized != nil {
		p.returned()
	}
	if p.left < 0 {
		if err := p.owner.settle(); err != nil {
			panic(err)
		}
	}
	t := p.last.table
	if t == nil || p.last.at != at {
		if t = p.get(at); t == nil {
			p.check(hash)
			t = p.add(at)
		}
	}
	e, ok := t.find(key, hash)
	if !ok {
		return p.miss(t, key, hash)
	}
	if !t.written.has(e) {
		p.write(t, e)
	}
	row = t.row(e)
	if p.sized != nil {
		p.lend(t, row)
	}
	return row, false
}

// miss is Upsert for a key that is not in memory.
func (p *Panes) miss(t *table, key []byte, hash uint64) (row []gpflow.Value, fresh bool) {
	p.check(hash)
	p.left -= p.width*valueSize + rowOverhead + len(key)
	e, fresh, err := p.locate(t, key, hash)
	if err != nil {
		panic(&DiskError{err})
	}
	p.mark(t, e)
	row = t.row(e)
	if p.sized != nil {
		p.lend(t, row)
	}
	return row, fresh
}

// rowOverhead is about what an entry takes beside its key and its values.
const rowOverhead = metaSize + 12

func (p *Panes) check(hash uint64) {
	if g := keygroup.Of(hash, p.groups); g < p.from || g >= p.to {
		panic(fmt.Sprintf("a key of group %d was sent to the subtask that owns groups %d to %d", g, p.from, p.to-1))
	}
}

func (p *Panes) add(at gpflow.Timestamp) *table {
	var t *table
	if n := len(p.spare); n > 0 {
		t = p.spare[n-1]
		p.spare = p.spare[:n-1]
		p.spared -= t.bytes()
	} else {
		t = newTable(p.width, p.scalars)
	}
	if p.bug == KeepDropped {
		if t.cold, p.ghost = p.ghost, nil; t.cold != nil {
			t.seq = make([]uint64, 0, firstRows)
		}
	}
	i, _ := p.find(at)
	p.last = pane{at, t}
	p.panes = slices.Insert(p.panes, i, p.last)
	return t
}

// First implements gpflow.Panes.
func (p *Panes) First() (gpflow.Timestamp, bool) {
	if len(p.panes) == 0 {
		return 0, false
	}
	return p.panes[0].at, true
}

// Next implements gpflow.Panes. The first call for a pane, and the first one
// after a key has been added, sorts the entries by group; the others take
// constant time when they go on where the last one stopped. A row of a pane that
// has rows on the disk is not to be changed, and a failure of the disk panics with
// a *DiskError. Cursors stay valid
// while keys are added: those added behind the cursor's place are still to
// come. Cursor{Group: g} is the place before the first key of group g, and the
// Group of a returned cursor is the group of its key.
func (p *Panes) Next(at gpflow.Timestamp, c gpflow.Cursor) (next gpflow.Cursor, key []byte, row []gpflow.Value, ok bool) {
	t := p.get(at)
	if t == nil {
		return c, nil, nil, false
	}
	if t.cold != nil {
		next, key, row, ok, err := p.nextCold(t, c)
		if err != nil {
			panic(&DiskError{err})
		}
		return next, key, row, ok
	}
	if len(t.order) < t.len() {
		p.sort(t)
	}
	i := t.after(c, p.groups)
	if i == len(t.order) {
		return c, nil, nil, false
	}
	e := int(t.order[i])
	t.at = i + 1
	return gpflow.Cursor{Group: keygroup.Of(t.meta[e].hash, p.groups), Entry: e + 1}, t.key(e), t.row(e), true
}

// sort orders the entries of t by group, and by insertion within a group.
func (p *Panes) sort(t *table) {
	n := t.len()
	if p.counts == nil {
		p.counts = make([]uint32, p.to-p.from)
	}
	clear(p.counts)
	for i := range t.meta {
		p.counts[keygroup.Of(t.meta[i].hash, p.groups)-p.from]++
	}
	sum := uint32(0)
	for g, c := range p.counts {
		p.counts[g] = sum
		sum += c
	}
	t.order = slices.Grow(t.order[:0], n)[:n]
	for i := range t.meta {
		g := keygroup.Of(t.meta[i].hash, p.groups) - p.from
		t.order[p.counts[g]] = uint32(i)
		p.counts[g]++
	}
	t.at = 0
}

// Len implements gpflow.Panes.
func (p *Panes) Len(at gpflow.Timestamp) int {
	t := p.get(at)
	switch {
	case t == nil:
		return 0
	case t.cold != nil:
		return int(t.cold.next)
	}
	return t.len()
}

// Drop implements gpflow.Panes. Dropping the first pane takes constant time,
// and time proportional to the table where that is kept for reuse. A table that
// a frozen view holds is not reused.
func (p *Panes) Drop(at gpflow.Timestamp) {
	i, ok := p.find(at)
	if !ok {
		return
	}
	t := p.panes[i].table
	p.returned()
	p.discard(t)
	if i == 0 {
		p.panes[0] = pane{}
		p.panes = p.panes[1:]
	} else {
		p.panes = slices.Delete(p.panes, i, i+1)
	}
	p.last = pane{}
	if t.saved {
		p.drops.now = append(p.drops.now, at)
	}
	if size := t.bytes(); t.views.Load() == 0 && len(p.spare) < spareTables && p.spared+size <= spareBytes {
		t.reset()
		p.spare = append(p.spare, t)
		p.spared += size
		return
	}
	t.forget()
}

// Bytes returns the memory that the tables hold, as Memory.Bytes does.
func (p *Panes) Bytes() int {
	p.returned()
	n := p.spared + cap(p.panes)*16 + cap(p.counts)*4 + p.drops.bytes() + p.walk.bytes()
	for _, e := range p.panes {
		n += e.table.bytes()
	}
	return n
}
