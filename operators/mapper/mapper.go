// Package mapper is the operator that makes new records out of expressions
// over the old ones.
package mapper

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// Descriptor describes `map "name" { select = {...} }`.
var Descriptor = gpflow.Descriptor{
	Block:   "map",
	Summary: "Makes a new record of each record, a field an expression.",
	Doc: `A map makes one record of each that comes in. ` + "`select`" + ` names the fields of the new record, in order, and gives an expression over the old record for each; what is not selected is left behind. The types of the new fields are those of the expressions.

The event time stays with the record, whether the field that it came from is selected or not.

A field that nobody downstream reads is not computed. So it does not fail either: a map from which ` + "`1 / x`" + ` is read fails for a record with x = 0, and one from which it is not read does not. A field that is no more than a field of the old record is copied, and cannot fail.

An expression that has no result, such as a division by zero or an integer overflow, is a failure of that record, and ` + "`on_error`" + ` decides what becomes of it. No part of a record that failed is passed on.`,
	Example: `map "visits" {
  from = filter.human
  select = {
    user  = "user"
    page  = "lower(url)"
    total = "amount * (1 + var.tax)"
  }
}`,
	Fields: []gpflow.Field{{
		Name: "select", Kind: gpflow.FieldExprMap, Required: true, Update: gpflow.Live,
		Doc:     "The fields of the new record, in order: a name, and an expression over the fields of the old record. At least one. A name has letters, digits, `_` and `-`, and is no word of the expression language.",
		Example: `{ user = "user", total = "price * quantity" }`,
	}},
	Ports: []gpflow.Port{{
		Name: "errors",
		Doc:  "The records for which an expression could not be evaluated, with `on_error = \"divert\"`.",
	}},
	Infer:       infer,
	NewOperator: open,
}

// field is a checked entry of select.
type field struct {
	name string
	expr *expr.Expr
	slot int // of the input column that it copies, or -1
	typ  gpflow.Type
}

// check reads one entry of select.
func check(e gpflow.NamedExpr, in *gpflow.Schema, consts gpflow.Constants) (field, *expr.Error) {
	x, err := expr.Check(e.Expr, expr.Env{Schema: in, Constants: consts})
	if err != nil {
		return field{}, err
	}
	f := field{e.Name, x, -1, x.Type()}
	if cols := x.Columns(); len(cols) == 1 && (e.Expr == cols[0] || e.Expr == "event."+cols[0]) {
		f.slot = in.Index(cols[0])
		f.typ = in.Columns[f.slot].Type // with its layout
	}
	return f, nil
}

func infer(i *gpflow.Inference) gpflow.Inferred {
	in := i.In[0]
	out := gpflow.Inferred{Ports: []*gpflow.Schema{nil, nil}, Shape: []string{"select"}, Uses: make([][]string, 1)}
	if in.Mode != gpflow.Append {
		i.Report(gpflow.Problem{
			Path: "from", Summary: fmt.Sprintf("A map cannot take %s records", in.Mode),
			Detail: "It takes streams in which each record is a new fact.",
		})
	}
	sel := i.Config.Exprs("select")
	if len(sel) == 0 {
		i.Report(gpflow.Problem{Path: "select", Summary: "A map needs at least one field", Detail: `Write select = { name = "expression" }.`})
		return out
	}
	var fields []field
	names := make(map[string]bool)
	ok := true
	for _, e := range sel {
		if i.Wanted != nil && !i.Wanted[e.Name] {
			continue // its columns may have been pruned
		}
		f, good := checked(i, e, names)
		ok = ok && good
		fields = append(fields, f)
	}
	if !ok {
		return out
	}
	schema := &gpflow.Schema{Timeless: in.Timeless, Key: key(in, fields)}
	for _, f := range fields {
		schema.Columns = append(schema.Columns, gpflow.Column{Name: f.name, Type: f.typ})
		out.Uses[0] = union(out.Uses[0], f.expr.Columns())
		out.Constants = union(out.Constants, f.expr.Constants())
		out.Exprs = append(out.Exprs, f.expr.Info("select."+f.name))
	}
	out.Ports[0] = schema
	return out
}

// checked checks one entry of select, and reports what is wrong with it.
func checked(i *gpflow.Inference, e gpflow.NamedExpr, names map[string]bool) (f field, ok bool) {
	path := "select." + e.Name
	report := func(summary, detail string) {
		i.Report(gpflow.Problem{Code: expr.CodeExpression, Path: path, Summary: summary, Detail: detail})
		ok = false
	}
	ok = true
	if err := gpflow.CheckName(e.Name); err != nil {
		report("The field cannot have this name", err.Error()+".")
	}
	if names[e.Name] {
		report(fmt.Sprintf("The field %q is selected twice", e.Name), "Give one of them another name.")
	}
	names[e.Name] = true
	f, err := check(e, i.In[0], i.Constants)
	if err != nil {
		for _, p := range err.Problems(path) {
			i.Report(p)
		}
		return f, false
	}
	switch f.typ.Kind {
	case gpflow.KindRecord:
		report(fmt.Sprintf("The field %q would be a record", e.Name), "Select its fields one by one.")
	case gpflow.KindNull:
		report(fmt.Sprintf("The field %q is always null", e.Name), "It has no type. Leave it out, or give it a value.")
	}
	return f, ok
}

// key returns the output's unique key: the input's, by its new names, if every
// column of it is copied.
func key(in *gpflow.Schema, fields []field) []string {
	var out []string
	for _, k := range in.Key {
		slot, found := in.Index(k), false
		for _, f := range fields {
			if f.slot == slot && !found {
				out, found = append(out, f.name), true
			}
		}
		if !found {
			return nil
		}
	}
	return out
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
