package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/gpflow/gpflow/storage"
)

// explain adds to an error what was done and what can be done about it.
func explain(did string, err error) error {
	if next := advice(err); next != "" {
		return fmt.Errorf("%s: %w: %s", did, err, next)
	}
	return fmt.Errorf("%s: %w", did, err)
}

// advice returns what to do about an error of the file system, or nothing.
func advice(err error) string {
	var sync *storage.SyncError
	switch {
	case errors.As(err, &sync):
		return "" // it says so itself
	case errors.Is(err, syscall.ENOSPC):
		return "free some space on that disk, or choose a directory on another one"
	case errors.Is(err, syscall.EDQUOT):
		return "the quota is used up; free some space, have it raised, or choose another directory"
	case errors.Is(err, syscall.EROFS):
		return "mount that file system for writing, or choose a directory on another one"
	case errors.Is(err, syscall.EIO):
		return "look at the log of the system and at the disk"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise the limit of open files (ulimit -n)"
	case errors.Is(err, fs.ErrPermission):
		return "give the user who runs this the right to read and write there (chmod, chown), or choose another directory"
	case errors.Is(err, fs.ErrNotExist):
		return "something else has removed it meanwhile; start again"
	case errors.Is(err, fs.ErrClosed):
		return "the store has been closed"
	default:
		return ""
	}
}

// syncError makes a SyncError of an error.
func syncError(op, path string, err error) *storage.SyncError {
	// The path is in the SyncError already.
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return &storage.SyncError{Op: op, Path: path, Err: err}
}

// absent reports whether an error says that there is no such file, be it that
// an object stands where its directory would have to be.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
