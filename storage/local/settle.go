package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/gpflow/gpflow/storage"
)

// settle removes what dead processes have left, and makes the names in all
// directories last: of what is there now, nothing is lost later.
func (s *Store) settle() error {
	if err := s.doubted(); err != nil {
		return err
	}
	g := graves{root: s.root, dead: make(map[string]bool)}
	defer g.close()
	if _, err := s.settleDir(".", &g); err != nil {
		return err
	}
	entries, err := s.entries(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if id, ok := strings.CutPrefix(e.Name(), livePrefix); ok && isID(id) && g.isDead(id) {
			s.root.Remove(e.Name())
		}
	}
	return nil
}

// settleDir settles a directory and those below it, and returns whether it has
// removed the directory. It removes one that is empty now, and held what a dead
// process had left; one that was empty before may be somebody else's.
func (s *Store) settleDir(dir string, g *graves) (gone bool, err error) {
	entries, err := s.entries(dir)
	if err != nil {
		return false, err
	}
	ours := false
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		id, temp := tempID(e.Name())
		switch {
		case temp && e.Type().IsRegular():
			if g.isDead(id) {
				// What cannot be removed, in a directory that is read-only
				// perhaps, does no harm.
				ours = s.disk.remove(name) == nil || ours
			}
		case e.IsDir() && storage.CheckName(name) == nil:
			below, err := s.settleDir(name, g)
			if err != nil {
				return false, err
			}
			ours = ours || below
		}
	}
	if ours && dir != "." && s.disk.remove(dir+"/") == nil {
		return true, nil // that it is gone lasts with the one above it
	}
	if err := s.disk.syncDir(dir); err != nil && !(absent(err) && dir != ".") {
		return false, s.unsynced(dir, err)
	}
	return false, nil
}

// tempID returns the id of the store that a temporary file is of; false where the
// name is none that a store gives.
func tempID(name string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(name, tempPrefix)
	id, number, cut := strings.Cut(rest, "-")
	return id, ok && cut && isID(id) && number != "" && strings.Trim(number, "0123456789") == ""
}

// graves knows which stores are dead, and keeps the locks of their marks, so
// that two that clean up do not come between each other.
type graves struct {
	root *os.Root
	dead map[string]bool // by id
	held []*os.File
}

func (g *graves) isDead(id string) bool {
	dead, known := g.dead[id]
	if !known {
		dead = g.look(id)
		g.dead[id] = dead
	}
	return dead
}

func (g *graves) look(id string) bool {
	f, err := g.root.OpenFile(livePrefix+id, os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	if tryLock(f) != nil {
		f.Close()
		return false
	}
	g.held = append(g.held, f)
	return true
}

func (g *graves) close() {
	for _, f := range g.held {
		f.Close()
	}
}

// doubt notes that a directory could not be synced: the system goes on showing
// names that the disk may not have, and would call them clean when they are
// synced again. The note need not last. As long as the system shows those names
// it shows the note too, and Open refuses; after a loss of power, what is there
// is what the disk has.
func (s *Store) doubt(err *storage.SyncError) {
	f, failed := s.disk.create(doubtName)
	if failed != nil {
		return // there is a note, or the disk takes nothing more
	}
	fmt.Fprintf(f, "%s %s: %v\n", err.Op, err.Path, err.Err)
	f.Close()
}

var errDoubt = errors.New("what it shows may not be on the disk")

// doubted returns what has been noted, if anything.
func (s *Store) doubted() error {
	note, err := s.root.ReadFile(doubtName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(note), "\n")
	return &storage.SyncError{Op: "read", Path: s.dir, Err: fmt.Errorf(
		"%w, for a process before had the error %q; restart the machine or unmount the file system, and then remove %s",
		errDoubt, first, s.path(doubtName))}
}
