package diag

import (
	"strings"
	"unicode"
)

// tab is how a tab is printed.
const tab = "    "

// cells returns what is printed for source text: tabs as spaces, and control
// characters, which could move the cursor, as a mark.
func cells(rs []rune) string {
	var b strings.Builder
	for _, r := range rs {
		switch {
		case r == '\t':
			b.WriteString(tab)
		case unicode.IsControl(r) || bidi(r):
			b.WriteRune('\u00b7')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printable returns s with control characters marked, newlines kept.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || bidi(r)) {
			return '\u00b7'
		}
		return r
	}, s)
}

// bidi reports whether r changes the direction of the text around it.
func bidi(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// width returns the number of terminal cells that s takes.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r == 0x200d || r >= 0xfe00 && r <= 0xfe0f || unicode.In(r, unicode.Mn, unicode.Me):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// wide reports whether terminals give r two cells: the blocks of East Asian
// wide and full-width characters (UAX 11), and pictographs.
func wide(r rune) bool {
	return r >= 0x1100 && r <= 0x115f ||
		r >= 0x2e80 && r <= 0x303e ||
		r >= 0x3041 && r <= 0xa4cf ||
		r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f ||
		r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 ||
		r >= 0x1f300 && r <= 0x1f64f ||
		r >= 0x1f680 && r <= 0x1f6ff ||
		r >= 0x1f900 && r <= 0x1f9ff ||
		r >= 0x20000 && r <= 0x3fffd
}
