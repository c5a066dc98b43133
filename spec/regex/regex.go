// Package regex says how large a regular expression is before it is compiled.
// Compiled, a few bytes can take any memory, and searching with it any time.
package regex

import "regexp/syntax"

// Max is how many instructions a regular expression may have, and how many
// bytes its text.
const Max = 10_000

// Size is what a regular expression takes.
type Size struct {
	// Instructions is about how many instructions it is compiled to, and at
	// most Max+1 of those. A class of characters counts as one more for each
	// eight of its ranges. Of a text of more than Max bytes, which is not read
	// at all, it is Max+1.
	Instructions int
	Groups       int // that capture
}

// TooBig reports whether it is not to be compiled.
func (s Size) TooBig() bool { return s.Instructions > Max }

// Measure returns the size of the regular expression in text, in RE2's syntax
// as package regexp reads it. The error is that of the syntax.
func Measure(text string) (Size, error) {
	if len(text) > Max {
		return Size{Instructions: Max + 1}, nil
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return Size{}, err
	}
	return Size{instructions(re), re.MaxCap()}, nil
}

func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 16
	case syntax.OpConcat, syntax.OpRepeat:
		n = 0
	case syntax.OpCapture, syntax.OpStar:
		n = 2
	}
	for _, sub := range re.Sub {
		n = min(n+instructions(sub), Max+1)
	}
	if re.Op == syntax.OpRepeat {
		if re.Max != re.Min { // what is optional, or repeated, takes a branch
			n++
		}
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, Max+1)
}
