package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/storage"
)

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.read(ctx, name, 0, math.MaxInt64)
	if err != nil {
		return nil, explain(fmt.Sprintf("get %q from %s", name, s.dir), err)
	}
	return data, nil
}

// GetRange implements storage.Store.
func (s *Store) GetRange(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	data, err := s.read(ctx, name, offset, n)
	if err != nil {
		return nil, explain(fmt.Sprintf("get %d bytes of %q from %d on from %s", n, name, offset, s.dir), err)
	}
	return data, nil
}

func (s *Store) read(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	if err := check(ctx, storage.CheckName(name), storage.CheckRange(offset, n)); err != nil {
		return nil, err
	}
	f, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// The file is never written again, so its size is that of the object.
	data := make([]byte, max(0, min(n, info.Size()-offset)))
	for done := 0; done < len(data); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(len(data), done+chunk)
		if _, err := f.ReadAt(data[done:end], offset+int64(done)); err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: the file has been cut short by something else", io.ErrUnexpectedEOF)
			}
			return nil, err
		}
		done = end
	}
	return data, nil
}

// open opens the file of an object; ErrNotFound where there is none.
func (s *Store) open(name string) (*os.File, error) {
	// Looked at before it is opened: opening a pipe would wait for its writer.
	switch info, err := s.root.Stat(name); {
	case absent(err), err == nil && info.IsDir():
		return nil, storage.ErrNotFound
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is no file (%s); move it away", info.Mode())
	}
	f, err := s.root.Open(name)
	if absent(err) {
		return nil, storage.ErrNotFound
	}
	return f, err
}

// check returns the first of some errors; that of the context comes first.
func check(ctx context.Context, errs ...error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// List implements storage.Store. Whatever is no file or has a name that is none
// of an object is passed over: it is not the store's.
func (s *Store) List(ctx context.Context, prefix string) ([]storage.Object, error) {
	objects, err := s.list(ctx, prefix)
	if err != nil {
		return nil, explain(fmt.Sprintf("list %q in %s", prefix, s.dir), err)
	}
	slices.SortFunc(objects, func(a, b storage.Object) int { return cmp.Compare(a.Name, b.Name) })
	// A directory that changes while it is read may show a file twice.
	return slices.CompactFunc(objects, func(a, b storage.Object) bool { return a.Name == b.Name }), nil
}

func (s *Store) list(ctx context.Context, prefix string) (objects []storage.Object, err error) {
	if err := storage.CheckPrefix(prefix); err != nil {
		return nil, err
	}
	top, _ := path.Split(prefix)
	dirs := []string{path.Clean(top)}
	for len(dirs) > 0 {
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := s.entries(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			switch {
			case storage.CheckName(name) != nil:
			case e.IsDir() && (strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name+"/")):
				dirs = append(dirs, name)
			case e.Type().IsRegular() && strings.HasPrefix(name, prefix):
				info, err := s.root.Lstat(name)
				if absent(err) {
					continue // removed meanwhile
				}
				if err != nil {
					return nil, err
				}
				objects = append(objects, storage.Object{Name: name, Size: info.Size()})
			}
		}
	}
	return objects, nil
}

// entries returns what is in a directory; nothing where there is none.
func (s *Store) entries(dir string) ([]fs.DirEntry, error) {
	// Looked at before it is opened, like an object.
	if info, err := s.root.Stat(dir); absent(err) || err == nil && !info.IsDir() {
		return nil, nil
	}
	f, err := s.root.Open(dir)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // removed meanwhile
	}
	return entries, err
}
