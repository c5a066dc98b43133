package compiler

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// feedback points out sinks that may write what source reads.
func (c *compilation) feedback(g *Graph, source *Node) {
	for _, sink := range g.Nodes {
		read, written, found := meet(source.Traits.Reads, sink.Traits.Writes)
		if !found || source.Spec.Broken || sink.Spec.Broken {
			continue
		}
		fate := "the next run reads them too"
		if !source.Traits.Bounded {
			fate = "the pipeline feeds itself"
		}
		c.report(diag.Diagnostic{
			Severity: diag.Warning, Code: diag.CodeFeedback, Range: source.Spec.Range,
			Summary: fmt.Sprintf("%s may read what %s writes", source.Address(), sink.Address()),
			Detail:  fmt.Sprintf("It reads %s, and files appear as %s: %s.", read, written, fate),
			Fix:     "Write to another directory.",
			Related: []diag.Related{{Message: sink.Address(), Range: sink.Spec.Range}},
		})
	}
}

// meet finds a path that is read and one that is written where one file may be
// both.
func meet(reads, writes []string) (read, written string, found bool) {
	for _, r := range reads {
		for _, w := range writes {
			if covers(r, w) {
				return r, w, true
			}
		}
	}
	return "", "", false
}

// covers reports whether a file of the pattern w may be one that the pattern r
// names, or lie below a directory that it names.
func covers(r, w string) bool {
	r, w = filepath.Clean(r), filepath.Clean(w)
	if filepath.IsAbs(r) != filepath.IsAbs(w) {
		return false // nobody knows
	}
	for r != "." && r != "" {
		if w == "" {
			return false
		}
		var a, b string
		a, r, _ = strings.Cut(r, "/")
		b, w, _ = strings.Cut(w, "/")
		hidden := r == "" && strings.HasPrefix(b, ".") && !strings.HasPrefix(a, ".")
		if hidden || !overlap(letters(a), letters(b)) {
			return false
		}
	}
	return !strings.HasPrefix(w, ".") && !strings.Contains(w, "/.")
}

// What a pattern has besides letters.
const (
	anyText   = -1
	anyLetter = -2
)

// letters reads a pattern. A class is taken for any letter.
func letters(pattern string) (out []rune) {
	p := []rune(pattern)
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '*':
			out = append(out, anyText)
		case p[i] == '?':
			out = append(out, anyLetter)
		case p[i] == '[' && classEnd(p[i:]) > 0:
			out = append(out, anyLetter)
			i += classEnd(p[i:])
		case p[i] == '\\' && i+1 < len(p):
			i++
			out = append(out, p[i])
		default:
			out = append(out, p[i])
		}
	}
	return out
}

// classEnd returns the index of the bracket that ends the class at the begin of p,
// -1 where none does.
func classEnd(p []rune) int {
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case ']':
			return i
		}
	}
	return -1
}

// overlap reports whether there may be a name that both patterns match.
func overlap(a, b []rune) bool {
	// rests[j] says whether the rest of a that is looked at and b[j:] overlap.
	rests := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		next := slices.Clone(rests) // of a[i+1:]
		for j := len(b); j >= 0; j-- {
			textA, textB := i < len(a) && a[i] == anyText, j < len(b) && b[j] == anyText
			switch {
			case i == len(a) && j == len(b):
				rests[j] = true
			case textA:
				rests[j] = next[j] || j < len(b) && rests[j+1]
			case textB:
				rests[j] = rests[j+1] || i < len(a) && next[j]
			default:
				same := i < len(a) && j < len(b) && (a[i] == b[j] || a[i] == anyLetter || b[j] == anyLetter)
				rests[j] = same && next[j+1]
			}
		}
	}
	return rests[0]
}
