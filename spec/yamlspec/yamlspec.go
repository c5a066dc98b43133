// Package yamlspec reads pipelines that are written in YAML.
//
// A document is a body of blocks and attributes: a label is a level of
// mapping, a list of mappings is a block written several times, and keys that
// begin with x- are a home for anchors. Text is a template where a value is
// computed, an address or a type where one is asked for, and stands for itself
// in record expressions. The place of everything is exact, to the byte and in
// every style of writing a scalar; what cannot be placed has the place of the
// whole value.
package yamlspec

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/input"
)

// Options are what a specification is read with.
type Options = input.Options

// Parse reads the pipeline in src, the text of one file of the given name.
// Files of values are read from the disk.
//
// All mistakes are reported at once, sorted. The pipeline is nil only when
// nothing usable came out: when a text could not be read or parsed.
func Parse(name string, src []byte, o Options) (*spec.Pipeline, diag.List) {
	r := input.NewReader()
	r.Parse(name, src, File)
	return r.Build(o)
}

// File reads a file of a pipeline. ok is false where it could not be
// understood, which the diagnostics explain; src is UTF-8 text without a byte
// order mark.
func File(name string, src []byte) (f spec.File, ds diag.List, ok bool) {
	p := &parser{file: newFile(name, src)}
	f = spec.File{Name: name, Source: src, Syntax: syntax{}}
	root, second, bad := parse(src)
	switch {
	case bad != nil:
		p.syntaxError(bad)
	case second > 0:
		p.secondDocument(second)
	case root == nil:
		root = &node{kind: scalar, tag: "!!null"}
	default:
		place(src, root)
		p.check(root)
		if r := root.resolved(); r.kind != mapping && !r.null() && len(p.diags) == 0 {
			p.fail(diag.Diagnostic{
				Code: diag.CodeSyntax, Range: p.where(root), Summary: "the file is not a mapping",
				Fix: "A pipeline begins with the key of a block: pipeline: { name: { ... } }",
			})
		}
	}
	f.Body = &body{f: p.file, n: root}
	return f, p.diags, len(p.diags) == 0
}

// parser collects what is wrong with a file.
type parser struct {
	*file
	diags diag.List
}

func (p *parser) fail(d diag.Diagnostic) { p.diags = append(p.diags, d) }

func toRange(r hcl.Range) diag.Range {
	return diag.Range{File: r.Filename, Start: diag.Pos(r.Start), End: diag.Pos(r.End)}
}

// where returns the place of n for diagnostics.
func (p *parser) where(n *node) diag.Range { return toRange(p.at(n)) }
