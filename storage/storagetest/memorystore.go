package storagetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/storage"
)

// Put implements storage.Store.
func (m *Memory) Put(ctx context.Context, name string, data []byte) error {
	return m.run(ctx, Put, name, storage.CheckName(name), func(o object) ([]byte, error) {
		return m.write(name, o, data)
	})
}

// PutIfAbsent implements storage.Store.
func (m *Memory) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return m.run(ctx, PutIfAbsent, name, storage.CheckName(name), func(o object) ([]byte, error) {
		if o.seen != nil {
			return nil, storage.ErrExists
		}
		return m.write(name, o, data)
	})
}

func (m *Memory) write(name string, o object, data []byte) ([]byte, error) {
	err := m.conflict(name)
	if err == nil {
		err = m.room(o.seen, data)
	}
	// Empty data are not nil, which is no object.
	return append([]byte{}, data...), err
}

// Remove implements storage.Store.
func (m *Memory) Remove(ctx context.Context, name string) error {
	return m.run(ctx, Remove, name, storage.CheckName(name), func(object) ([]byte, error) { return nil, nil })
}

// Get implements storage.Store.
func (m *Memory) Get(ctx context.Context, name string) (data []byte, err error) {
	err = m.run(ctx, Get, name, storage.CheckName(name), func(o object) ([]byte, error) {
		if o.seen == nil {
			return nil, storage.ErrNotFound
		}
		data = bytes.Clone(o.seen)
		return nil, nil
	})
	return orNil(data, err)
}

// GetRange implements storage.Store.
func (m *Memory) GetRange(ctx context.Context, name string, offset, n int64) (data []byte, err error) {
	invalid := storage.CheckName(name)
	if invalid == nil {
		invalid = storage.CheckRange(offset, n)
	}
	err = m.run(ctx, GetRange, name, invalid, func(o object) ([]byte, error) {
		if o.seen == nil {
			return nil, storage.ErrNotFound
		}
		from := min(offset, int64(len(o.seen)))
		data = bytes.Clone(o.seen[from : from+min(n, int64(len(o.seen))-from)])
		return nil, nil
	})
	return orNil(data, err)
}

// List implements storage.Store.
func (m *Memory) List(ctx context.Context, prefix string) (objects []storage.Object, err error) {
	err = m.run(ctx, List, prefix, storage.CheckPrefix(prefix), func(object) ([]byte, error) {
		for _, name := range slices.Sorted(maps.Keys(m.objects)) {
			if o := m.objects[name]; o.seen != nil && strings.HasPrefix(name, prefix) {
				objects = append(objects, storage.Object{Name: name, Size: int64(len(o.seen))})
			}
		}
		return nil, nil
	})
	return orNil(objects, err)
}

// orNil returns nothing with an error, be it one that came after the reading.
func orNil[T any](all []T, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return all, nil
}
