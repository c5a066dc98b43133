package state

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/gpflow/gpflow"
)

// bitset is a set of entries.
type bitset []uint64

func (b bitset) has(e int) bool { return b[uint(e)>>6]>>(uint(e)&63)&1 != 0 }

func (b bitset) set(e int) { b[uint(e)>>6] |= 1 << (uint(e) & 63) }

// next returns the first entry of b from e on, or end where there is none
// before it.
func (b bitset) next(e, end int) int {
	for w := e >> 6; w < len(b); w++ {
		word := b[w]
		if w == e>>6 {
			word &= ^uint64(0) << (uint(e) & 63)
		}
		if word != 0 {
			return min(w<<6+bits.TrailingZeros64(word), end)
		}
	}
	return end
}

// union returns the entries that are in one of sets, in memory of its own where
// there are several; nil where there is none.
func union(sets ...bitset) bitset {
	var longest bitset
	n := 0
	for _, s := range sets {
		if len(s) > 0 {
			n++
		}
		if len(s) > len(longest) {
			longest = s
		}
	}
	if n < 2 {
		return longest
	}
	all := slices.Clone(longest)
	for _, s := range sets {
		for i, w := range s {
			all[i] |= w
		}
	}
	return all
}

// changes is what has changed in a part since freezes.
type changes struct {
	written bitset // the entries written since the last freeze; a bit for each
	owed    bitset // written before, but in no completed checkpoint, nor in taken
	taken   []taken
	touched bool // a bit of written is set
}

// versions is what a table knows of freezes.
type versions struct {
	saved  bool         // some freeze or restored segment has the table
	frozen uint64       // number of the last freeze that took the table
	born   []uint64     // by chunk: frozen as it was when the chunk was made
	views  atomic.Int32 // frozen views that hold the table
}

// taken is what a freeze took of a table's written bits, or of dropped panes,
// while its checkpoint is neither completed nor aborted. It is never changed:
// the view has it too.
type taken struct {
	freeze uint64
	rows   bitset
}

// clean reports whether a delta needs nothing of the table.
func (c *changes) clean() bool { return !c.touched && c.owed == nil && len(c.taken) == 0 }

func (c *changes) reset() {
	c.written, c.owed, c.taken, c.touched = c.written[:0], nil, nil, false
}

func (c *changes) bytes() int {
	n := (cap(c.written) + cap(c.owed)) * 8
	for _, t := range c.taken {
		n += cap(t.rows) * 8
	}
	return n
}

// take begins a new set of written bits, and returns what has changed since the
// last completed checkpoint.
func (c *changes) take(freeze uint64) (dirty bitset) {
	var rows bitset
	if c.touched {
		rows = c.written
		c.written = make(bitset, len(rows), len(rows)+len(rows)/4+1)
	}
	c.taken = append(c.taken, taken{freeze, union(rows, c.owed)})
	c.owed, c.touched = nil, false
	sets := make([]bitset, len(c.taken))
	for i := range c.taken {
		sets[i] = c.taken[i].rows
	}
	return union(sets...)
}

// changed returns the entries that no completed checkpoint has; nil: there is
// none.
func (c *changes) changed() bitset {
	sets := []bitset{c.owed}
	if c.touched {
		sets = append(sets, c.written)
	}
	for _, x := range c.taken {
		sets = append(sets, x.rows)
	}
	return union(sets...)
}

// completed forgets what was taken by the freezes up to the given one.
func (c *changes) completed(freeze uint64) {
	c.taken = slices.DeleteFunc(c.taken, func(t taken) bool { return t.freeze <= freeze })
}

// aborted gives what a freeze took to the one after it, whose view has it too,
// or else to the next one to come.
func (c *changes) aborted(freeze uint64) {
	for i, t := range c.taken {
		if t.freeze != freeze {
			continue
		}
		if i+1 < len(c.taken) {
			c.taken[i+1].rows = union(c.taken[i+1].rows, t.rows)
		} else {
			c.owed = union(c.owed, t.rows)
		}
		c.taken = slices.Delete(c.taken, i, i+1)
		return
	}
}

// write makes the row of an entry, whose bit of written is clear, one that may
// be written: it copies the chunk if a frozen view holds it.
func (p *Panes) write(t *table, e int) {
	c := e >> chunkShift
	if t.born[c] != t.frozen && t.views.Load() > 0 && p.bug != NoCopyOnWrite {
		t.copyChunk(c)
		p.copied += len(t.rows[c]) * valueSize
		p.left -= len(t.rows[c]) * valueSize
	}
	p.mark(t, e)
}

// mark notes that the row of an entry is written.
func (p *Panes) mark(t *table, e int) {
	t.touched = true
	if p.bug == ForgetDirty && e%forgetEvery == forgetEvery-1 {
		return
	}
	t.written.set(e)
}

// drops are the panes dropped since the last completed checkpoint, out of those
// that a freeze or a restored segment has. They go the way of changes.
type drops struct {
	now   []gpflow.Timestamp // since the last freeze, or owed by an aborted one
	taken []takenDrops
}

type takenDrops struct {
	freeze uint64
	panes  []gpflow.Timestamp
}

// take returns the panes dropped since the last completed checkpoint,
// ascending, each once.
func (d *drops) take(freeze uint64) []gpflow.Timestamp {
	if len(d.now) > 0 {
		d.taken = append(d.taken, takenDrops{freeze, d.now})
		d.now = nil
	}
	var all []gpflow.Timestamp
	for _, t := range d.taken {
		all = append(all, t.panes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *drops) completed(freeze uint64) {
	d.taken = slices.DeleteFunc(d.taken, func(t takenDrops) bool { return t.freeze <= freeze })
}

func (d *drops) aborted(freeze uint64, next uint64) {
	for i, t := range d.taken {
		if t.freeze != freeze {
			continue
		}
		switch {
		case next == 0:
			d.now = append(d.now, t.panes...)
			d.taken = slices.Delete(d.taken, i, i+1)
		case i+1 < len(d.taken) && d.taken[i+1].freeze == next:
			d.taken[i+1].panes = append(d.taken[i+1].panes, t.panes...)
			d.taken = slices.Delete(d.taken, i, i+1)
		default:
			d.taken[i].freeze = next
		}
		return
	}
}

func (d *drops) bytes() int {
	n := cap(d.now) * 8
	for _, t := range d.taken {
		n += cap(t.panes) * 8
	}
	return n
}
