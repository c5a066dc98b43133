package expr

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/gpflow/gpflow"
)

func (g *gen) compare(n *node) code {
	l, r := n.kids[0], n.kids[1]
	c := code{kind: gpflow.KindBool}
	if l.op == opColumn && r.constant() && l.typ.Kind == r.typ.Kind {
		if c.b = compareSlot(n.name, l, r); c.b != nil && !g.inLoop {
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
		if g.inLoop {
			x, y = g.weighed(l, x), g.weighed(r, y)
		}
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
			c.b = func(fr *frame) bool { _, ok := set()[s(fr)]; return ok }
			return c
		}
		if set := intSet(a, list); set != nil {
			i := a.i
			c.b = func(fr *frame) bool { _, ok := set()[i(fr)]; return ok }
			return c
		}
	}
	x, y := a.value(), g.passing(list)
	if g.inLoop {
		x = g.weighed(n.kids[0], x)
		if list.typ.Kind == gpflow.KindList && heavy(list.typ.Elem.Opt()) {
			y = g.weighed(list, y)
		}
	}
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

// textSet returns the elements as a set where they are what a makes. It is made
// when it is first asked for: a check has no need of it.
func textSet(a code, list []gpflow.Value) func() map[string]struct{} {
	if a.s == nil {
		return nil
	}
	return sync.OnceValue(func() map[string]struct{} {
		set := make(map[string]struct{}, len(list))
		for _, v := range list {
			if v.Kind() == a.kind {
				set[v.Str()] = struct{}{}
			}
		}
		return set
	})
}

// intSet is textSet for whole numbers, spans and times. Among floats, they are
// compared as floats.
func intSet(a code, list *node) func() map[int64]struct{} {
	elems := list.val.List()
	isFloat := func(v gpflow.Value) bool { return v.Kind() == gpflow.KindFloat }
	if a.i == nil || list.typ.Elem.Kind != a.kind && slices.ContainsFunc(elems, isFloat) {
		return nil
	}
	return sync.OnceValue(func() map[int64]struct{} {
		set := make(map[int64]struct{}, len(elems))
		for _, v := range elems {
			if v.Kind() == a.kind {
				set[v.Int()] = struct{}{}
			}
		}
		return set
	})
}

func (g *gen) match(n *node) code {
	a, r := g.node(n.kids[0]).s, n.kids[1]
	c := code{kind: gpflow.KindBool}
	if n.name == "matches" {
		re, cost, bad := n.re, n.re.cost, fault(n, errSteps.Error())
		c.b = func(fr *frame) bool {
			s := a(fr)
			return fr.pay(len(s)*cost/perMatch, bad) && re.match(s)
		}
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
