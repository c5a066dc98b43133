package expr

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// code is a compiled sub-expression. Exactly one of its functions is set: b, i,
// f and s for a bool; an int, timestamp or duration; a float; a string or
// bytes; none of them null. v is for the rest.
type code struct {
	kind gpflow.Kind
	b    func(*frame) bool
	i    func(*frame) int64
	f    func(*frame) float64
	s    func(*frame) string
	v    func(*frame) gpflow.Value
}

// value returns c as a function that makes values.
func (c code) value() func(*frame) gpflow.Value {
	switch {
	case c.b != nil:
		b := c.b
		return func(fr *frame) gpflow.Value { return gpflow.Bool(b(fr)) }
	case c.f != nil:
		f := c.f
		return func(fr *frame) gpflow.Value { return gpflow.Float(f(fr)) }
	case c.i != nil:
		i := c.i
		switch c.kind {
		case gpflow.KindTimestamp:
			return func(fr *frame) gpflow.Value { return gpflow.Time(gpflow.Timestamp(i(fr))) }
		case gpflow.KindDuration:
			return func(fr *frame) gpflow.Value { return gpflow.Span(gpflow.Duration(i(fr))) }
		}
		return func(fr *frame) gpflow.Value { return gpflow.Int(i(fr)) }
	case c.s != nil:
		s := c.s
		if c.kind == gpflow.KindBytes {
			return func(fr *frame) gpflow.Value { return bytesOf(s(fr)) }
		}
		return func(fr *frame) gpflow.Value { return gpflow.String(s(fr)) }
	}
	return c.v
}

// typed returns v as the code of a type.
func typed(t gpflow.Type, v func(*frame) gpflow.Value) code {
	c := code{kind: t.Kind}
	if t.Optional {
		c.v = v
		return c
	}
	switch t.Kind {
	case gpflow.KindBool:
		c.b = func(fr *frame) bool { return v(fr).Bool() }
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		c.i = func(fr *frame) int64 { return v(fr).Int() }
	case gpflow.KindFloat:
		c.f = func(fr *frame) float64 { return v(fr).Float() }
	case gpflow.KindString, gpflow.KindBytes:
		c.s = func(fr *frame) string { return text(v(fr)) }
	default:
		c.v = v
	}
	return c
}

// text returns the bytes of a string or bytes value; "" for what is neither,
// which is what a failed evaluation leaves.
func text(v gpflow.Value) string {
	if k := v.Kind(); k == gpflow.KindString || k == gpflow.KindBytes {
		return v.Str()
	}
	return ""
}

func bytesOf(s string) gpflow.Value {
	if s == "" {
		return gpflow.Bytes(nil)
	}
	return gpflow.Bytes(unsafeBytes(s))
}

// gen compiles checked trees.
type gen struct {
	machine  bool  // run everything on the machine
	inLoop   bool  // in a predicate
	once     []int // slots of what is made once for all elements of its list
	vars     int   // slots of variables
	machines []*node
}

// node compiles n.
func (g *gen) node(n *node) code {
	if g.machine && n.op != opConst || needsMachine(n) {
		return g.onMachine(n)
	}
	c := g.closure(n)
	if g.inLoop {
		return g.paid(n, g.kept(n, c))
	}
	return c
}

// closure compiles n, which is not for the machine.
func (g *gen) closure(n *node) code {
	switch n.op {
	case opConst:
		return constant(n)
	case opColumn:
		return column(n.typ, n.slot)
	case opVar:
		slot := n.slot
		return typed(n.typ, func(fr *frame) gpflow.Value { return fr.vars[slot] })
	case opLet:
		return g.let(n)
	case opNot, opAnd, opOr:
		return g.logic(n)
	case opNeg:
		return g.neg(n)
	case opArith:
		return g.arith(n)
	case opCompare:
		return g.compare(n)
	case opIsNull:
		return g.isNull(n)
	case opIn, opInRange:
		return g.in(n)
	case opMatch:
		return g.match(n)
	case opCoalesce:
		return g.coalesce(n)
	case opCond:
		return g.cond(n)
	case opFloat:
		return g.float(n)
	case opMember:
		return g.member(n)
	case opCall:
		return g.call(n)
	case opElement:
		return current(n.typ)
	case opLoop:
		return g.loop(n)
	case opRange:
		return numbers(n)
	case opMap:
		return g.mapping(n)
	}
	return g.list(n)
}

// needsMachine reports whether n itself, whatever is below it, is not for
// closures.
func needsMachine(n *node) bool {
	switch n.op {
	case opLoop:
		return n.kids[0].typ.Kind == gpflow.KindAny || anyNeedsMachine(n.kids[1])
	case opNot, opNeg, opAnd, opOr, opArith, opCompare, opInRange, opMatch:
		for _, k := range n.kids {
			if k.typ.Kind == gpflow.KindAny {
				return true
			}
		}
	case opCond:
		return n.kids[0].typ.Kind == gpflow.KindAny
	}
	return false
}

// anyNeedsMachine reports whether a predicate has a part for the machine: then
// all of its loop runs there, for the element is not passed to it.
func anyNeedsMachine(n *node) bool {
	return needsMachine(n) || slices.ContainsFunc(n.kids, anyNeedsMachine)
}

// onMachine has n run on the machine.
func (g *gen) onMachine(n *node) code {
	i := len(g.machines)
	g.machines = append(g.machines, n)
	return typed(n.typ, func(fr *frame) gpflow.Value { return fr.machines[i].run(fr) })
}

func constant(n *node) code {
	v := n.val
	c := code{kind: n.typ.Kind}
	if n.typ.Optional {
		c.v = func(*frame) gpflow.Value { return v }
		return c
	}
	switch n.typ.Kind {
	case gpflow.KindBool:
		b := v.Bool()
		c.b = func(*frame) bool { return b }
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		i := v.Int()
		c.i = func(*frame) int64 { return i }
	case gpflow.KindFloat:
		f := v.Float()
		c.f = func(*frame) float64 { return f }
	case gpflow.KindString, gpflow.KindBytes:
		s := v.Str()
		c.s = func(*frame) string { return s }
	default:
		c.v = func(*frame) gpflow.Value { return v }
	}
	return c
}

func column(t gpflow.Type, slot int) code {
	c := code{kind: t.Kind}
	if t.Optional {
		c.v = func(fr *frame) gpflow.Value { return fr.row[slot] }
		return c
	}
	switch t.Kind {
	case gpflow.KindBool:
		c.b = func(fr *frame) bool { return fr.row[slot].Bool() }
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		c.i = func(fr *frame) int64 { return fr.row[slot].Int() }
	case gpflow.KindFloat:
		c.f = func(fr *frame) float64 { return fr.row[slot].Float() }
	case gpflow.KindString, gpflow.KindBytes:
		c.s = func(fr *frame) string { return fr.row[slot].Str() }
	default:
		c.v = func(fr *frame) gpflow.Value { return fr.row[slot] }
	}
	return c
}

func (g *gen) let(n *node) code {
	value, body, slot := g.node(n.kids[0]).value(), g.node(n.kids[1]), n.slot
	set := func(fr *frame) { fr.vars[slot] = value(fr) }
	switch {
	case body.b != nil:
		b := body.b
		return code{kind: body.kind, b: func(fr *frame) bool { set(fr); return b(fr) }}
	case body.i != nil:
		i := body.i
		return code{kind: body.kind, i: func(fr *frame) int64 { set(fr); return i(fr) }}
	case body.f != nil:
		f := body.f
		return code{kind: body.kind, f: func(fr *frame) float64 { set(fr); return f(fr) }}
	case body.s != nil:
		s := body.s
		return code{kind: body.kind, s: func(fr *frame) string { set(fr); return s(fr) }}
	}
	v := body.v
	return code{kind: body.kind, v: func(fr *frame) gpflow.Value { set(fr); return v(fr) }}
}

func (g *gen) logic(n *node) code {
	a := g.node(n.kids[0]).b
	if n.op == opNot {
		return code{kind: gpflow.KindBool, b: func(fr *frame) bool { return !a(fr) }}
	}
	b := g.node(n.kids[1]).b
	if n.op == opAnd {
		return code{kind: gpflow.KindBool, b: func(fr *frame) bool { return a(fr) && b(fr) }}
	}
	return code{kind: gpflow.KindBool, b: func(fr *frame) bool { return a(fr) || b(fr) }}
}

func (g *gen) isNull(n *node) code {
	k := n.kids[0]
	if k.op == opColumn {
		slot := k.slot
		return code{kind: gpflow.KindBool, b: func(fr *frame) bool { return fr.row[slot].IsNull() }}
	}
	v := g.node(k).value()
	return code{kind: gpflow.KindBool, b: func(fr *frame) bool { return v(fr).IsNull() }}
}

func (g *gen) coalesce(n *node) code {
	a, b := g.node(n.kids[0]).value(), g.node(n.kids[1])
	if n.typ.Optional || b.v != nil {
		v := b.value()
		return typed(n.typ, func(fr *frame) gpflow.Value {
			if x := a(fr); !x.IsNull() {
				return x
			}
			return v(fr)
		})
	}
	c := code{kind: n.typ.Kind}
	switch {
	case b.b != nil:
		c.b = func(fr *frame) bool {
			if x := a(fr); !x.IsNull() {
				return x.Bool()
			}
			return b.b(fr)
		}
	case b.i != nil:
		c.i = func(fr *frame) int64 {
			if x := a(fr); !x.IsNull() {
				return x.Int()
			}
			return b.i(fr)
		}
	case b.f != nil:
		c.f = func(fr *frame) float64 {
			if x := a(fr); !x.IsNull() {
				return x.Float()
			}
			return b.f(fr)
		}
	default:
		c.s = func(fr *frame) string {
			if x := a(fr); !x.IsNull() {
				return text(x)
			}
			return b.s(fr)
		}
	}
	return c
}

func (g *gen) cond(n *node) code {
	p, a, b := g.node(n.kids[0]).b, g.node(n.kids[1]), g.node(n.kids[2])
	c := code{kind: n.typ.Kind}
	switch {
	case a.b != nil && b.b != nil:
		c.b = choose(p, a.b, b.b)
	case a.i != nil && b.i != nil:
		c.i = choose(p, a.i, b.i)
	case a.f != nil && b.f != nil:
		c.f = choose(p, a.f, b.f)
	case a.s != nil && b.s != nil:
		c.s = choose(p, a.s, b.s)
	default:
		return typed(n.typ, choose(p, a.value(), b.value()))
	}
	if n.typ.Kind == gpflow.KindAny {
		return code{kind: n.typ.Kind, v: choose(p, a.value(), b.value())}
	}
	return c
}

func choose[T any](p func(*frame) bool, a, b func(*frame) T) func(*frame) T {
	return func(fr *frame) T {
		if p(fr) {
			return a(fr)
		}
		return b(fr)
	}
}

func (g *gen) float(n *node) code {
	k := g.node(n.kids[0])
	if k.i != nil {
		i := k.i
		return code{kind: gpflow.KindFloat, f: func(fr *frame) float64 { return float64(i(fr)) }}
	}
	v := k.value()
	return typed(n.typ, func(fr *frame) gpflow.Value {
		x := v(fr)
		if x.Kind() != gpflow.KindInt {
			return x
		}
		return gpflow.Float(float64(x.Int()))
	})
}
