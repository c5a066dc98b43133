package local

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// disk is what a Store changes on a file system, step by step, so that tests can
// let each step fail. Names are relative to the directory of the store.
type disk interface {
	// create makes a file that was not there, for writing.
	create(name string) (file, error)
	mkdir(name string) error
	rename(from, to string) error
	link(from, to string) error
	// remove removes a file; a directory, if it is empty and name ends in "/".
	remove(name string) error
	// syncDir makes the names in a directory last.
	syncDir(name string) error
}

// file is a file that is being written.
type file interface {
	Write(data []byte) (int, error)
	Sync() error
	Close() error
}

// The modes of what a Store makes: for its owner only.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// rooted is the disk below a directory.
type rooted struct{ root *os.Root }

func (d rooted) create(name string) (file, error) {
	return d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

func (d rooted) mkdir(name string) error      { return d.root.Mkdir(name, dirMode) }
func (d rooted) rename(from, to string) error { return d.root.Rename(from, to) }
func (d rooted) link(from, to string) error   { return d.root.Link(from, to) }
func (d rooted) remove(name string) error     { return d.root.Remove(name) }

func (d rooted) syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // where there is no such thing: NTFS keeps a journal of names
	}
	dir, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close() // nothing was written by way of it
	return ignoreNoSync(dir.Sync())
}

// ignoreNoSync takes for success that a file system cannot sync directories:
// such a one does with their names what it does, and there is no other means.
func ignoreNoSync(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
