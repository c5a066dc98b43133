//go:build unix

package filesource

import (
	"fmt"
	"io/fs"
	"syscall"
)

// fileID returns what the system knows a file by, whatever it is called: its
// device and inode. "": there is no such thing.
func fileID(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
	}
	return ""
}

// removed reports whether an open file has no name left.
func removed(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}
