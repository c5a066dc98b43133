package part

import (
	"testing"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// TestBuffers: a buffer comes back with the checkpoint that it was handed in for,
// and not otherwise.
func TestBuffers(t *testing.T) {
	var b buffers
	if b.take() != nil {
		t.Error("there is a buffer before one was lent")
	}
	lend := func(id gpflow.CheckpointID, size int) *byte {
		buffer := make([]byte, size)
		b.lend(id, buffer)
		return unsafe.SliceData(buffer)
	}
	back := func(want *byte) {
		t.Helper()
		got := b.take()
		if len(got) != 0 || unsafe.SliceData(got) != want {
			t.Errorf("a buffer with %d bytes, not the one that has come back", len(got))
		}
	}
	lend(1, 10)
	b.aborted(1)
	b.completed(1)
	back(nil)
	lend(2, 10)
	third := lend(3, 10)
	fourth := lend(4, 20)
	b.completed(3)
	b.completed(2) // late, and forgotten
	back(third)
	back(nil)
	b.completed(4)
	back(fourth)
	lend(5, mostKept+1)
	b.completed(5)
	back(nil)
	if len(b.lent) > 0 {
		t.Errorf("%d buffers are lent", len(b.lent))
	}
}
