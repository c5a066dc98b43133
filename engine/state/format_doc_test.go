package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
)

// pageReader reads a segment by what docs/reference/checkpoint-format.md says, and
// nothing else.
type pageReader struct {
	b []byte
}

func (r *pageReader) uvarint() uint64 {
	n, used := binary.Uvarint(r.b)
	r.b = r.b[used:]
	return n
}

func (r *pageReader) signed() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *pageReader) take(n uint64) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *pageReader) text() string { return string(r.take(r.uvarint())) }

func (r *pageReader) value() any {
	tag := r.take(1)[0]
	var eight [8]byte
	copy(eight[:], r.take(uint64(tag&15)))
	n := binary.LittleEndian.Uint64(eight[:])
	switch tag >> 4 {
	case 0:
		return nil
	case 1:
		return n == 1
	case 2, 7, 8:
		return int64(n>>1) ^ -int64(n&1)
	case 3:
		return math.Float64frombits(bits.ReverseBytes64(n))
	case 5, 6:
		return string(r.take(n))
	case 9:
		list := make([]any, n)
		for i := range list {
			list[i] = r.value()
		}
		return list
	case 10:
		m := make(map[string]any)
		for range n {
			key := r.text()
			m[key] = r.value()
		}
		return m
	}
	panic(fmt.Sprintf("the page knows no kind %d", tag>>4))
}

// pageSegment is what the page makes of a segment.
type pageSegment struct {
	flags           byte
	number          uint64
	groups, from    uint64
	to              uint64
	states, dropped []string
	entries         []string
}

// segment reads a segment up to its end.
func (r *pageReader) segment() (s pageSegment) {
	all := r.b
	if string(r.take(4)) != "gpks" || r.take(1)[0] != 1 {
		panic("no segment of version 1")
	}
	s.flags = r.take(1)[0]
	header := binary.LittleEndian.Uint32(r.take(4))
	if r.text() != gpflow.KeyHashName {
		panic("another hash")
	}
	s.number, s.groups, s.from, s.to = r.uvarint(), r.uvarint(), r.uvarint(), r.uvarint()
	columns := 3
	for range r.uvarint() {
		name, kind := r.text(), r.text()
		r.text() // the schemas
		r.text()
		s.states = append(s.states, fmt.Sprint(name, " ", kind, " ", r.signed()))
		for range r.uvarint() {
			s.dropped = append(s.dropped, fmt.Sprint(name, " ", r.signed()))
		}
	}
	type table struct {
		state string
		pane  int64
	}
	var tables []table
	for range r.uvarint() {
		tables = append(tables, table{s.states[r.uvarint()], r.signed()})
		r.uvarint() // entries
		r.uvarint() // bytes of keys
	}
	var sizes []uint64
	for range s.to - s.from {
		sizes = append(sizes, r.uvarint())
	}
	if len(all)-len(r.b) != int(header) {
		panic("the header has another length")
	}
	for g, size := range sizes {
		block := &pageReader{r.take(size)}
		for len(block.b) > 0 {
			t := tables[block.uvarint()]
			for range block.uvarint() {
				e := fmt.Sprint(t.state, " pane ", t.pane, " group ", int(s.from)+g, " ", block.text())
				for range columns {
					e += fmt.Sprint(" ", block.value())
				}
				s.entries = append(s.entries, e)
			}
		}
	}
	if len(r.b) > 0 {
		panic("there is more")
	}
	return s
}

// TestFormatByThePage: who knows the page alone reads segments, whole ones and
// deltas.
func TestFormatByThePage(t *testing.T) {
	list := gpflow.ListOf(gpflow.T(gpflow.KindInt))
	d := gpflow.StateDescriptor{Name: "seen", Kind: "panes", Version: 3, Value: gpflow.NewSchema(
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat).Opt()},
		gpflow.Column{Name: "l", Type: list},
	)}
	m, err := New(4, 1, 4, []gpflow.StateDescriptor{d})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	put := func(pane gpflow.Timestamp, key string, n int64, x gpflow.Value, shown string) {
		hash := gpflow.HashKey([]byte(key))
		group, _ := bits.Mul64(hash, 4)
		if group == 0 {
			return // another subtask's
		}
		row, _ := m.Panes("seen").Upsert(pane, []byte(key), hash)
		row[0], row[1], row[2] = gpflow.Int(n), x, gpflow.List([]gpflow.Value{gpflow.Int(1), gpflow.Int(-300)})
		want[fmt.Sprintf("seen panes 3 pane %d group %d %s %d %s [1 -300]", pane, group, key, n, shown)] = true
	}
	check := func(full bool, flags byte) uint64 {
		t.Helper()
		f := m.Freeze(full)
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := (&pageReader{bytes.Clone(b)}).segment()
		if got.flags != flags || got.groups != 4 || got.from != 1 || got.to != 4 || !slices.Equal(got.states, []string{"seen panes 3"}) {
			t.Errorf("the segment is %+v", got)
		}
		if w := slices.Sorted(maps.Keys(want)); !slices.Equal(slices.Sorted(slices.Values(got.entries)), w) {
			t.Errorf("it has\n%q, want\n%q", got.entries, w)
		}
		m.Completed(f)
		f.Release()
		clear(want)
		if flags == 1 && !slices.Equal(got.dropped, []string{"seen -5"}) {
			t.Errorf("the panes %q are dropped", got.dropped)
		}
		return got.number
	}
	for i := range 20 {
		put(-5, fmt.Sprint("old", i), int64(i), gpflow.Null, "<nil>")
		put(7, fmt.Sprint("key", i), int64(i)-10, gpflow.Float(1.5), "1.5")
	}
	first := check(true, 0)
	m.Panes("seen").Drop(-5)
	put(7, "key3", 1<<40, gpflow.Float(-0.25), "-0.25")
	put(9, "new", 1, gpflow.Null, "<nil>")
	if second := check(false, 1); second <= first {
		t.Errorf("a delta has the number %d, and follows %d", second, first)
	}
}
