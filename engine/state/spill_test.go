package state

import (
	"testing"

	"github.com/gpflow/gpflow/engine/state/spill"
)

// testDisk is a spill.Store as a Disk.
type testDisk struct{ *spill.Store }

func (d testDisk) View() DiskView { return d.Store.View() }

func (d testDisk) Writer() (DiskWriter, error) { return d.Store.Writer() }

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

// drawnLimits returns limits of a few rows, or of many.
func drawnLimits(d draw) limits {
	if d("limits", 0, 1) == 0 {
		return usual
	}
	return limits{rows: d("rows", 1, 50), bytes: 1 << 20, block: d("block", 1, 1000)}
}

// evictSome has tables of so many bytes leave, unless some are leaving, and writes
// so many bytes of them, where m has a budget. 0 bytes is no step.
func evictSome(m *Memory, bytes, step int) error {
	if m.budget == nil {
		return nil
	}
	if len(m.evictor.queue) == 0 {
		m.dropKept()
		m.evictor.begin(m.victims(int64(bytes)))
	}
	return m.evictor.step(int64(step))
}
