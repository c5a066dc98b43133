//go:build bugs

package filesink

import "os"

// planted returns the bug that GPFLOW_BUG names, if it is one of this sink, so
// that tests with real processes can be seen to find it.
func planted() bug {
	switch os.Getenv("GPFLOW_BUG") {
	case "non-idempotent-commit":
		return nonIdempotentCommit
	case "no-truncate":
		return noTruncate
	case "forget-open-part":
		return forgetOpenPart
	}
	return noBug
}
