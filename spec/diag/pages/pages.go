// Package pages explains the codes of diagnostics: what each means, why it is a
// mistake, an example that has it and the same example repaired. There is a
// file for each code.
package pages

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// Page explains a code.
type Page struct {
	Code  string // "GPF-0123"
	Title string // one line, without a full stop
	What  string // paragraphs: what the diagnostic says
	Why   string // paragraphs: why that is a mistake

	// Broken is an example for which there is this diagnostic and no other,
	// Repaired the same without it. An example is the text of a file
	// pipeline.hcl, or, where it begins with a dollar sign, what is typed
	// ("$ gpflow validate ...") and, behind it, files, each after a line
	// "-- name --".
	Broken, Repaired string
}

//go:embed *.md
var files embed.FS

// Codes returns the codes that have a page, in order.
func Codes() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // an embedded directory can be read
	}
	codes := make([]string, 0, len(entries))
	for _, e := range entries {
		codes = append(codes, strings.TrimSuffix(e.Name(), ".md"))
	}
	slices.Sort(codes)
	return codes
}

// Find returns the page of a code. The error names a code that may be meant.
func Find(code string) (Page, error) {
	text, err := files.ReadFile(code + ".md")
	if err != nil {
		return Page{}, fmt.Errorf("there is no code %s; the nearest is %s", code, nearest(code, Codes()))
	}
	return parse(code, string(text))
}

// nearest returns the code that is most likely meant: one that is nearly
// written so, or else the next in number.
func nearest(code string, codes []string) string {
	if s := diag.Suggest(code, codes); s != "" {
		return s
	}
	i, _ := slices.BinarySearch(codes, code)
	return codes[min(i, len(codes)-1)]
}

// parse reads the file of a code.
func parse(code, text string) (Page, error) {
	p := Page{Code: code}
	head, rest, _ := strings.Cut(text, "\n")
	title, ok := strings.CutPrefix(head, "# "+code+": ")
	p.Title = title
	parts := []*string{&p.What, &p.Why, &p.Broken, &p.Repaired}
	for i, heading := range []string{"\n## Why\n", "\n## Broken\n", "\n## Repaired\n", ""} {
		part := rest
		if heading != "" {
			var found bool
			part, rest, found = strings.Cut(rest, heading)
			ok = ok && found
		}
		part = strings.Trim(part, "\n")
		if i >= 2 {
			part = unindent(part) + "\n"
		}
		ok = ok && strings.TrimSpace(part) != ""
		*parts[i] = part
	}
	if !ok {
		return p, fmt.Errorf("the page of %s is damaged", code)
	}
	return p, nil
}

// margin is what examples are indented by.
const margin = "    "

func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, margin)
	}
	return strings.Join(lines, "\n")
}

// String returns the page for a terminal of 80 columns.
func (p Page) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n%s\n\nWhy: %s\n", p.Code, p.Title, p.What, p.Why)
	for _, part := range []struct{ name, text string }{{"Broken", p.Broken}, {"Repaired", p.Repaired}} {
		fmt.Fprintf(&b, "\n%s\n\n", part.name)
		for l := range strings.SplitSeq(strings.TrimSuffix(part.text, "\n"), "\n") {
			b.WriteString(strings.TrimRight(margin+l, " ") + "\n")
		}
	}
	return b.String()
}
