//go:build unix

package filesink

import (
	"errors"
	"os"
	"syscall"
)

// claim takes f for its holder alone until it is closed, and reports false where
// another has it, be it in this process. A file system that knows no locks lets
// everybody have it.
func claim(f *os.File) bool {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}
