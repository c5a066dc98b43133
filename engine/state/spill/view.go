package spill

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// View is the rows of a Store as they were when it was taken. It may be used by
// several goroutines.
type View struct {
	store    *Store
	snapshot *pebble.Snapshot
	mu       sync.RWMutex // held for writing to close snapshot
	closed   bool
}

// errClosed is that of a View which is used after Close.
var errClosed = errors.New("the view has been closed")

// View returns the rows as they are. It takes microseconds, and is closed when it
// is needed no longer: until then nothing of it is forgotten.
func (s *Store) View() *View {
	v := &View{store: s, snapshot: s.db.NewSnapshot()}
	s.mu.Lock()
	s.views[v] = struct{}{}
	s.mu.Unlock()
	return v
}

// Get is that of Store.
func (v *View) Get(dst, key []byte) (value []byte, ok bool, err error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.closed {
		return dst, false, errClosed
	}
	value, ok, err = get(v.snapshot, dst, key)
	return value, ok, v.store.explain("read", err)
}

// Scan is that of Store.
func (v *View) Scan(from, to []byte, f func(key, value []byte) bool) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.closed {
		return errClosed
	}
	return v.store.explain("read", scan(v.snapshot, from, to, f))
}

// Close lets go of the rows. It waits for calls that go on; again, it does
// nothing.
func (v *View) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.store.mu.Lock()
	_, ours := v.store.views[v] // else the store has been closed
	delete(v.store.views, v)
	v.store.mu.Unlock()
	if !v.closed && ours {
		_ = v.snapshot.Close() // it cannot fail
	}
	v.closed = true
}

func get(r pebble.Reader, dst, key []byte) ([]byte, bool, error) {
	value, done, err := r.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return dst, false, nil
	case err != nil:
		return dst, false, err
	}
	dst = append(dst, value...)
	return dst, true, done.Close()
}

func scan(r pebble.Reader, from, to []byte, f func(key, value []byte) bool) error {
	i, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	for ok := i.First(); ok; ok = i.Next() {
		value, err := i.ValueAndErr()
		if err != nil {
			return errors.Join(err, i.Close())
		}
		if !f(i.Key(), value) {
			break
		}
	}
	return i.Close()
}
