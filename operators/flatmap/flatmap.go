// Package flatmap is the operator that makes a record of each element of a list.
package flatmap

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// Descriptor describes `flat_map "name" { each = "..." as = "..." }`.
var Descriptor = gpflow.Descriptor{
	Block:   "flat_map",
	Summary: "Makes a record of each element of a list.",
	Doc: `A flat_map takes a list out of each record that comes in, and makes a record of each of its elements, in order. The new records have the fields that are kept of the old one, then the element, then its place in the list if ` + "`index`" + ` names a field for it. They have the event time of the record that they come from, and its origin.

A record with an empty list, or with none, leaves nothing behind. In the ledger each record that came in is shown as "absorbed", and each that was made of it as "created".

A list may be as long as it likes: its records leave a batch at a time, as fast as those who read them take them.

An expression that has no result, such as an integer overflow, is a failure of that record, and ` + "`on_error`" + ` decides what becomes of it. Nothing is made of a record that failed.`,
	Example: `flat_map "items" {
  from  = source.orders
  each  = "items"
  as    = "item"
  index = "position"
  keep  = ["order_id", "customer"]
}`,
	Fields: []gpflow.Field{
		{
			Name: "each", Kind: gpflow.FieldExpr, Required: true, Update: gpflow.Live, Example: `"items"`,
			Doc: "The list: a field of the record, or an expression over its fields that gives a list.",
		},
		{
			Name: "as", Kind: gpflow.FieldString, Required: true, Update: gpflow.Live, Example: `"item"`,
			Doc: "The name of the field for the element.",
		},
		{
			Name: "index", Kind: gpflow.FieldString, Update: gpflow.Live, Example: `"position"`,
			Doc: "The name of a field for the element's place in the list, from 0 on. Default: there is none.",
		},
		{
			Name: "keep", Kind: gpflow.FieldColumns, Update: gpflow.Live, Example: `["order_id", "customer"]`,
			Doc: "The fields of the record that the new ones have too, in this order. Default: all, save the one that `each` names.",
		},
	},
	Ports: []gpflow.Port{{
		Name: "errors",
		Doc:  "The records for which the list could not be evaluated, with `on_error = \"divert\"`.",
	}},
	Infer:       infer,
	NewOperator: open,
}

// layout is what a configuration means for an input.
type layout struct {
	each      *expr.Expr
	elem      gpflow.Type // of an element
	keep      []string    // columns of the input
	as, index string      // new columns; index may be ""
}

// lay checks the configuration c against the columns of in. Problems are given
// to report; the layout is then of no use. Columns that pruned names must be
// nobody's wish: they may be gone from in.
func lay(c gpflow.Config, in *gpflow.Schema, constants gpflow.Constants, pruned bool, report func(gpflow.Problem)) layout {
	l := layout{as: c.String("as"), index: c.String("index")}
	l.list(c.String("each"), in, constants, report)
	switch {
	case c.Has("keep"):
		columns, seen := make(map[string]bool), make(map[string]bool)
		for _, name := range in.Names() {
			columns[name] = true
		}
		for i, name := range c.Strings("keep") {
			twice := seen[name]
			if seen[name] = true; twice {
				report(gpflow.Problem{Path: fmt.Sprintf("keep[%d]", i), Summary: fmt.Sprintf("The column %q is named twice", name), Detail: "Name it once."})
			} else if columns[name] {
				l.keep = append(l.keep, name)
			} else if !pruned {
				report(unknown(i, name, in))
			}
		}
	default:
		text := c.String("each")
		for _, name := range in.Names() {
			if text != name && text != "event."+name {
				l.keep = append(l.keep, name)
			}
		}
	}
	l.names(c.Has("keep"), report)
	return l
}

// list checks the expression of the list.
func (l *layout) list(text string, in *gpflow.Schema, constants gpflow.Constants, report func(gpflow.Problem)) {
	e, err := expr.Check(text, expr.Env{Schema: in, Constants: constants})
	if err != nil {
		for _, p := range err.Problems("each") {
			report(p)
		}
		return
	}
	t := e.Type()
	switch {
	case t.Kind == gpflow.KindAny:
		report(gpflow.Problem{
			Code: codeColumnType, Path: "each", Summary: "It is not known whether this is a list",
			Detail: "Its type is any. Declare it in the schema of the source, as in list(string) or list(any).",
		})
		return
	case t.Kind == gpflow.KindMap:
		report(gpflow.Problem{
			Code: codeColumnType, Path: "each", Summary: fmt.Sprintf("The expression is %s, not a list", t),
			Detail: "Take its keys or its values: keys(...), values(...).",
		})
		return
	case t.Kind != gpflow.KindList:
		report(gpflow.Problem{
			Code: codeColumnType, Path: "each", Summary: fmt.Sprintf("The expression is %s, not a list", t),
			Detail: "Name a field that is a list, or make one: split(text, ','), [a, b].",
		})
		return
	}
	l.each, l.elem = e, *t.Elem
}

// names checks the names of the columns of the output.
func (l *layout) names(chosen bool, report func(gpflow.Problem)) {
	ok := true
	fail := func(p gpflow.Problem) { ok = false; report(p) }
	for _, f := range [][2]string{{"as", l.as}, {"index", l.index}} {
		path, name := f[0], f[1]
		if path == "index" && name == "" {
			continue
		}
		if err := gpflow.CheckName(name); err != nil {
			fail(gpflow.Problem{Path: path, Summary: "The field cannot have this name", Detail: err.Error() + "."})
			continue
		}
		if i := slices.IndexFunc(l.keep, func(k string) bool { return clash(k, name) }); i >= 0 {
			detail, needs := "Choose another name, or name the fields to keep, without that one: keep = [...].", []string{"keep", "each"} // which is not kept
			if chosen {
				detail, needs = "Choose another name, or do not keep that one.", nil
			}
			fail(gpflow.Problem{
				Code: codeSameColumn, Path: path, Needs: needs, Summary: fmt.Sprintf("The name %q is taken by the column %q, which is kept", name, l.keep[i]), Detail: detail,
			})
		}
	}
	if ok && l.index != "" && l.index == l.as {
		report(gpflow.Problem{
			Code: codeSameColumn, Path: "index", Needs: []string{"as"}, Summary: fmt.Sprintf("The name %q is taken by the element", l.index), Detail: "Choose another name.",
		})
	}
}

// clash reports whether a record cannot have both a column and a new one: they
// have one name, or the new one stands for the record that the column is in.
func clash(column, name string) bool {
	return column == name || len(column) > len(name) && column[:len(name)] == name && column[len(name)] == '.'
}
