package local

import (
	"errors"
	"syscall"

	"github.com/gpflow/gpflow/storage"
)

// Passing reports whether an error of the system is one that may be gone when the
// same is tried again: there is no room, or no handle, or the medium does not
// answer. That data could not be made to last, a *storage.SyncError, is none.
func Passing(err error) bool {
	var lost *storage.SyncError
	if errors.As(err, &lost) {
		return false
	}
	for _, no := range passing {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

var passing = []error{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY,
}
