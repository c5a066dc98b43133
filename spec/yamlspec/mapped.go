package yamlspec

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// inText is the file name of places within the text of a scalar.
const inText = "\x00text"

// textMapping leads from places within the text of a scalar to the file.
type textMapping struct {
	f    *file
	n    *node
	text *located
}

func newMapping(f *file, n *node) textMapping { return textMapping{f, n, readScalar(f.src, n)} }

// rng returns the place in the file: the whole node where the text cannot be
// placed.
func (m textMapping) rng(r hcl.Range) hcl.Range {
	if r.Filename != inText {
		return r
	}
	at, to := m.text.at, m.text.to
	from, end := r.Start.Byte, r.End.Byte
	switch {
	case !m.text.exact || len(at) == 0:
		return m.f.at(m.n)
	case from >= len(at):
		last := to[len(to)-1]
		return m.f.rng(last, last)
	case end <= from:
		return m.f.rng(at[from], at[from])
	}
	return m.f.rng(at[from], to[min(end, len(to))-1])
}

// placeInText is a place within a text, where a message names it.
var placeInText = regexp.MustCompile(` at \x00text:[0-9,-]+`)

func (m textMapping) diagnostics(ds hcl.Diagnostics) hcl.Diagnostics {
	out := make(hcl.Diagnostics, len(ds))
	for i, d := range ds {
		c := *d
		c.Detail = placeInText.ReplaceAllString(d.Detail, "")
		if d.Subject != nil {
			c.Subject = m.rng(*d.Subject).Ptr()
		}
		if d.Context != nil {
			c.Context = m.rng(*d.Context).Ptr()
		}
		out[i] = &c
	}
	return out
}

// syntaxErrors returns the first of the errors: the others often follow.
func (m textMapping) syntaxErrors(ds hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range m.diagnostics(ds) {
		if d.Severity == hcl.DiagError {
			fix := "If ${ is meant as text, write $${."
			if strings.Contains(d.Detail, "end of the file") {
				d.Detail, fix = "The text ends before a } for it.", "Write the }, or, if ${ is meant as text, $${."
			}
			d.Extra = spec.Problem{Code: diag.CodeSyntax, Fix: fix}
			return hcl.Diagnostics{d}
		}
	}
	return nil
}

func (m textMapping) traversal(t hcl.Traversal) hcl.Traversal {
	out := make(hcl.Traversal, len(t))
	for i, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		case hcl.TraverseAttr:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		case hcl.TraverseIndex:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		case hcl.TraverseSplat:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		default:
			out[i] = step
		}
	}
	return out
}

// mapped is an expression within the text of a scalar, seen from the file.
type mapped struct {
	x hcl.Expression
	m textMapping
}

func (e *mapped) inner(x hcl.Expression) hcl.Expression { return &mapped{x, e.m} }

// Value computes the expression.
func (e *mapped) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	x := e.x
	if native, ok := x.(hclsyntax.Expression); ok {
		x = spec.Metered(native)
	}
	v, ds := x.Value(ctx)
	return v, e.m.diagnostics(ds)
}

// Variables returns what the expression refers to.
func (e *mapped) Variables() []hcl.Traversal {
	var out []hcl.Traversal
	for _, t := range e.x.Variables() {
		out = append(out, e.m.traversal(t))
	}
	return out
}

// Range is the place in the file.
func (e *mapped) Range() hcl.Range { return e.m.rng(e.x.Range()) }

// StartRange is the place of the beginning in the file.
func (e *mapped) StartRange() hcl.Range { return e.m.rng(e.x.StartRange()) }

// AsTraversal returns the expression as an address, or nil.
func (e *mapped) AsTraversal() hcl.Traversal {
	t, ds := hcl.AbsTraversalForExpr(e.x)
	if ds.HasErrors() {
		return nil
	}
	return e.m.traversal(t)
}

// ExprList returns the elements of a list that is written out, or nil.
func (e *mapped) ExprList() []hcl.Expression {
	list, ds := hcl.ExprList(e.x)
	if ds.HasErrors() {
		return nil
	}
	out := make([]hcl.Expression, len(list))
	for i, x := range list {
		out[i] = e.inner(x)
	}
	return out
}

// ExprMap returns the pairs of an object that is written out, or nil.
func (e *mapped) ExprMap() []hcl.KeyValuePair {
	pairs, ds := hcl.ExprMap(e.x)
	if ds.HasErrors() {
		return nil
	}
	out := make([]hcl.KeyValuePair, len(pairs))
	for i, p := range pairs {
		out[i] = hcl.KeyValuePair{Key: e.inner(p.Key), Value: e.inner(p.Value)}
	}
	return out
}

// ExprCall returns the expression as a call, or nil.
func (e *mapped) ExprCall() *hcl.StaticCall {
	c, ds := hcl.ExprCall(e.x)
	if ds.HasErrors() {
		return nil
	}
	out := &hcl.StaticCall{Name: c.Name, NameRange: e.m.rng(c.NameRange), ArgsRange: e.m.rng(c.ArgsRange)}
	for _, a := range c.Arguments {
		out.Arguments = append(out.Arguments, e.inner(a))
	}
	return out
}
