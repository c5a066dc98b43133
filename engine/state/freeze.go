package state

import (
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// A chain of segments is a full one and the deltas that follow it. It is begun
// anew when it has maxDeltas, or when the deltas exceed 1/maxShare of the bytes
// of the full one, so that a restore reads little more than the state is worth.
const (
	maxDeltas = 8
	maxShare  = 2
)

// chain is what of m's state lies in completed checkpoints.
type chain struct {
	begun  bool
	deltas int
	full   int64 // bytes of the first segment
	rest   int64 // bytes of the deltas
}

// due reports whether the next segment has to be a full one.
func (c *chain) due() bool { return !c.begun || c.deltas >= maxDeltas || c.rest*maxShare > c.full }

func (c *chain) add(delta bool, size int64) {
	switch {
	case size == 0: // nobody has encoded it
		*c = chain{}
	case delta:
		c.deltas++
		c.rest += size
	default:
		*c = chain{begun: true, full: size}
	}
}

// Frozen is the state of a Memory as it was when Freeze was called. Encode and
// Release may be called from any goroutine, at any time; Completed and Aborted
// of the Memory belong to the subtask's.
type Frozen struct {
	number           uint64
	delta            bool
	groups, from, to int
	descs            []gpflow.StateDescriptor
	dropped          [][]gpflow.Timestamp // by state; of a delta
	views            atomic.Pointer[[]view]
	users            atomic.Int32 // the calls of Encode that go on, and one until Release
	released         atomic.Bool
	size             atomic.Int64 // of the segment; 0 until it is encoded
	tables           []*table     // those of the views; the subtask's own
	spilled          bool         // disk is there
	disk             DiskView     // of the views that are cold
	rest             func()       // see Memory.Rest
	every            uint32       // likewise
	bug              Bug
}

// view is what a Frozen holds of a table.
type view struct {
	held
	state   int
	at      gpflow.Timestamp
	table   *table
	leaving *held  // what is on its way to the disk; nil: nothing
	cold    uint64 // the table on the disk; 0: it has none
	logs    []log  // of a delta: those that it holds
}

// held is what a view holds of a part: its first len(meta) entries.
type held struct {
	part
	all   bool   // every entry is to be encoded; else
	dirty bitset // those
}

// Freeze takes a view of the state for a checkpoint. It takes microseconds: what
// is copied are lists of chunks, and until Release is called Upsert copies a
// chunk before it changes one that the view holds.
//
// The view is a delta, which holds what has changed since the last completed
// checkpoint, unless full is set or a full one is due.
func (m *Memory) Freeze(full bool) *Frozen {
	m.prune()
	m.freezes++
	f := &Frozen{
		number: m.freezes, delta: !full && !m.chain.due(),
		groups: m.groups, from: m.from, to: m.to, descs: m.descs,
		dropped: make([][]gpflow.Timestamp, len(m.panes)), rest: m.rest, every: m.every, bug: m.bug,
	}
	f.users.Store(1)
	var views []view
	for state, p := range m.panes {
		p.returned()
		if drops := p.drops.take(f.number); f.delta {
			f.dropped[state] = drops
		}
		if !f.delta {
			views = slices.Grow(views, len(p.panes))
		}
		for _, e := range p.panes {
			c := e.table.cold
			var logs []log
			if c != nil && f.delta {
				logs = c.since(m.base)
			}
			if f.delta && e.table.clean() && logs == nil {
				continue
			}
			v := e.table.freeze(f.number, !f.delta)
			v.state, v.at, v.logs = state, e.at, logs
			views = append(views, v)
			f.spilled = f.spilled || c != nil
		}
	}
	m.freezeDisk(f)
	f.tables = make([]*table, len(views))
	for i := range views {
		f.tables[i] = views[i].table
	}
	f.views.Store(&views)
	m.pending = append(m.pending, f)
	m.held = append(m.held, f)
	return f
}

// freezeDisk takes the view of the disk that f needs.
func (m *Memory) freezeDisk(f *Frozen) {
	if !f.spilled {
		return
	}
	disk, err := m.budget.space()
	if err != nil {
		panic(&DiskError{err})
	}
	f.disk = disk.View()
}

// freeze returns a view of t as it is.
func (t *table) freeze(number uint64, all bool) view {
	v := view{table: t, held: t.part.freeze(number, all)}
	if t.cold != nil {
		v.cold = t.cold.id
	}
	if l := t.leaving; l != nil && !l.done {
		h := l.part.freeze(number, all)
		v.leaving = &h
	}
	t.saved, t.frozen = true, number
	t.views.Add(1)
	return v
}

func (t *part) freeze(number uint64, all bool) held {
	chunks := (t.len() + chunkRows - 1) >> chunkShift
	return held{
		part: part{width: t.width, meta: t.meta, arena: t.arena, rows: slices.Clone(t.rows[:chunks]), seq: t.seq, values: t.values},
		all:  all, dirty: t.take(number),
	}
}

// clean reports whether a delta needs nothing of what t has in memory.
func (t *table) clean() bool {
	return t.changes.clean() && (t.leaving == nil || t.leaving.clean())
}

// completed forgets what was taken by the freezes up to the given one.
func (t *table) completed(freeze uint64) {
	t.changes.completed(freeze)
	if t.leaving != nil {
		t.leaving.completed(freeze)
	}
}

// aborted gives what a freeze took to the next one.
func (t *table) aborted(freeze uint64) {
	t.changes.aborted(freeze)
	if t.leaving != nil {
		t.leaving.aborted(freeze)
	}
}

// Completed says that the checkpoint with f has completed: the next delta holds
// what has changed since. f has been encoded. A checkpoint that was begun before
// f and has not been said to be completed or aborted counts as neither needed
// nor owed any more, as f holds what it held.
func (m *Memory) Completed(f *Frozen) {
	at := slices.Index(m.pending, f)
	if at < 0 {
		return
	}
	for _, g := range m.pending[:at+1] {
		for _, t := range g.tables {
			t.completed(f.number)
		}
		g.tables = nil
	}
	for _, p := range m.panes {
		p.drops.completed(f.number)
	}
	m.pending = slices.Delete(m.pending, 0, at+1)
	m.chain.add(f.delta, f.size.Load())
	m.base = f.number
	m.forgetLogs(m.base)
}

// Aborted says that the checkpoint with f will not complete: what f held the
// next one holds again.
func (m *Memory) Aborted(f *Frozen) {
	at := slices.Index(m.pending, f)
	if at < 0 {
		return
	}
	for _, t := range f.tables {
		t.aborted(f.number)
	}
	f.tables = nil
	m.pending = slices.Delete(m.pending, at, at+1)
	next := uint64(0)
	if at < len(m.pending) {
		next = m.pending[at].number
	}
	for _, p := range m.panes {
		p.drops.aborted(f.number, next)
	}
}

// Delta reports whether f holds only what has changed since the last completed
// checkpoint.
func (f *Frozen) Delta() bool { return f.delta }

// Release lets go of what f holds. It is called once f has been encoded, or will
// not be; again, it does nothing. Where Encode goes on, its end lets go.
func (f *Frozen) Release() {
	if f.released.CompareAndSwap(false, true) {
		f.leave()
	}
}

// enter returns the views to somebody who will call leave, or false when f has
// been released.
func (f *Frozen) enter() ([]view, bool) {
	for {
		n := f.users.Load()
		if n == 0 || f.released.Load() {
			return nil, false
		}
		if f.users.CompareAndSwap(n, n+1) {
			return *f.views.Load(), true
		}
	}
}

func (f *Frozen) leave() {
	if f.users.Add(-1) > 0 {
		return
	}
	for _, v := range *f.views.Swap(nil) {
		v.table.views.Add(-1)
	}
	if f.disk != nil {
		f.disk.Close()
	}
}

// prune forgets the views that have been released, and frees what only they held.
func (m *Memory) prune() {
	m.held = slices.DeleteFunc(m.held, func(f *Frozen) bool { return f.views.Load() == nil })
	oldest := m.oldest()
	for _, p := range m.panes {
		for _, e := range p.panes {
			e.table.spares.reclaim(oldest)
		}
	}
}

// heldBytes returns the memory that frozen views hold and no table does, or that
// they held and the next copies will use.
func (m *Memory) heldBytes() (n int) {
	m.prune()
	for _, p := range m.panes {
		for _, e := range p.panes {
			n += e.table.spareBytes()
		}
	}
	var newer map[*table]view
	if len(m.held) > 1 {
		newer = make(map[*table]view)
	}
	for _, f := range slices.Backward(m.held) {
		views := f.views.Load()
		if views == nil {
			continue
		}
		for _, v := range *views {
			n += v.bytes(newer[v.table])
			if newer != nil {
				newer[v.table] = v
			}
		}
	}
	return n
}

// bytes returns the memory that v holds, and neither its table nor a newer view
// of it.
func (v *view) bytes(newer view) int {
	owners := []*part{&v.table.part, &newer.part}
	if l := v.table.leaving; l != nil {
		owners = append(owners, &l.part)
	}
	if newer.leaving != nil {
		owners = append(owners, &newer.leaving.part)
	}
	n := v.part.beside(owners)
	if v.leaving != nil {
		n += v.leaving.part.beside(owners)
	}
	return n
}

// beside returns the memory that t, of a view, holds, and none of owners.
func (t *part) beside(owners []*part) int {
	n := cap(t.rows) * int(unsafe.Sizeof([]gpflow.Value(nil)))
	if !slices.ContainsFunc(owners, func(o *part) bool { return same(t.meta, o.meta) }) {
		n += cap(t.meta)*metaSize + cap(t.seq)*8
	}
	if !slices.ContainsFunc(owners, func(o *part) bool { return same(t.arena, o.arena) }) {
		n += cap(t.arena)
	}
	alone := 0
	for i, c := range t.rows {
		if !slices.ContainsFunc(owners, func(o *part) bool { return i < len(o.rows) && same(c, o.rows[i]) }) {
			n += len(c) * valueSize
			alone++
		}
	}
	if alone > 0 {
		n += t.values / len(t.rows) * alone
	}
	return n
}

// same reports whether a and b lie in the same place.
func same[T any](a, b []T) bool { return unsafe.SliceData(a) == unsafe.SliceData(b) }
