package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Names in the directory that are no objects.
const (
	tempPrefix = ".tmp-"   // and the id of a store, "-", a number
	livePrefix = ".live-"  // and the id of a store
	lockName   = ".lock"   // see Lock
	renameName = ".rename" // see lockNames
	doubtName  = ".doubt"  // see doubt
)

// idBytes is how many bytes, in hexadecimal digits, the id of a store has.
const idBytes = 8

// presence is the mark of a store that is open for writing: a file that is
// locked as long as the process lives. Its id is in the names of the store's
// temporary files, and it is there, and locked, before the first of them: so who
// finds a temporary file whose mark is gone or can be locked knows that nobody
// will finish it.
type presence struct {
	id   string
	file *os.File
}

func (p *presence) remove(root *os.Root) {
	// If this fails, the next Open does it.
	root.Remove(livePrefix + p.id)
	p.file.Close()
}

// presence returns the mark of the store, which it makes when it is asked for
// the first time, and finds out whether files can be linked.
func (s *Store) presence() (*presence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mark != nil {
		return s.mark, nil
	}
	mark, err := newPresence(s.root)
	if err != nil {
		return nil, err
	}
	from, to := livePrefix+mark.id, tempPrefix+mark.id+"-0"
	switch err := s.disk.link(from, to); {
	case err == nil:
		s.root.Remove(to)
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission):
		// FAT says so, and systems that forbid links; that the right to write
		// is there has been seen.
		s.unlink = true
	default:
		mark.remove(s.root)
		return nil, err
	}
	s.mark = mark
	return mark, nil
}

// isID reports whether an id is one that newPresence makes.
func isID(id string) bool {
	return len(id) == 2*idBytes && strings.Trim(id, "0123456789abcdef") == ""
}

func newPresence(root *os.Root) (*presence, error) {
	for {
		var id [idBytes]byte
		rand.Read(id[:])
		p := &presence{id: hex.EncodeToString(id[:])}
		var err error
		p.file, err = root.OpenFile(livePrefix+p.id, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return nil, err
		}
		switch err := tryLock(p.file); {
		case errors.Is(err, errors.ErrUnsupported):
			return p, nil // nobody can lock it, so nobody takes it for dead
		case err == nil && same(root, livePrefix+p.id, p.file):
			return p, nil
		case err != nil && !errors.Is(err, errLocked):
			p.remove(root)
			return nil, err
		}
		// An Open was faster and took it for that of a dead process.
		p.file.Close()
	}
}

// same reports whether a name is still that of a file that is open.
func same(root *os.Root, name string, f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := root.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}

// lockNames lets one process at a time look for a name and give it to a file,
// where files cannot be linked. The function it returns, never nil, ends that.
func (s *Store) lockNames(ctx context.Context) (unlock func(), err error) {
	f, err := s.root.OpenFile(renameName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return func() {}, err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		switch err := tryLock(f); {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, errors.ErrUnsupported):
			f.Close()
			return func() {}, fmt.Errorf("%w: this file system has neither links nor locks; choose a directory on another one", err)
		case !errors.Is(err, errLocked):
			f.Close()
			return func() {}, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			f.Close()
			return func() {}, ctx.Err()
		}
	}
}
