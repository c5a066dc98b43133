//go:build !bugs

package filesink

// planted is no bug: they are for builds with the tag bugs.
func planted() bug { return noBug }
