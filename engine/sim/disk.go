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

// Write implements state.Disk.
func (d disk) Write(run func(add func(key, value []byte) error) error) error {
	added := make(rows)
	err := run(func(key, value []byte) error {
		added[string(key)] = bytes.Clone(value)
		return nil
	})
	if err == nil {
		maps.Copy(d.rows, added)
	}
	return err
}

// Remove implements state.Disk.
func (d disk) Remove(from, to []byte) error {
	maps.DeleteFunc(d.rows, func(key string, _ []byte) bool { return key >= string(from) && key < string(to) })
	return nil
}

// View implements state.Disk.
func (d disk) View() state.DiskView { return maps.Clone(d.rows) }
