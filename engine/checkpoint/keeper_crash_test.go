package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// life is what a process does: it starts, makes checkpoints and retains two.
func (h *memTruth) life(t *testing.T, v memView, checkpoints int) error {
	j, err := h.start(t.Context(), v)
	for i := 0; i < checkpoints && err == nil; i++ {
		if err = h.checkpoint(t.Context(), j); err == nil {
			err = j.k.Retain(t.Context(), 2)
		}
	}
	return err
}

// After a crash before or after any operation, the next process goes on from
// what had been kept, or from what was being kept, and everything retained can
// be read.
func TestCrashAtEveryOperation(t *testing.T) {
	for _, fault := range []memFault{memBefore, memAfter} {
		for n, ended := 0, false; !ended; n++ {
			h, store := newTruth(), newMemStore()
			must(t, h.life(t, memView{memStore: store}, 2))
			err := h.life(t, memView{store, failAt(n, fault, true)}, 4)
			ended = err == nil
			if !ended && !errors.Is(err, errMem) {
				t.Fatalf("operation %d: %v", n, err)
			}
			j, err := h.start(t.Context(), memView{memStore: store})
			if err != nil {
				t.Fatalf("after a crash at operation %d, fault %d: %v", n, fault, err)
			}
			if err := h.line(j.stands); err != nil {
				t.Fatalf("operation %d: %v", n, err)
			}
			sound(t, h, j.k, fmt.Sprintf("a crash at operation %d", n))
			must(t, h.checkpoint(t.Context(), j))
			must(t, j.k.Retain(t.Context(), 2))
			tidy(t, j.k, store)
		}
	}
}

// sound checks that all that is retained can be read, and is what was stored.
func sound(t *testing.T, h *memTruth, k *Keeper, after string) {
	t.Helper()
	v, err := k.Verify(t.Context())
	if err != nil || len(v.Faults) > 0 {
		t.Fatalf("after %s: %v, %v", after, err, v.Faults)
	}
	all, err := k.List(t.Context())
	must(t, err)
	for _, l := range all {
		if l.Err == nil {
			l.Err = h.compare(t.Context(), k, l.Manifest)
		}
		if l.Err != nil {
			t.Fatalf("after %s: %v", after, l.Err)
		}
	}
}

// tidy checks that there are no objects but those that are needed.
func tidy(t *testing.T, k *Keeper, store *memStore) {
	t.Helper()
	needed := make(map[string]bool)
	all, err := k.List(t.Context())
	must(t, err)
	for _, l := range all {
		needed[l.Object] = true
		for _, s := range l.Manifest.segments() {
			needed[s] = true
		}
	}
	if len(all) != 2 {
		t.Fatalf("%d checkpoints are retained, want 2", len(all))
	}
	for _, name := range store.names() {
		if (strings.Contains(name, "/manifests/") || strings.Contains(name, "/segments/")) && !needed[name] {
			t.Fatalf("%s is left, though nothing needs it", name)
		}
	}
}

// A store that fails once, before or after it has done what it was asked: Store
// is called again, or the checkpoint is given up and the next one made, or the
// process recovers by itself.
func TestStoreFailsOnce(t *testing.T) {
	for _, fault := range []memFault{memBefore, memAfter} {
		for _, then := range []string{"again", "next", "recover", "retain and recover"} {
			for n, ended := 0, false; !ended; n++ {
				h, store := newTruth(), newMemStore()
				var hook func(op, name string) memFault
				v := memView{store, func(op, name string) memFault {
					if hook == nil {
						return memNone
					}
					return hook(op, name)
				}}
				j := memJobOf(t, h, v, 2)
				hook = failAt(n, fault, false)
				ended = storeFailing(t, h, j, then) == nil
				hook = nil
				must(t, h.checkpoint(t.Context(), j))
				must(t, j.k.Retain(t.Context(), 2))
				sound(t, h, j.k, fmt.Sprintf("%q after a failure at operation %d", then, n))
				tidy(t, j.k, store)
				stands := j.stands
				if j, _ = h.start(t.Context(), v); j == nil || j.stands != stands || h.line(stands) != nil {
					t.Fatalf("%q after a failure at operation %d: the next goes on from %v, want %s", then, n, j, stands)
				}
			}
		}
	}
}

// storeFailing makes a checkpoint and, where that fails, does what then says.
// It returns the failure.
func storeFailing(t *testing.T, h *memTruth, j *memJob, then string) error {
	m, states, chain := j.next()
	at := key(m.ID, j.k.Epoch())
	h.chains[at], h.parent[at] = chain, j.stands
	failure := j.k.Store(t.Context(), m, states)
	switch {
	case failure == nil:
	case !errors.Is(failure, errMem):
		t.Fatal(failure)
	case then == "again":
		must(t, j.k.Store(t.Context(), m, states))
	case then == "next":
		return failure
	default:
		if then == "retain and recover" {
			must(t, j.k.Retain(t.Context(), 2))
		}
		must(t, j.k.Claim(t.Context(), "again"))
		j.whole, j.chain, j.stands = true, nil, ""
		must(t, h.restore(t.Context(), j))
		return failure
	}
	h.kept = append(h.kept, at)
	j.chain, j.stands, j.whole = chain, at, false
	return failure
}

// Of a sound store, one object is lost, or one of its bytes flipped, or it is cut
// off, or replaced by another of its kind: the next process goes on from the
// same checkpoint, with the same state, or refuses; never from another.
func TestDamageToEachObject(t *testing.T) {
	h, store := newTruth(), newMemStore()
	must(t, h.life(t, memView{memStore: store}, 3))
	must(t, h.life(t, memView{memStore: store}, 2))
	current := h.kept[len(h.kept)-1]
	outcomes := make(map[string]int)
	try := func(name, how string, damage func(objects map[string][]byte)) {
		damaged := store.clone()
		damage(damaged.objects)
		before := damaged.clone()
		j, err := h.start(t.Context(), memView{memStore: damaged})
		if err == nil {
			if j.stands != current {
				t.Fatalf("%s is %s: goes on from %q, want %s", name, how, j.stands, current)
			}
			if m := mustCurrent(t, j.k); m.Time != 1000 {
				t.Fatalf("%s is %s: goes on from another manifest", name, how)
			}
			outcomes["goes on"]++
			return
		}
		if !isOfObject(err) {
			t.Fatalf("%s is %s: %v", name, how, err)
		}
		outcomes["refuses"]++
		for name, b := range before.objects { // and has changed nothing
			if !slices.Equal(damaged.objects[name], b) {
				t.Fatalf("%s has been changed", name)
			}
		}
		// It is refused the second time, too.
		if j, err := h.start(t.Context(), memView{memStore: damaged}); err == nil {
			t.Fatalf("%s is %s: the second start goes on from %s", name, how, j.stands)
		}
	}
	for _, name := range store.names() {
		b := store.objects[name]
		try(name, "lost", func(o map[string][]byte) { delete(o, name) })
		for i := range b {
			try(name, "flipped", func(o map[string][]byte) { o[name] = flip(b, i, 1<<(i%8)) })
		}
		for i := 0; i < len(b); i += 1 + len(b)/20 {
			try(name, "cut off", func(o map[string][]byte) { o[name] = b[:i] })
		}
		if m, err := Decode(name, b); err == nil {
			m.Time++
			other, err := m.Encode()
			must(t, err)
			try(name, "replaced by one like it", func(o map[string][]byte) { o[name] = other })
		}
		try(name, "longer", func(o map[string][]byte) { o[name] = append(slices.Clone(b), 0) })
		for _, other := range store.names() {
			if other != name && other[:strings.LastIndex(other, "/")] == name[:strings.LastIndex(name, "/")] {
				try(name, "replaced by "+other, func(o map[string][]byte) { o[name] = store.objects[other] })
			}
		}
	}
	t.Logf("%v", outcomes)
	if outcomes["refuses"] < 500 || outcomes["goes on"] < 500 {
		t.Errorf("outcomes %v: the test tests nothing", outcomes)
	}
}

func flip(b []byte, i int, mask byte) []byte {
	b = slices.Clone(b)
	b[i] ^= mask
	return b
}

// What a process has not made sure of, the next one does before it goes on from
// it: the head, and the last entry of the log before a fence is put behind it. An
// entry without its seal is written once more, and sealed.
func TestRecoveryConfirmsWhatIsCurrent(t *testing.T) {
	h, store := newTruth(), newMemStore()
	memJobOf(t, h, memView{memStore: store}, 2)
	delete(store.objects, sealedName("ab", 3)) // as if the process had died before
	var writes []string
	j := memJobOf(t, h, memView{store, func(op, name string) memFault {
		if strings.HasPrefix(op, "put") {
			writes = append(writes, op+" "+name)
		}
		return memNone
	}}, 0)
	want := []string{
		"put head/0000000001", "put if absent lineages/ab/epochs/0000000002",
		"put lineages/ab/current/0000000003", "put if absent lineages/ab/current/0000000004",
		"put lineages/ab/current/0000000003", "put if absent lineages/ab/sealed/0000000003",
	}
	if !slices.Equal(writes, want) || j.stands != "2-1" {
		t.Errorf("went on from %s after %q, want %q", j.stands, writes, want)
	}
}

// When a store could not make sure that something lasts, nothing more is
// written by this keeper, not even once more.
func TestNothingIsWrittenAfterASyncError(t *testing.T) {
	for _, at := range []string{"/segments/", "/manifests/", "/current/", "/sealed/"} {
		h, store := newTruth(), newMemStore()
		j := memJobOf(t, h, memView{memStore: store}, 2)
		fail := &memSyncError{memView{memStore: store}, at}
		j.k.store = fail
		m, states, _ := j.next()
		var lost *storage.SyncError
		if err := j.k.Store(t.Context(), m, states); !errors.As(err, &lost) {
			t.Fatalf("%s: %v", at, err)
		}
		fail.at = "nowhere"
		before := store.clone()
		for what, err := range map[string]error{
			"Store": j.k.Store(t.Context(), m, states), "Retain": j.k.Retain(t.Context(), 1), "Claim": j.k.Claim(t.Context(), "x"),
		} {
			if !errors.As(err, &lost) {
				t.Errorf("%s after an error at %s: %v", what, at, err)
			}
		}
		if !slices.Equal(store.names(), before.names()) {
			t.Errorf("%s: there are other objects than before", at)
		}
		// The next process reads what there is.
		j, err := h.start(t.Context(), memView{memStore: store})
		if err != nil && !strings.Contains(err.Error(), "never made") {
			t.Errorf("%s: %v", at, err)
		}
		if v, err := j.k.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
			t.Errorf("%s: %v, %v", at, v.Faults, err)
		}
	}
}

// memSyncError cannot make sure that objects last whose names have a part.
type memSyncError struct {
	memView
	at string
}

func (s *memSyncError) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	if err := s.memView.PutIfAbsent(ctx, name, data); err != nil || !strings.Contains(name, s.at) {
		return err
	}
	return &storage.SyncError{Op: "fsync", Path: name, Err: errMem}
}
