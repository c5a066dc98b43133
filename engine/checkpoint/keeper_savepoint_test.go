package checkpoint

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// A savepoint is retained for ever, moves to another store, and restores there.
func TestSavepoint(t *testing.T) {
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 2)
	must(t, j.k.Savepoint(t.Context(), "before.upgrade", mustCurrent(t, j.k)))
	for range 5 {
		must(t, h.checkpoint(t.Context(), j))
		must(t, j.k.Retain(t.Context(), 1))
	}
	var taken *NameTaken
	if err := j.k.Savepoint(t.Context(), "before.upgrade", mustCurrent(t, j.k)); !errors.As(err, &taken) {
		t.Errorf("a name in use: %v", err)
	}
	for _, bad := range []string{"", ".x", "a/b", "a b", "x.", strings.Repeat("x", 101)} {
		if err := j.k.Savepoint(t.Context(), bad, mustCurrent(t, j.k)); err == nil {
			t.Errorf("a savepoint is called %q", bad)
		}
	}
	// Out of this store, by copying what is under its prefix.
	elsewhere := newMemStore()
	for name, b := range store.objects {
		if rest, ok := strings.CutPrefix(name, "savepoints/before.upgrade/"); ok {
			elsewhere.objects["copied/to/"+rest] = b
		}
	}
	from := memView{memStore: elsewhere}
	m, err := LoadSavepoint(t.Context(), from, "copied/to")
	must(t, err)
	if m.Name != "before.upgrade" || m.ID != 2 || len(m.Committables) != 0 {
		t.Errorf("savepoint %+v", m)
	}
	// And into a third, where a lineage begins with it.
	third := newMemStore()
	k, err := Open(t.Context(), memView{memStore: third})
	must(t, err)
	must(t, k.Fresh(t.Context(), "cd", "x"))
	if _, err := k.Adopt(t.Context(), from, m); err != nil {
		t.Fatal(err)
	}
	k, err = Open(t.Context(), memView{memStore: third})
	must(t, err)
	must(t, k.Claim(t.Context(), "y"))
	got := mustCurrent(t, k)
	if got.Lineage != "cd" || got.Name != "" || got.ID != 2 || k.NextID() != 3 {
		t.Errorf("began with %+v, next %d", got, k.NextID())
	}
	for _, p := range got.Parts {
		segments, err := k.Segments(t.Context(), p)
		must(t, err)
		var want [][]byte
		for _, ref := range m.Part(p.Part).Segments {
			want = append(want, opened(t, from, ref))
		}
		if !slices.EqualFunc(segments, want, slices.Equal) || !slices.EqualFunc(segments, h.chains["2-1"][p.Part], func(b []byte, s string) bool { return string(b) == s }) {
			t.Errorf("%s was restored as %q", p.Part, segments)
		}
	}
}

func TestSavepointsListedAndRemoved(t *testing.T) {
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 1)
	before := store.clone()
	must(t, j.k.Savepoint(t.Context(), "b", mustCurrent(t, j.k)))
	must(t, j.k.Savepoint(t.Context(), "a", mustCurrent(t, j.k)))
	must(t, j.k.Savepoint(t.Context(), "ab", mustCurrent(t, j.k)))
	store.objects["savepoints/b/manifest"][30] ^= 1
	all, err := j.k.Savepoints(t.Context())
	must(t, err)
	if len(all) != 3 || all[0].Name != "a" || all[0].Err != nil || all[2].Name != "b" || all[2].Err == nil {
		t.Errorf("savepoints %v", all)
	}
	// Removed, with a crash at every operation.
	for n, ended := 0, false; !ended; n++ {
		k := &Keeper{store: memView{store, failAt(n, memBefore, true)}}
		ended = k.RemoveSavepoint(t.Context(), "a") == nil
	}
	if all, _ = j.k.Savepoints(t.Context()); len(all) != 2 {
		t.Errorf("savepoints %v", all)
	}
	must(t, j.k.RemoveSavepoint(t.Context(), "b"))
	must(t, j.k.RemoveSavepoint(t.Context(), "ab"))
	if !slices.Equal(store.names(), before.names()) {
		t.Errorf("left: %v", store.names())
	}
	var none *NoCheckpoint
	if err := j.k.RemoveSavepoint(t.Context(), "b"); !errors.As(err, &none) {
		t.Errorf("removed what there is not: %v", err)
	}
	if _, err := j.k.LoadSavepoint(t.Context(), "b"); !errors.As(err, &none) {
		t.Errorf("loaded what there is not: %v", err)
	}
}

// Writing a savepoint is cut short at every operation: it is there whole, or not
// at all, and can be written again.
func TestCrashInSavepoint(t *testing.T) {
	for _, fault := range []memFault{memBefore, memAfter} {
		for n, ended := 0, false; !ended; n++ {
			h, store := newTruth(), newMemStore()
			j := memJobOf(t, h, memView{memStore: store}, 2)
			m := mustCurrent(t, j.k)
			j.k.store = memView{store, failAt(n, fault, true)}
			ended = j.k.Savepoint(t.Context(), "s", m) == nil
			j.k.store = memView{memStore: store}
			sound(t, h, j.k, "a crash in a savepoint")
			must(t, j.k.Savepoint(t.Context(), "s", m))
			v, err := j.k.Verify(t.Context())
			if err != nil || v.Savepoints != 1 || len(v.Faults) > 0 {
				t.Fatalf("operation %d: %+v, %v", n, v, err)
			}
		}
	}
}

// Verify finds the fault in each object that is retained and names it.
func TestVerify(t *testing.T) {
	h, store := newTruth(), newMemStore()
	must(t, h.life(t, memView{memStore: store}, 2))
	j := memJobOf(t, h, memView{memStore: store}, 3)
	must(t, j.k.Retain(t.Context(), 2))
	must(t, j.k.Savepoint(t.Context(), "s", mustCurrent(t, j.k)))
	v, err := j.k.Verify(t.Context())
	if err != nil || len(v.Faults) > 0 || v.Checkpoints != 2 || v.Savepoints != 1 || v.Segments == 0 || v.Bytes == 0 {
		t.Fatalf("of a sound store: %+v, %v", v, err)
	}
	for _, name := range store.names() {
		damaged := store.clone()
		damaged.objects[name] = flip(store.objects[name], len(store.objects[name])/2, 4)
		k := &Keeper{store: memView{memStore: damaged}, head: j.k.head, lineage: "ab"}
		v, err := k.Verify(t.Context())
		if err != nil || len(v.Faults) != 1 || !strings.HasPrefix(errText(v.Faults), name+" is damaged") {
			t.Errorf("%s is damaged, found: %v, %v", name, v.Faults, err)
		}
		delete(damaged.objects, name)
		v, err = k.Verify(t.Context())
		quiet := strings.Contains(name, "/sealed/") || strings.Contains(name, "/epochs/") || name == "savepoints/s/manifest" ||
			strings.HasPrefix(name, "head/")
		if err != nil || len(v.Faults) == 0 && !quiet || len(v.Faults) > 0 && !strings.HasPrefix(errText(v.Faults), name+" is damaged") {
			t.Errorf("%s is lost, found: %v, %v", name, v.Faults, err)
		}
	}
}

func errText(errs []error) string { return errors.Join(errs...).Error() }
