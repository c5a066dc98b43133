package checkpoint

import (
	"maps"
	"slices"
	"testing"
)

// What has names that the keeper does not give is somebody else's: it is not
// taken for the keeper's own, nor removed, wherever in the store it lies.
func TestStrangeObjectsStay(t *testing.T) {
	const in = "lineages/ab/"
	strange := []string{
		"README", "notes/0000000001", "head/readme", "head/7", "head/old/0000000009", "lineages/foo", "lineages/Foo/x", "lineages/cd",
		in + "README", in + "epochs/who", in + "epochs/copy/0000000099", in + "epochs/2024",
		in + "current/note", in + "current/old/0000000099", in + "current/0000000099-0000000001", in + "current/00000000099",
		in + "sealed/old/0000000099", in + "sealed/2024-11",
		in + "manifests/0000000001-0000000001.bak", in + "manifests/old/0000000001-0000000001", in + "manifests/0001-0001",
		in + "segments/0000000001-0000000001", in + "segments/old/0000000001-0000000001-0000", in + "segments/2024-1126-0001",
	}
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 2)
	for _, name := range strange {
		store.objects[name] = []byte("mine")
	}
	for range 4 {
		must(t, h.checkpoint(t.Context(), j))
		must(t, j.k.Retain(t.Context(), 2))
	}
	sound(t, h, memJobOf(t, h, memView{memStore: store}, 2).k, "strange objects")

	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	found, err := k.Verify(t.Context())
	if must(t, err); len(found.Faults) > 0 {
		t.Errorf("they are taken for damage: %v", found.Faults)
	}
	if m := mustCurrent(t, k); m.ID != 8 {
		t.Errorf("checkpoint %d is current, and should be 8", m.ID)
	}
	there := slices.Collect(maps.Keys(store.objects))
	for _, name := range strange {
		if !slices.Contains(there, name) {
			t.Errorf("%s was removed", name)
		}
	}
}
