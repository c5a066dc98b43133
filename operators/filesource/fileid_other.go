//go:build !unix

package filesource

import "io/fs"

// fileID returns "": files are known by their paths alone.
func fileID(fs.FileInfo) string { return "" }

// removed reports false: a file that is open cannot be removed.
func removed(fs.FileInfo) bool { return false }
