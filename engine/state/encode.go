package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// run is the entries of one group in one table, and their place in the segment.
type run struct {
	view, group int
	entries     int
	size        int // bytes, with what stands before the entries
	at          int // from the beginning of the segment
}

// encoder makes a segment. It visits the entries in the order in which they lie
// in memory, twice: to measure the runs, and to write each where it belongs.
type encoder struct {
	f      *Frozen
	views  []view
	types  [][]gpflow.Type // of the columns, by state
	runs   []run           // by view, and by group within a view
	buf    []byte
	since  uint32 // entries visited
	yields int    // since the last rest
	rests  int    // so far
}

// YieldEvery is after how many entries an encoder lets others run, unless
// Memory.Rest says otherwise. It is about 50 microseconds: left to itself the
// scheduler of Go gives them no turn for 10 milliseconds.
const YieldEvery = 1024

// An encoder rests every restEvery times that it lets others run, as far as it is
// told how: see Memory.Rest. Where nobody else runs a rest may take long, so that
// behind manyRests there are fewer.
const (
	restEvery  = 2
	manyRests  = 1000
	restSeldom = 16
)

// yield counts an entry, and lets others run where it is time.
func (e *encoder) yield() {
	if e.since++; e.since&(e.f.every-1) != 0 {
		return
	}
	every := restEvery
	if e.rests > manyRests {
		every = restSeldom
	}
	if e.yields++; e.yields < every || e.f.rest == nil {
		runtime.Gosched()
		return
	}
	e.yields = 0
	e.rests++
	e.f.rest()
}

// Encode returns the segment of f, whole; Pieces is for what may not fit the
// memory. It fails where a value is not of the type
// that its column was declared with, or is nested too deeply, and after Release.
func (f *Frozen) Encode() ([]byte, error) {
	return f.Append(nil, headless)
}

// headless appends nothing.
func headless(dst []byte, _ int) []byte { return dst }

// Append is Encode into the memory behind dst, where there is enough, which grows
// once otherwise. head appends to dst what is to precede the segment, whose
// bytes are size, and looks at nothing in it. It returns nil with an error, where
// dst may have been written over beyond its length.
func (f *Frozen) Append(dst []byte, head func(dst []byte, size int) []byte) ([]byte, error) {
	views, ok := f.enter()
	if !ok {
		return nil, errors.New("encode keyed state: it has been released")
	}
	defer f.leave()
	if f.spilled {
		return f.join(dst, head)
	}
	e := &encoder{f: f, views: views, types: columnTypes(f.descs)}
	header, blocks, err := e.place(e.measure())
	if err != nil {
		return nil, fmt.Errorf("encode keyed state: %w", err)
	}
	size := len(header) + blocks
	dst = head(dst, size)
	whole := slices.Grow(dst, size)[:len(dst)+size]
	segment := whole[len(dst):]
	copy(segment, header)
	if err := e.write(segment); err != nil {
		return nil, err
	}
	f.size.Store(int64(size))
	return whole, nil
}

func columnTypes(descs []gpflow.StateDescriptor) [][]gpflow.Type {
	types := make([][]gpflow.Type, len(descs))
	for i, d := range descs {
		for _, c := range d.Value.Columns {
			types[i] = append(types[i], c.Type)
		}
	}
	return types
}

// next returns the first entry from e on that is to be encoded, or the number
// of entries.
func (h *held) next(e int) int {
	if h.all {
		return e
	}
	return h.dirty.next(e, len(h.meta))
}

// entry returns the key and the row of an entry.
func (t *part) entry(i int) (key []byte, row []gpflow.Value) { return t.key(i), t.row(i) }

// measure finds the runs.
func (e *encoder) measure() []savedTable {
	f := e.f
	tables := make([]savedTable, len(e.views))
	sizes, counts := make([]int, f.to-f.from), make([]int, f.to-f.from)
	for i := range e.views {
		v, t := &e.views[i], &tables[i]
		t.state, t.pane = v.state, v.at
		for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
			e.yield()
			g := keygroup.Of(v.meta[n].hash, f.groups) - f.from
			if g >= len(sizes) {
				continue // only where RestoreTwice is planted
			}
			key, row := v.entry(n)
			sizes[g] += uvarintSize(uint64(len(key))) + len(key)
			for _, value := range row {
				sizes[g] += sizeOf(value, 0)
			}
			counts[g]++
			t.entries++
			t.keys += len(key)
		}
		for g, n := range counts {
			if n > 0 {
				head := uvarintSize(uint64(i)) + uvarintSize(uint64(n))
				e.runs = append(e.runs, run{view: i, group: g, entries: n, size: head + sizes[g]})
				sizes[g], counts[g] = 0, 0
			}
		}
	}
	return tables
}

func uvarintSize(n uint64) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// place gives the runs their places, and returns the header, and how many bytes
// follow it.
func (e *encoder) place(tables []savedTable) (header []byte, blocks int, err error) {
	sizes := make([]int, e.f.to-e.f.from)
	for _, r := range e.runs {
		sizes[r.group] += r.size
		blocks += r.size
	}
	if header, err = e.f.appendHeader(nil, false, tables, sizes); err != nil {
		return nil, 0, err
	}
	at := len(header)
	for g, n := range sizes {
		sizes[g] = at
		at += n
	}
	for i := range e.runs {
		r := &e.runs[i]
		r.at = sizes[r.group]
		sizes[r.group] += r.size
	}
	return header, blocks, nil
}

// write writes the runs.
func (e *encoder) write(out []byte) error {
	at := make([]int, e.f.to-e.f.from) // by group: where the next entry goes
	runs := e.runs
	for i := range e.views {
		v, n := &e.views[i], 0
		for ; n < len(runs) && runs[n].view == i; n++ {
			r := &runs[n]
			at[r.group] = r.at + binary.PutUvarint(out[r.at:], uint64(i))
			at[r.group] += binary.PutUvarint(out[at[r.group]:], uint64(r.entries))
		}
		if err := e.writeView(v, out, at); err != nil {
			return fmt.Errorf("encode state %q, pane %d: %w", e.f.descs[v.state].Name, v.at, err)
		}
		for _, r := range runs[:n] {
			if at[r.group] != r.at+r.size {
				return fmt.Errorf("encode state %q, pane %d: it has changed meanwhile", e.f.descs[v.state].Name, v.at)
			}
		}
		runs = runs[n:]
	}
	return nil
}

func (e *encoder) writeView(v *view, out []byte, at []int) error {
	types := e.types[v.state]
	for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
		e.yield()
		g := keygroup.Of(v.meta[n].hash, e.f.groups) - e.f.from
		if g >= len(at) {
			continue
		}
		key, row := v.entry(n)
		b := append(binary.AppendUvarint(e.buf[:0], uint64(len(key))), key...)
		b, err := appendRow(b, row, types)
		if err != nil {
			return err
		}
		e.buf = b
		at[g] += copy(out[min(at[g], len(out)):], b)
	}
	return nil
}
