package checkpoint

import (
	"errors"
	"os"
	"testing"

	"github.com/gpflow/gpflow/storage/local"
)

// In a directory: processes one after another, one that is overtaken, and the
// golden store.
func TestInADirectory(t *testing.T) {
	open := func(dir string) *local.Store {
		s, err := local.Open(dir)
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	dir, h := t.TempDir(), newTruth()
	first := memJobOf(t, h, open(dir), 3)
	must(t, first.k.Retain(t.Context(), 2))
	second := memJobOf(t, h, open(dir), 2)
	var stale *StaleEpoch
	if err := h.checkpoint(t.Context(), first); !errors.As(err, &stale) {
		t.Errorf("a checkpoint of who has been overtaken: %v", err)
	}
	must(t, second.k.Savepoint(t.Context(), "s", mustCurrent(t, second.k)))
	must(t, second.k.Retain(t.Context(), 2))
	sound(t, h, second.k, "two processes")
	m, err := LoadSavepoint(t.Context(), open(dir+"/savepoints/s"), "")
	if err != nil || m.ID != 5 {
		t.Errorf("the savepoint's directory: %v, %v", m, err)
	}

	golden := t.TempDir()
	must(t, os.CopyFS(golden, os.DirFS("testdata/golden/1/store")))
	k, err := Open(t.Context(), open(golden))
	must(t, err)
	if m := mustCurrent(t, k); m.ID != 3 {
		t.Errorf("checkpoint %d, want 3", m.ID)
	}
}

func BenchmarkStoreInADirectory(b *testing.B) {
	s, err := local.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	h := newTruth()
	j, err := h.start(b.Context(), s)
	for b.Loop() && err == nil {
		if err = h.checkpoint(b.Context(), j); err == nil {
			err = j.k.Retain(b.Context(), 5)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
}
