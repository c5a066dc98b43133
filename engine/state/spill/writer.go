package spill

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Writer writes one run of rows, which nobody sees before Commit. It belongs to
// one goroutine, and ends with Commit or Discard.
type Writer struct {
	store *Store
	name  string
	table *sstable.Writer
	rows  int
	err   error // of Add; it stays
}

// Writer begins a run. It does not wait; see Wait.
func (s *Store) Writer() (*Writer, error) {
	if err := s.failure(); err != nil {
		return nil, s.explain("write", err)
	}
	name := s.fs.PathJoin(s.dir, fmt.Sprintf("run-%d%s", s.runs.Add(1), tableSuffix))
	f, err := s.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, s.explain("write", err)
	}
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.options.MakeWriterOptions(0, s.db.TableFormat()))
	return &Writer{store: s, name: name, table: w}, nil
}

// Add adds a row behind the others: its key is greater than theirs. What is in the
// store under that key is replaced by Commit. Neither key nor value are kept.
func (w *Writer) Add(key, value []byte) error {
	if w.err == nil {
		w.rows++
		w.err = w.table.Set(key, value)
	}
	return w.store.explain("write", w.err)
}

// Commit makes the rows those of the store, all at once. Where it fails, or Add
// has failed, nothing has been added.
func (w *Writer) Commit() error {
	err := cmp.Or(w.err, w.table.Close())
	w.table = nil
	if err == nil && w.rows > 0 {
		err = w.store.db.Ingest(context.Background(), []string{w.name})
		w.store.stale.Store(true)
	}
	if err != nil || w.rows == 0 {
		_ = w.store.fs.Remove(w.name) // it may not be there
	}
	return w.store.explain("write", err)
}

// Discard forgets the rows. After Commit it does nothing.
func (w *Writer) Discard() {
	if w.table == nil {
		return
	}
	_ = w.table.Close() // nobody needs what it has not written
	w.table = nil
	_ = w.store.fs.Remove(w.name)
}

// Wait waits for some milliseconds at most where so many runs have not been merged
// that reading becomes slow. Whoever writes calls it now and then, so that writing
// does not outrun merging for long.
func (s *Store) Wait() error {
	over := s.unmerged() - mostRuns
	if err := s.failure(); err != nil || over <= 0 {
		return s.explain("write", err)
	}
	timer := time.NewTimer(min(time.Duration(over)*pause, longest))
	defer timer.Stop()
	select {
	case <-s.moved:
	case <-timer.C:
	}
	return s.explain("write", s.failure())
}

// failure returns what has failed in the background.
func (s *Store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// unmerged returns how many runs overlap that have not been merged.
func (s *Store) unmerged() int64 {
	if s.stale.Swap(false) {
		s.overlap.Store(int64(s.db.Metrics().Levels[0].Sublevels))
	}
	return s.overlap.Load()
}
