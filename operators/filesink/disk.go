package filesink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/storage/local"
)

// bug is a mistake that a test can have the sink make, to see that the harness
// notices.
type bug uint8

const (
	noBug               bug = iota
	nonIdempotentCommit     // a commit that has been done before is an error
	noTruncate              // what was written behind the checkpoint stays
	forgetOpenPart          // a file that was open at the checkpoint is not gone on with
	noSync                  // what is prepared is not made durable
	noTakingBack            // a write that has failed leaves what it has written
)

// disk is the file system, as a sink changes it. The zero disk is the real one.
type disk struct {
	// before is called before every change, and an error of it is the change's:
	// a test lets the disk be full there, or the process die. nil: not called.
	before func(op, path string) error
	bug    bug
}

func (d *disk) step(op, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(op, path)
}

func (d *disk) rename(from, to string) error {
	if err := d.step("rename", from); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d *disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *disk) link(from, to string) error {
	if err := d.step("link", from); err != nil {
		return err
	}
	return os.Link(from, to)
}

func (d *disk) truncate(f *os.File, n int64) error {
	if err := d.step("truncate", f.Name()); err != nil {
		return err
	}
	return f.Truncate(n)
}

// sync makes a file or a directory durable. An error is a *gpflow.FinalError.
func (d *disk) sync(f *os.File) error {
	err := d.step("sync", f.Name())
	if err == nil && d.bug != noSync {
		err = f.Sync()
	}
	if err != nil {
		return &gpflow.FinalError{Err: reason(err)}
	}
	return nil
}

// write appends data to f, and returns how many bytes of it are there.
func (d *disk) write(f *os.File, data []byte) (int, error) {
	err := d.step("write", f.Name())
	if err == nil {
		return f.Write(data)
	}
	if half, ok := err.(halfway); ok {
		n, _ := f.Write(data[:len(data)/2])
		return n, half.error
	}
	return 0, err
}

// halfway is an error of disk.before that comes when half of a write has been done.
type halfway struct{ error }

// torn is an error after which a file is not what it was before the call.
type torn struct{ error }

// Unwrap returns the cause.
func (t torn) Unwrap() error { return t.error }

// passing reports whether the same may be tried again.
func passing(err error) bool {
	var (
		t     torn
		final *gpflow.FinalError
	)
	return !errors.As(err, &t) && !errors.As(err, &final) && local.Passing(err)
}

// syncDir makes the names in a directory durable.
func (d *disk) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return &gpflow.FinalError{Err: reason(err)}
	}
	return errors.Join(d.sync(f), f.Close())
}

// makeDir makes a directory and those above it, durably.
func (d *disk) makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := d.makeDir(above); err != nil {
			return err
		}
	}
	if err := d.step("mkdir", dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if info, again := os.Stat(dir); again == nil && info.IsDir() { // somebody else has made it
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return err
	}
	return d.syncDir(above)
}

// remedy says what can be done about an error of the file system.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "; make room there, or choose another path, and run the pipeline again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "; gpflow has to write in the directory of the file: give it the permission, or choose another path"
	case errors.Is(err, syscall.ENOTDIR):
		return "; what the path has for a directory is a file: move it away, or choose another path"
	case errors.Is(err, fs.ErrNotExist):
		return "; a directory of the path is gone: put it back as it was, and run the pipeline again"
	}
	return ""
}

// reason returns the cause of an error of package os, without the name of the
// call and the file.
func reason(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}
