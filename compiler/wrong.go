package compiler

import (
	"strings"

	"github.com/gpflow/gpflow"
)

// settled are the fields of every node, which no descriptor infers from.
var settled = map[string]bool{
	"on_error": true, "parallelism": true, "chain": true, "description": true, "labels": true, "event_time": true, "rate": true,
}

// inferred visits the fields that the descriptor infers from and that are
// wrong.
func (n *Node) inferred(visit func(gpflow.Field)) {
	if len(n.Spec.Wrong) == 0 {
		return
	}
	for _, f := range n.Desc.AllFields() {
		if n.Spec.Wrong[f.Name] && !settled[f.Name] {
			visit(f)
		}
	}
}

// follows reports whether a complaint may follow from a field that is wrong.
// What does not is what is said of record expressions and columns by
// themselves.
func (n *Node) follows(p gpflow.Problem) bool {
	name, _, _ := strings.Cut(p.Path, ".")
	name, _, _ = strings.Cut(name, "[")
	about := gpflow.Field{}
	for _, f := range n.Desc.AllFields() {
		if f.Name == name {
			about = f
		}
	}
	follows := false
	n.inferred(func(f gpflow.Field) {
		switch f.Kind {
		case gpflow.FieldRef, gpflow.FieldRefs: // the inputs that are known are as good as all
			return
		case gpflow.FieldColumns: // expressions may refer to them in ways that others may not be
			follows = follows || p.Code == ""
		}
		switch about.Kind {
		case gpflow.FieldExpr, gpflow.FieldColumns, gpflow.FieldColumn:
			follows = follows || f.Name == name
		case gpflow.FieldExprMap, gpflow.FieldAggregates: // some of which may be right
			follows = follows || p.Path == name
		default:
			follows = true
		}
	})
	return follows
}

// shaped reports whether the schemas that n makes are those that were meant: no
// field is wrong that they are made of.
func (n *Node) shaped() bool {
	shaped := true
	n.inferred(func(f gpflow.Field) {
		switch f.Kind {
		case gpflow.FieldSchema, gpflow.FieldColumns, gpflow.FieldExprMap, gpflow.FieldAggregates, gpflow.FieldBlock:
			shaped = false
		}
	})
	return shaped
}
