package state

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// filled returns a Memory with n keys of one string column and two counters.
func filled(t testing.TB, n int) (*Memory, []hashed) {
	m, err := New(1024, 0, 1024, []gpflow.StateDescriptor{desc(2)})
	if err != nil {
		t.Fatal(err)
	}
	keys := benchKeys(n)
	p := m.Panes("p")
	for i := range keys {
		row, _ := p.Upsert(0, keys[i].key, keys[i].hash)
		row[0], row[1] = gpflow.Int(int64(i)), gpflow.Int(1)
	}
	return m, keys
}

func encoded(t testing.TB, f *Frozen) []byte {
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	return b
}

// counted is how many keys a Memory has, and the sum of their first column.
type counted struct {
	m      *Memory
	keys   []hashed
	sum, n int64
}

func (c *counted) add(key []byte, hash uint64, by int64) {
	row, fresh := c.m.Panes("p").Upsert(0, key, hash)
	row[0] = gpflow.Int(row[0].Int() + by)
	c.sum += by
	if fresh {
		c.n++
	}
}

// work changes keys that are there, and adds some.
func (c *counted) work(round int) {
	for i := range 3000 {
		k := &c.keys[(i*7+round*1001)%len(c.keys)]
		c.add(k.key, k.hash, 3)
	}
	for i := range 400 {
		key := intKey(nil, uint64(round*1000+i))
		c.add(key, gpflow.HashKey(key), 1)
	}
}

// restoredCount returns the keys and the sum in a segment.
func restoredCount(t *testing.T, segment []byte) (n, sum int64) {
	r, _ := New(1024, 0, 1024, []gpflow.StateDescriptor{desc(2)})
	if err := r.Restore([][]byte{segment}); err != nil {
		t.Fatal(err)
	}
	var c gpflow.Cursor
	for {
		next, _, row, ok := r.Panes("p").Next(0, c)
		if !ok {
			return n, sum
		}
		n, sum, c = n+1, sum+row[0].Int(), next
	}
}

// Views are encoded and released by other goroutines while the subtask's goes
// on: they give what was there when they were taken.
func TestEncodeInTheBackground(t *testing.T) {
	m, keys := filled(t, 5000)
	c := &counted{m: m, keys: keys, n: 5000, sum: 4999 * 5000 / 2}
	type saved struct {
		sum, n  int64
		segment []byte
	}
	var wg sync.WaitGroup
	all := make([]saved, 12)
	for round := range all {
		f := m.Freeze(true)
		s := &all[round]
		s.sum, s.n = c.sum, c.n
		wg.Go(func() {
			var err error
			if s.segment, err = f.Encode(); err != nil {
				t.Error(err)
			}
			f.Release()
		})
		c.work(round)
		if round%4 == 3 {
			m.Aborted(f)
			m.Panes("p").Drop(0)
			c.sum, c.n = 0, 0
			runtime.Gosched()
		}
		m.Bytes()
	}
	wg.Wait()
	for round, s := range all {
		if n, sum := restoredCount(t, s.segment); n != s.n || sum != s.sum {
			t.Errorf("round %d: %d keys with the sum %d, want %d with %d", round, n, sum, s.n, s.sum)
		}
	}
}

// Release may come while Encode goes on, and again; Encode after it fails.
func TestRelease(t *testing.T) {
	m, _ := filled(t, 20_000)
	f := m.Freeze(false)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, _ = f.Encode()
			f.Release()
		})
	}
	f.Release()
	wg.Wait()
	if _, err := f.Encode(); err == nil {
		t.Error("a view that was released is encoded")
	}
	if n := f.tables[0].views.Load(); n != 0 {
		t.Errorf("%d views hold the table", n)
	}
}

// A pane that a view holds is not reused, and is counted until it is released.
func TestBytesOfViews(t *testing.T) {
	m, keys := filled(t, 20_000)
	p := m.Panes("p")
	before := m.Bytes()
	f, g := m.Freeze(false), m.Freeze(false)
	if b := m.Bytes(); b < before || b > before+4096 {
		t.Errorf("%d bytes before, and %d with two views", before, b)
	}
	touch := func() {
		for i := range keys {
			p.Upsert(0, keys[i].key, keys[i].hash)
		}
	}
	touch()
	rows := 20 * chunkRows * 2 * valueSize
	if b := m.Bytes(); b < before+rows || b > before+rows+16384 {
		t.Errorf("%d bytes before, %d after %d bytes of rows were copied", before, b, rows)
	}
	p.Drop(0)
	if b := m.Bytes(); b < before-len(m.panes[0].panes)-400_000 || b > before+16384 {
		t.Errorf("%d bytes before, %d with the pane dropped and in two views", before, b)
	}
	f.Release()
	g.Release()
	if b := m.Bytes(); b > 8192 {
		t.Errorf("%d bytes are held by nobody", b)
	}
	small, _ := New(8, 0, 8, []gpflow.StateDescriptor{desc(1)})
	q := small.panes[0]
	for at, want := range map[gpflow.Timestamp]int{0: 0, 1: 1} {
		q.Upsert(at, []byte("k"), 1)
		f := small.Freeze(true)
		if at == 1 {
			f.Release()
		}
		q.Drop(at)
		if len(q.spare) != want {
			t.Errorf("pane %d: %d tables are kept for reuse, want %d", at, len(q.spare), want)
		}
		q.spare = nil
	}
}

// Deltas are small, and few enough that the chain stays short.
func TestChain(t *testing.T) {
	m, keys := filled(t, 100_000)
	p := m.Panes("p")
	full := 0
	var kinds []bool
	for round := range 24 {
		f := m.Freeze(false)
		b := encoded(t, f)
		kinds = append(kinds, f.Delta())
		if !f.Delta() {
			full = len(b)
		} else if round < 9 && len(b)*20 > full {
			t.Errorf("a delta of 1 in 100 keys has %d bytes, a full segment %d", len(b), full)
		}
		m.Completed(f)
		m.Completed(f) // changes nothing
		part := 100
		if round >= 9 {
			part = 4
		}
		for i := 0; i < len(keys); i += part {
			p.Upsert(0, keys[i].key, keys[i].hash)
		}
	}
	want := []bool{false, true, true, true, true, true, true, true, true, false}
	if !slices.Equal(kinds[:10], want) {
		t.Errorf("deltas: %v, want %v", kinds[:10], want)
	}
	if n := slices.Index(kinds[10:], false); n < 2 || n > 3 {
		t.Errorf("after deltas of a quarter: %v", kinds[10:])
	}
	if f := m.Freeze(true); f.Delta() {
		t.Error("a full one was asked for")
	}
}

// A checkpoint that completes without having been encoded is no base.
func TestNotEncoded(t *testing.T) {
	m, _ := filled(t, 10)
	m.Completed(m.Freeze(false))
	if m.Freeze(false).Delta() {
		t.Error("a delta follows what nobody has encoded")
	}
}

// TestAppend: a segment behind something else, in memory that was used for
// another purpose before, is what Encode returns.
func TestAppend(t *testing.T) {
	m, keys := filled(t, 3000)
	used := bytes.Repeat([]byte{0xA5}, 1<<20)
	for round := range 3 { // a full one, and deltas
		f := m.Freeze(false)
		want, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, dst := range [][]byte{nil, []byte("before"), used[:6]} {
			before := len(dst)
			got, err := f.Append(dst, func(dst []byte, size int) []byte { return append(dst, fmt.Sprint(size)...) })
			head := string(dst) + fmt.Sprint(len(want))
			if err != nil || string(got) != head+string(want) {
				t.Errorf("round %d, behind %d bytes: %d bytes, want %d and %d (%v)", round, before, len(got), len(head), len(want), err)
			}
			if before > 0 && cap(dst) > len(got) && unsafe.SliceData(got) != unsafe.SliceData(dst) {
				t.Errorf("round %d: the memory behind the %d bytes was not used", round, before)
			}
		}
		f.Release()
		m.Completed(f)
		for i := range 100 {
			m.Panes("p").Upsert(0, keys[i*7+round].key, keys[i*7+round].hash)
		}
	}
}
