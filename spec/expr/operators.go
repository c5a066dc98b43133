package expr

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// unary checks !a, -a and +a.
func (c *checker) unary(n *ast.UnaryNode) *node {
	k := c.node(n.Node)
	switch n.Operator {
	case "!", "not":
		return &node{op: opNot, typ: tBool, kids: []*node{c.truth(k)}}
	}
	switch k = c.required(k); k.typ.Kind {
	case gpflow.KindInt, gpflow.KindFloat, gpflow.KindDuration, gpflow.KindAny:
	default:
		c.failAst(n, fmt.Sprintf("%s has no sign", k.typ), "Numbers and durations have one.")
	}
	if n.Operator == "+" {
		return k
	}
	return &node{op: opNeg, typ: k.typ, kids: []*node{k}}
}

// binary checks a op b.
func (c *checker) binary(n *ast.BinaryNode) *node {
	switch n.Operator {
	case "&&", "and":
		a := c.truth(c.node(n.Left))
		b := c.truth(c.given(facts(a, true), n.Right))
		return &node{op: opAnd, typ: tBool, kids: []*node{a, b}}
	case "||", "or":
		a := c.truth(c.node(n.Left))
		b := c.truth(c.given(facts(a, false), n.Right))
		return &node{op: opOr, typ: tBool, kids: []*node{a, b}}
	case "??":
		return c.coalesce(n)
	case "..":
		return c.sized(n, c.span(n))
	case "in":
		return c.in(n)
	case "==", "!=":
		if out := c.null(n); out != nil {
			return out
		}
		return c.compare(n)
	case "<", "<=", ">", ">=":
		return c.compare(n)
	case "contains", "startsWith", "endsWith", "matches":
		return c.match(n)
	}
	return c.arith(n)
}

// null checks a == nil and a != nil.
func (c *checker) null(n *ast.BinaryNode) *node {
	value := n.Left
	if _, ok := n.Left.(*ast.NilNode); ok {
		value = n.Right
	} else if _, ok := n.Right.(*ast.NilNode); !ok {
		return nil
	}
	out := &node{op: opIsNull, typ: tBool, kids: []*node{c.node(value)}}
	if n.Operator == "!=" {
		out.from, out.to = c.src.bytes(n)
		out = &node{op: opNot, typ: tBool, kids: []*node{c.fold(out)}}
	}
	return out
}

// coalesce checks a ?? b.
func (c *checker) coalesce(n *ast.BinaryNode) *node {
	a, b := c.node(n.Left), c.node(n.Right)
	t, ok := unify(a.typ, b.typ)
	if !ok {
		c.failAst(n, fmt.Sprintf("The default is %s, the value %s", b.typ, a.typ.NonNull()), "Both sides of ?? have one type. Convert one of them, as in string(x).")
	}
	t.Optional = b.typ.Optional
	if a.constant() && a.val.IsNull() {
		return toFloat(b, t)
	}
	return &node{op: opCoalesce, typ: t, kids: []*node{toFloat(a, t), toFloat(b, t)}}
}

// span checks a..b.
func (c *checker) span(n *ast.BinaryNode) *node {
	a, b := c.node(n.Left), c.node(n.Right)
	for _, k := range []*node{a, b} {
		if !k.constant() || k.val.Kind() != gpflow.KindInt {
			c.fail(k, "The bounds of a range are constant ints", "Write it as 1..10. To compare with columns, write x >= a && x <= b.")
		}
	}
	lo, hi := a.val.Int(), b.val.Int()
	return &node{op: opRange, typ: gpflow.ListOf(tInt), lo: lo, hi: hi}
}

// sized refuses a range that is too long to be a list.
func (c *checker) sized(n *ast.BinaryNode, r *node) *node {
	if r.hi >= r.lo && uint64(r.hi)-uint64(r.lo) >= maxRange {
		from, to := c.src.bytes(n)
		c.failCode(CodeTooBig, from, to, "The range is too long", "A list made of a range may have 10000 elements.")
	}
	if c.element != nil {
		c.failAst(n, "A range is not allowed in a predicate", "Only x in a..b is.")
	}
	return r
}

// in checks a in b.
func (c *checker) in(n *ast.BinaryNode) *node {
	a := c.required(c.node(n.Left))
	if r, ok := n.Right.(*ast.BinaryNode); ok && r.Operator == ".." {
		if a.typ.Kind != gpflow.KindFloat {
			a = c.want(a, gpflow.KindInt, c.text(a))
		}
		bounds := c.span(r)
		return &node{op: opInRange, typ: tBool, kids: []*node{a}, lo: bounds.lo, hi: bounds.hi}
	}
	b := c.required(c.node(n.Right))
	out := &node{op: opIn, typ: tBool, kids: []*node{a, b}}
	switch b.typ.Kind {
	case gpflow.KindList:
		if !comparable(a.typ, *b.typ.Elem) {
			c.failAst(n, fmt.Sprintf("%s is %s, the list has %s", c.text(a), a.typ, *b.typ.Elem), "Both have one type. Convert one, as in string(x) in list.")
		}
	case gpflow.KindMap:
		out.kids[0] = c.want(a, gpflow.KindString, "The key of a map")
	case gpflow.KindAny:
	default:
		c.fail(b, fmt.Sprintf("%s is %s, not a list, a range or a map", c.text(b), b.typ), "Look in a list, as in x in ['a', 'b']. A part of a text is found by text contains 'a'.")
	}
	return out
}

// comparable reports whether == means something for a and b.
func comparable(a, b gpflow.Type) bool {
	if a.Kind == gpflow.KindAny || b.Kind == gpflow.KindAny || a.Kind == gpflow.KindNull || b.Kind == gpflow.KindNull || a.IsNumber() && b.IsNumber() {
		return true
	}
	if a.Kind == b.Kind && a.Elem != nil && b.Elem != nil {
		return comparable(*a.Elem, *b.Elem)
	}
	return a.Kind == b.Kind
}

// ordered reports whether < means something for a.
func ordered(a gpflow.Type) bool {
	switch a.Kind {
	case gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindTimestamp, gpflow.KindDuration, gpflow.KindAny:
		return true
	}
	return false
}

// compare checks a == b, a < b and the like.
func (c *checker) compare(n *ast.BinaryNode) *node {
	a, b := c.node(n.Left), c.node(n.Right)
	if c.unsure == 0 { // what is unknown may have been meant for nil
		a, b = c.required(a), c.required(b)
	}
	if !comparable(a.typ, b.typ) {
		c.failAst(n, fmt.Sprintf("%s and %s cannot be compared", a.typ, b.typ), conversion(a.typ, b.typ))
	}
	if n.Operator != "==" && n.Operator != "!=" && (!ordered(a.typ) || !ordered(b.typ)) {
		c.failAst(n, fmt.Sprintf("%s has no order", a.typ), "It can be compared with == and !=.")
	}
	return &node{op: opCompare, typ: tBool, name: n.Operator, kids: []*node{a, b}}
}

// conversion says how to bring two types together.
func conversion(a, b gpflow.Type) string {
	if a.Kind == gpflow.KindString {
		a, b = b, a
	}
	if b.Kind == gpflow.KindString {
		switch a.Kind {
		case gpflow.KindInt, gpflow.KindFloat, gpflow.KindTimestamp, gpflow.KindDuration:
			return fmt.Sprintf("Convert one of them, as in %s(x) or string(x).", a.Kind)
		case gpflow.KindBytes:
			return "Convert one of them, as in string(x)."
		}
	}
	return "Both sides have one type."
}

// match checks a contains b and the like.
func (c *checker) match(n *ast.BinaryNode) *node {
	a, b := c.required(c.node(n.Left)), c.required(c.node(n.Right))
	if a.typ.Kind == gpflow.KindList {
		a = c.wrong(a, tString, "", fmt.Sprintf("%s is a list, not a string", c.text(a)), "Look for an element with x in list.")
	}
	a, b = c.want(a, gpflow.KindString, c.text(a)), c.want(b, gpflow.KindString, c.text(b))
	out := &node{op: opMatch, typ: tBool, name: n.Operator, kids: []*node{a, b}}
	if n.Operator == "matches" {
		if !b.unknown {
			c.unsure = 0 // the text has no part in what follows
		}
		if !b.constant() {
			c.fail(b, "A regular expression is a constant", "Write it as text, or refer to a variable.")
		}
		if b.val.Kind() != gpflow.KindString {
			c.fail(b, "A regular expression is a string", "Write it in quotes.")
		}
		out.re = c.pattern(b)
	}
	return out
}

// arith checks a + b and the like.
func (c *checker) arith(n *ast.BinaryNode) *node {
	a, b := c.required(c.node(n.Left)), c.required(c.node(n.Right))
	op := n.Operator
	if op == "^" {
		op = "**"
	}
	t, ok := arithType(op, a.typ.Kind, b.typ.Kind)
	if !ok {
		c.undefinedArith(n, a, b)
	}
	return &node{op: opArith, typ: gpflow.T(t), name: op, kids: []*node{a, b}}
}

// undefinedArith reports an operation of two types that is not defined, at the
// operand that can be converted, or else at the operator.
func (c *checker) undefinedArith(n *ast.BinaryNode, a, b *node) {
	summary := fmt.Sprintf("%s %s %s is not defined", a.typ, n.Operator, b.typ)
	of := func(match func(gpflow.Type) bool) *node {
		switch {
		case match(a.typ) && !match(b.typ):
			return a
		case match(b.typ) && !match(a.typ):
			return b
		}
		return nil
	}
	kind := func(k gpflow.Kind) func(gpflow.Type) bool {
		return func(t gpflow.Type) bool { return t.Kind == k }
	}
	number := gpflow.Type.IsNumber
	if k := of(kind(gpflow.KindString)); k != nil {
		other := a
		if k == a {
			other = b
		}
		switch {
		case n.Operator == "+" && printable.has(other.typ.Kind):
			c.fail(other, summary, "To join it as text, write string("+c.src.short(other.from, other.to, "x")+").")
		case number(other.typ):
			c.fail(k, summary, fmt.Sprintf("To compute with it, write %s(%s).", other.typ.Kind, c.src.short(k.from, k.to, "x")))
		}
	}
	if k := of(number); k != nil && (a.typ.Kind == gpflow.KindTimestamp || b.typ.Kind == gpflow.KindTimestamp) {
		c.fail(k, summary, "Write it as a duration, as in duration('60s').")
	}
	if k := of(kind(gpflow.KindBool)); k != nil {
		text := c.src.short(k.from, k.to, "x")
		c.fail(k, summary, "To count with it, write ("+text+" ? 1 : 0).")
	}
	if k := of(kind(gpflow.KindFloat)); n.Operator == "%" && k != nil {
		c.fail(k, summary, "It is defined for ints. Write int("+c.src.short(k.from, k.to, "x")+").")
	}
	from, to := c.src.location(n.Location())
	detail := "It is defined for numbers; for times and durations where the result is one."
	if n.Operator == "%" {
		detail = "It is defined for ints. Convert with int(x)."
	}
	c.failAt(from, to, summary, detail)
}

// arithType returns the type of an arithmetic operation.
func arithType(op string, a, b gpflow.Kind) (gpflow.Kind, bool) {
	const (
		i, f, s = gpflow.KindInt, gpflow.KindFloat, gpflow.KindString
		t, d, x = gpflow.KindTimestamp, gpflow.KindDuration, gpflow.KindAny
	)
	number := func(k gpflow.Kind) bool { return k == i || k == f || k == x }
	switch {
	case op == "%":
		return i, (a == i || a == x) && (b == i || b == x)
	case op == "**":
		return f, number(a) && number(b)
	case op == "/" && (a == d && b == d || number(a) && number(b) && a != x):
		return f, true
	case op == "/" && a == d && number(b):
		return d, b != x
	case a == x || b == x:
		return x, arithAny(op, a) && arithAny(op, b)
	case number(a) && number(b):
		if a == i && b == i {
			return i, true
		}
		return f, true
	case op == "+" && (a == s && b == s):
		return s, true
	case op == "+" && (a == t && b == d || a == d && b == t), op == "-" && a == t && b == d:
		return t, true
	case op == "-" && a == t && b == t, (op == "+" || op == "-") && a == d && b == d:
		return d, true
	case op == "*" && (a == d && number(b) || number(a) && b == d):
		return d, true
	}
	return x, false
}

// arithAny reports whether a value of kind k can be under op.
func arithAny(op string, k gpflow.Kind) bool {
	switch k {
	case gpflow.KindInt, gpflow.KindFloat, gpflow.KindDuration, gpflow.KindAny:
		return true
	case gpflow.KindString:
		return op == "+"
	case gpflow.KindTimestamp:
		return op == "+" || op == "-"
	}
	return false
}
