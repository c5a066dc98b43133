package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gpflow/gpflow/storage"
)

// The errors of a Memory that was told to fail.
var (
	ErrInjected = errors.New("the store was told to fail")
	ErrFull     = errors.New("the store is full")
)

// Memory is a store in memory that fails when it is told to, and can lose what a
// loss of power would take. It is deterministic: it has no clock, no goroutine
// and no source of chance.
//
// Each object has what readers see and what would survive. The two differ after
// an operation that failed Halfway, and while SetUnsafe is on; Crash makes them
// one again.
type Memory struct {
	mu       sync.Mutex
	objects  map[string]object
	used     int64 // bytes that readers see
	capacity int64 // bytes; 0: no limit
	unsafe   bool
	faults   []Fault
	ops      int
}

// object is nil where there is none.
type object struct{ seen, lasting []byte }

var _ storage.Store = (*Memory)(nil)

// NewMemory returns a store that is empty and works.
func NewMemory() *Memory { return &Memory{objects: make(map[string]object)} }

// Op is a kind of operation.
type Op string

// The operations, by the methods of a store.
const (
	Put         Op = "put"
	PutIfAbsent Op = "put if absent"
	Get         Op = "get"
	GetRange    Op = "get a range"
	List        Op = "list"
	Remove      Op = "remove"
)

// Writes reports whether an operation changes a store.
func (o Op) Writes() bool { return o == Put || o == PutIfAbsent || o == Remove }

// When says how much of an operation is done when it fails.
type When int

const (
	// Before: nothing has been done.
	Before When = iota
	// Halfway: a change has been done and is seen, but may be lost in a Crash.
	Halfway
	// After: the operation is done, for good; only its answer is lost.
	After
)

// String returns "before", "halfway" or "after".
func (w When) String() string { return [...]string{"before", "halfway", "after"}[w] }

// Fault is an operation that is to fail.
type Fault struct {
	// Match says which operations count; nil: those that write.
	Match func(op Op, name string) bool
	// Skip is how many of those go well before.
	Skip int
	// Times is how many fail then: 0 is one, below 0 all.
	Times int
	When  When
	// Err is what the error wraps; nil: ErrInjected, Halfway in a
	// storage.SyncError.
	Err error
}

// Fail has an operation fail from now on; faults that are there already stay.
func (m *Memory) Fail(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Match == nil {
		f.Match = func(op Op, _ string) bool { return op.Writes() }
	}
	if f.Times == 0 {
		f.Times = 1
	}
	m.faults = append(m.faults, f)
}

// Heal takes away all faults and any limit.
func (m *Memory) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults, m.capacity = nil, 0
}

// SetCapacity has what would need more than some bytes, all objects taken
// together, fail with ErrFull; 0: no limit.
func (m *Memory) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// SetUnsafe has the store break its promise: changes are seen at once, but until
// Sync a Crash may take them back. It is a fault to plant, for tests of tests.
func (m *Memory) SetUnsafe(unsafe bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unsafe = unsafe
}

// Sync makes everything that is seen survive a Crash.
func (m *Memory) Sync() {
	m.Crash(func(string) bool { return true })
}

// Crash is a loss of power. Of each object whose last change was not made to
// last, keep says whether that has survived all the same; nil: none has. It is
// asked by name, in order.
func (m *Memory) Crash(keep func(name string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		o := m.objects[name]
		if same := (o.seen == nil) == (o.lasting == nil) && bytes.Equal(o.seen, o.lasting); same || keep != nil && keep(name) {
			m.set(name, object{o.seen, o.seen})
		} else {
			m.set(name, object{o.lasting, o.lasting})
		}
	}
}

// Tamper changes an object behind everybody's back, for good: change gets a copy
// of the data, and returns what is there then; nil: no object. It does nothing
// and returns false where there is no object.
func (m *Memory) Tamper(name string, change func(data []byte) []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[name]
	if o.seen == nil {
		return false
	}
	data := change(bytes.Clone(o.seen))
	m.set(name, object{data, data})
	return true
}

// Ops returns how many operations have been asked for.
func (m *Memory) Ops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// Clone returns a store with the same objects and no faults.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{objects: maps.Clone(m.objects), used: m.used}
}

// set replaces an object, under mu. Data in objects are never changed.
func (m *Memory) set(name string, o object) {
	m.used += int64(len(o.seen)) - int64(len(m.objects[name].seen))
	if o.seen == nil && o.lasting == nil {
		delete(m.objects, name)
	} else {
		m.objects[name] = o
	}
}

// run does one operation, or as much of it as the faults let it. do returns what
// an object becomes, which is o itself where the operation only reads.
func (m *Memory) run(ctx context.Context, op Op, name string, invalid error, do func(o object) (seen []byte, err error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops++
	err := ctx.Err()
	if err == nil {
		err = invalid
	}
	if err == nil {
		err = m.attempt(op, name, do)
	}
	if err != nil {
		return fmt.Errorf("%s %q in memory: %w", op, name, err)
	}
	return nil
}

func (m *Memory) attempt(op Op, name string, do func(o object) ([]byte, error)) error {
	f, fails := m.fault(op, name)
	if fails && f.When == Before {
		return f.error(name)
	}
	o := m.objects[name]
	seen, err := do(o)
	if err != nil {
		return err
	}
	if op.Writes() {
		lasting := seen
		if m.unsafe || fails && f.When == Halfway {
			lasting = o.lasting
		}
		m.set(name, object{seen, lasting})
	}
	if fails {
		return f.error(name)
	}
	return nil
}

// fault returns the fault of an operation, if there is one; of several, the
// first. All count it.
func (m *Memory) fault(op Op, name string) (found Fault, fails bool) {
	left := m.faults[:0]
	for _, f := range m.faults {
		switch {
		case !f.Match(op, name):
		case f.Skip > 0:
			f.Skip--
		case !fails:
			found, fails = f, true
			if f.Times > 0 {
				f.Times--
			}
		}
		if f.Times != 0 {
			left = append(left, f)
		}
	}
	m.faults = left
	return found, fails
}

func (f Fault) error(name string) error {
	switch {
	case f.Err != nil:
		return f.Err
	case f.When == Halfway:
		return &storage.SyncError{Op: "sync", Path: name, Err: ErrInjected}
	default:
		return ErrInjected
	}
}

// conflict returns an error if an object of a name cannot be, for there is one
// above or below it.
func (m *Memory) conflict(name string) error {
	for other, o := range m.objects {
		if o.seen != nil && (strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/")) {
			return fmt.Errorf("there is an object %q; no name is both an object and above others", other)
		}
	}
	return nil
}

// room returns ErrFull if there is no room for data in place of old.
func (m *Memory) room(old, data []byte) error {
	if m.capacity > 0 && m.used+int64(len(data))-int64(len(old)) > m.capacity {
		return ErrFull
	}
	return nil
}
