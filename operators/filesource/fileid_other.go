//go:build !unix

package filesource

import "io/fs"

// fileID returns "": files are known by their paths alone.
func fileID(fs.FileInfo) string { return "" }
