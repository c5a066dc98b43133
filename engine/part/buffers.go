package part

import (
	"sync"

	"github.com/gpflow/gpflow"
)

// mostKept is the size in bytes of the largest buffer that a subtask keeps from
// one checkpoint to the next. Larger ones are rare enough, and would be memory that
// the state cannot have.
const mostKept = 32 << 20

// buffers are the encoded states that a subtask has handed in. The memory of one is
// used again when its checkpoint has completed: it is stored then, and stores keep
// nothing of what they are given. While a checkpoint is under way, or after it was
// given up, somebody may still read it. Any goroutine may use it.
type buffers struct {
	mu   sync.Mutex
	free []byte // for the next state; nil: none
	lent map[gpflow.CheckpointID][]byte
}

// take returns a buffer of length 0, which may be nil, to the caller.
func (b *buffers) take() (buffer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	buffer, b.free = b.free, nil
	return buffer
}

// lend notes that a buffer is about to be handed in for a checkpoint.
func (b *buffers) lend(id gpflow.CheckpointID, buffer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lent == nil {
		b.lent = make(map[gpflow.CheckpointID][]byte)
	}
	b.lent[id] = buffer
}

// completed takes the buffer of a checkpoint back, and forgets those before, which
// were given up.
func (b *buffers) completed(id gpflow.CheckpointID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if back := b.lent[id]; cap(back) > cap(b.free) && cap(back) <= mostKept {
		b.free = back[:0]
	}
	for lent := range b.lent {
		if lent <= id {
			delete(b.lent, lent)
		}
	}
}

// aborted forgets the buffer of a checkpoint that was given up.
func (b *buffers) aborted(id gpflow.CheckpointID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.lent, id)
}
