package expr

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// perPart is how many parts a predicate may have for the price of a step.
const perPart = 16

// price is how many steps one element of a predicate's list costs.
func price(body *node) int { return 1 + size(body)/perPart }

// size counts the sub-expressions of n.
func size(n *node) int {
	total := 1
	if n.op == opFloat { // is not in the text
		total = 0
	}
	for _, k := range n.kids {
		total += size(k)
	}
	return total
}

// predicate compiles what w evaluates for each element of its list. Predicates
// do not nest.
func (g *gen) predicate(n *node, w *walk) code {
	g.inLoop, g.once = true, nil
	c := g.node(n)
	g.inLoop = false
	if once, list := g.once, w.list; once != nil {
		w.list = func(fr *frame) []gpflow.Value {
			l := list(fr)
			for _, slot := range once {
				fr.vars[slot] = gpflow.Null
			}
			return l
		}
	}
	return c
}

// kept has a text that a predicate makes without looking at its element, as
// lower(s) in any(list, lower(s) contains #), made once for all of them.
func (g *gen) kept(n *node, c code) code {
	if c.s == nil || n.op != opCall || usesElement(n) {
		return c
	}
	s, slot := c.s, g.vars
	g.vars++
	g.once = append(g.once, slot)
	c.s = func(fr *frame) string {
		if v := fr.vars[slot]; !v.IsNull() {
			return v.Str()
		}
		x := s(fr)
		fr.vars[slot] = gpflow.String(x)
		return x
	}
	return c
}

func usesElement(n *node) bool {
	return n.op == opElement || slices.ContainsFunc(n.kids, usesElement)
}

// current is the element that a predicate is evaluated on.
func current(t gpflow.Type) code {
	c := code{kind: t.Kind}
	if t.Optional {
		c.v = func(fr *frame) gpflow.Value { return fr.elem }
		return c
	}
	switch t.Kind {
	case gpflow.KindBool:
		c.b = func(fr *frame) bool { return fr.elem.Bool() }
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		c.i = func(fr *frame) int64 { return fr.elem.Int() }
	case gpflow.KindFloat:
		c.f = func(fr *frame) float64 { return fr.elem.Float() }
	case gpflow.KindString, gpflow.KindBytes:
		c.s = func(fr *frame) string { return fr.elem.Str() }
	default:
		c.v = func(fr *frame) gpflow.Value { return fr.elem }
	}
	return c
}

// walk is what all loops do: it calls each with the elements of a list in
// order, until one says that it was enough, or the evaluation fails.
type walk struct {
	list func(*frame) []gpflow.Value
	cost int
	bad  *gpflow.RecordError // too many steps
}

func (g *gen) walk(n *node) walk {
	return walk{list: g.elements(n.kids[0]), cost: price(n.kids[1]), bad: fault(n, errSteps.Error())}
}

// next makes v the element, and reports whether there are steps left for it.
func (w *walk) next(fr *frame, v gpflow.Value) bool {
	fr.elem = v
	return fr.pay(w.cost, w.bad)
}

// loop compiles a builtin with a predicate.
func (g *gen) loop(n *node) code {
	w := g.walk(n)
	c := code{kind: n.typ.Kind}
	switch n.name {
	case "filter", "map", "sortBy":
		list := g.maker(n, w)
		c.v = func(fr *frame) gpflow.Value {
			base := len(fr.lists)
			made := slices.Clone(list(fr))
			fr.lists = fr.lists[:base]
			return gpflow.List(made)
		}
		return c
	}
	p := g.predicate(n.kids[1], &w).b
	switch n.name {
	case "any", "all", "none":
		at, want := w.search(p, n.name != "all", false), n.name == "any"
		c.b = func(fr *frame) bool { return at(fr) >= 0 == want }
	case "one":
		count := w.count(p)
		c.b = func(fr *frame) bool { return count(fr) == 1 }
	case "count":
		c.i = w.count(p)
	case "find", "findLast":
		at := w.search(p, true, n.name == "findLast")
		c.v = func(fr *frame) gpflow.Value {
			if at(fr) < 0 {
				return gpflow.Null
			}
			return fr.elem
		}
	default: // findIndex, findLastIndex
		at := w.search(p, true, n.name == "findLastIndex")
		c.v = func(fr *frame) gpflow.Value {
			i := at(fr)
			if i < 0 {
				return gpflow.Null
			}
			return gpflow.Int(int64(i))
		}
	}
	return c
}

// search returns the place of the first element, or the last, for which p is
// want, and leaves it as the frame's element; -1 where there is none.
func (w walk) search(p func(*frame) bool, want, last bool) func(*frame) int {
	return func(fr *frame) int {
		list := w.list(fr)
		for i := range list {
			if last {
				i = len(list) - 1 - i
			}
			if fr.err != nil || !w.next(fr, list[i]) {
				return -1
			}
			if p(fr) == want && fr.err == nil {
				return i
			}
		}
		return -1
	}
}

// count returns how many elements p is true for.
func (w walk) count(p func(*frame) bool) func(*frame) int64 {
	return func(fr *frame) int64 {
		n := int64(0)
		for _, v := range w.list(fr) {
			if fr.err != nil || !w.next(fr, v) {
				return n
			}
			if p(fr) {
				n++
			}
		}
		return n
	}
}

// maker compiles a builtin that makes a list. What it makes lies on the
// frame's stack of lists.
func (g *gen) maker(n *node, w walk) func(*frame) []gpflow.Value {
	body := g.predicate(n.kids[1], &w)
	switch n.name {
	case "filter":
		return w.filter(body.b)
	case "map":
		f := g.weighed(n.kids[1], body.value())
		return func(fr *frame) []gpflow.Value { return w.apply(fr, w.list(fr), f) }
	}
	key, down := body.value(), descending(n)
	return func(fr *frame) []gpflow.Value {
		list := w.list(fr)
		keys := w.apply(fr, list, key)
		if fr.err != nil {
			return nil
		}
		out, err := sortBy(fr, list, keys, down)
		if err != nil {
			fr.fault(n, err.Error())
		}
		return out
	}
}

func (w walk) filter(p func(*frame) bool) func(*frame) []gpflow.Value {
	return func(fr *frame) []gpflow.Value {
		list := w.list(fr)
		base := len(fr.lists)
		for _, v := range list {
			if fr.err != nil || !w.next(fr, v) {
				return nil
			}
			if p(fr) {
				fr.lists = append(fr.lists, v)
			}
		}
		return fr.lists[base:len(fr.lists):len(fr.lists)]
	}
}

// apply returns what f makes of each element of list.
func (w *walk) apply(fr *frame, list []gpflow.Value, f func(*frame) gpflow.Value) []gpflow.Value {
	base := len(fr.lists)
	for _, v := range list {
		if fr.err != nil || !w.next(fr, v) {
			return nil
		}
		fr.lists = append(fr.lists, f(fr))
	}
	return fr.lists[base:len(fr.lists):len(fr.lists)]
}

// elements compiles a list whose elements are looked at and not kept.
func (g *gen) elements(n *node) func(*frame) []gpflow.Value {
	if g.makes(n) {
		return g.maker(n, g.walk(n))
	}
	v := g.node(n).value()
	return func(fr *frame) []gpflow.Value {
		if list := v(fr); list.Kind() == gpflow.KindList {
			return list.List()
		}
		return nil // a failed evaluation
	}
}

// makes reports whether n is a loop that makes a list, for closures.
func (g *gen) makes(n *node) bool {
	return n.op == opLoop && (n.name == "filter" || n.name == "map" || n.name == "sortBy") && !needsMachine(n)
}

// passing compiles a value that is looked at and not kept.
func (g *gen) passing(n *node) func(*frame) gpflow.Value {
	if !g.makes(n) {
		return g.node(n).value()
	}
	list := g.elements(n)
	return func(fr *frame) gpflow.Value { return gpflow.List(list(fr)) }
}

// sum compiles sum(list, body) without the list of what body makes; ok is
// false for what has to be done value by value. A sum that is too large does
// not end the walk: a failure of body, further on, comes before it.
func (g *gen) sum(n *node) (c code, ok bool) {
	loop := n.kids[0]
	if n.fn != sumFunction || loop.op != opLoop || loop.name != "map" || needsMachine(loop) {
		return c, false
	}
	w := g.walk(loop)
	body := g.predicate(loop.kids[1], &w)
	c.kind = n.typ.Kind
	if f := body.f; f != nil {
		c.f = func(fr *frame) float64 {
			sum := 0.0
			for i, v := range w.list(fr) {
				if fr.err != nil || !w.next(fr, v) {
					return sum
				}
				if x := f(fr); i == 0 { // -0.0 stays what it is
					sum = x
				} else {
					sum += x
				}
			}
			return sum
		}
		return c, true
	}
	x, bad := body.i, fault(n, errOverflow.Error())
	if c.kind == gpflow.KindDuration {
		bad = fault(n, errTime.Error())
	}
	c.i = func(fr *frame) int64 {
		sum, good := int64(0), true
		for _, v := range w.list(fr) {
			if fr.err != nil || !w.next(fr, v) {
				return sum
			}
			if r, ok := addInt(sum, x(fr)); ok {
				sum = r
			} else {
				good = false
			}
		}
		if !good {
			fr.fail(bad)
		}
		return sum
	}
	return c, true
}

// paid has what a predicate looks at paid for by its length.
func (g *gen) paid(n *node, c code) code {
	if c.s == nil || n.constant() && len(n.val.Str()) < perStep {
		return c
	}
	s, bad := c.s, fault(n, errSteps.Error())
	c.s = func(fr *frame) string {
		x := s(fr)
		if len(x) >= perStep {
			fr.pay(len(x)/perStep, bad)
		}
		return x
	}
	return c
}

// weighed has the value of n, of which all is looked at many times, or which
// is multiplied, paid for by its size.
func (g *gen) weighed(n *node, v func(*frame) gpflow.Value) func(*frame) gpflow.Value {
	if !heavy(n.typ) {
		return v
	}
	bad := fault(n, errSteps.Error())
	return func(fr *frame) gpflow.Value {
		x := v(fr)
		fr.pay(x.Size()/perStep, bad)
		return x
	}
}

// heavy reports whether values of type t can be large without being paid for
// as text.
func heavy(t gpflow.Type) bool {
	switch t.Kind {
	case gpflow.KindList, gpflow.KindMap, gpflow.KindAny:
		return true
	case gpflow.KindString, gpflow.KindBytes:
		return t.Optional
	}
	return false
}
