package state

import (
	"testing"

	"github.com/gpflow/gpflow/engine/state/spill"
)

// testDisk is a spill.Store as a Disk.
type testDisk struct{ *spill.Store }

func (d testDisk) View() DiskView { return d.Store.View() }

// tiny returns a budget of a few dozen rows. Its disk lies in memory.
func tiny(t testing.TB) *Budget {
	t.Helper()
	s, err := spill.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return NewBudget(48<<10, func() (Disk, error) { return testDisk{s}, nil })
}

// evictSome evicts tables of so many bytes, where m has a budget.
func evictSome(m *Memory, bytes int) error {
	if m.budget == nil {
		return nil
	}
	return m.evict(m.victims(int64(bytes)))
}
