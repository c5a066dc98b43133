package window

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// layout is what a configuration means for an input: what is computed of each
// record, what is kept for each key, and what comes out. It does not depend on
// what is read downstream, so that state does not either.
type layout struct {
	in    *gpflow.Schema
	keys  []string
	group []gpflow.Column // the key columns, window_start, window_end
	args  []*expr.Expr    // the distinct arguments of aggregate functions
	argOf []string        // by argument: the path of the field where it stands first
	calls []call          // the distinct calls
	aggs  []aggregate
	exprs []gpflow.ExprInfo // of the aggregates
	known map[string]int    // places of calls and of arguments, by text
	state []gpflow.Column   // a row of state
}

// call is a call of an aggregate function. Its accumulator is at slot of the
// state's row, and takes a second one where the function needs it.
type call struct {
	text string // canonical
	op   op
	arg  int // index into layout.args; -1: none
	slot int
}

// aggregate is a field of the result.
type aggregate struct {
	name   string
	calls  []int // indices into layout.calls: what follows the group in the row of result
	direct bool  // the result is that of calls[0]
	result *expr.Expr
}

// build checks a configuration and lays it out. It returns nil where it has
// reported a mistake.
func build(config gpflow.Config, in *gpflow.Schema, consts gpflow.Constants, report func(gpflow.Problem)) *layout {
	l := &layout{in: in, keys: config.Strings("key_by"), known: make(map[string]int)}
	ok := true
	fail := func(p gpflow.Problem) { ok = false; report(p) }
	l.checkKeys(fail)
	keyed := ok
	specs := config.Exprs("aggregate")
	if len(specs) == 0 {
		fail(gpflow.Problem{Path: "aggregate", Summary: "A window needs at least one aggregate", Detail: `Write aggregate = { records = "count()" }.`})
	}
	names := make(map[string]bool)
	for _, s := range specs {
		l.checkName(s.Name, names, fail)
		agg, err := expr.CheckAggregate(s.Expr, expr.Env{Schema: in, Constants: consts}, l.group)
		if err != nil {
			for _, p := range err.Problems("aggregate." + s.Name) {
				if p.Code == "" { // which may be for want of the key
					p.Needs = []string{"key_by"}
				}
				if keyed || p.Code != "" {
					fail(p)
				}
			}
			continue
		}
		l.add(s.Name, agg, fail)
		l.exprs = append(l.exprs, agg.Info("aggregate."+s.Name))
	}
	if !ok {
		return nil
	}
	return l
}

// add lays out one aggregate.
func (l *layout) add(name string, agg *expr.Aggregate, fail func(gpflow.Problem)) {
	a := aggregate{name: name, result: agg.Result}
	for _, c := range agg.Calls {
		i, err := l.call(c, "aggregate."+name)
		if err != nil {
			fail(gpflow.Problem{Code: expr.CodeExpression, Path: "aggregate." + name, Summary: err.Error(), Detail: "Convert it, as in sum(int(x))."})
			return
		}
		a.calls = append(a.calls, i)
	}
	a.direct = len(a.calls) == 1 && agg.Result.String() == "agg0"
	switch t := agg.Result.Type(); t.Kind {
	case gpflow.KindRecord, gpflow.KindNull:
		fail(gpflow.Problem{Code: expr.CodeExpression, Path: "aggregate." + name, Summary: fmt.Sprintf("The aggregate is %s, which no column can hold", t), Detail: "Give it a value of another type."})
		return
	}
	l.aggs = append(l.aggs, a)
}

// call returns the place of c, which stands in a field, among the calls, adding
// it if it is new.
func (l *layout) call(c expr.Call, field string) (int, error) {
	text, arg := c.Func+"()", -1
	var argType gpflow.Type
	if c.Arg != nil {
		text, argType = c.Func+"("+c.Arg.String()+")", c.Arg.Type()
	}
	if i, ok := l.known["call "+text]; ok {
		return i, nil
	}
	op, err := opOf(c.Func, c.Arg != nil, argType)
	if err != nil {
		return 0, err
	}
	if c.Arg != nil {
		arg = l.arg(c.Arg, field)
	}
	l.known["call "+text] = len(l.calls)
	l.calls = append(l.calls, call{text, op, arg, len(l.state)})
	l.state = append(l.state, op.columns(text, argType)...)
	return len(l.calls) - 1, nil
}

// arg returns the place of e among the arguments, adding it if it is new.
func (l *layout) arg(e *expr.Expr, field string) int {
	text := e.String()
	if i, ok := l.known[text]; ok {
		return i
	}
	l.known[text] = len(l.args)
	l.args, l.argOf = append(l.args, e), append(l.argOf, field)
	return len(l.args) - 1
}

// output returns the schema of the results.
func (l *layout) output() *gpflow.Schema {
	s := &gpflow.Schema{Columns: slices.Clone(l.group), Key: append(slices.Clone(l.keys), startColumn)}
	for _, a := range l.aggs {
		s.Columns = append(s.Columns, gpflow.Column{Name: a.name, Type: a.result.Type()})
	}
	return s
}

// uses returns the input columns that are read, and the constants.
func (l *layout) uses() (columns, consts []string) {
	columns = union(nil, l.keys)
	for _, a := range l.args {
		columns, consts = union(columns, a.Columns()), union(consts, a.Constants())
	}
	for _, a := range l.aggs {
		consts = union(consts, a.result.Constants())
	}
	return columns, consts
}

// union appends to dst the names that it does not have.
func union(dst, names []string) []string {
	for _, n := range names {
		if !slices.Contains(dst, n) {
			dst = append(dst, n)
		}
	}
	return dst
}

// describe says what the window keeps: for each window and key, a row of
// accumulators named by their calls.
func describe(config gpflow.Config, in []*gpflow.Schema, consts gpflow.Constants) []gpflow.StateDescriptor {
	l := build(config, in[0], consts, func(gpflow.Problem) {})
	if l == nil {
		return nil // Infer has reported why
	}
	return []gpflow.StateDescriptor{{
		Name: panesName, Kind: "panes", Version: 1,
		Key:   &gpflow.Schema{Columns: slices.Clone(l.group[:len(l.keys)])},
		Value: &gpflow.Schema{Columns: l.state},
	}}
}
