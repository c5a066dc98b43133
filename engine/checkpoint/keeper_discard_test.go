package checkpoint

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// An older lineage can be removed, with all that the keeper has given a name, and
// nothing else; who ran it is overtaken all the same.
func TestDiscard(t *testing.T) {
	h, store := newTruth(), newMemStore()
	old := memJobOf(t, h, memView{memStore: store}, 3)
	store.objects["lineages/ab/segments/mine"] = nil
	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	must(t, k.Fresh(t.Context(), "cd", "another"))
	var none *NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Fatal(err)
	}
	must(t, k.Store(t.Context(), &Manifest{ID: 1, KeyGroups: 1}, nil))

	if err := k.Discard(t.Context(), "cd"); err == nil {
		t.Error("the lineage that runs was removed")
	}
	if err := old.k.Discard(t.Context(), "cd"); err == nil {
		t.Error("a lineage was removed by who has been overtaken")
	}
	must(t, k.Discard(t.Context(), "ab"))
	must(t, k.Discard(t.Context(), "ab"))
	left := slices.DeleteFunc(store.names(), func(name string) bool { return !strings.HasPrefix(name, "lineages/ab/") })
	if !slices.Equal(left, []string{"lineages/ab/segments/mine"}) {
		t.Errorf("there is left %v", left)
	}

	again, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	if m := mustCurrent(t, again); m.ID != 1 || m.Lineage != "cd" {
		t.Errorf("checkpoint %d of %s is current", m.ID, m.Lineage)
	}
	found, err := again.Verify(t.Context())
	if must(t, err); len(found.Faults) > 0 {
		t.Errorf("damage is found: %v", found.Faults)
	}
	var stale *StaleEpoch
	if err := h.checkpoint(t.Context(), old); !errors.As(err, &stale) {
		t.Errorf("a checkpoint of who has been overtaken: %v", err)
	}
}
