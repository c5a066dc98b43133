package expr

import (
	"math"
	"unsafe"

	"github.com/gpflow/gpflow"
)

func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func (g *gen) neg(n *node) code {
	k := g.node(n.kids[0])
	if k.f != nil {
		f := k.f
		return code{kind: k.kind, f: func(fr *frame) float64 { return -f(fr) }}
	}
	i, bad := k.i, fault(n, errOverflow.Error())
	if k.kind == gpflow.KindDuration {
		bad = fault(n, errTime.Error())
	}
	return code{kind: k.kind, i: func(fr *frame) int64 {
		x := i(fr)
		if x == math.MinInt64 {
			fr.fail(bad)
		}
		return -x
	}}
}

// floatOf returns c, of a number, as a float.
func (c code) floatOf() func(*frame) float64 {
	if c.f != nil {
		return c.f
	}
	i := c.i
	return func(fr *frame) float64 { return float64(i(fr)) }
}

func (g *gen) arith(n *node) code {
	switch n.typ.Kind {
	case gpflow.KindString:
		return g.concat(n)
	case gpflow.KindInt:
		a, b := g.node(n.kids[0]), g.node(n.kids[1])
		return code{kind: n.typ.Kind, i: intArith(n, a.i, b.i)}
	case gpflow.KindFloat:
		if n.kids[0].typ.IsNumber() {
			a, b := g.node(n.kids[0]).floatOf(), g.node(n.kids[1]).floatOf()
			return code{kind: n.typ.Kind, f: floatArith(n, a, b)}
		}
	case gpflow.KindTimestamp, gpflow.KindDuration:
		if n.name == "+" || n.name == "-" {
			a, b := g.node(n.kids[0]), g.node(n.kids[1])
			return code{kind: n.typ.Kind, i: checked(n.name, fault(n, errTime.Error()), a.i, b.i)}
		}
	}
	a, b, name := g.node(n.kids[0]).value(), g.node(n.kids[1]).value(), n.name
	return typed(n.typ, func(fr *frame) gpflow.Value {
		v, err := arith(fr, name, a(fr), b(fr))
		if err != nil {
			fr.fault(n, err.Error())
		}
		return v
	})
}

// checked computes a op b, and fails with bad where it is not an int64.
func checked(op string, bad *gpflow.RecordError, a, b func(*frame) int64) func(*frame) int64 {
	do := addInt
	switch op {
	case "-":
		return func(fr *frame) int64 {
			r, ok := subInt(a(fr), b(fr))
			if !ok {
				fr.fail(bad)
			}
			return r
		}
	case "*":
		do = mulInt
	default:
		return func(fr *frame) int64 {
			r, ok := addInt(a(fr), b(fr))
			if !ok {
				fr.fail(bad)
			}
			return r
		}
	}
	return func(fr *frame) int64 {
		r, ok := do(a(fr), b(fr))
		if !ok {
			fr.fail(bad)
		}
		return r
	}
}

func intArith(n *node, a, b func(*frame) int64) func(*frame) int64 {
	if n.name != "%" {
		return checked(n.name, fault(n, errOverflow.Error()), a, b)
	}
	if k := n.kids[1]; k.constant() && k.val.Int() > 0 {
		by := k.val.Int()
		return func(fr *frame) int64 { return a(fr) % by }
	}
	zero := fault(n, errDivide.Error())
	return func(fr *frame) int64 {
		x, y := a(fr), b(fr)
		switch y {
		case 0:
			fr.fail(zero)
			return 0
		case -1:
			return 0
		}
		return x % y
	}
}

func floatArith(n *node, a, b func(*frame) float64) func(*frame) float64 {
	switch n.name {
	case "+":
		return func(fr *frame) float64 { return a(fr) + b(fr) }
	case "-":
		return func(fr *frame) float64 { return a(fr) - b(fr) }
	case "*":
		return func(fr *frame) float64 { return a(fr) * b(fr) }
	case "/":
		zero := fault(n, errDivide.Error())
		return func(fr *frame) float64 {
			x, y := a(fr), b(fr)
			if y == 0 {
				fr.fail(zero)
			}
			return x / y
		}
	}
	return func(fr *frame) float64 { return math.Pow(a(fr), b(fr)) }
}

// maxParts is how many texts are joined at once.
const maxParts = 8

// concat joins a + b + c at once.
func (g *gen) concat(n *node) code {
	var parts []func(*frame) string
	var collect func(*node)
	collect = func(k *node) {
		if k.op == opArith && k.typ.Kind == gpflow.KindString && len(parts) < maxParts-1 && !needsMachine(k) && !g.machine {
			collect(k.kids[0])
			collect(k.kids[1])
			return
		}
		parts = append(parts, g.node(k).s)
	}
	collect(n.kids[0])
	if len(parts) >= maxParts {
		left := parts
		parts = []func(*frame) string{joined(n, left)}
	}
	collect(n.kids[1])
	return code{kind: gpflow.KindString, s: joined(n, parts)}
}

func joined(n *node, parts []func(*frame) string) func(*frame) string {
	bad := fault(n, errMade.Error())
	if len(parts) == 2 {
		a, b := parts[0], parts[1]
		return func(fr *frame) string {
			s, err := fr.concat(a(fr), b(fr))
			if err != nil {
				fr.fail(bad)
			}
			return s
		}
	}
	for len(parts) > maxParts {
		parts = append([]func(*frame) string{joined(n, parts[:maxParts])}, parts[maxParts:]...)
	}
	return func(fr *frame) string {
		var texts [maxParts]string
		for i, p := range parts {
			texts[i] = p(fr)
		}
		s, err := fr.concat(texts[:len(parts)]...)
		if err != nil {
			fr.fail(bad)
		}
		return s
	}
}
