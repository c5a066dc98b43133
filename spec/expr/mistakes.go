package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// maxMistakes is how many mistakes are looked for in one expression.
const maxMistakes = 20

// findings are the mistakes of an expression.
type findings struct {
	errs  []*Error
	count int // with those that were said already
}

// bail ends the check of a node, or, where it is final, of the expression.
type bail struct {
	err   *Error // nil: all has been said
	final bool
}

// add notes a mistake. A name that is wrong in several places is one mistake.
func (f *findings) add(err *Error) {
	same := func(o *Error) bool {
		return o.Code == err.Code && o.Summary == err.Summary && (err.Code != "" || o.From == err.From && o.To == err.To)
	}
	f.count++
	if !slices.ContainsFunc(f.errs, same) {
		f.errs = append(f.errs, err)
	}
	if len(f.errs) >= maxMistakes {
		panic(bail{nil, true})
	}
}

// first returns the first mistake, with the others, or nil.
func (f *findings) first() *Error {
	if len(f.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(f.errs, func(a, b *Error) int { return a.From - b.From })
	err := *f.errs[0]
	err.More = f.errs[1:]
	return &err
}

// catch ends a check that failed.
func (c *checker) catch(err **Error) {
	switch r := recover().(type) {
	case nil:
	case bail:
		if r.err != nil {
			c.found.errs = append(c.found.errs, r.err)
		}
		*err = c.found.first()
	default:
		panic(r)
	}
}

// failAt ends the check of a node.
func (c *checker) failAt(from, to int, summary, detail string) {
	c.failCode("", from, to, summary, detail)
}

// failCode ends the check of a node with an error that has a code of its own.
// Beyond a limit, nothing more is checked.
func (c *checker) failCode(code string, from, to int, summary, detail string) {
	panic(bail{&Error{From: from, To: to, Summary: summary, Detail: detail, Code: code}, code == CodeTooBig})
}

func (c *checker) fail(n *node, summary, detail string) {
	c.failAt(n.from, n.to, summary, detail)
}

// failAst ends the check at a node of the syntax tree.
func (c *checker) failAst(n ast.Node, summary, detail string) {
	from, to := c.src.bytes(n)
	c.failAt(from, to, summary, detail)
}

// wrong reports what is wrong with an operand alone, unless it is unknown, and
// returns one of type t in its place. The check goes on with the others.
func (c *checker) wrong(n *node, t gpflow.Type, code, summary, detail string) *node {
	if n.unknown {
		return n
	}
	c.found.add(&Error{From: n.from, To: n.to, Summary: summary, Detail: detail, Code: code})
	c.unsure++
	return &node{op: opUnknown, typ: t, unknown: true, from: n.from, to: n.to}
}

// node checks a node of the syntax tree.
func (c *checker) node(n ast.Node) *node {
	outer := c.unsure
	c.unsure = 0
	out := c.attempt(n)
	if c.unsure > 0 && vague(out.typ) {
		out.unknown = true
	}
	if c.unsure = outer; out.unknown {
		c.unsure++
	}
	return out
}

// attempt checks a node. If that fails its type is unknown; the failure is a
// mistake unless it may follow from another one.
func (c *checker) attempt(n ast.Node) (out *node) {
	lets, elem := len(c.lets), c.element
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		b, ok := r.(bail)
		if !ok || b.final {
			panic(r)
		}
		if c.unsure == 0 && b.err != nil {
			c.found.add(b.err)
		}
		c.lets, c.element = c.lets[:lets], elem
		out = &node{op: opUnknown, typ: tAny, unknown: true}
		out.from, out.to = c.src.bytes(n)
	}()
	out = c.visit(n)
	if out.to == 0 {
		out.from, out.to = c.src.bytes(n)
	}
	if out.unknown {
		return out
	}
	return c.fold(out)
}

// vague reports whether a type says nothing of the value, or of its elements.
func vague(t gpflow.Type) bool {
	return t.Kind == gpflow.KindAny || t.Elem != nil && vague(*t.Elem)
}
