package expr

import "github.com/gpflow/gpflow"

// op says what a node does. What kids are is said of each.
type op uint8

const (
	opConst    op = iota // val
	opColumn             // slot
	opVar                // slot: of a let
	opElement            // #: the element in a predicate
	opLet                // slot; kids: value, body
	opNot                // kids: bool
	opNeg                // kids: number or duration
	opAnd                // kids: bool, bool
	opOr                 // kids: bool, bool
	opArith              // name: + - * / % **; kids: left, right
	opCompare            // name: == != < <= > >=; kids: left, right
	opIsNull             // kids: any type
	opIn                 // kids: needle, list or map
	opInRange            // kids: needle; the range is lo, hi
	opRange              // lo, hi
	opMatch              // name: contains startsWith endsWith matches; kids: text, text
	opCoalesce           // kids: value, default
	opCond               // kids: condition, then, else
	opFloat              // kids: an int, as a float
	opList               // kids: elements
	opMap                // kids: key, value, key, value, ...
	opMember             // kids: list or map, index or key; optional: null base gives null
	opCall               // fn; kids: arguments
	opUnknown            // in place of what has a mistake; no tree that is run has one
	opLoop               // name: any, filter, ...; kids: list, predicate, more
)

// node is one node of a checked tree. It is immutable once checked.
type node struct {
	op       op
	typ      gpflow.Type
	kids     []*node
	name     string
	slot     int
	lo, hi   int64
	val      gpflow.Value
	fn       *function
	re       *pattern // of matches
	optional bool
	unknown  bool // the type is, because of a mistake
	from, to int  // bytes of the text
}

// constant reports whether n is a constant.
func (n *node) constant() bool { return n.op == opConst }

// allConstant reports whether n's kids are constants.
func (n *node) allConstant() bool {
	for _, k := range n.kids {
		if !k.constant() {
			return false
		}
	}
	return true
}

// path names a value that a null check can be about: a column, a variable, the
// element of a predicate, or a fixed member of one. It is "" for others.
func (n *node) path() string {
	switch n.op {
	case opColumn, opVar:
		return n.name
	case opElement:
		return "#"
	case opMember:
		if base := n.kids[0].path(); base != "" && n.kids[1].constant() {
			return base + "\x00" + string(gpflow.AppendQuoted(nil, print1(n.kids[1])))
		}
	}
	return ""
}

func print1(n *node) string { return string(appendText(nil, n)) }

// The types that are used most.
var (
	tBool     = gpflow.T(gpflow.KindBool)
	tInt      = gpflow.T(gpflow.KindInt)
	tFloat    = gpflow.T(gpflow.KindFloat)
	tString   = gpflow.T(gpflow.KindString)
	tBytes    = gpflow.T(gpflow.KindBytes)
	tTime     = gpflow.T(gpflow.KindTimestamp)
	tDuration = gpflow.T(gpflow.KindDuration)
	tAny      = gpflow.T(gpflow.KindAny)
)

// unify returns the type that holds the values of both, and whether there is
// one.
func unify(a, b gpflow.Type) (gpflow.Type, bool) {
	optional := a.Optional || b.Optional
	var t gpflow.Type
	switch {
	case a.Kind == gpflow.KindNull:
		t = b
	case b.Kind == gpflow.KindNull:
		t = a
	case a.IsNumber() && b.IsNumber():
		t = tFloat
		if a.Kind == b.Kind {
			t = gpflow.T(a.Kind)
		}
	case a.Kind == gpflow.KindAny || b.Kind == gpflow.KindAny:
		t = tAny
	case a.Kind != b.Kind:
		return tAny, false
	case a.Elem != nil:
		e, ok := unify(*a.Elem, *b.Elem)
		if !ok || a.Elem.Kind != b.Elem.Kind && a.Elem.Kind != gpflow.KindNull && b.Elem.Kind != gpflow.KindNull {
			e = tAny
		}
		t = gpflow.Type{Kind: a.Kind, Elem: &e}
	default:
		t = gpflow.T(a.Kind)
	}
	t.Optional = optional
	return t, true
}
