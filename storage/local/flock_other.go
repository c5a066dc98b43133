//go:build !darwin && !dragonfly && !freebsd && !illumos && !linux && !netbsd && !openbsd && !windows

package local

import (
	"errors"
	"os"
)

// errLocked says that another has a lock.
var errLocked = errors.New("locked by another")

// tryLock knows no locks on this system that end with the process.
func tryLock(*os.File) error { return errors.ErrUnsupported }
