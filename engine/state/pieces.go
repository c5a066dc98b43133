package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// PieceBytes is a good size for the pieces of a segment.
const PieceBytes = 8 << 20

// Spilled reports whether some of what f holds lies on the disk, so that a
// segment of it may not fit the memory.
func (f *Frozen) Spilled() bool { return f.spilled }

// Pieces gives the segment of f to give, piece by piece, each of which is a
// segment too: one is given as soon as it has size bytes, so that what is held in
// memory is one piece twice, and the rows of one key group. Before each stands
// what head appends, as in Append. A piece is valid until give returns, since the
// next one takes its memory. It fails as Encode does, where the disk does, and
// where give does. It may be called again, and then gives the same.
func (f *Frozen) Pieces(size int, head func(dst []byte, size int) []byte, give func(piece []byte) error) error {
	views, ok := f.enter()
	if !ok {
		return errors.New("encode keyed state: it has been released")
	}
	defer f.leave()
	e := &piecer{f: f, head: head, give: give, encoder: encoder{f: f, views: views, types: columnTypes(f.descs)}}
	e.gatherer.bug = f.bug
	for i := range views {
		e.hots = append(e.hots, e.hot(&views[i].held))
		if views[i].leaving != nil {
			e.leaves = append(e.leaves, e.hot(views[i].leaving))
		} else {
			e.leaves = append(e.leaves, grouped{})
		}
	}
	e.begin()
	for g := f.from; g < f.to; g++ {
		if err := e.group(g); err != nil {
			return err
		}
		if len(e.blocks) >= size && g+1 < f.to {
			if err := e.end(); err != nil {
				return err
			}
		}
	}
	if err := e.end(); err != nil {
		return err
	}
	f.size.Store(e.total)
	return nil
}

// piecer makes the pieces of a segment, one group after the other.
type piecer struct {
	encoder
	gatherer gatherer
	f        *Frozen
	head     func(dst []byte, size int) []byte
	give     func([]byte) error
	hots     []grouped // by view
	leaves   []grouped // likewise, of what is on its way to the disk
	total    int64     // bytes given
	given    int       // pieces
	piece    []byte    // the last one, with what stands before it
	blocks   []byte    // of the piece that is being made
	sizes    []int     // of the blocks, by group
	tables   []savedTable
}

// grouped is the entries of a view that are to be encoded, by group.
type grouped struct {
	entries []uint32
	ends    []uint32 // by group, from the first that the subtask owns
}

// of returns the entries of a group; i is its place among those of the subtask.
func (h *grouped) of(i int) []uint32 {
	if i == 0 {
		return h.entries[:h.ends[0]]
	}
	return h.entries[h.ends[i-1]:h.ends[i]]
}

// hot sorts the entries of a part by group, and by insertion within a group.
func (e *piecer) hot(v *held) grouped {
	f := e.f
	h := grouped{ends: make([]uint32, f.to-f.from+1)}
	group := func(n int) int { return min(keygroup.Of(v.meta[n].hash, f.groups), f.to) - f.from }
	count := uint32(0)
	for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
		h.ends[group(n)]++
		count++
	}
	sum := uint32(0)
	for i, n := range h.ends {
		h.ends[i] = sum
		sum += n
	}
	h.entries = make([]uint32, count)
	for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
		i := group(n)
		h.entries[h.ends[i]] = uint32(n)
		h.ends[i]++
	}
	return h
}

// begin begins a piece.
func (e *piecer) begin() {
	e.blocks, e.sizes, e.tables = e.blocks[:0], make([]int, e.f.to-e.f.from), make([]savedTable, len(e.views))
	for i, v := range e.views {
		e.tables[i].state, e.tables[i].pane = v.state, v.at
	}
}

// end gives the piece, and begins the next one.
func (e *piecer) end() error {
	header, err := e.f.appendHeader(nil, e.given > 0, e.tables, e.sizes)
	if err != nil {
		return fmt.Errorf("encode keyed state: %w", err)
	}
	size := len(header) + len(e.blocks)
	e.piece = e.head(e.piece[:0], size)
	e.piece = append(slices.Grow(e.piece, size), header...)
	e.piece = append(e.piece, e.blocks...)
	e.begin()
	e.given++
	e.total += int64(size)
	return e.give(e.piece)
}

// group encodes the block of a group.
func (e *piecer) group(g int) error {
	before := len(e.blocks)
	for i := range e.views {
		v := &e.views[i]
		if err := e.gather(i, v, g); err != nil {
			return fmt.Errorf("encode state %q, pane %d: %w", e.f.descs[v.state].Name, v.at, err)
		}
		if err := e.run(i, v); err != nil {
			return fmt.Errorf("encode state %q, pane %d: %w", e.f.descs[v.state].Name, v.at, err)
		}
	}
	e.sizes[g-e.f.from] = len(e.blocks) - before
	return nil
}

// gather brings together the rows of a view in a group.
func (e *piecer) gather(i int, v *view, g int) (err error) {
	e.gatherer.reset()
	for _, n := range e.hots[i].of(g - e.f.from) {
		e.gatherer.memory(newest, v.number(int(n)), int(n))
	}
	if v.cold == 0 {
		return nil
	}
	if v.leaving != nil {
		for _, n := range e.leaves[i].of(g - e.f.from) {
			e.gatherer.memory(older, v.leaving.number(int(n)), int(n))
		}
	}
	if v.all {
		_, err = e.gatherer.rows(e.f.disk, v.cold, e.f.groups, g, g)
	} else {
		err = e.gatherer.logged(e.f.disk, v.cold, v.logs, g)
	}
	e.gatherer.settle()
	return err
}

// run appends what was gathered.
func (e *piecer) run(i int, v *view) error {
	picks := e.gatherer.picks
	if len(picks) == 0 {
		return nil
	}
	b := binary.AppendUvarint(e.blocks, uint64(i))
	b = binary.AppendUvarint(b, uint64(len(picks)))
	for _, p := range picks {
		if p.entry < 0 {
			key := e.gatherer.buf[p.key[0]:p.key[1]]
			b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
			b = append(b, e.gatherer.buf[p.row[0]:p.row[1]]...)
			e.tables[i].keys += len(key)
			continue
		}
		key, row := v.picked(p)
		b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
		var err error
		if b, err = appendRow(b, row, e.types[v.state]); err != nil {
			return err
		}
		e.tables[i].keys += len(key)
	}
	e.tables[i].entries += len(picks)
	e.blocks = b
	return nil
}

// picked returns the key and the row of an entry in memory.
func (v *view) picked(p picked) (key []byte, row []gpflow.Value) {
	if p.age == older {
		return v.leaving.entry(p.entry)
	}
	return v.entry(p.entry)
}

// join appends the segment of f in one piece to dst, as Append does.
func (f *Frozen) join(dst []byte, head func(dst []byte, size int) []byte) (whole []byte, err error) {
	err = f.Pieces(1<<62, head, func(piece []byte) error {
		whole = piece
		return nil
	})
	if err != nil || len(dst) == 0 {
		return whole, err
	}
	return append(dst, whole...), nil
}
