package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/gpflow/gpflow/storage"
)

// A savepoint is a manifest and the segments that it refers to, all under one
// prefix: "manifest", and "segments/...". The manifest's references begin behind
// the prefix, so that the whole can be copied to anywhere. It has no
// committables: it is made of a checkpoint whose committables have been
// committed.

// savepointPrefix is where the keeper has its savepoints.
func savepointPrefix(name string) string { return "savepoints/" + name }

// under returns the name of an object below a prefix, which may be "".
func under(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "/" + name
}

// Savepoint makes a savepoint of m, which is a checkpoint of this store all of
// whose committables have been committed. Retain never removes it. A name that
// is in use is a *NameTaken error.
func (k *Keeper) Savepoint(ctx context.Context, name string, m *Manifest) error {
	if err := checkSavepoint(name); err != nil {
		return err
	}
	return WriteSavepoint(ctx, k.store, savepointPrefix(name), name, k.store, m)
}

// WriteSavepoint writes m, whose segments are in from, as a savepoint of that
// name into to, under a prefix, which may be "". Every segment is verified on
// the way; the manifest is written last, and makes it a savepoint.
func WriteSavepoint(ctx context.Context, to storage.Store, prefix, name string, from storage.Store, m *Manifest) error {
	m = m.copy()
	m.Name, m.Committables = name, nil
	count := 0
	var sources []SegmentRef
	for i := range m.Parts {
		for j := range m.Parts[i].Segments {
			s := &m.Parts[i].Segments[j]
			sources = append(sources, *s)
			// With the hash in their names, two who write the same savepoint do
			// not write each other's objects.
			s.Object = fmt.Sprintf("segments/%04d-%016x", count, s.Sum.Hash)
			count++
		}
	}
	b, err := m.Encode()
	if err != nil {
		return err
	}
	there, err := to.Get(ctx, under(prefix, "manifest"))
	switch {
	case err == nil && bytes.Equal(there, b):
		return nil
	case err == nil:
		return &NameTaken{name}
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	for _, p := range m.Parts {
		for _, s := range p.Segments {
			data, err := readSegment(ctx, from, sources[0])
			if err != nil {
				return err
			}
			sources = sources[1:]
			if err := to.Put(ctx, under(prefix, s.Object), data); err != nil {
				return err
			}
		}
	}
	err = to.PutIfAbsent(ctx, under(prefix, "manifest"), b)
	if errors.Is(err, storage.ErrExists) {
		return &NameTaken{name}
	}
	return err
}

// LoadSavepoint returns the savepoint under a prefix of a store, with the names
// of its segments in that store, as OpenSegment and Adopt take them.
func LoadSavepoint(ctx context.Context, store storage.Store, prefix string) (*Manifest, error) {
	name := under(prefix, "manifest")
	b, err := store.Get(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, &NoCheckpoint{fmt.Sprintf("savepoint here: no object %q", name)}
	}
	if err != nil {
		return nil, err
	}
	m, err := Decode(name, b)
	if err != nil {
		return nil, err
	}
	for i := range m.Parts {
		for j := range m.Parts[i].Segments {
			s := &m.Parts[i].Segments[j]
			s.Object = under(prefix, s.Object)
		}
	}
	return m, nil
}

// LoadSavepoint returns one of the keeper's savepoints.
func (k *Keeper) LoadSavepoint(ctx context.Context, name string) (*Manifest, error) {
	if err := checkSavepoint(name); err != nil {
		return nil, err
	}
	return LoadSavepoint(ctx, k.store, savepointPrefix(name))
}

// Saved is a savepoint in a list.
type Saved struct {
	Name     string
	Manifest *Manifest // nil if Err says why it cannot be read
	Err      error
}

// Savepoints returns the savepoints by name. What is damaged is in the list. The
// error is the store's.
func (k *Keeper) Savepoints(ctx context.Context) ([]Saved, error) {
	objects, err := k.store.List(ctx, "savepoints/")
	if err != nil {
		return nil, err
	}
	var all []Saved
	for _, o := range objects {
		dir, file := path.Split(o.Name)
		if file != "manifest" {
			continue
		}
		s := Saved{Name: strings.Trim(strings.TrimPrefix(dir, "savepoints/"), "/")}
		s.Manifest, s.Err = k.LoadSavepoint(ctx, s.Name)
		if s.Err != nil && !isOfObject(s.Err) {
			return nil, s.Err
		}
		all = append(all, s)
	}
	return all, nil
}

// RemoveSavepoint removes a savepoint, and what is left of one whose writing or
// removal was cut short. There being nothing is a *NoCheckpoint error.
func (k *Keeper) RemoveSavepoint(ctx context.Context, name string) error {
	if err := checkSavepoint(name); err != nil {
		return err
	}
	prefix := savepointPrefix(name) + "/"
	objects, err := k.store.List(ctx, prefix)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return &NoCheckpoint{fmt.Sprintf("savepoint %q", name)}
	}
	// The manifest first: what has no manifest is no savepoint.
	if err := k.store.Remove(ctx, prefix+"manifest"); err != nil {
		return err
	}
	for _, o := range objects {
		if o.Name == prefix+"manifest" {
			continue
		}
		if err := k.store.Remove(ctx, o.Name); err != nil {
			return err
		}
	}
	return nil
}
