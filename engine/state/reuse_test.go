package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// spareOf returns the chunks that the table of filled's pane may write over.
func spareOf(m *Memory) [][]gpflow.Value { return m.panes[0].panes[0].table.spares.free }

// place tells chunks apart.
func place(chunk []gpflow.Value) *gpflow.Value { return unsafe.SliceData(chunk) }

// heldView is a view, and what it held when it was taken.
type heldView struct {
	frozen *Frozen
	copy   [][]gpflow.Value
}

func (h *heldView) rows() [][]gpflow.Value { return (*h.frozen.views.Load())[0].rows }

// spareWorld is a table that is written while views of it come and go.
type spareWorld struct {
	m      *Memory
	keys   []hashed
	views  []heldView
	reused int // chunks that were free, over all steps
}

func (w *spareWorld) step(r *rand.Rand) {
	switch n := r.IntN(10); {
	case n < 2:
		h := heldView{frozen: w.m.Freeze(true)}
		for _, c := range h.rows() {
			h.copy = append(h.copy, slices.Clone(c))
		}
		w.views = append(w.views, h)
	case n < 4 && len(w.views) > 0:
		i := r.IntN(len(w.views))
		w.views[i].frozen.Release()
		w.views = slices.Delete(w.views, i, i+1)
	default:
		for range r.IntN(8) {
			k := w.keys[r.IntN(len(w.keys))]
			row, _ := w.m.Panes("p").Upsert(0, k.key, k.hash)
			row[1] = gpflow.Int(r.Int64())
		}
	}
}

// check complains about a view that has changed, and a free chunk that is held.
func (w *spareWorld) check() error {
	held := map[*gpflow.Value]bool{}
	for _, c := range w.m.panes[0].panes[0].table.rows {
		held[place(c)] = true
	}
	for _, h := range w.views {
		for i, c := range h.rows() {
			held[place(c)] = true
			if !slices.EqualFunc(c, h.copy[i], func(a, b gpflow.Value) bool { return a.Int() == b.Int() }) {
				return fmt.Errorf("chunk %d of a view has changed", i)
			}
		}
	}
	for _, c := range spareOf(w.m) {
		if held[place(c)] {
			return errors.New("a chunk that is held, or free twice, may be written over")
		}
		held[place(c)] = true
	}
	w.reused += len(spareOf(w.m))
	return nil
}

// TestSpareIsHeldByNobody: whatever the order in which views are taken, written
// behind and released, no chunk that may be written over is one that a view or
// the table holds, nor is it there twice; and views keep their content. Where the
// chunks of views are reused, that is found.
func TestSpareIsHeldByNobody(t *testing.T) {
	const seeds = 40
	run := func(seed uint64, bug Bug) (reused int, err error) {
		r := rand.New(rand.NewPCG(seed, 8))
		w := &spareWorld{}
		w.m, w.keys = filled(t, 3*chunkRows)
		w.m.Plant(bug)
		for range 60 {
			w.step(r)
			if err := w.check(); err != nil {
				return w.reused, err
			}
		}
		return w.reused, nil
	}
	reused, found := 0, 0
	for seed := range uint64(seeds) {
		n, err := run(seed, NoBug)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		reused += n
		if _, err := run(seed, ReuseHeld); err != nil {
			found++
		}
	}
	if reused == 0 || found < seeds/2 {
		t.Errorf("%d chunks were free, want some; ReuseHeld was found by %d of %d seeds", reused, found, seeds)
	}
}

// TestSparesAreUsed: from the second checkpoint on, copies take no new memory; a
// table that is no longer written gives the free chunks back, bit by bit; and all
// of them are counted.
func TestSparesAreUsed(t *testing.T) {
	const chunks = 16
	m, keys := filled(t, chunks*chunkRows)
	p := m.Panes("p")
	round := func(written int) {
		f := m.Freeze(true)
		for i := range written {
			p.Upsert(0, keys[i*chunkRows].key, keys[i*chunkRows].hash)
		}
		f.Release()
		m.prune()
	}
	before := m.Bytes()
	round(chunks)
	if n := len(spareOf(m)); n != chunks {
		t.Fatalf("%d chunks are free when the view is released, want %d", n, chunks)
	}
	if got, want := m.Bytes()-before, chunks*chunkRows*2*valueSize; got < want || got > want+4096 {
		t.Errorf("%d free chunks count %d bytes, want %d", chunks, got, want)
	}
	was := map[*gpflow.Value]bool{}
	for _, c := range spareOf(m) {
		was[place(c)] = true
	}
	f := m.Freeze(true)
	for i := range chunks {
		p.Upsert(0, keys[i*chunkRows].key, keys[i*chunkRows].hash)
	}
	for i, c := range m.panes[0].panes[0].table.rows {
		if !was[place(c)] {
			t.Errorf("chunk %d was copied to new memory", i)
		}
	}
	f.Release()
	for range 4 * keepFor {
		round(1)
	}
	if n := len(spareOf(m)); n > 2 {
		t.Errorf("%d chunks are free, and one is used at a time", n)
	}
	if !m.forgetSpares() || m.forgetSpares() || len(spareOf(m)) > 0 {
		t.Error("free chunks are there after they were given back")
	}
}
