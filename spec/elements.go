package spec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/gpflow/gpflow"
)

// list decodes a list of strings; a single one stands for a list of one.
func (d *decoder) list(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	t := v.Type()
	switch {
	case t == cty.String:
		return []string{v.AsString()}, true
	case !t.IsTupleType() && !t.IsListType() && !t.IsSetType():
		return nil, d.wrong(f, expr, "This is "+describe(v)+".")
	}
	places := written(expr, v.LengthInt())
	out, ok := make([]string, 0, v.LengthInt()), true
	for i, e := range v.AsValueSlice() {
		at := expr
		if places != nil {
			at = places[i]
		}
		s, err := convert.Convert(e, cty.String)
		switch {
		case err != nil || s.IsNull():
			ok = d.wrong(f, at, "This element is "+describe(e)+".")
		case places != nil && !d.sameText(f, e, s, at):
			ok = false
		default:
			out = append(out, s.AsString())
		}
	}
	return out, ok
}

// written returns the elements of a list that is written out and has n values,
// or nil.
func written(expr hcl.Expression, n int) []hcl.Expression {
	if list, ds := hcl.ExprList(expr); !ds.HasErrors() && len(list) == n {
		return list
	}
	return nil
}

// checkList runs the field's own check on a list. What it refuses is an element
// that is written out, where it refuses that alone. The places of elements are
// noted.
func (d *decoder) checkList(f gpflow.Field, list []string, expr hcl.Expression, path string) bool {
	refused, placed := f.Check != nil && f.Check(list) != nil, false
	for i, e := range written(expr, len(list)) {
		d.located[fmt.Sprintf("%s[%d]", path, i)] = Located{Value: d.rng(e.Range())}
		placed = refused && !d.check(f, []string{list[i]}, e.Range()) || placed
	}
	return !placed && d.check(f, list, expr.Range())
}
