//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package local

import (
	"errors"
	"os"
	"syscall"
)

// errLocked says that another has a lock.
var errLocked = errors.New("locked by another")

// tryLock locks a file until it is closed, or the process is gone: errLocked
// where another has locked it, errors.ErrUnsupported where the file system has
// no locks. A child process does not inherit the lock, for Go closes files when
// another program is executed.
func tryLock(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = conn.Control(func(fd uintptr) {
		for {
			if locked = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB); locked != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return err
	case locked == syscall.EWOULDBLOCK:
		return errLocked
	case locked == syscall.ENOLCK, locked == syscall.EINVAL:
		return errors.ErrUnsupported
	default:
		return locked
	}
}
