// Package compiler turns a specification into a physical plan, in four phases:
//
//	resolve   references become edges; the graph has no circles
//	check     schemas flow from sources to sinks; expressions are typed
//	optimize  columns that nobody reads are not read
//	lower     nodes are fused into tasks, and edges get a partitioning
//
// It is pure: no clock, no disk, no network. Every phase goes on after a
// mistake as far as it can, so that all are found at once, and says nothing
// about what only follows from one.
package compiler

import (
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// Options change what the compiler does.
type Options struct {
	// NoOptimize leaves out what only makes the plan better: every column is
	// read, and every node is a task of its own.
	NoOptimize bool
}

// Result is what the phases have made; what a mistake prevents is nil.
type Result struct {
	Graph *Graph     // the logical plan, checked and optimized
	Plan  *plan.Plan // the physical plan
}

// Compile compiles p. The plan is nil if and only if there are errors, or
// p came with some.
func Compile(p *spec.Pipeline, o Options) (Result, diag.List) {
	c := &compilation{spec: p, partial: p.Partial}
	g := c.resolve()
	c.check(g)
	if !c.failed() {
		c.warn(g)
		if !o.NoOptimize {
			c.optimize(g)
		}
	}
	r := Result{Graph: g}
	if !c.failed() {
		r.Plan = c.lower(g, o)
	}
	if c.failed() {
		r.Plan = nil
	}
	c.list.Sort()
	return r, c.list
}

// valueFailed reports whether the unknown name that p complains about is that
// of a variable or a local whose value had an error, which has been reported.
func (c *compilation) valueFailed(text string, p gpflow.Problem) bool {
	if p.From < 0 || p.From > p.To || p.To > len(text) {
		return false
	}
	parts := strings.SplitN(text[p.From:p.To], ".", 3)
	if len(parts) < 2 {
		return false
	}
	name := strings.TrimSuffix(parts[0], "?") + "." + parts[1]
	return c.spec.Unknown[name]
}

// compilation is one call of Compile.
type compilation struct {
	spec *spec.Pipeline
	list diag.List
	// partial says that nodes or edges are missing because of mistakes that
	// have been reported, so that nothing can be said about absent ones.
	partial bool
	// suggested counts the references that a suggestion was looked for.
	suggested int
}

// sentence returns s with a capital, and a full stop.
func sentence(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".?!") {
		return diag.Capital(s)
	}
	return diag.Capital(s) + "."
}

func (c *compilation) failed() bool { return c.spec.Failed || c.list.HasErrors() }

// said reports whether the same has been said of the same text, which several
// nodes may use.
func (c *compilation) said(d diag.Diagnostic) bool {
	return slices.ContainsFunc(c.list, func(o diag.Diagnostic) bool {
		return o.Code == d.Code && o.Range == d.Range && o.Summary == d.Summary && o.Detail == d.Detail
	})
}

func (c *compilation) report(d diag.Diagnostic) { c.list = append(c.list, d) }

func (c *compilation) error(code string, at diag.Range, summary, detail string) {
	c.report(diag.Diagnostic{Severity: diag.Error, Code: code, Range: at, Summary: summary, Detail: detail})
}

func (c *compilation) warning(code string, at diag.Range, summary, detail string) {
	c.report(diag.Diagnostic{Severity: diag.Warning, Code: code, Range: at, Summary: summary, Detail: detail})
}

// problem reports what a descriptor has found wrong with a node.
func (c *compilation) problem(n *Node, p gpflow.Problem) {
	if p.Code == diag.CodeUnknownName && c.valueFailed(n.Spec.Fields[p.Path].Text, p) {
		return
	}
	d := diag.Diagnostic{
		Severity: diag.Error, Code: p.Code, Summary: p.Summary, Detail: p.Detail,
		Range: n.Spec.Place(p.Path, p.From, p.To), Context: n.Spec.Range,
	}
	if p.To == 0 { // with a part of a text it may begin with a name
		d.Summary, d.Detail = diag.Capital(d.Summary), sentence(d.Detail)
	}
	if p.Warning {
		d.Severity = diag.Warning
	}
	switch {
	case d.Code != "":
	case p.To > 0: // a part of a text: record expressions alone have one
		d.Code = diag.CodeExpression
	default:
		d.Code = diag.CodeConfig
	}
	if block, ok := n.Spec.Elsewhere(p.Path); ok {
		d.Context = block
		d.Related = []diag.Related{{Message: "used by " + n.Address(), Range: n.Spec.Range}}
		if c.said(d) {
			return
		}
	}
	c.report(d)
}
