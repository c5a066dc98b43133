package local

import (
	"os"
	"testing"

	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// opened opens a store, and closes it when the test ends.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return opened(t, t.TempDir()) })
}

func TestConformanceWithoutLinks(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		s, err := open(t.TempDir(), func(root *os.Root) disk { return linkless{rooted{root}} })
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return s
	})
}
