// Package local is a store in a directory of this machine.
//
// An object is a file, and the parts of its name but the last are directories.
// What begins with a dot is not an object: temporary files (.tmp-ID-N), the mark
// of a store that is open for writing (.live-ID), and the lock (.lock). Nothing
// outside the directory is read or written, whatever links lie inside.
//
// An object is written under a temporary name beside its own, synced, renamed
// (Put) or linked (PutIfAbsent: the system lets one of any number of links win),
// and then all directories from there to the top are synced, for any of them may
// have been made, by this process or another, a moment before.
//
// Where files cannot be linked (FAT, some network file systems), which a store
// finds out at its first write, both Put and PutIfAbsent hold a lock on the file
// .rename while they look and rename; where there are no locks either,
// PutIfAbsent fails.
//
// After an error of fsync or close the store takes no more writes, and reports
// the same storage.SyncError for each of them.
package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gpflow/gpflow/storage"
)

// Store is a storage.Store in a directory. Its methods may be called from any
// number of goroutines, and any number of processes may have the same directory
// open.
type Store struct {
	dir  string // absolute
	root *os.Root
	disk disk

	busy   sync.RWMutex // read-locked by who writes; Close locks it
	closed bool         // under busy
	broken atomic.Pointer[storage.SyncError]
	serial atomic.Uint64 // of the last temporary name

	mu     sync.Mutex
	mark   *presence // nil before the first write
	unlink bool      // files cannot be linked
}

var _ storage.Store = (*Store)(nil)

// Open opens the store in a directory, which it makes where there is none, with
// mode 0700. What dead processes have left under temporary names is removed.
// What is found is made to last before Open returns, for its writer may have
// been killed before it could do so. Close it after use.
func Open(dir string) (*Store, error) {
	return open(dir, func(r *os.Root) disk { return rooted{r} })
}

// OpenExisting is Open for looking only: it makes and removes nothing, and
// fails with storage.ErrNotFound where there is no such directory.
func OpenExisting(dir string) (*Store, error) {
	s, err := openRoot(dir, func(r *os.Root) disk { return rooted{r} })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the store %s: %w: no such directory", dir, storage.ErrNotFound)
	}
	return s, err
}

// open is Open with a disk of the caller's.
func open(dir string, on func(*os.Root) disk) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, explain("make the directory of the store "+dir, err)
	}
	s, err := openRoot(dir, on)
	if err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		s.root.Close()
		return nil, explain("open the store "+s.dir, err)
	}
	return s, nil
}

func openRoot(dir string, on func(*os.Root) disk) (*Store, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, explain("open the store "+dir, err)
	}
	root, err := os.OpenRoot(full)
	if err != nil {
		return nil, explain("open the store "+full, err)
	}
	return &Store{dir: full, root: root, disk: on(root)}, nil
}

// makeDir makes a directory and those above it, and makes all of them last: one
// that is there may have been made by a process that was killed right then.
func makeDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	for above := filepath.Dir(dir); ; above = filepath.Dir(above) {
		if err := syncAbove(above); err != nil {
			return syncError("fsync directory", above, err)
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
}

// syncAbove syncs a directory above the store, unless it is one in which nobody
// like us can have made anything.
func syncAbove(dir string) error {
	root, err := os.OpenRoot(dir)
	if err == nil {
		defer root.Close()
		err = rooted{root}.syncDir(".")
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil
	}
	return err
}

// Dir returns the directory of the store, as an absolute path.
func (s *Store) Dir() string { return s.dir }

// Close waits for what is being written and closes the store. A lock that was
// taken with Lock stays until it is given back.
func (s *Store) Close() error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.mark != nil {
		s.mark.remove(s.root)
	}
	return s.root.Close()
}
