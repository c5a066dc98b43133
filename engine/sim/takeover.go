package sim

import (
	"context"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/storage"
)

// hooked is the store as one process sees it. Another one may do something
// between two of its operations.
type hooked struct {
	storage.Store
	left int    // operations before
	do   func() // nil: nothing
}

func (h *hooked) next() storage.Store {
	if h.do != nil {
		if h.left--; h.left < 0 {
			do := h.do
			h.do = nil
			do()
		}
	}
	return h.Store
}

// Put implements storage.Store.
func (h *hooked) Put(ctx context.Context, name string, data []byte) error {
	return h.next().Put(ctx, name, data)
}

// PutIfAbsent implements storage.Store.
func (h *hooked) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return h.next().PutIfAbsent(ctx, name, data)
}

// Get implements storage.Store.
func (h *hooked) Get(ctx context.Context, name string) ([]byte, error) {
	return h.next().Get(ctx, name)
}

// List implements storage.Store.
func (h *hooked) List(ctx context.Context, prefix string) ([]storage.Object, error) {
	return h.next().List(ctx, prefix)
}

// Remove implements storage.Store.
func (h *hooked) Remove(ctx context.Context, name string) error {
	return h.next().Remove(ctx, name)
}

// claim begins an attempt: it claims the next epoch, and finds the checkpoint to
// go on from; none has the number 0.
func (w *world) claim() (*attempt, *checkpoint.Manifest, error) {
	ctx := context.Background()
	a := &attempt{world: w, store: &hooked{Store: w.store}, read: make(map[string]int), ledger: make(map[checkpoint.Part]int64)}
	var err error
	if a.keeper, err = checkpoint.Open(ctx, a.store); err != nil {
		return nil, nil, err
	}
	switch {
	case a.keeper.Lineage() == "":
		err = a.keeper.Fresh(ctx, "ab", "simulated")
	case w.config.Own == ClaimNothing && w.current != nil && w.current.last != nil && w.rand.IntN(2) == 0:
		a.keeper, a.store = w.current.keeper, w.current.store
	default:
		err = a.keeper.Claim(ctx, "simulated")
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := a.keeper.Find(ctx)
	if m == nil {
		m = &checkpoint.Manifest{}
	}
	return a, m, err
}

// takeOver begins an attempt while the process of the one before, which was only
// thought to be dead, goes on storing its last checkpoint. Either that becomes
// current, and the new attempt goes on from it, or it never does (C6).
func (w *world) takeOver() (a *attempt, m *checkpoint.Manifest, err error) {
	old := w.current
	if w.lost || old == nil || old.last == nil || old.last.ID <= w.completed || w.rand.IntN(3) > 0 {
		return w.claim()
	}
	w.stats.Overtaken++
	began := false
	old.store.left = w.rand.IntN(14)
	old.store.do = func() {
		w.trace.say("TAKE OVER while checkpoint %d is being stored by start %d", old.last.ID, old.keeper.Epoch())
		began = true
		a, m, err = w.claim()
	}
	stored := old.archivist.store(*old.last)
	old.store.do = nil
	w.trace.say("start %d has stored checkpoint %d: %v", old.keeper.Epoch(), old.last.ID, stored)
	if !began {
		a, m, err = w.claim()
	}
	if stored == nil {
		w.completed = old.last.ID
	}
	return a, m, err
}

// stale has the process of the attempt before, which was only thought to be
// dead, go on to its next checkpoint: it can store none (C6).
func (w *world) stale(k *checkpoint.Keeper, current *checkpoint.Manifest) {
	old := w.current
	if w.lost || old == nil || old.last == nil {
		return
	}
	w.stats.Stale++
	s := *old.last
	s.ID = max(s.ID, current.ID) + 1
	if err := old.archivist.store(s); err == nil {
		w.broken("C6", "the process of start %d has stored checkpoint %d behind the start of %d", old.keeper.Epoch(), s.ID, k.Epoch())
	}
	m, err := k.Find(context.Background())
	switch {
	case err == nil && m == nil && current.ID == 0:
	case m != nil && m.ID == current.ID && m.Epoch == current.Epoch:
	case err != nil && w.injected(err):
	default:
		w.broken("C6", "checkpoint %d was current, and is not behind the end of start %d: %v", current.ID, old.keeper.Epoch(), err)
	}
}
