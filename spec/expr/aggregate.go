package expr

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// aggregateNames are the aggregate functions.
var aggregateNames = []string{"count", "sum", "min", "max", "avg", "first", "last"}

func isAggregate(name string) bool { return slices.Contains(aggregateNames, name) }

// Call is one call of an aggregate function.
//
// count() counts rows and count(x) those where x is not null. The others
// ignore nulls, and are null, and of an optional type, where there is nothing
// but nulls. sum is checked where it is of ints; avg is float, of durations a
// duration; min, max, first and last have the type of their argument.
type Call struct {
	Func string      // count, sum, min, max, avg, first or last
	Arg  *Expr       // over the window's input; nil: count()
	Type gpflow.Type // of the result
}

// Aggregate is an expression over aggregates, such as sum(amount) / count().
type Aggregate struct {
	Calls  []Call // the distinct calls, in the order of the text
	Result *Expr  // over the rows of Schema
	schema *gpflow.Schema
}

// Schema returns the row that Result runs on: the group columns, then "agg0",
// "agg1" and so on, the results of Calls.
func (a *Aggregate) Schema() *gpflow.Schema { return a.schema }

// Info describes the aggregate, which stands in the field path.
func (a *Aggregate) Info(path string) gpflow.ExprInfo {
	info := a.Result.Info(path)
	for _, call := range a.Calls {
		if call.Arg != nil {
			call.Arg.count(&info)
		}
	}
	return info
}

// collector lifts the aggregate calls out of an expression.
type collector struct {
	env   Env
	group []gpflow.Column
	calls []Call
	texts []string // what makes calls the same
}

// CheckAggregate reads an expression over aggregates of the rows of env. Group
// are the columns that it may also use outside of an aggregate: the key
// columns, window_start, window_end. They come first in the Schema.
//
// In an argument of an aggregate, names are columns of env. Outside, names are
// those of group; a column of env that is not in it is an error.
func CheckAggregate(src string, env Env, group []gpflow.Column) (a *Aggregate, err *Error) {
	agg := &collector{env: env, group: group}
	c := newChecker(src, Env{Schema: gpflow.NewSchema(group...), Constants: env.Constants})
	c.aggregate, c.calls = agg, aggregateNames
	defer c.catch(&err)
	root := c.node(c.parse())
	c.settle(root)
	c.schema = agg.schema()
	for _, call := range agg.calls {
		if call.Arg != nil {
			for _, name := range call.Arg.consts {
				c.constants[name] = struct{}{}
			}
		}
	}
	return &Aggregate{Calls: agg.calls, Result: c.finish(root, false), schema: c.schema}, nil
}

// schema returns the row of the results.
func (a *collector) schema() *gpflow.Schema {
	cols := slices.Clone(a.group)
	for i, call := range a.calls {
		cols = append(cols, gpflow.Column{Name: fmt.Sprintf("agg%d", i), Type: call.Type})
	}
	return gpflow.NewSchema(cols...)
}

// call checks an aggregate call and returns the column of its result.
func (a *collector) call(c *checker, n ast.Node, name string, args []ast.Node) *node {
	if c.element != nil {
		c.failAst(n, "An aggregate is not allowed in a predicate", "Give it a name before the predicate, as in let n = "+name+"(...); ....")
	}
	if len(args) > 1 || len(args) == 0 && name != "count" {
		want := name + "(x)"
		if name == "count" {
			want = "count() or count(x)"
		}
		c.failAst(n, fmt.Sprintf("%s does not take %d arguments", name, len(args)), "Write it as "+want+".")
	}
	call := Call{Func: name, Type: tInt}
	key := name + "()"
	if len(args) == 1 {
		if call.Arg = a.argument(c, args[0]); call.Arg == nil {
			return &node{op: opUnknown, typ: tAny, unknown: true}
		}
		call.Type = a.result(c, n, args[0], name, call.Arg.Type())
		key = name + "(" + call.Arg.String() + ")"
	}
	i := slices.Index(a.texts, key)
	if i < 0 {
		i = len(a.calls)
		a.calls, a.texts = append(a.calls, call), append(a.texts, key)
	}
	out := &node{op: opColumn, typ: call.Type, slot: len(a.group) + i, name: fmt.Sprintf("agg%d", i)}
	c.columns[out.name] = struct{}{}
	return c.narrowed(out)
}

// argument checks what an aggregate is over: an expression on the input's rows.
// It is nil where that has mistakes.
func (a *collector) argument(c *checker, n ast.Node) *Expr {
	in := newChecker(c.src.text, a.env)
	in.src, in.calls = c.src, c.calls
	in.inAggregate, in.found = true, c.found
	before := c.found.count
	arg := in.node(n)
	if c.found.count > before || arg.unknown {
		return nil
	}
	return in.finish(arg, false)
}

// result returns the type of an aggregate over values of type t.
func (a *collector) result(c *checker, n, arg ast.Node, name string, t gpflow.Type) gpflow.Type {
	ok, want := true, ""
	out := t
	out.Layout = ""
	switch name {
	case "count":
		out = tInt
	case "sum", "avg":
		ok, want = t.IsNumber() || t.Kind == gpflow.KindDuration, "int, float or duration"
		if name == "avg" && t.Kind == gpflow.KindInt {
			out.Kind = gpflow.KindFloat
		}
	case "min", "max":
		ok, want = anOrdered.has(t.Kind), anOrdered.String()
	}
	if !ok {
		detail := "It takes " + want + "."
		from, to := c.src.bytes(arg)
		switch text := c.src.short(from, to, "x"); {
		case name == "sum" && t.Kind == gpflow.KindBool:
			detail = "Count those that are true with sum(" + text + " ? 1 : 0)."
		case name == "avg" && t.Kind == gpflow.KindBool:
			detail = "The share of those that are true is avg(" + text + " ? 1 : 0)."
		case name != "min" && name != "max" && t.Kind == gpflow.KindString:
			detail = "Convert it, as in " + name + "(float(" + text + "))."
		}
		c.failAst(n, fmt.Sprintf("%s of %s is not defined", name, t.NonNull()), detail)
	}
	return out
}
