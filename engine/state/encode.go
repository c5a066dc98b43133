package state

import (
	"encoding/binary"
	"errors"
	"fmt"

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
	f     *Frozen
	views []view
	types [][]gpflow.Type // of the columns, by state
	runs  []run           // by view, and by group within a view
	buf   []byte
}

// Encode returns the segment of f. It fails where a value is not of the type
// that its column was declared with, or is nested too deeply, and after Release.
func (f *Frozen) Encode() ([]byte, error) {
	views, ok := f.enter()
	if !ok {
		return nil, errors.New("encode keyed state: it has been released")
	}
	defer f.leave()
	e := &encoder{f: f, views: views, types: columnTypes(f.descs)}
	tables, err := e.measure()
	if err != nil {
		return nil, err
	}
	out, err := e.place(tables)
	if err != nil {
		return nil, fmt.Errorf("encode keyed state: %w", err)
	}
	if err := e.write(out); err != nil {
		return nil, err
	}
	f.size.Store(int64(len(out)))
	return out, nil
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
func (v *view) next(e int) int {
	if v.all {
		return e
	}
	return v.dirty.next(e, len(v.meta))
}

// entry returns what the segment has of an entry, which is valid until the next
// call, and the number of bytes of its key.
func (e *encoder) entry(v *view, i int) (b []byte, keys int, err error) {
	from := uint64(0)
	if i > 0 {
		from = v.meta[i-1].end
	}
	key := v.arena[from:v.meta[i].end]
	at := (i & (chunkRows - 1)) * v.width
	b = append(binary.AppendUvarint(e.buf[:0], uint64(len(key))), key...)
	b, err = appendRow(b, v.rows[i>>chunkShift][at:at+v.width], e.types[v.state])
	if err != nil {
		return nil, 0, fmt.Errorf("encode state %q, pane %d: %w", e.f.descs[v.state].Name, v.at, err)
	}
	e.buf = b
	return b, len(key), nil
}

// measure finds the runs.
func (e *encoder) measure() ([]savedTable, error) {
	f := e.f
	tables := make([]savedTable, len(e.views))
	sizes, counts := make([]int, f.to-f.from), make([]int, f.to-f.from)
	for i := range e.views {
		v, t := &e.views[i], &tables[i]
		t.state, t.pane = v.state, v.at
		for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
			g := keygroup.Of(v.meta[n].hash, f.groups) - f.from
			if g >= len(sizes) {
				continue // only where RestoreTwice is planted
			}
			b, keys, err := e.entry(v, n)
			if err != nil {
				return nil, err
			}
			sizes[g] += len(b)
			counts[g]++
			t.entries++
			t.keys += keys
		}
		for g, n := range counts {
			if n > 0 {
				head := uvarintSize(uint64(i)) + uvarintSize(uint64(n))
				e.runs = append(e.runs, run{view: i, group: g, entries: n, size: head + sizes[g]})
				sizes[g], counts[g] = 0, 0
			}
		}
	}
	return tables, nil
}

func uvarintSize(n uint64) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// place gives the runs their places, and returns the segment with its header
// and nothing else.
func (e *encoder) place(tables []savedTable) ([]byte, error) {
	sizes := make([]int, e.f.to-e.f.from)
	total := 0
	for _, r := range e.runs {
		sizes[r.group] += r.size
		total += r.size
	}
	header, err := e.f.appendHeader(nil, tables, sizes)
	if err != nil {
		return nil, err
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
	out := make([]byte, len(header)+total)
	copy(out, header)
	return out, nil
}

// write writes the runs.
func (e *encoder) write(out []byte) error {
	at := make([]int, e.f.to-e.f.from) // by group: where the next entry goes
	runs := e.runs
	for i := range e.views {
		v := &e.views[i]
		for ; len(runs) > 0 && runs[0].view == i; runs = runs[1:] {
			r := &runs[0]
			n := binary.PutUvarint(out[r.at:], uint64(i))
			n += binary.PutUvarint(out[r.at+n:], uint64(r.entries))
			at[r.group] = r.at + n
		}
		for n := v.next(0); n < len(v.meta); n = v.next(n + 1) {
			g := keygroup.Of(v.meta[n].hash, e.f.groups) - e.f.from
			if g >= len(at) {
				continue
			}
			b, _, err := e.entry(v, n)
			if err != nil {
				return err
			}
			at[g] += copy(out[at[g]:], b)
		}
	}
	return nil
}
