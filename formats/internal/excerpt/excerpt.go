// Package excerpt cuts input down to what an error message has room for.
package excerpt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const limit = 40 // bytes

// Of returns the beginning of b, with "..." where something is cut off, and
// U+FFFD for what cannot be shown.
func Of(b []byte) string {
	end := len(b)
	if end > limit {
		for end = limit; end > limit-utf8.UTFMax && !utf8.RuneStart(b[end]); end-- {
		}
	}
	s := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, string(b[:end]))
	if end < len(b) {
		s += "..."
	}
	return s
}
