package sim

import (
	"bytes"
	"maps"
	"slices"

	"github.com/gpflow/gpflow/engine/state"
)

// rows are the rows on a disk at one time, by key.
type rows map[string][]byte

// Get implements state.DiskReader.
func (r rows) Get(dst, key []byte) ([]byte, bool, error) {
	value, ok := r[string(key)]
	return append(dst, value...), ok, nil
}

// Scan implements state.DiskReader.
func (r rows) Scan(from, to []byte, f func(key, value []byte) bool) error {
	for _, key := range slices.Sorted(maps.Keys(r)) {
		if key >= string(from) && key < string(to) && !f([]byte(key), r[key]) {
			break
		}
	}
	return nil
}

// Close implements state.DiskView.
func (r rows) Close() {}

// disk is a state.Disk in memory.
type disk struct{ rows }

// Writer implements state.Disk.
func (d disk) Writer() (state.DiskWriter, error) { return diskWriter{d, make(rows)}, nil }

// Wait implements state.Disk.
func (d disk) Wait() error { return nil }

// diskWriter is a run of rows for a disk.
type diskWriter struct {
	disk disk
	run  rows
}

// Add implements state.DiskWriter.
func (w diskWriter) Add(key, value []byte) error {
	w.run[string(key)] = bytes.Clone(value)
	return nil
}

// Commit implements state.DiskWriter.
func (w diskWriter) Commit() error {
	maps.Copy(w.disk.rows, w.run)
	return nil
}

// Discard implements state.DiskWriter.
func (w diskWriter) Discard() {}

// Remove implements state.Disk.
func (d disk) Remove(from, to []byte) error {
	maps.DeleteFunc(d.rows, func(key string, _ []byte) bool { return key >= string(from) && key < string(to) })
	return nil
}

// View implements state.Disk.
func (d disk) View() state.DiskView { return maps.Clone(d.rows) }
