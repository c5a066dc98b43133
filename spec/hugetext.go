package spec

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// aVerb is a place of a format: its last byte says what it makes of a value.
var aVerb = regexp.MustCompile(`%[^a-zA-Z%]*([a-zA-Z%])`)

// numbersOf measures the numbers that a format makes of text. Places that say which
// value they take count for all values.
func (m *meter) numbersOf(format string, values []cty.Value) {
	at := 0
	for _, verb := range aVerb.FindAllStringSubmatch(format, -1) {
		from, to := at, at+1
		if strings.ContainsAny(verb[0], "[*") {
			from, to = 0, len(values)
		}
		if verb[1] == "%" {
			continue
		}
		if at++; strings.Contains("svqt", verb[1]) {
			continue
		}
		for _, v := range values[min(from, len(values)):min(to, len(values))] {
			m.numberIn(v)
		}
	}
}

// numberIn measures the number that v is the text of, or its elements are.
func (m *meter) numberIn(v cty.Value) {
	switch {
	case v.IsMarked() || v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		if n, err := convert.Convert(v, cty.Number); err == nil {
			m.measure(n)
		}
	case isList(v):
		for _, e := range v.AsValueSlice() {
			m.numberIn(e)
		}
	}
}

// index measures the number that a key, or its text, is as the index of a list.
func (m *meter) index(key cty.Value, of func() (cty.Value, hcl.Diagnostics)) {
	if key.IsMarked() || !key.IsKnown() || key.IsNull() {
		return
	}
	if n, err := convert.Convert(key, cty.Number); err != nil || !huge(n.AsBigFloat()) {
		return
	}
	if list, ds := of(); !ds.HasErrors() && isList(list) {
		m.exceed(errHuge.Error())
	}
}

// indexed does so for the indexes that are written in a path.
func (m *meter) indexed(x hclsyntax.Expression, ctx *hcl.EvalContext) {
	var path hcl.Traversal
	var to func(path hcl.Traversal) (cty.Value, hcl.Diagnostics)
	switch x := x.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		path = x.Traversal
		to = func(path hcl.Traversal) (cty.Value, hcl.Diagnostics) { return path.TraverseAbs(ctx) }
	case *hclsyntax.RelativeTraversalExpr:
		path = x.Traversal
		to = func(path hcl.Traversal) (cty.Value, hcl.Diagnostics) {
			v, ds := x.Source.Value(ctx)
			if ds.HasErrors() {
				return v, ds
			}
			return path.TraverseRel(v)
		}
	}
	for i, step := range path {
		if s, ok := step.(hcl.TraverseIndex); ok {
			m.index(s.Key, func() (cty.Value, hcl.Diagnostics) { return to(path[:i]) })
		}
	}
}
