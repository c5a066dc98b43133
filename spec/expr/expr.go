package expr

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// Env is what an expression may refer to.
type Env struct {
	// Schema has the columns. Dotted names, as "address.street", are reached
	// by member access; every column is also event.<name>. nil: no columns.
	Schema *gpflow.Schema
	// Constants are the typed constants by name, as "var.min". They are folded.
	Constants gpflow.Constants
}

// Error is what is wrong with an expression, or with a record that it was
// evaluated on.
type Error struct {
	From, To int    // byte offsets in the source text; To == 0: the whole of it
	Summary  string // one line: what is wrong
	Detail   string // why, and what to do; may be empty
	Code     string // of a diagnostic, where the general one does not say it; else empty
	// More are the other mistakes of the expression, in the order of its text.
	// None of them follows from another.
	More []*Error
}

// All returns the mistakes of an expression, of which e is the first.
func (e *Error) All() []*Error { return append([]*Error{e}, e.More...) }

// Problems returns the mistakes of an expression, of which e is the first, as
// complaints about the field path.
func (e *Error) Problems(path string) []gpflow.Problem {
	var out []gpflow.Problem
	for _, m := range e.All() {
		out = append(out, gpflow.Problem{Path: path, From: m.From, To: m.To, Code: m.Code, Summary: m.Summary, Detail: m.Detail})
	}
	return out
}

// The codes of errors that have one of their own, as spec/diag explains them.
const (
	CodeUnknownName     = "GPF-0031" // a constant that does not exist
	CodeTemplate        = "GPF-0034" // ${ } in the text
	CodeExpression      = "GPF-0121" // an expression that does not fit its field
	CodeUnknownColumn   = "GPF-0122" // a column that does not exist
	CodeTooBig          = "GPF-0127" // the expression is beyond a limit
	CodeOptional        = "GPF-0128" // a value that may be null where it must not
	CodeUnknownFunction = "GPF-0129" // a function that does not exist
)

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Summary
	}
	return e.Summary + ": " + e.Detail
}

// Expr is a checked expression. It is immutable and safe for concurrent use.
type Expr struct {
	src      string
	root     *node
	code     code
	machines []*node // the sub-trees that the machine runs, by number
	vars     int     // slots of variables
	columns  []string
	consts   []string
}

// Check parses, admits and types src. The error is the first one, and has the
// others.
func Check(src string, env Env) (*Expr, *Error) {
	return check(src, env, false)
}

// check reads src. machine has the whole expression run on the machine.
func check(src string, env Env, machine bool) (e *Expr, err *Error) {
	c := newChecker(src, env)
	defer c.catch(&err)
	root := c.node(c.parse())
	c.settle(root)
	return c.finish(root, machine), nil
}

// settle ends the check if there are mistakes.
func (c *checker) settle(root *node) {
	if len(c.found.errs) == 0 {
		return
	}
	if !root.unknown {
		c.result(root)
	}
	panic(bail{})
}

// finish compiles a checked tree.
func (c *checker) finish(root *node, machine bool) *Expr {
	c.result(root)
	e := &Expr{src: c.src.text, root: root, columns: names(c.columns), consts: names(c.constants)}
	g := &gen{machine: machine, vars: c.vars}
	e.code = g.node(root)
	e.machines, e.vars = g.machines, g.vars
	return e
}

// result refuses what no column can hold. The empty list is a list of any.
func (c *checker) result(root *node) {
	if t := root.typ; t.Elem != nil && t.Elem.Kind == gpflow.KindNull {
		elem := tAny
		root.typ.Elem = &elem
	}
	switch {
	case root.op == opMap:
		c.fail(root, "The result is a map", "A record is built with select: give each field an expression of its own.")
	case root.typ.Kind == gpflow.KindNull:
		c.fail(root, "The result is always null", "It has no type. Write a value, or a condition that can give one, as in c ? x : nil.")
	}
}

func names(set map[string]struct{}) []string {
	if len(set) == 0 {
		return nil
	}
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Type returns the type of the result, optional if it can be null. A result of
// type any can be null in any case.
func (e *Expr) Type() gpflow.Type { return e.root.typ }

// Columns returns the schema columns referred to, sorted, each once. It must
// not be changed.
func (e *Expr) Columns() []string { return e.columns }

// Constants returns the constants referred to, such as "var.min", sorted, each
// once. It must not be changed.
func (e *Expr) Constants() []string { return e.consts }

// Part is a part of an expression's text.
type Part struct{ From, To int } // byte offsets

// Interpreted returns the sub-expressions that expr-lang's machine runs, each
// with all that is below it, in the order of compilation.
func (e *Expr) Interpreted() []Part {
	var parts []Part
	for _, n := range e.machines {
		parts = append(parts, Part{n.from, n.to})
	}
	return parts
}

// Stats returns how many sub-expressions run as closures, and how many on
// expr-lang's machine. Constant sub-expressions count as one.
func (e *Expr) Stats() (closures, vm int) {
	for _, n := range e.machines {
		vm += size(n)
	}
	return size(e.root) - vm, vm
}

// Info describes the expression, which stands in the field path.
func (e *Expr) Info(path string) gpflow.ExprInfo {
	info := gpflow.ExprInfo{Path: path, Text: e.src, Type: e.Type()}
	e.count(&info)
	return info
}

// count adds what runs e.
func (e *Expr) count(info *gpflow.ExprInfo) {
	closures, vm := e.Stats()
	info.Compiled, info.Interpreted = info.Compiled+closures, info.Interpreted+vm
	for _, p := range e.Interpreted() {
		info.Parts = append(info.Parts, e.src[p.From:p.To])
	}
}

// String returns the canonical text: equal for equal checked trees, and
// different for different ones. Constants are in it by value.
func (e *Expr) String() string { return string(appendText(nil, e.root)) }

// Program returns a new evaluator, for one goroutine.
func (e *Expr) Program() *Program {
	p := &Program{expr: e}
	p.fr.vars = make([]gpflow.Value, e.vars)
	p.fr.machines = make([]*machine, len(e.machines))
	for i, n := range e.machines {
		p.fr.machines[i] = newMachine(n, &p.fr)
	}
	p.value = e.code.value()
	if e.code.b != nil {
		p.cond = e.code.b
	} else {
		p.cond = condition(e.root, p.value)
	}
	return p
}

// condition reads a truth from a value that need not be one.
func condition(n *node, value func(*frame) gpflow.Value) func(*frame) bool {
	return func(fr *frame) bool {
		v := value(fr)
		if v.Kind() != gpflow.KindBool {
			fr.fault(n, "The condition is "+v.Kind().String()+", not bool")
			return false
		}
		return v.Bool()
	}
}

// Program evaluates an expression. It is not safe for concurrent use.
type Program struct {
	expr  *Expr
	fr    frame
	cond  func(*frame) bool
	value func(*frame) gpflow.Value
}

// Bool evaluates a condition on a row of the schema. The error is a
// *gpflow.RecordError with the code "expression", around an *Error with the
// range of the sub-expression that failed.
func (p *Program) Bool(row []gpflow.Value) (bool, error) {
	fr := &p.fr
	fr.begin(row)
	b := p.cond(fr)
	if fr.err != nil {
		return false, fr.err
	}
	return b, nil
}

// Value evaluates the expression on a row of the schema. The result may share
// the memory of the row's values; its own text stays valid, as all text does.
// Errors are as of Bool.
func (p *Program) Value(row []gpflow.Value) (gpflow.Value, error) {
	fr := &p.fr
	fr.begin(row)
	v := p.value(fr)
	if fr.err != nil {
		return gpflow.Null, fr.err
	}
	return v, nil
}
