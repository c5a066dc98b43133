// Package diag holds what the compiler has to say about a specification:
// diagnostics with exact places in the text, and the ways to print them.
//
// It imports the standard library only and knows neither the language of the
// specification nor the compiler.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file.
type Pos struct {
	Line   int // from 1
	Column int // from 1, in runes
	Byte   int // from 0
}

// Range is a part of a file: the bytes from Start to before End. A Range
// without a File stands for something outside of any file, such as a flag.
type Range struct {
	File  string
	Start Pos
	End   Pos
}

// String returns the place where r begins: "orders.gp.hcl:12,3".
func (r Range) String() string {
	switch {
	case r.File == "":
		return ""
	case r.Start.Line == 0:
		return r.File
	}
	return fmt.Sprintf("%s:%d,%d", r.File, r.Start.Line, r.Start.Column)
}

// IsZero reports whether r says nothing at all.
func (r Range) IsZero() bool { return r == Range{} }

// Severity says whether a diagnostic stops the compilation.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Related is another place that a diagnostic is about.
type Related struct {
	Message string // "first defined here"
	Range   Range
}

// Diagnostic is one complaint. One mistake of the author makes one Diagnostic.
type Diagnostic struct {
	Severity Severity
	Code     string // one of the constants of this package
	Summary  string // one line with a capital, without a full stop
	Detail   string // why; one or more sentences; may be empty
	Fix      string // what to do, in one or two sentences; may be empty
	Range    Range  // what is underlined
	Context  Range  // what is shown around it; zero: the lines of Range
	Related  []Related
	// Later completes Detail and Fix where that takes long, for those that are
	// shown: Complete calls it. nil: they are complete.
	Later func(*Diagnostic)
}

// List is a list of diagnostics.
type List []Diagnostic

// HasErrors reports whether at least one of l is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors returns the errors of l, in order.
func (l List) Errors() List { return l.of(Error) }

// Warnings returns the warnings of l, in order.
func (l List) Warnings() List { return l.of(Warning) }

func (l List) of(s Severity) List {
	var out List
	for _, d := range l {
		if d.Severity == s {
			out = append(out, d)
		}
	}
	return out
}

// Sort orders l by file, line and column, and keeps the order of diagnostics
// at one place. Those without a file come first.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Range.File, b.Range.File),
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		)
	})
}

// Complete completes the diagnostics of l, which is sorted. Those behind as many
// as are shown stay as they are.
func (l List) Complete() {
	for i := range l {
		if later := l[i].Later; later != nil && i < maxShown {
			later(&l[i])
		}
		l[i].Later = nil
	}
}

// Capital returns s with a capital at its beginning if it begins with a plain
// word, and s itself if it begins with a name such as filter.big or --var.
func Capital(s string) string {
	word, _, _ := strings.Cut(s, " ")
	for _, r := range word {
		if r < 'a' || r > 'z' {
			return s
		}
	}
	if word == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
