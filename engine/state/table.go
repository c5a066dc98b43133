package state

import (
	"math"
	"slices"
	"sort"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// The rows of a table lie in chunks of chunkRows. The first chunk begins with
// firstRows and doubles up to a whole one, so that a small pane is small.
const (
	chunkShift = 10
	chunkRows  = 1 << chunkShift
	firstRows  = 4
	firstIndex = 8
	wideIndex  = 64 << 10 // from here on the index grows bit by bit
	movedEach  = 8        // with each insertion
	valueSize  = 16
	metaSize   = 16
)

// part maps keys to rows in memory. Entries are numbered from 0 in the order in
// which they were inserted.
type part struct {
	width   int
	scalars bool // no value points to memory, so that the rows lie in some without pointers
	// index has a power of two of slots: the upper half of the hash in the
	// upper half, the entry plus one in the lower; 0 is a free slot. The place
	// comes from the low bits of the hash, because the high ones choose the
	// subtask.
	index []uint64
	// narrow is the index before it was made larger, until all of its entries are in
	// index: those before placed are, and those from narrowed on. Each insertion
	// places some, so that none takes long.
	narrow           []uint64
	placed, narrowed int
	meta             []meta
	arena            []byte
	rows             [][]gpflow.Value
	// seq has the numbers of the entries among all of their table; nil: they are
	// numbered from 0 there too.
	seq    []uint64
	values int // bytes that the rows point to, where that is measured
	changes
}

// table is the rows of a pane: those in memory, those that are on their way to the
// disk, and those on the disk.
type table struct {
	part
	order []uint32 // the entries by group, as of the last sort; see Panes.sort
	at    int      // the place in order behind the entry that Next gave last
	versions
	spares  spares
	cold    *cold    // what is on the disk; nil: nothing, and nothing goes there
	leaving *leaving // what goes to the disk; nil: nothing
}

type meta struct {
	hash uint64
	end  uint64 // of the key in the arena; it begins where the one before ends
}

const low = 1<<32 - 1

func newTable(width int, scalars bool) *table {
	return &table{part: part{width: width, scalars: scalars, index: make([]uint64, firstIndex)}}
}

// chunk returns memory for so many rows.
func (t *part) chunk(rows int) []gpflow.Value {
	if t.scalars {
		return gpflow.MakeScalars(rows * t.width)
	}
	return make([]gpflow.Value, rows*t.width)
}

func (t *part) len() int { return len(t.meta) }

// number returns the number of an entry among all of its table.
func (t *part) number(e int) uint64 {
	if t.seq == nil {
		return uint64(e)
	}
	return t.seq[e]
}

// find returns the entry of a key.
func (t *part) find(key []byte, hash uint64) (entry int, ok bool) {
	index := t.index
	for i := hash; ; i++ {
		s := index[i&uint64(len(index)-1)]
		if s == 0 {
			if t.narrow == nil || len(index) == len(t.narrow) {
				return 0, false
			}
			index, i = t.narrow, hash-1
			continue
		}
		if (s^hash)>>32 == 0 {
			e := int(s&low) - 1
			if t.meta[e].hash == hash && string(t.key(e)) == string(key) {
				return e, true
			}
		}
	}
}

// insert adds a key that is not there, with a row of nulls.
func (t *table) insert(key []byte, hash uint64) (entry int) {
	t.widen(len(t.meta)+1, len(t.meta))
	t.move(movedEach)
	t.place(hash, len(t.meta))
	return t.append(key, hash)
}

// append is insert but for the index.
func (t *table) append(key []byte, hash uint64) (entry int) {
	e := len(t.meta)
	t.arena = append(t.arena, key...)
	t.meta = append(t.meta, meta{hash, uint64(len(t.arena))})
	if e>>6 == len(t.written) {
		t.written = append(t.written, 0)
	}
	if c := t.cold; c != nil {
		t.seq = append(t.seq, c.next)
		c.next++
	}
	chunk := e >> chunkShift
	switch {
	case chunk > 0 && chunk == len(t.rows):
		t.addChunk(chunkRows)
	case chunk == 0 && len(t.rows) == 0:
		t.addChunk(firstRows)
	case chunk == 0 && (e+1)*t.width > len(t.rows[0]):
		larger := t.chunk(2 * len(t.rows[0]) / t.width)
		copy(larger, t.rows[0])
		t.rows[0], t.born[0] = larger, t.frozen
	}
	return e
}

func (t *table) addChunk(rows int) {
	t.rows = append(t.rows, t.chunk(rows))
	t.born = append(t.born, t.frozen)
}

// reserve makes room for more entries with so many bytes of keys.
func (t *table) reserve(entries, keys int) {
	t.meta = slices.Grow(t.meta, entries)
	t.arena = slices.Grow(t.arena, keys)
	t.widen(len(t.meta)+entries, len(t.meta))
}

func (t *part) place(hash uint64, entry int) {
	mask := uint64(len(t.index) - 1)
	i := hash & mask
	for t.index[i] != 0 {
		i = (i + 1) & mask
	}
	t.index[i] = hash&^low | uint64(entry+1)
}

// placeFrom puts the entries from first on, which append has added, into the
// index. It returns false where a key is there twice. It looks at the slots of
// many entries before it uses them, as Touch does.
func (t *part) placeFrom(first int) bool {
	t.widen(len(t.meta), first)
	t.move(math.MaxInt)
	mask := uint64(len(t.index) - 1)
	var slots [touchRows]uint64
	for ; first < len(t.meta); first += touchRows {
		batch := t.meta[first:min(first+touchRows, len(t.meta))]
		for i := range batch {
			slots[i] = t.index[batch[i].hash&mask]
		}
		for i := range batch {
			at := batch[i].hash & mask
			if slots[i] == 0 && t.index[at] == 0 {
				t.index[at] = batch[i].hash&^low | uint64(first+i+1)
				continue
			}
			if _, ok := t.find(t.key(first+i), batch[i].hash); ok {
				return false
			}
			t.place(batch[i].hash, first+i)
		}
	}
	return true
}

// widen makes the index large enough for n entries, of which it has the first
// placed.
func (t *part) widen(n, placed int) {
	size := len(t.index)
	for n*4 > size*3 {
		size *= 2
	}
	if size == len(t.index) {
		return
	}
	t.move(math.MaxInt)
	t.narrow, t.placed, t.narrowed = t.index, 0, placed
	t.index = make([]uint64, size)
	if size < wideIndex {
		t.move(math.MaxInt)
	}
}

// move places n more of the entries that only the narrow index has.
func (t *part) move(n int) {
	if t.narrow == nil {
		return
	}
	end := t.narrowed
	if n < end-t.placed {
		end = t.placed + n
	}
	for ; t.placed < end; t.placed++ {
		t.place(t.meta[t.placed].hash, t.placed)
	}
	if end == t.narrowed {
		t.narrow = nil
	}
}

// key returns the bytes of an entry's key.
func (t *part) key(e int) []byte {
	from := uint64(0)
	if e > 0 {
		from = t.meta[e-1].end
	}
	to := t.meta[e].end
	return t.arena[from:to:to]
}

// row returns the values of an entry.
func (t *part) row(e int) []gpflow.Value {
	i := (e & (chunkRows - 1)) * t.width
	return t.rows[uint(e)>>chunkShift][i : i+t.width : i+t.width]
}

// after returns the place in order of the first entry behind c.
func (t *table) after(c gpflow.Cursor, groups int) int {
	if t.at > 0 && int(t.order[t.at-1])+1 == c.Entry {
		return t.at
	}
	return sort.Search(len(t.order), func(i int) bool {
		e := int(t.order[i])
		g := keygroup.Of(t.meta[e].hash, groups)
		return g > c.Group || g == c.Group && e+1 > c.Entry
	})
}

// reset empties t and keeps its memory. No frozen view may hold it.
func (t *table) reset() {
	clear(t.index)
	rest := len(t.meta)
	for _, c := range t.rows {
		used := min(rest, chunkRows)
		clear(c[:used*t.width])
		rest -= used
	}
	t.meta, t.arena, t.order, t.at, t.values = t.meta[:0], t.arena[:0], t.order[:0], 0, 0
	t.changes.reset()
	t.narrow, t.seq, t.saved, t.spares = nil, nil, false, spares{}
}

// forget lets go of what t holds; frozen views keep what they have of it.
func (t *table) forget() {
	t.part, t.order, t.leaving = part{width: t.width, scalars: t.scalars}, nil, nil
	t.saved, t.born, t.spares = false, nil, spares{}
}

// bytes returns the memory that t holds, with what its rows point to.
func (t *table) bytes() int {
	n := t.part.bytes() + cap(t.order)*4 + cap(t.born)*8 + t.leaving.bytes()
	if t.cold != nil {
		n += t.cold.keys.bytes()
	}
	return n
}

// bytes returns the memory that t holds, with what its rows point to.
func (t *part) bytes() int {
	n := (len(t.index)+len(t.narrow))*8 + cap(t.meta)*metaSize + cap(t.arena) + cap(t.seq)*8 + t.changes.bytes() + t.values
	for _, c := range t.rows {
		n += len(c) * valueSize
	}
	return n
}
