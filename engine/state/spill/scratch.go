package spill

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableSuffix is that of the files of rows.
const tableSuffix = ".sst"

// scratch is a file system of which only the files of rows lie on a disk. The
// others, which are small, lie in memory; nothing is ever synced.
type scratch struct {
	vfs.FS // in memory
	disk   vfs.FS
}

func newScratch(disk vfs.FS) *scratch { return &scratch{vfs.NewMem(), disk} }

// of returns where a file lies.
func (s *scratch) of(name string) vfs.FS {
	if strings.HasSuffix(name, tableSuffix) {
		return s.disk
	}
	return s.FS
}

func (s *scratch) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return unsynced(s.of(name).Create(name, c))
}

func (s *scratch) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return s.of(name).Open(name, opts...)
}

func (s *scratch) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return unsynced(s.of(name).OpenReadWrite(name, c, opts...))
}

func (s *scratch) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return unsynced(s.of(name).ReuseForWrite(old, name, c))
}

func (s *scratch) Link(old, name string) error { return s.of(name).Link(old, name) }

func (s *scratch) Rename(old, name string) error { return s.of(name).Rename(old, name) }

func (s *scratch) Remove(name string) error { return s.of(name).Remove(name) }

func (s *scratch) RemoveAll(name string) error {
	if err := s.FS.RemoveAll(name); err != nil {
		return err
	}
	return s.disk.RemoveAll(name)
}

func (s *scratch) MkdirAll(dir string, perm os.FileMode) error {
	if err := s.FS.MkdirAll(dir, perm); err != nil {
		return err
	}
	return s.disk.MkdirAll(dir, perm)
}

func (s *scratch) List(dir string) ([]string, error) {
	names, err := s.FS.List(dir)
	if err != nil {
		return nil, err
	}
	tables, err := s.disk.List(dir)
	return append(names, tables...), err
}

func (s *scratch) Stat(name string) (vfs.FileInfo, error) { return s.of(name).Stat(name) }

func (s *scratch) Lock(name string) (io.Closer, error) { return s.FS.Lock(name) }

func (s *scratch) GetDiskUsage(path string) (vfs.DiskUsage, error) { return s.disk.GetDiskUsage(path) }

func (s *scratch) Unwrap() vfs.FS { return nil }

// file is a file that is never synced.
type file struct{ vfs.File }

func unsynced(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func (file) Sync() error                { return nil }
func (file) SyncData() error            { return nil }
func (file) SyncTo(int64) (bool, error) { return false, nil }

// silent is a logger that says nothing: what concerns the user is returned as an
// error.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}

// Fatalf is called where Pebble's own notes are damaged, which lie in memory.
func (silent) Fatalf(format string, args ...any) {
	panic("the space for state that memory has no room for: " + fmt.Sprintf(format, args...))
}
