package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

func TestFirstStart(t *testing.T) {
	store := memView{memStore: newMemStore()}
	k, err := Open(t.Context(), store)
	must(t, err)
	var none *NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Errorf("Current of an empty store: %v", err)
	}
	if err := k.Claim(t.Context(), "x"); !errors.As(err, &none) {
		t.Errorf("Claim without a lineage: %v", err)
	}
	if err := k.Fresh(t.Context(), "../x", "x"); err == nil {
		t.Error("a lineage has been called ../x")
	}
	must(t, k.Fresh(t.Context(), "ab", "x"))
	if k.Lineage() != "ab" || k.Epoch() != 1 || k.NextID() != 1 {
		t.Errorf("lineage %s, epoch %d, next checkpoint %d", k.Lineage(), k.Epoch(), k.NextID())
	}
	if err := k.Store(t.Context(), &Manifest{ID: 1, KeyGroups: 1}, nil); err == nil {
		t.Error("a checkpoint was stored by who has not asked for the current one")
	}
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Errorf("Current of a new lineage: %v", err)
	}
	must(t, k.Store(t.Context(), &Manifest{ID: 1, KeyGroups: 1}, nil))
	if err := k.Store(t.Context(), &Manifest{ID: 1, KeyGroups: 1}, nil); err == nil {
		t.Error("checkpoint 1 has been stored twice")
	}
}

// What is written, and in which order: a manifest after what it refers to, that
// it is current after the manifest.
func TestOrderOfWriting(t *testing.T) {
	h, store := newTruth(), newMemStore()
	var written []string
	j := memJobOf(t, h, memView{store, func(op, name string) memFault {
		if strings.HasPrefix(op, "put") {
			written = append(written, name)
		}
		return memNone
	}}, 1)
	must(t, j.k.Savepoint(t.Context(), "s", mustCurrent(t, j.k)))
	want := []string{
		"head/0000000001",
		"lineages/ab/epochs/0000000001",
		"lineages/ab/current/0000000001",
		"lineages/ab/segments/0000000001-0000000001-0000",
		"lineages/ab/segments/0000000001-0000000001-0001",
		"lineages/ab/manifests/0000000001-0000000001",
		"lineages/ab/current/0000000002",
		"lineages/ab/sealed/0000000002",
	}
	if n := len(want); len(written) != n+3 || !slices.Equal(written[:n], want) || written[n+2] != "savepoints/s/manifest" {
		t.Errorf("written in the order\n%s\nwant\n%s\nand a savepoint", strings.Join(written, "\n"), strings.Join(want, "\n"))
	}
}

func mustCurrent(t *testing.T, k *Keeper) *Manifest {
	t.Helper()
	m, err := k.Current(t.Context())
	must(t, err)
	return m
}

func TestSegmentsOfParts(t *testing.T) {
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 0)
	id := gpflow.CheckpointID(0)
	keep := func(gone []Part, states map[Part]Snapshot) error {
		id++
		m := &Manifest{ID: id, KeyGroups: 4}
		for _, p := range gone {
			m.Parts = append(m.Parts, PartState{Part: p, Gone: true})
		}
		return j.k.Store(t.Context(), m, states)
	}
	whole := func(s string) Snapshot { return Snapshot{State: []byte(s)} }
	delta := func(s string) Snapshot { return Snapshot{State: []byte(s), Delta: true} }
	a, b := partTaskA, partTaskB
	check := func(want string) {
		t.Helper()
		m := mustCurrent(t, j.k)
		var got []string
		for _, p := range m.Parts {
			segments, err := j.k.Segments(t.Context(), p)
			must(t, err)
			got = append(got, fmt.Sprintf("%s %s gone=%v", p.Part, segments, p.Gone))
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("checkpoint %d: %s\nwant %s", m.ID, s, want)
		}
	}
	var base *NoBase
	if err := keep(nil, map[Part]Snapshot{a: delta("1")}); !errors.As(err, &base) {
		t.Errorf("changes of nothing: %v", err)
	}
	must(t, keep(nil, map[Part]Snapshot{a: whole("a"), b: whole("b")}))
	check("task 1/0 [a] gone=false; task 1/1 [b] gone=false")
	must(t, keep(nil, map[Part]Snapshot{a: delta("a1"), b: delta("")}))
	check("task 1/0 [a a1] gone=false; task 1/1 [b] gone=false")
	must(t, keep([]Part{b}, map[Part]Snapshot{a: whole("A"), b: delta("b1")}))
	check("task 1/0 [A] gone=false; task 1/1 [b b1] gone=true")
	must(t, keep([]Part{b}, map[Part]Snapshot{a: {Data: []byte("x")}, b: {Delta: true}}))
	check("task 1/0 [] gone=false; task 1/1 [b b1] gone=true")
	if err := keep(nil, map[Part]Snapshot{a: delta("a2")}); !errors.As(err, &base) {
		t.Errorf("changes of a subtask of two, where there is one now: %v", err)
	}
	must(t, j.k.Retain(t.Context(), 1))
	check("task 1/0 [] gone=false; task 1/1 [b b1] gone=true")
}

// Committables of checkpoints that were given up are kept, each once.
func TestCommittables(t *testing.T) {
	h := newTruth()
	j := memJobOf(t, h, memView{memStore: newMemStore()}, 0)
	earlier := Pending{partWriter, 4, gpflow.Committable("four")}
	must(t, j.k.Store(t.Context(), &Manifest{ID: 5, KeyGroups: 1, Committables: []Pending{earlier, earlier}},
		map[Part]Snapshot{partWriter: {Committable: gpflow.Committable("five")}, partReader: {}}))
	got := mustCurrent(t, j.k).Committables
	want := []Pending{earlier, {partWriter, 5, gpflow.Committable("five")}}
	if !slices.EqualFunc(got, want, func(a, b Pending) bool { return comparePending(a, b) == 0 }) {
		t.Errorf("committables %v, want %v", got, want)
	}
	if j.k.NextID() != 6 {
		t.Errorf("the next checkpoint is %d, want 6", j.k.NextID())
	}
}

// A new lineage leaves the old one as it is, and stops who runs it.
func TestFresh(t *testing.T) {
	h, store := newTruth(), newMemStore()
	old := memJobOf(t, h, memView{memStore: store}, 2)
	before := store.clone()
	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	if err := k.Fresh(t.Context(), "ab", "again"); err == nil {
		t.Error("a lineage has been begun twice")
	}
	must(t, k.Fresh(t.Context(), "cd", "the new one"))
	var stale *StaleEpoch
	if err := h.checkpoint(t.Context(), old); !errors.As(err, &stale) || !strings.Contains(err.Error(), "the new one") {
		t.Errorf("a checkpoint of the old lineage: %v", err)
	}
	for name, b := range before.objects {
		if !slices.Equal(store.objects[name], b) {
			t.Errorf("%s has been changed", name)
		}
	}
	var none *NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Errorf("a new lineage begins with %v", err)
	}
	all, err := k.Lineages(t.Context())
	if err != nil || !slices.Equal(all, []string{"ab", "cd"}) {
		t.Errorf("lineages %v, %v", all, err)
	}
	if k, err = Open(t.Context(), memView{memStore: store}); err != nil || k.Lineage() != "cd" {
		t.Errorf("the newest lineage is %s, %v", k.Lineage(), err)
	}
}

// A process that begins a lineage crashes at each operation; the one that ran
// before goes on, or has been stopped; another start works.
func TestCrashInFresh(t *testing.T) {
	for _, fault := range []memFault{memBefore, memAfter} {
		for n, ended := 0, false; !ended; n++ {
			h, store := newTruth(), newMemStore()
			old := memJobOf(t, h, memView{memStore: store}, 2)
			k, err := Open(t.Context(), memView{memStore: store})
			must(t, err)
			k.store = memView{store, failAt(n, fault, true)}
			ended = k.Fresh(t.Context(), "cd", "x") == nil
			k, err = Open(t.Context(), memView{memStore: store})
			must(t, err)
			var stale *StaleEpoch
			if err := h.checkpoint(t.Context(), old); (err != nil) != (k.Lineage() == "cd") || err != nil && !errors.As(err, &stale) {
				t.Fatalf("operation %d: the lineage is %s, and the old process has got %v", n, k.Lineage(), err)
			}
			must(t, k.Claim(t.Context(), "y"))
		}
	}
}

// A damaged checkpoint is gone back from only when that is said; then it is so
// for good.
func TestGoBack(t *testing.T) {
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 5)
	name := manifestName("ab", 5, 1)
	store.objects[name] = flip(store.objects[name], 50, 1)

	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	must(t, k.Claim(t.Context(), "back"))
	var d *Damaged
	if _, err := k.Current(t.Context()); !errors.As(err, &d) || d.Object != name {
		t.Fatalf("the current checkpoint is damaged: %v", err)
	}
	all, err := k.List(t.Context())
	must(t, err)
	if len(all) != 5 || all[0].Err == nil || all[1].Err != nil || all[1].ID != 4 {
		t.Fatalf("listed %v", all)
	}
	m, err := k.Load(t.Context(), 4)
	must(t, err)
	m, err = k.Adopt(t.Context(), k.store, m)
	must(t, err)
	if m.ID != 4 || m.Epoch != 2 || k.NextID() != 6 {
		t.Errorf("went back to checkpoint %d, epoch %d; the next is %d", m.ID, m.Epoch, k.NextID())
	}
	var stale *StaleEpoch
	if err := h.checkpoint(t.Context(), j); !errors.As(err, &stale) {
		t.Errorf("the earlier process: %v", err)
	}
	j, err = h.start(t.Context(), memView{memStore: store})
	if err == nil || !strings.Contains(err.Error(), "checkpoint 4 of epoch 2 was never made") {
		t.Fatalf("goes on from %v", err) // the truth does not know it
	}
	must(t, j.k.Retain(t.Context(), 1))
	m = mustCurrent(t, j.k)
	for _, p := range m.Parts {
		if _, err := j.k.Segments(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	var none *NoCheckpoint
	if _, err := k.Load(t.Context(), 77); !errors.As(err, &none) {
		t.Errorf("checkpoint 77: %v", err)
	}
}

// Looking changes nothing and claims nothing.
func TestReadOnly(t *testing.T) {
	h, store := newTruth(), newMemStore()
	memJobOf(t, h, memView{memStore: store}, 3)
	k, err := Open(t.Context(), memView{store, func(op, name string) memFault {
		if op != "get" && op != "get range" && op != "list" {
			t.Errorf("%s %s, though it only looks", op, name)
		}
		return memNone
	}})
	must(t, err)
	if m := mustCurrent(t, k); m.ID != 3 {
		t.Errorf("checkpoint %d, want 3", m.ID)
	}
	if _, err := k.List(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := k.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := k.Retain(t.Context(), 1); err == nil {
		t.Error("removed by who has claimed nothing")
	}
}

// As long as a retained manifest cannot be read, every segment is kept: it may
// be needed when the manifest has been put back.
func TestRetainKeepsWhatDamagedManifestsMayNeed(t *testing.T) {
	h, store := newTruth(), newMemStore()
	memJobOf(t, h, memView{memStore: store}, 4)
	j := memJobOf(t, h, memView{memStore: store}, 0)
	name := manifestName("ab", 3, 1)
	sound := store.objects[name]
	store.objects[name] = flip(sound, 40, 1)
	segments := func() (n int) {
		for _, name := range store.names() {
			if strings.Contains(name, "/segments/") {
				n++
			}
		}
		return n
	}
	before := segments()
	var d *Damaged
	if err := j.k.Retain(t.Context(), 2); !errors.As(err, &d) || d.Object != name {
		t.Errorf("Retain with a damaged manifest: %v", err)
	}
	if segments() != before {
		t.Errorf("%d segments are left of %d", segments(), before)
	}
	must(t, h.checkpoint(t.Context(), j))
	must(t, h.checkpoint(t.Context(), j))
	must(t, j.k.Retain(t.Context(), 2))
	tidy(t, j.k, store)
}

// A checkpoint that may have become current is not written again with other
// content.
func TestStoreAgainWithOtherContent(t *testing.T) {
	for _, what := range []string{"/segments/", "/manifests/"} {
		h, store := newTruth(), newMemStore()
		fail := false
		j := memJobOf(t, h, memView{store, func(_, name string) memFault {
			if fail && strings.Contains(name, "/sealed/") {
				return memBefore
			}
			return memNone
		}}, 1)
		fail = true
		m, states, _ := j.next()
		if err := j.k.Store(t.Context(), m, states); !errors.Is(err, errMem) {
			t.Fatal(err)
		}
		fail = false
		if what == "/segments/" {
			states[partTaskA] = Snapshot{State: []byte("other")}
		} else {
			m.Time++
		}
		before := store.clone()
		if err := j.k.Store(t.Context(), m, states); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("other %s under the same number: %v", what, err)
		}
		for name, b := range before.objects {
			if !slices.Equal(store.objects[name], b) {
				t.Errorf("%s has been changed", name)
			}
		}
	}
}
