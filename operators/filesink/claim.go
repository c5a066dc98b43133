package filesink

import (
	"errors"
	"io/fs"
	"os"
)

// errHeld is the error of claiming what another sink has claimed.
var errHeld = errors.New("another sink of this pipeline, or another run, is writing it")

// hold opens a file, and claims it. made says that there was none before. What
// is held is what the path leads to, also where somebody removes a leftover of
// the name at the same time.
func (d *disk) hold(path string) (f *os.File, made bool, err error) {
	for {
		if err := d.step("create", path); err != nil {
			return nil, false, err
		}
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		made = err == nil
		if errors.Is(err, fs.ErrExist) {
			f, err = os.OpenFile(path, os.O_WRONLY, 0o666)
			if errors.Is(err, fs.ErrNotExist) && !dangling(path) {
				continue
			}
		}
		if err != nil {
			return nil, false, err
		}
		if !claim(f) {
			_ = f.Close() // nothing was written
			return nil, false, errHeld
		}
		if same(f, path) {
			return f, made, nil
		}
		_ = f.Close() // nothing was written
	}
}

// dangling reports whether path is a symbolic link that leads nowhere.
func dangling(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func same(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return true
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// discard removes a file that nobody holds, and is errHeld where somebody does.
func (d *disk) discard(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() // it is removed
	if !claim(f) {
		return errHeld
	}
	return d.remove(path)
}
