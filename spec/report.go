package spec

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec/diag"
)

func (b *builder) report(d diag.Diagnostic) {
	d.Summary = diag.Capital(d.Summary)
	b.diags = append(b.diags, d)
}

// rng converts a range of the parser, whose columns are not runes.
func (b *builder) rng(r hcl.Range) diag.Range {
	if r.Filename == "" {
		return diag.Range{}
	}
	return diag.Range{File: r.Filename, Start: b.pos(r.Filename, r.Start), End: b.pos(r.Filename, r.End)}
}

func (b *builder) pos(file string, p hcl.Pos) diag.Pos {
	text, ok := b.p.Sources[file]
	if !ok || p.Byte > len(text) {
		return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte}
	}
	lines, ok := b.lines[file]
	if !ok {
		lines = NewLines(text)
		b.lines[file] = lines
	}
	line, column := lines.Pos(p.Byte)
	return diag.Pos{Line: line, Column: column, Byte: p.Byte}
}

// asBlock tells to write an attribute as a block.
func asBlock(s Syntax, name string) string {
	if s.Bare() {
		return "Write it with what belongs to it: " + s.Block(name)
	}
	return "Write it without the equals sign: " + s.Block(name)
}

// asAttribute tells to write a block as an attribute.
func asAttribute(s Syntax, name, value string) string {
	if s.Bare() {
		return "Write it as " + s.Attribute(name, value)
	}
	return "Write it with an equals sign: " + s.Attribute(name, value)
}

// syntaxOf returns the syntax of a file of the pipeline.
func (b *builder) syntaxOf(file string) Syntax { return b.syntaxes[file] }

// text returns the source of r.
func (b *builder) text(r hcl.Range) string {
	src := b.p.Sources[r.Filename]
	if r.End.Byte > len(src) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(bytes.TrimSpace(src[r.Start.Byte:r.End.Byte]))
}

// wordForm is a name in the type language.
var wordForm = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

var nameForm = regexp.MustCompile(`^[a-z_][a-zA-Z0-9_]*$`)

// checkName reports a name that is not one, of a block of that type.
func (b *builder) checkName(name string, at hcl.Range, what, block string) bool {
	return b.checkNameAt(name, b.rng(at), what, block)
}

func (b *builder) checkNameAt(name string, at diag.Range, what, block string) bool {
	if nameForm.MatchString(name) {
		return true
	}
	better := suggestName(name)
	b.lost = append(b.lost, lostBlock{block, []string{name, better}})
	b.report(diag.Diagnostic{
		Code: diag.CodeBadName, Range: at, Summary: fmt.Sprintf("%q cannot be the name of %s", name, article(what)),
		Detail: "A name begins with a small letter or an underscore, and goes on with letters, digits and underscores.",
		Fix:    fix(better, "Call it %q."),
	})
	return false
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// suggestName makes a name of s that may be used, or "".
func suggestName(s string) string {
	s = strings.Trim(notInNames.ReplaceAllString(s, "_"), "_")
	if s != "" {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	if !nameForm.MatchString(s) {
		return ""
	}
	return s
}

// fix returns format with s in it, or "" for an empty s.
func fix(s, format string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(format, s)
}

// article returns s behind a or an.
func article(s string) string {
	if s != "" && strings.ContainsRune("aeio", rune(s[0])) {
		return "an " + s
	}
	return "a " + s
}

func didYouMean(s string) string { return fix(s, "Did you mean %q?") }

// listed joins names for a sentence: "a, b or c".
func listed(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}

func (b *builder) strayAttribute(it Item, block bool) {
	d := diag.Diagnostic{
		Code: diag.CodeUnknownField, Range: b.rng(it.Range),
		Summary: fmt.Sprintf("the attribute %q stands outside of a block", it.Name),
		Fix:     "Move it into a block. Values that several blocks use go into a locals block.",
	}
	if block {
		d.Code, d.Summary = diag.CodeBlockForm, fmt.Sprintf("%q is a block", it.Name)
		d.Fix = asBlock(b.syntaxOf(it.Range.Filename), it.Name)
	}
	b.lostPipeline = b.lostPipeline || it.Name == blockPipeline
	b.report(d)
}

func (b *builder) unknownBlock(it Item, known []string) {
	s := diag.Suggest(it.Name, known)
	b.lostPipeline = b.lostPipeline || s == blockPipeline
	b.lost = append(b.lost, lostBlock{s, it.Labels})
	b.report(diag.Diagnostic{
		Code: diag.CodeUnknownBlock, Range: b.rng(it.Range), Context: b.rng(it.Header),
		Summary: fmt.Sprintf("there is no block type %q", it.Name),
		Detail:  "The block types are " + listed(known, "and") + ".",
		Fix:     didYouMean(s),
	})
}

// wrongLabels reports a block header with too few or too many labels.
func (b *builder) wrongLabels(it Item, labels, kinds []string) {
	b.lostPipeline = b.lostPipeline || it.Name == blockPipeline
	lost := lostBlock{it.Name, it.Labels}
	if len(it.Labels) < len(labels) && (len(it.Labels) == 0 || slices.Contains(kinds, it.Labels[0])) {
		lost.labels = nil // the name is what is missing
	}
	b.lost = append(b.lost, lost)
	syntax := b.syntaxOf(it.Range.Filename)
	d := diag.Diagnostic{Code: diag.CodeLabels, Range: b.rng(it.Header), Fix: "Write it as " + syntax.Block(it.Name, labels...) + "."}
	switch {
	case len(labels) == 0:
		d.Summary = fmt.Sprintf("%s block takes no name", article(it.Name))
	case len(labels) == 1 && len(it.Labels) == 0:
		d.Summary = fmt.Sprintf("the %s block has no name", it.Name)
	case len(labels) == 1:
		d.Summary = fmt.Sprintf("%s block takes a name only", article(it.Name))
	case len(it.Labels) == 0:
		d.Summary = fmt.Sprintf("the %s block has neither kind nor name", it.Name)
	case len(it.Labels) > 2:
		d.Summary = fmt.Sprintf("%s block takes a kind and a name only", article(it.Name))
	case slices.Contains(kinds, it.Labels[0]):
		d.Summary = fmt.Sprintf("the %s block has a kind, and no name", it.Name)
		d.Fix = "Write a name behind the kind: " + syntax.Block(it.Name, it.Labels[0], "name") + "."
	default:
		d.Summary = fmt.Sprintf("the %s block has no kind", it.Name)
		d.Fix = "Write the kind before the name: " + syntax.Block(it.Name, kinds[0], it.Labels[0]) + "."
	}
	if len(kinds) > 0 {
		d.Detail = kindsOf(it.Name, kinds)
	}
	if extra := len(labels); len(it.LabelRanges) > extra {
		d.Context, d.Range = d.Range, b.rng(it.LabelRanges[extra])
	}
	b.report(d)
}
