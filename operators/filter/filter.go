// Package filter is the operator that keeps the records for which a condition
// holds.
package filter

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// Descriptor describes `filter "name" { where = "..." }`.
var Descriptor = gpflow.Descriptor{
	Block:   "filter",
	Summary: "Keeps the records for which a condition holds.",
	Doc: `A filter passes on the records for which ` + "`where`" + ` is true, as they are, with their event time and in their order. The others are dropped and counted; they are shown as "filtered" in the ledger.

A condition that has no answer, such as a division by zero or an integer overflow, is a failure of that record, and ` + "`on_error`" + ` decides what becomes of it. A field that may be null is used under ` + "`??`" + `, ` + "`?.`" + ` or a null check: ` + "`(country ?? \"\") == \"NL\"`" + `.`,
	Example: `filter "human" {
  from  = source.clicks
  where = "!bot && amount >= var.min_amount"
}`,
	Fields: []gpflow.Field{{
		Name: "where", Kind: gpflow.FieldExpr, Required: true, Result: gpflow.T(gpflow.KindBool), Update: gpflow.Live,
		Doc:     "The condition: an expression over the record's fields that gives true or false.",
		Example: `"amount > 0"`,
	}},
	Ports: []gpflow.Port{{
		Name: "errors",
		Doc:  "The records for which the condition could not be evaluated, with `on_error = \"divert\"`.",
	}},
	Infer:       infer,
	NewOperator: open,
}

func infer(i *gpflow.Inference) gpflow.Inferred {
	in := i.In[0]
	out := gpflow.Inferred{Ports: []*gpflow.Schema{in, nil}, Shape: []string{}, Uses: make([][]string, 1), Pass: []bool{true, false}}
	if in.Mode != gpflow.Append {
		i.Report(gpflow.Problem{
			Path: "from", Summary: fmt.Sprintf("A filter cannot take %s records", in.Mode),
			Detail: "It takes streams in which each record is a new fact.",
		})
	}
	src := i.Config.String("where")
	e, err := expr.Check(src, expr.Env{Schema: in, Constants: i.Constants})
	if err != nil {
		for _, p := range err.Problems("where") {
			i.Report(p)
		}
		return out
	}
	if t := e.Type(); t.Kind != gpflow.KindBool || t.Optional {
		i.Report(notBool(t))
	}
	out.Uses[0], out.Constants = e.Columns(), e.Constants()
	out.Exprs = []gpflow.ExprInfo{e.Info("where")}
	return out
}

// notBool is the complaint about a condition of type t.
func notBool(t gpflow.Type) gpflow.Problem {
	p := gpflow.Problem{Code: expr.CodeExpression, Path: "where", Summary: fmt.Sprintf("The condition is %s, not bool", t)}
	switch {
	case t.Kind == gpflow.KindBool:
		p.Code = expr.CodeOptional
		p.Detail = "It may be null. Say what null means: (...) ?? false."
	case t.Kind == gpflow.KindAny:
		p.Detail = "Its type is not known. Compare it: (...) == true."
	default:
		p.Detail = "Compare it with something, as in (...) != 0."
	}
	return p
}

// operator is a filter at work.
type operator struct{ where *expr.Program }

func open(c *gpflow.OperatorContext) (gpflow.Operator, error) {
	e, err := expr.Check(c.Config.String("where"), expr.Env{Schema: c.In[0], Constants: c.Constants})
	if err != nil {
		return nil, fmt.Errorf("compile where of %s: %w", c.Address, err)
	}
	if in, out := c.In[0].Width(), c.Out[0].Width(); in != out {
		return nil, fmt.Errorf("open %s: it takes records of %d columns and is to pass on %d", c.Address, in, out)
	}
	return &operator{e.Program()}, nil
}

// Process implements gpflow.Operator.
func (o *operator) Process(in gpflow.Rows, out *gpflow.Collector) (next int, err error) {
	for i := in.From; i < in.To; i++ {
		row := in.Row(i)
		keep, err := o.where.Bool(row)
		switch {
		case err != nil:
			if err = out.Fail(in, i, gpflow.InField("where", err)); err != nil {
				return i, err
			}
		case keep:
			copy(out.Row(in, i), row)
		default:
			out.Filter(1)
		}
	}
	return in.To, nil
}
