//go:build !unix

package filesink

import "os"

// claim takes nothing: there are no locks that end with their process.
func claim(*os.File) bool { return true }
