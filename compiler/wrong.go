package compiler

import (
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
)

// follows reports whether p may follow from a mistake that has been reported:
// one in its own field, or in one that it needs. Of a field that has parts,
// those that are right are known, and so are the inputs that there are.
func (n *Node) follows(p gpflow.Problem) bool {
	if n.anyWrong(p.Needs) {
		return true
	}
	name := p.Path
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name = name[:i]
	}
	if !n.Spec.Wrong[name] {
		return false
	}
	switch n.kind(name) {
	case gpflow.FieldRef, gpflow.FieldRefs:
		return false
	case gpflow.FieldExprMap, gpflow.FieldAggregates:
		return p.Path == name
	case gpflow.FieldBlock:
		return p.Path != name && n.Spec.Wrong[p.Path]
	}
	return true
}

// kind returns the kind of a field at the top.
func (n *Node) kind(name string) gpflow.FieldKind {
	fields := n.Desc.AllFields()
	if i := slices.IndexFunc(fields, func(f gpflow.Field) bool { return f.Name == name }); i >= 0 {
		return fields[i].Kind
	}
	return gpflow.FieldString
}

// anyWrong reports whether a mistake in one of the fields has been reported.
func (n *Node) anyWrong(fields []string) bool {
	return slices.ContainsFunc(fields, func(f string) bool { return n.Spec.Wrong[f] })
}

// shaped reports whether the schemas that n makes are those that were meant: no
// field of shape, which they are made of, is wrong.
func (n *Node) shaped(shape []string) bool {
	if shape != nil {
		return !n.anyWrong(shape)
	}
	return !slices.ContainsFunc(n.Desc.Fields, func(f gpflow.Field) bool { return n.Spec.Wrong[f.Name] })
}
