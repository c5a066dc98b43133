package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/storage"
)

// chunk is how many bytes are read or written between two looks at the context.
const chunk = 4 << 20

// attempts is how often a directory is made anew that others remove, being
// empty, before there is a file in it.
const attempts = 100

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.change(ctx, fmt.Sprintf("put %q in %s", name, s.dir), name, func() error {
		return s.put(ctx, name, data, s.replace)
	})
}

// PutIfAbsent implements storage.Store.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return s.change(ctx, fmt.Sprintf("put %q, if absent, in %s", name, s.dir), name, func() error {
		if err := s.vacant(name); err != nil {
			return err // without having written anything
		}
		return s.put(ctx, name, data, s.add)
	})
}

// Remove implements storage.Store. Directories that are empty then are removed
// too.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.change(ctx, fmt.Sprintf("remove %q from %s", name, s.dir), name, func() error {
		switch info, err := s.root.Lstat(name); {
		case absent(err), err == nil && info.IsDir():
			// Who has removed it may not have been able to make it last.
		case err != nil:
			return err
		default:
			if err := s.disk.remove(name); err != nil && !absent(err) {
				return err
			}
		}
		return s.syncUp(s.prune(path.Dir(name)))
	})
}

// prune removes a directory if it is empty, then the one above it, and so on. It
// returns the one that stays.
func (s *Store) prune(dir string) string {
	for dir != "." && s.disk.remove(dir+"/") == nil {
		dir = path.Dir(dir)
	}
	return dir
}

// change runs something that changes the store, unless that is closed or broken.
func (s *Store) change(ctx context.Context, did, name string, do func() error) error {
	s.busy.RLock()
	defer s.busy.RUnlock()
	err := check(ctx, storage.CheckName(name))
	if broken := s.broken.Load(); err == nil && broken != nil {
		err = fmt.Errorf("no more writes after an error: %w", broken)
	}
	if err == nil && s.closed {
		err = fs.ErrClosed
	}
	if err == nil {
		err = do()
	}
	if err == nil {
		return nil
	}
	var sync *storage.SyncError
	if errors.As(err, &sync) {
		s.broken.CompareAndSwap(nil, sync)
	}
	return explain(did, err)
}

// put writes data under a temporary name, and has it published.
func (s *Store) put(ctx context.Context, name string, data []byte, publish func(ctx context.Context, temp, name string) error) error {
	mark, err := s.presence()
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	temp := path.Join(dir, fmt.Sprintf("%s%s-%d", tempPrefix, mark.id, s.serial.Add(1)))
	f, err := s.create(temp)
	if err != nil {
		s.prune(dir)
		return err
	}
	err = s.fill(ctx, temp, name, f, data)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = publish(ctx, temp, name)
	}
	if err != nil {
		// If this fails too, the next Open does it.
		s.disk.remove(temp)
		return err
	}
	if err := s.syncUp(dir); err != nil {
		return err
	}
	failpoint.Object(name, "durable")
	return nil
}

// create makes a temporary file, and the directories above it.
func (s *Store) create(temp string) (file, error) {
	for try := 1; ; try++ {
		f, err := s.disk.create(temp)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || try == attempts {
			return f, err
		}
		dir := path.Dir(temp)
		for i := range dir {
			if dir[i] != '/' {
				continue
			}
			if err := s.mkdir(dir[:i]); err != nil {
				return nil, err
			}
		}
		if err := s.mkdir(dir); err != nil {
			return nil, err
		}
	}
}

// mkdir makes a directory, unless it is there or the one above it is not.
func (s *Store) mkdir(dir string) error {
	err := s.disk.mkdir(dir)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// fill writes the file that an object becomes, makes it last and closes it. What
// did not last is not asked to last a second time.
func (s *Store) fill(ctx context.Context, temp, name string, f file, data []byte) error {
	var err error
	for len(data) > 0 && err == nil {
		if err = ctx.Err(); err == nil {
			n := min(len(data), chunk)
			_, err = f.Write(data[:n])
			data = data[n:]
		}
	}
	if err == nil {
		failpoint.Object(name, "written")
		if failed := f.Sync(); failed != nil {
			err = syncError("fsync", s.path(temp), failed)
		}
	}
	if failed := f.Close(); failed != nil && err == nil {
		err = syncError("close", s.path(temp), failed)
	}
	if err == nil {
		failpoint.Object(name, "synced")
	}
	return err
}

// replace gives a temporary file its name.
func (s *Store) replace(ctx context.Context, temp, name string) error {
	if s.unlink {
		unlock, err := s.lockNames(ctx)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		defer unlock()
	}
	err := s.disk.rename(temp, name)
	if info, stat := s.root.Lstat(name); err != nil && stat == nil && info.IsDir() {
		return fmt.Errorf("%w: there are objects below that name", err)
	}
	if err == nil {
		failpoint.Object(name, "named")
	}
	return err
}

// add gives a temporary file its name if no other has it.
func (s *Store) add(ctx context.Context, temp, name string) error {
	if s.unlink {
		unlock, err := s.lockNames(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		if err := s.vacant(name); err != nil {
			return err
		}
		return s.disk.rename(temp, name)
	}
	err := s.disk.link(temp, name)
	if errors.Is(err, fs.ErrExist) {
		err = s.lost(temp, name)
	}
	if err != nil {
		return err
	}
	failpoint.Object(name, "named")
	// If this fails, the next Open does it: the object is there.
	s.disk.remove(temp)
	return nil
}

// lost returns what it means that a name was taken: nil if the file that has it
// is the one that was to be linked, for a network file system may have done so
// and lost its answer.
func (s *Store) lost(temp, name string) error {
	ours, err := s.root.Lstat(temp)
	if err != nil {
		return err
	}
	theirs, err := s.root.Lstat(name)
	switch {
	case err == nil && os.SameFile(ours, theirs):
		return nil
	case err == nil && theirs.IsDir():
		return errDirectory
	default:
		return storage.ErrExists
	}
}

var errDirectory = errors.New("there are objects below that name")

// vacant returns nil where there is no object of a name, ErrExists where there
// is one.
func (s *Store) vacant(name string) error {
	switch info, err := s.root.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return errDirectory
	default:
		return storage.ErrExists
	}
}

// syncUp makes the names in a directory last, and that of the directory, and so
// on to the top. A directory that is gone is none that could be lost: it could
// only be removed when it was empty.
func (s *Store) syncUp(dir string) error {
	for ; ; dir = path.Dir(dir) {
		err := s.disk.syncDir(dir)
		if err != nil && !(absent(err) && dir != ".") {
			return s.unsynced(dir, err)
		}
		if dir == "." {
			return nil
		}
	}
}

// unsynced returns the error of a directory that could not be synced.
func (s *Store) unsynced(dir string, err error) error {
	sync := syncError("fsync directory", s.path(dir), err)
	s.doubt(sync)
	return sync
}

// path returns where a name of the store is.
func (s *Store) path(name string) string {
	return filepath.Join(s.dir, filepath.FromSlash(name))
}
