package local

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// errLocked says that another has a lock.
var errLocked = errors.New("locked by another")

var lockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

const (
	lockExclusively     = 2
	lockOrFail          = 1
	errorLockViolation  = syscall.Errno(33)
	errorNotSupported   = syscall.Errno(50)
	errorInvalidRequest = syscall.Errno(1)
)

// tryLock locks a file until it is closed, or the process is gone: errLocked
// where another has locked it, errors.ErrUnsupported where the file system has
// no locks. What is locked is a byte far behind the end of the file, so that
// the others can read it.
func tryLock(f *os.File) error {
	at := syscall.Overlapped{OffsetHigh: 1 << 30}
	ok, _, err := lockFileEx.Call(f.Fd(), lockExclusively|lockOrFail, 0, 1, 0, uintptr(unsafe.Pointer(&at)))
	switch {
	case ok != 0:
		return nil
	case err == errorLockViolation, err == syscall.ERROR_IO_PENDING:
		return errLocked
	case err == errorNotSupported, err == errorInvalidRequest:
		return errors.ErrUnsupported
	default:
		return err
	}
}
