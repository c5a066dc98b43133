package state

import (
	"math"
	"slices"

	"github.com/gpflow/gpflow"
)

// spares are the chunks that a table has replaced by copies. Their memory is used
// for the copies to come, so that checkpoints leave little to the garbage
// collector. They belong to the subtask's goroutine, as the table does.
type spares struct {
	replaced []replaced       // a view may hold them; in the order of their freezes
	free     [][]gpflow.Value // nobody holds them; what is in them has no meaning
}

// replaced is a chunk that is no longer the table's, and the last freeze whose
// view may hold it.
type replaced struct {
	chunk  []gpflow.Value
	freeze uint64
}

// keepFor is how many times the share of the free chunks that no copy has used
// since the last call of reclaim is 1/keepFor, which goes to the garbage collector.
const keepFor = 8

// copyChunk gives t a copy of a chunk of its own; the chunk itself stays with the
// views.
func (t *table) copyChunk(c int) {
	old := t.rows[c]
	if chunk := t.spares.take(); len(chunk) == len(old) {
		copy(chunk, old)
		t.rows[c] = chunk
	} else { // there was none, or the table had fewer rows then
		t.rows[c] = t.chunk(len(old) / t.width)
		copy(t.rows[c], old)
	}
	t.spares.replaced = append(t.spares.replaced, replaced{old, t.frozen})
	t.born[c] = t.frozen
}

// take returns a free chunk, or nil.
func (s *spares) take() []gpflow.Value {
	n := len(s.free)
	if n == 0 {
		return nil
	}
	chunk := s.free[n-1]
	s.free[n-1] = nil
	s.free = s.free[:n-1]
	return chunk
}

// reclaim frees the chunks that only views of freezes before the given one held,
// all of which have been released. Of those that were free and have not been
// used since, it gives some back.
func (s *spares) reclaim(oldest uint64) {
	n := 0
	for n < len(s.replaced) && s.replaced[n].freeze < oldest {
		n++
	}
	if n == 0 {
		return
	}
	idle := len(s.free)
	kept := idle - (idle+keepFor-1)/keepFor
	clear(s.free[kept:])
	s.free = s.free[:kept]
	for _, r := range s.replaced[:n] {
		s.free = append(s.free, r.chunk)
	}
	s.replaced = slices.Delete(s.replaced, 0, n)
}

// spareBytes returns the memory of the free chunks, with what stale values in them
// may point to; the replaced ones are the views'.
func (t *table) spareBytes() (n int) {
	for _, c := range t.spares.free {
		n += len(c)*valueSize + t.values/len(t.rows)
	}
	return n
}

// oldest returns the number of the oldest freeze whose view is held, of which
// there is none where it is the greatest number.
func (m *Memory) oldest() uint64 {
	if len(m.held) == 0 || m.bug == ReuseHeld {
		return math.MaxUint64
	}
	return m.held[0].number
}

// forgetSpares gives the free chunks of all tables, and the spare tables, to the garbage collector, and
// reports whether there were any.
func (m *Memory) forgetSpares() (some bool) {
	for _, p := range m.panes {
		for _, e := range p.panes {
			some = some || len(e.table.spares.free) > 0
			e.table.spares.free = nil
		}
		some = some || len(p.spare) > 0
		p.spare, p.spared = nil, 0
	}
	return some
}
