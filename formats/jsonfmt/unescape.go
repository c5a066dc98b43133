package jsonfmt

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// lowByte returns the index of the lowest byte of m that is not zero.
func lowByte(m uint64) int { return bits.TrailingZeros64(m) / 8 }

// hex4 returns the number of the escape \uXXXX that b begins with, or -1.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// appendText appends the content s of a string, whose escapes are well-formed.
// Half of a surrogate pair becomes U+FFFD. What is appended is never longer
// than s.
func appendText(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = s[i+1]
		if c != 'u' {
			dst = append(dst, unescaped(c))
			i += 2
			continue
		}
		r := hex4(s[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			pair := utf16.DecodeRune(r, hex4(s[i:]))
			if r = pair; r != utf8.RuneError {
				i += 6
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// unescaped returns what the escape of one letter stands for.
func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
