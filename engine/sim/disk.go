package sim

import (
	"bytes"
	"slices"

	"github.com/gpflow/gpflow/engine/state"
)

// saved is a row on a disk.
type saved struct{ key, value []byte }

// rows are the rows on a disk at one time, sorted. They are never changed.
type rows []saved

func (r rows) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(r, key, func(x saved, key []byte) int { return bytes.Compare(x.key, key) })
}

// Get implements state.DiskReader.
func (r rows) Get(dst, key []byte) ([]byte, bool, error) {
	i, ok := r.find(key)
	if !ok {
		return dst, false, nil
	}
	return append(dst, r[i].value...), true, nil
}

// Scan implements state.DiskReader.
func (r rows) Scan(from, to []byte, f func(key, value []byte) bool) error {
	for i, _ := r.find(from); i < len(r) && bytes.Compare(r[i].key, to) < 0 && f(r[i].key, r[i].value); i++ {
	}
	return nil
}

// Close implements state.DiskView.
func (r rows) Close() {}

// disk is a state.Disk in memory.
type disk struct{ rows }

// Write implements state.Disk.
func (d *disk) Write(run func(add func(key, value []byte) error) error) error {
	var all rows
	err := run(func(key, value []byte) error {
		all = append(all, saved{bytes.Clone(key), bytes.Clone(value)})
		return nil
	})
	if err != nil {
		return err
	}
	all = append(all, d.rows...) // behind those that take the place of some
	slices.SortStableFunc(all, func(a, b saved) int { return bytes.Compare(a.key, b.key) })
	d.rows = slices.CompactFunc(all, func(a, b saved) bool { return bytes.Equal(a.key, b.key) })
	return nil
}

// Remove implements state.Disk.
func (d *disk) Remove(from, to []byte) error {
	i, _ := d.find(from)
	j, _ := d.find(to)
	d.rows = slices.Concat(d.rows[:i], d.rows[max(i, j):])
	return nil
}

// View implements state.Disk.
func (d *disk) View() state.DiskView { return d.rows }
