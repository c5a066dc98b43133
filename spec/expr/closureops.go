package expr

import (
	"cmp"
	"math"
	"regexp"
	"strings"
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

func (g *gen) compare(n *node) code {
	l, r := n.kids[0], n.kids[1]
	c := code{kind: gpflow.KindBool}
	if l.op == opColumn && r.constant() && l.typ.Kind == r.typ.Kind {
		if c.b = compareSlot(n.name, l, r); c.b != nil {
			g.closures += 2
			return c
		}
	}
	a, b := g.node(l), g.node(r)
	switch {
	case a.i != nil && b.i != nil:
		c.b = compareTo(n.name, a.i, b.i, r, gpflow.Value.Int)
	case l.typ.IsNumber() && r.typ.IsNumber() && a.v == nil && b.v == nil:
		c.b = compareTo(n.name, a.floatOf(), b.floatOf(), r, number)
	case a.s != nil && b.s != nil:
		c.b = compareTo(n.name, a.s, b.s, r, gpflow.Value.Str)
	default:
		x, y, name := a.value(), b.value(), n.name
		c.b = func(fr *frame) bool {
			ok, err := compare(fr, name, x(fr), y(fr))
			if err != nil {
				fr.fault(n, err.Error())
			}
			return ok
		}
	}
	return c
}

// compareSlot compares a column with a constant of its kind; nil where there
// is no shortcut.
func compareSlot(op string, l, r *node) func(*frame) bool {
	slot := l.slot
	switch l.typ.Kind {
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		k := r.val.Int()
		switch op {
		case "==":
			return func(fr *frame) bool { return fr.row[slot].Int() == k }
		case "!=":
			return func(fr *frame) bool { return fr.row[slot].Int() != k }
		case "<":
			return func(fr *frame) bool { return fr.row[slot].Int() < k }
		case "<=":
			return func(fr *frame) bool { return fr.row[slot].Int() <= k }
		case ">":
			return func(fr *frame) bool { return fr.row[slot].Int() > k }
		}
		return func(fr *frame) bool { return fr.row[slot].Int() >= k }
	case gpflow.KindFloat:
		k := r.val.Float()
		switch op {
		case "<":
			return func(fr *frame) bool { return fr.row[slot].Float() < k }
		case "<=":
			return func(fr *frame) bool { return fr.row[slot].Float() <= k }
		case ">":
			return func(fr *frame) bool { return fr.row[slot].Float() > k }
		case ">=":
			return func(fr *frame) bool { return fr.row[slot].Float() >= k }
		}
	case gpflow.KindString:
		k := r.val.Str()
		switch op {
		case "==":
			return func(fr *frame) bool { return fr.row[slot].Str() == k }
		case "!=":
			return func(fr *frame) bool { return fr.row[slot].Str() != k }
		}
	}
	return nil
}

// compareTo compares a with b, which is r: get reads r where it is constant.
func compareTo[T cmp.Ordered](op string, a, b func(*frame) T, r *node, get func(gpflow.Value) T) func(*frame) bool {
	if !r.constant() {
		return compareBoth(op, a, b)
	}
	k := get(r.val)
	switch op {
	case "==":
		return func(fr *frame) bool { return a(fr) == k }
	case "!=":
		return func(fr *frame) bool { return a(fr) != k }
	case "<":
		return func(fr *frame) bool { return a(fr) < k }
	case "<=":
		return func(fr *frame) bool { return a(fr) <= k }
	case ">":
		return func(fr *frame) bool { return a(fr) > k }
	}
	return func(fr *frame) bool { return a(fr) >= k }
}

func compareBoth[T cmp.Ordered](op string, a, b func(*frame) T) func(*frame) bool {
	switch op {
	case "==":
		return func(fr *frame) bool { return a(fr) == b(fr) }
	case "!=":
		return func(fr *frame) bool { return a(fr) != b(fr) }
	case "<":
		return func(fr *frame) bool { return a(fr) < b(fr) }
	case "<=":
		return func(fr *frame) bool { return a(fr) <= b(fr) }
	case ">":
		return func(fr *frame) bool { return a(fr) > b(fr) }
	}
	return func(fr *frame) bool { return a(fr) >= b(fr) }
}

func (g *gen) in(n *node) code {
	a := g.node(n.kids[0])
	c := code{kind: gpflow.KindBool}
	if n.op == opInRange {
		if i, lo, hi := a.i, n.lo, n.hi; i != nil {
			c.b = func(fr *frame) bool { x := i(fr); return x >= lo && x <= hi }
			return c
		}
		f, lo, hi := a.f, n.lo, n.hi
		c.b = func(fr *frame) bool { return inRange(f(fr), lo, hi) }
		return c
	}
	list := n.kids[1]
	if list.constant() && list.typ.Kind == gpflow.KindList {
		if set := textSet(a, list.val.List()); set != nil {
			s := a.s
			c.b = func(fr *frame) bool { _, ok := set[s(fr)]; return ok }
			return c
		}
		if set := intSet(a, list.val.List()); set != nil {
			i := a.i
			c.b = func(fr *frame) bool { _, ok := set[i(fr)]; return ok }
			return c
		}
	}
	x, y := a.value(), g.node(list).value()
	c.b = func(fr *frame) bool {
		ok, err := contains(fr, x(fr), y(fr))
		if err != nil && fr.err == nil {
			fr.fault(n, err.Error())
		}
		return ok
	}
	return c
}

// inRange reports whether f is one of the ints from lo to hi.
func inRange(f float64, lo, hi int64) bool {
	i, ok := truncate(f)
	return ok && float64(i) == f && i >= lo && i <= hi
}

// textSet returns the elements as a set where they are what a makes.
func textSet(a code, list []gpflow.Value) map[string]struct{} {
	if a.s == nil {
		return nil
	}
	set := make(map[string]struct{}, len(list))
	for _, v := range list {
		if v.Kind() == a.kind {
			set[v.Str()] = struct{}{}
		}
	}
	return set
}

func intSet(a code, list []gpflow.Value) map[int64]struct{} {
	if a.i == nil {
		return nil
	}
	set := make(map[int64]struct{}, len(list))
	for _, v := range list {
		switch v.Kind() {
		case a.kind:
			set[v.Int()] = struct{}{}
		case gpflow.KindFloat: // compared as floats
			return nil
		}
	}
	return set
}

func (g *gen) match(n *node) code {
	a, r := g.node(n.kids[0]).s, n.kids[1]
	c := code{kind: gpflow.KindBool}
	if n.name == "matches" {
		re := regexp.MustCompile(r.val.Str())
		c.b = func(fr *frame) bool { return re.MatchString(a(fr)) }
		return c
	}
	if r.constant() {
		k := r.val.Str()
		switch n.name {
		case "contains":
			c.b = func(fr *frame) bool { return strings.Contains(a(fr), k) }
		case "startsWith":
			c.b = func(fr *frame) bool { return strings.HasPrefix(a(fr), k) }
		default:
			c.b = func(fr *frame) bool { return strings.HasSuffix(a(fr), k) }
		}
		return c
	}
	b := g.node(r).s
	switch n.name {
	case "contains":
		c.b = func(fr *frame) bool { return strings.Contains(a(fr), b(fr)) }
	case "startsWith":
		c.b = func(fr *frame) bool { return strings.HasPrefix(a(fr), b(fr)) }
	default:
		c.b = func(fr *frame) bool { return strings.HasSuffix(a(fr), b(fr)) }
	}
	return c
}
