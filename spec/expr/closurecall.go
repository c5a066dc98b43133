package expr

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
)

// call compiles a call of a function.
func (g *gen) call(n *node) code {
	if c, ok := g.sum(n); ok {
		return c
	}
	kids := make([]code, len(n.kids))
	for i, k := range n.kids {
		if g.makes(k) && n.name != "slice" && n.name != "take" { // which return a part of it
			kids[i] = code{kind: k.typ.Kind, v: g.passing(k)}
			continue
		}
		kids[i] = g.node(k)
	}
	if c, ok := direct(n, kids); ok {
		return c
	}
	args := make([]func(*frame) gpflow.Value, len(kids))
	for i, k := range kids {
		if args[i] = k.value(); g.inLoop && !glance[n.name] {
			args[i] = g.weighed(n.kids[i], args[i])
		}
	}
	return typed(n.typ, func(fr *frame) gpflow.Value {
		base := len(fr.args)
		for _, a := range args {
			v := a(fr) // may use the stack itself
			fr.args = append(fr.args, v)
		}
		v := invoke(fr, n, fr.args[base:])
		fr.args = fr.args[:base]
		return v
	})
}

// glance has the functions that look at a part of a list only.
var glance = map[string]bool{"len": true, "first": true, "last": true, "get": true, "take": true, "slice": true, "type": true}

// invoke calls n's function on values, unless the evaluation has failed: then
// they need not be of its kinds.
func invoke(fr *frame, n *node, args []gpflow.Value) gpflow.Value {
	if fr.err != nil {
		return gpflow.Null
	}
	v, err := n.fn.invoke(fr, n.typ, args)
	if err != nil {
		fr.fault(n, err.Error())
	}
	return v
}

// invoke checks the kinds of args, and returns the result as t.
func (f *function) invoke(fr *frame, t gpflow.Type, args []gpflow.Value) (gpflow.Value, error) {
	for i, a := range args {
		if want := f.params[min(i, len(f.params)-1)]; !want.has(a.Kind()) && !(f.nullable && a.IsNull()) {
			return gpflow.Null, fmt.Errorf("%s takes %s, not %s", f.name, want, a.Kind())
		}
	}
	v, err := f.eval(fr, args)
	if err != nil {
		return gpflow.Null, err
	}
	return coerce(v, t), nil
}

// coerce returns an int as what t says: the sum of no floats is a float.
func coerce(v gpflow.Value, t gpflow.Type) gpflow.Value {
	if v.Kind() != gpflow.KindInt {
		return v
	}
	switch t.Kind {
	case gpflow.KindFloat:
		return gpflow.Float(float64(v.Int()))
	case gpflow.KindDuration:
		return gpflow.Span(gpflow.Duration(v.Int()))
	}
	return v
}

// direct compiles the functions that are called most without values between.
func direct(n *node, kids []code) (code, bool) {
	c := code{kind: n.typ.Kind}
	if len(kids) != 1 {
		return c, false
	}
	k := kids[0]
	switch {
	case n.name == "len" && k.s != nil && k.kind == gpflow.KindString:
		c.i = func(fr *frame) int64 { return int64(utf8.RuneCountInString(k.s(fr))) }
	case n.name == "upper" && k.s != nil:
		c.s = made(n, k.s, (*frame).upper)
	case n.name == "lower" && k.s != nil:
		c.s = made(n, k.s, (*frame).lower)
	case n.name == "float" && k.i != nil:
		c.f = k.floatOf()
	case n.name == "float" && k.f != nil, n.name == "int" && k.i != nil, n.name == "string" && k.kind == gpflow.KindString && k.s != nil:
		return k, true
	case n.name == "abs" && k.f != nil:
		c.f = func(fr *frame) float64 { return math.Abs(k.f(fr)) }
	default:
		return c, false
	}
	return c, true
}

// made returns what f makes of a text.
func made(n *node, k func(*frame) string, f func(*frame, string) (string, error)) func(*frame) string {
	bad := fault(n, errMade.Error())
	return func(fr *frame) string {
		s, err := f(fr, k(fr))
		if err != nil {
			fr.fail(bad)
		}
		return s
	}
}
