package state

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

func desc(width int) gpflow.StateDescriptor {
	cols := make([]gpflow.Column, width)
	for i := range cols {
		cols[i] = gpflow.Column{Name: fmt.Sprint("c", i), Type: gpflow.T(gpflow.KindInt).Opt()}
	}
	return gpflow.StateDescriptor{Name: "p", Kind: "panes", Value: gpflow.NewSchema(cols...), Version: 1}
}

// tester is a testing.TB or a rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
}

func newPanesOf(t tester, groups, from, to, width int) *Panes {
	t.Helper()
	m, err := New(groups, from, to, []gpflow.StateDescriptor{desc(width)})
	if err != nil {
		t.Fatal(err)
	}
	return m.Panes("p").(*Panes)
}

// model is what the tables are compared with: a Go map a pane, and the keys in
// the order in which they came.
type model map[gpflow.Timestamp]*modelPane

type modelPane struct {
	vals map[string]int64
	keys []string
	hash map[string]uint64
}

// walk returns the keys by group, and by insertion within a group.
func (m *modelPane) walk(groups int) []string {
	keys := slices.Clone(m.keys)
	slices.SortStableFunc(keys, func(a, b string) int {
		return keygroup.Of(m.hash[a], groups) - keygroup.Of(m.hash[b], groups)
	})
	return keys
}

// Random updates, iterations that go on while keys are added, and drops do to
// the tables what they do to Go maps. Weak hashes make keys collide.
func TestTablesEqualMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { tablesEqualMaps(t, nil) })
}

// So they do where tables are evicted at any time.
func TestSpilledTablesEqualMaps(t *testing.T) {
	b := tiny(t)
	rapid.Check(t, func(t *rapid.T) { tablesEqualMaps(t, b) })
}

func tablesEqualMaps(t *rapid.T, b *Budget) {
	groups := rapid.SampledFrom([]int{1, 3, 64, 1024}).Draw(t, "groups")
	width := rapid.IntRange(0, 3).Draw(t, "width")
	weak := rapid.Bool().Draw(t, "weak")
	m, err := New(groups, 0, groups, []gpflow.StateDescriptor{desc(width)})
	if err != nil {
		t.Fatal(err)
	}
	if b != nil {
		m.Limit(b)
		m.evictor.limits = drawnLimits(func(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, what) })
		defer m.Leave()
	}
	h := harness{p: m.Panes("p"), groups: groups, width: width, weak: weak, model: model{}}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		pane := gpflow.Timestamp(rapid.IntRange(-2, 3).Draw(t, "pane"))
		switch rapid.IntRange(-1, 5).Draw(t, "what") {
		case -1:
			if err := evictSome(m, rapid.IntRange(1, 20_000).Draw(t, "bytes"), rapid.IntRange(0, 20_000).Draw(t, "step")); err != nil {
				t.Fatal(err)
			}
		case 0:
			h.p.Drop(pane)
			delete(h.model, pane)
		case 1:
			h.walk(t, pane)
		default:
			for range rapid.IntRange(1, 60).Draw(t, "updates") {
				h.upsert(t, pane, rapid.IntRange(0, 3000).Draw(t, "key"))
			}
		}
		h.first(t)
	}
	for pane := range h.model {
		h.walk(t, pane)
	}
	if m.Bytes() < 0 {
		t.Fatal("negative size")
	}
}

type harness struct {
	p             gpflow.Panes
	groups, width int
	weak          bool
	model         model
	n             int64
}

func (h *harness) upsert(t *rapid.T, pane gpflow.Timestamp, k int) {
	key := fmt.Appendf(nil, "%0*d", k%7, k)
	hash := gpflow.HashKey(key)
	if h.weak {
		hash &= 0xF000_0001_0000_0003
	}
	mp := h.model[pane]
	if mp == nil {
		mp = &modelPane{vals: map[string]int64{}, hash: map[string]uint64{}}
		h.model[pane] = mp
	}
	old, known := mp.vals[string(key)]
	row, fresh := h.p.Upsert(pane, key, hash)
	if fresh == known || len(row) != h.width {
		t.Fatalf("Upsert(%d, %q): fresh %v, width %d", pane, key, fresh, len(row))
	}
	h.n++
	for i, v := range row {
		if fresh && !v.IsNull() || known && v.Int() != old+int64(i) {
			t.Fatalf("Upsert(%d, %q): slot %d is %d, fresh %v, want %d", pane, key, i, v.Int(), fresh, old+int64(i))
		}
		row[i] = gpflow.Int(h.n + int64(i))
	}
	if !known {
		mp.keys = append(mp.keys, string(key))
		mp.hash[string(key)] = hash
	}
	mp.vals[string(key)] = h.n
	clear(key)
}

// walk compares a pane with its model. Half-way it adds a key: the rest of the
// walk gives what lies behind the cursor, with it or without it.
func (h *harness) walk(t *rapid.T, pane gpflow.Timestamp) {
	mp := h.model[pane]
	if mp == nil {
		if _, _, _, ok := h.p.Next(pane, gpflow.Cursor{}); ok || h.p.Len(pane) != 0 {
			t.Fatalf("pane %d is not empty", pane)
		}
		return
	}
	if h.p.Len(pane) != len(mp.keys) {
		t.Fatalf("Len(%d) = %d, want %d", pane, h.p.Len(pane), len(mp.keys))
	}
	half := rapid.IntRange(0, len(mp.keys)).Draw(t, "half")
	var c gpflow.Cursor
	for i := 0; ; i++ {
		if i == half {
			h.upsert(t, pane, 5000+len(mp.keys))
			want := mp.walk(h.groups)
			for i > 0 && want[i-1] != mp.keys[c.Entry-1] { // the new key went before the cursor
				i++
			}
		}
		want := mp.walk(h.groups)
		next, key, row, ok := h.p.Next(pane, c)
		if ok != (i < len(want)) {
			t.Fatalf("Next: ok = %v at %d of %d", ok, i, len(want))
		}
		if !ok {
			return
		}
		if string(key) != want[i] || len(row) > 0 && row[0].Int() != mp.vals[want[i]] || next.Group != keygroup.Of(mp.hash[want[i]], h.groups) {
			t.Fatalf("Next %d of pane %d = %q, want %q", i, pane, key, want[i])
		}
		c = next
	}
}

func (h *harness) first(t *rapid.T) {
	var want []gpflow.Timestamp
	for pane := range h.model {
		want = append(want, pane)
	}
	got, ok := h.p.First()
	if ok != (len(want) > 0) || ok && got != slices.Min(want) {
		t.Fatalf("First() = %d, %v, want the least of %v", got, ok, want)
	}
}

// A walk may start at any group, and stop behind it: that is how one group is
// taken out.
func TestOneGroup(t *testing.T) {
	const groups = 16
	p := newPanesOf(t, groups, 4, 12, 1)
	want := make([]int, groups)
	for k := range 500 {
		key := binary.BigEndian.AppendUint64(nil, uint64(k))
		hash := gpflow.HashKey(key)
		if g := keygroup.Of(hash, groups); g >= 4 && g < 12 {
			p.Upsert(0, key, hash)
			want[g]++
		}
	}
	for g := groups - 1; g >= 0; g-- {
		n, c := 0, gpflow.Cursor{Group: g}
		for {
			next, _, _, ok := p.Next(0, c)
			if !ok || next.Group != g {
				break
			}
			n, c = n+1, next
		}
		if n != want[g] {
			t.Errorf("group %d has %d keys, want %d", g, n, want[g])
		}
	}
}

func TestMemory(t *testing.T) {
	m, err := New(1024, 0, 1024, []gpflow.StateDescriptor{desc(2)})
	if err != nil {
		t.Fatal(err)
	}
	p := m.Panes("p")
	fill := func(pane gpflow.Timestamp, keys int) {
		var key [8]byte
		for k := range keys {
			binary.BigEndian.PutUint64(key[:], uint64(k))
			p.Upsert(pane, key[:], gpflow.HashKey(key[:]))
		}
	}
	for pane := range 100 {
		fill(gpflow.Timestamp(pane), 1)
	}
	if b := m.Bytes(); b > 100*512 {
		t.Errorf("100 panes of one key hold %d bytes", b)
	}
	fill(1000, 200_000)
	if b := m.Bytes(); b < 200_000*(2*16+16+8+8) || b > 200_000*200 {
		t.Errorf("200,000 keys hold %d bytes", b)
	}
	for {
		pane, ok := p.First()
		if !ok {
			break
		}
		p.Drop(pane)
	}
	if b := m.Bytes(); b > spareBytes+1<<16 {
		t.Errorf("%d bytes are held after all panes were dropped", b)
	}
}

// In the steady state neither updates nor the turnover of panes allocate.
func TestNoAllocations(t *testing.T) {
	p := newPanesOf(t, 1024, 0, 1024, 3)
	keys := benchKeys(1000)
	pane := gpflow.Timestamp(0)
	turn := func() {
		for i := range keys {
			row, _ := p.Upsert(pane, keys[i].key, keys[i].hash)
			row[0] = gpflow.Int(1)
		}
		var c gpflow.Cursor
		for ok := true; ok; {
			c, _, _, ok = p.Next(pane, c)
		}
		p.Drop(pane)
		pane++
	}
	turn()
	if n := testing.AllocsPerRun(20, turn); n > 1 {
		t.Errorf("1000 updates, a walk and a drop allocate %v times", n)
	}
}
