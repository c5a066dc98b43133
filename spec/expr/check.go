package expr

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// checker turns a syntax tree into a checked one. A mistake ends the check of
// the node that it is in, by a panic; the node's type is unknown from there on,
// and what follows from that is no mistake. So all that are independent are
// found.
type checker struct {
	src       *source
	env       Env
	schema    *gpflow.Schema
	columns   map[string]struct{} // referred to
	constants map[string]struct{}
	lets      []*let
	vars      int            // let slots, ever
	known     map[string]int // paths that are not null here, with how often that is known
	element   *subject       // of the list, in a predicate
	calls     []string       // names that are no builtins of the syntax but calls
	aggregate *collector     // in an aggregate expression, outside of its calls

	patterns     map[string]*pattern // by text
	instructions int                 // of the patterns
	folded       int                 // bytes of text that constants made
	foldSteps    int                 // and the steps of that

	inAggregate bool // in the argument of an aggregate

	found  *findings
	unsure int // operands of the node in hand whose type is not known because of a mistake
}

// let is a variable in scope.
type let struct {
	name    string
	slot    int
	typ     gpflow.Type
	unknown bool
}

// subject is what # stands for.
type subject struct {
	typ     gpflow.Type
	unknown bool
}

func newChecker(src string, env Env) *checker {
	c := &checker{
		src: newSource(src), env: env, schema: env.Schema,
		columns: map[string]struct{}{}, constants: map[string]struct{}{}, known: map[string]int{},
		found: &findings{},
	}
	if c.schema == nil {
		c.schema = gpflow.NewSchema()
	}
	return c
}

func (c *checker) visit(n ast.Node) *node {
	switch n := n.(type) {
	case *ast.NilNode:
		return &node{op: opConst, typ: gpflow.T(gpflow.KindNull).Opt()}
	case *ast.IntegerNode:
		return literal(tInt, gpflow.Int(int64(n.Value)))
	case *ast.FloatNode:
		return literal(tFloat, gpflow.Float(n.Value))
	case *ast.BoolNode:
		return literal(tBool, gpflow.Bool(n.Value))
	case *ast.StringNode:
		return literal(tString, gpflow.String(n.Value))
	case *ast.BytesNode:
		return literal(tBytes, gpflow.Bytes(n.Value))
	case *ast.IdentifierNode:
		return c.name(n, []string{n.Value}, false)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ChainNode:
		return c.node(n.Node)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.mapping(n)
	case *ast.PointerNode:
		return c.pointer(n)
	}
	c.failAst(n, "Several expressions in a row", "An expression has one value. Name parts with let, as in let x = a + b; x * x.")
	return nil
}

func literal(t gpflow.Type, v gpflow.Value) *node { return &node{op: opConst, typ: t, val: v} }

// pointer checks #, the element of a predicate.
func (c *checker) pointer(n *ast.PointerNode) *node {
	if c.element == nil {
		c.failAst(n, "# is not allowed here", "It stands for the element in a predicate, as in any(tags, # == 'a').")
	}
	if n.Name == "index" {
		c.failAst(n, "#index is not allowed", "A predicate sees the element alone, as #.")
	}
	if n.Name != "" {
		c.failAst(n, "Unknown name #"+n.Name, "The element of a predicate is #.")
	}
	return c.narrowed(&node{op: opElement, typ: c.element.typ, unknown: c.element.unknown})
}

// narrowed makes n not null where a check has said so.
func (c *checker) narrowed(n *node) *node {
	if n.typ.Optional && c.known[n.path()] > 0 {
		n.typ = n.typ.NonNull()
	}
	return n
}

// required refuses a value that may be null, and returns one that may not.
func (c *checker) required(n *node) *node {
	if !n.typ.Optional {
		return n
	}
	name := c.text(n)
	if n.typ.Kind == gpflow.KindNull {
		return c.wrong(n, tAny, CodeOptional, "nil is not allowed here", "It can be compared with == and !=, and be a branch of ?:.")
	}
	return c.wrong(n, n.typ.NonNull(), CodeOptional, name+" may be null", fmt.Sprintf("Give a default, as in (%s ?? %s), or check first, as in %s != nil && ... or %s != nil ? ... : ....",
		name, example(n.typ), name, name))
}

// text returns what n was written as, shortened.
func (c *checker) text(n *node) string {
	return c.src.short(n.from, n.to, "This")
}

// example returns a literal of type t.
func example(t gpflow.Type) string {
	switch t.Kind {
	case gpflow.KindInt:
		return "0"
	case gpflow.KindFloat:
		return "0.0"
	case gpflow.KindString:
		return "''"
	case gpflow.KindBool:
		return "false"
	case gpflow.KindBytes:
		return "b''"
	case gpflow.KindTimestamp:
		return "timestamp('1970-01-01T00:00:00Z')"
	case gpflow.KindDuration:
		return "duration('0s')"
	case gpflow.KindList:
		return "[]"
	}
	return "..."
}

// given checks n with paths known to be not null.
func (c *checker) given(paths []string, n ast.Node) *node {
	for _, p := range paths {
		c.known[p]++
	}
	out := c.node(n)
	for _, p := range paths {
		c.known[p]--
	}
	return out
}

// facts returns the paths that are not null where n is truth.
func facts(n *node, truth bool) []string {
	switch n.op {
	case opNot:
		if n.kids[0].op != opIsNull {
			return facts(n.kids[0], !truth)
		}
		if p := n.kids[0].kids[0].path(); truth && p != "" {
			return []string{p}
		}
	case opIsNull:
		if p := n.kids[0].path(); !truth && p != "" {
			return []string{p}
		}
	case opAnd:
		if truth {
			return append(facts(n.kids[0], true), facts(n.kids[1], true)...)
		}
	case opOr:
		if !truth {
			return append(facts(n.kids[0], false), facts(n.kids[1], false)...)
		}
	}
	return nil
}

// conditional checks c ? a : b and if c { a } else { b }.
func (c *checker) conditional(n *ast.ConditionalNode) *node {
	cond := c.truth(c.node(n.Cond))
	c.unsure = 0 // the type does not depend on it
	a := c.given(facts(cond, true), n.Exp1)
	b := c.given(facts(cond, false), n.Exp2)
	t, ok := unify(a.typ, b.typ)
	if !ok {
		c.failAst(n, fmt.Sprintf("The branches are %s and %s", a.typ, b.typ), "Both branches of a condition have one type. Convert one of them, as in string(x).")
	}
	return &node{op: opCond, typ: t, kids: []*node{cond, toFloat(a, t), toFloat(b, t)}}
}

// truth requires a bool.
func (c *checker) truth(n *node) *node {
	if n = c.required(n); n.typ.Kind != gpflow.KindBool && n.typ.Kind != gpflow.KindAny {
		return c.wrong(n, tBool, "", fmt.Sprintf("%s is %s, not bool", c.text(n), n.typ), "A condition is a comparison or a value of type bool, as in x > 0.")
	}
	return n
}

// toFloat returns n as a float where t says so and n is an int.
func toFloat(n *node, t gpflow.Type) *node {
	if t.Kind != gpflow.KindFloat || n.typ.Kind != gpflow.KindInt {
		return n
	}
	if n.constant() && !n.val.IsNull() {
		return &node{op: opConst, typ: t, val: gpflow.Float(float64(n.val.Int())), from: n.from, to: n.to}
	}
	ft := tFloat
	ft.Optional = n.typ.Optional
	return &node{op: opFloat, typ: ft, kids: []*node{n}, from: n.from, to: n.to}
}

// let checks let x = a; b.
func (c *checker) let(n *ast.VariableDeclaratorNode) *node {
	at := func(summary, detail string) {
		from, to := c.src.location(n.Location())
		c.found.add(&Error{From: from, To: to, Summary: summary, Detail: detail})
	}
	if c.schema.Index(n.Name) >= 0 {
		at("There is a column "+n.Name+" already", "Give the variable another name.")
	}
	if n.Name == "event" || n.Name == "var" || n.Name == "local" {
		at(n.Name+" cannot be a variable", "Give the variable another name.")
	}
	for _, l := range c.lets {
		if l.name == n.Name {
			at("There is a variable "+n.Name+" already", "Give the variable another name.")
		}
	}
	if c.element != nil {
		at("let is not allowed in a predicate", "Name the value before the predicate.")
	}
	value := c.node(n.Value)
	if value.typ.Kind == gpflow.KindNull {
		value = c.wrong(value, tAny, "", "A variable cannot be nil", "It would have no type.")
	}
	l := &let{n.Name, c.vars, value.typ, value.unknown}
	c.unsure = 0 // the variable is what is unknown
	c.vars++
	c.lets = append(c.lets, l)
	body := c.node(n.Expr)
	c.lets = c.lets[:len(c.lets)-1]
	return &node{op: opLet, typ: body.typ, slot: l.slot, name: l.name, kids: []*node{value, body}}
}

// array checks [a, b, c].
func (c *checker) array(n *ast.ArrayNode) *node {
	elem := gpflow.T(gpflow.KindNull)
	kids := make([]*node, len(n.Nodes))
	for i, e := range n.Nodes {
		kids[i] = c.node(e)
		switch t, ok := unify(elem, kids[i].typ); {
		case i == 0:
			elem = kids[i].typ
		case ok:
			elem = t
		default:
			elem = gpflow.Type{Kind: gpflow.KindAny, Optional: t.Optional}
		}
	}
	for i := range kids {
		kids[i] = toFloat(kids[i], elem)
	}
	return &node{op: opList, typ: gpflow.ListOf(elem), kids: kids}
}

// mapping checks {a: b}.
func (c *checker) mapping(n *ast.MapNode) *node {
	out := &node{op: opMap}
	elem := tAny
	for i, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		key, value := c.required(c.node(pair.Key)), c.node(pair.Value)
		if key.typ.Kind != gpflow.KindString {
			key = c.wrong(key, tString, "", "The key is "+key.typ.String()+", not string", "Make a string of it, as in string(x).")
		}
		if t, ok := unify(elem, value.typ); i > 0 && ok && t.Kind != gpflow.KindAny {
			elem = t
		} else if i == 0 {
			elem = value.typ
		} else {
			elem = tAny
		}
		out.kids = append(out.kids, key, value)
	}
	for i := 1; i < len(out.kids); i += 2 {
		out.kids[i] = toFloat(out.kids[i], elem)
	}
	out.typ = gpflow.MapOf(elem)
	return out
}
