package spec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/gpflow/gpflow/spec/diag"
)

// metered is a part of an expression whose values are counted. After a limit
// is reached nothing is computed any more.
type metered struct {
	hclsyntax.Expression
	branch bool                 // of a condition, which finds one type for both
	text   bool                 // a part of a text, which a number becomes
	loop   bool                 // its elements are gone through
	of     hclsyntax.Expression // what it is an index of; nil: it is none
}

// Value computes the part.
func (e metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	m := meterOf(ctx)
	if m == nil {
		return e.Expression.Value(ctx)
	}
	if m.over != "" {
		return cty.DynamicVal, nil
	}
	if m.indexed(e.Expression, ctx); m.over != "" {
		return cty.DynamicVal, hcl.Diagnostics{m.problem(e.Range())}
	}
	v, ds := e.Expression.Value(ctx)
	told := m.over != "" && tells(ds)
	if !ds.HasErrors() {
		ds = append(ds, e.twice(v, ctx)...)
	}
	if _, literal := e.Expression.(*hclsyntax.LiteralValueExpr); !literal {
		m.pay(weight{elements: perPart})
	}
	good := m.value(v)
	infinite := good && m.last.infinite
	switch {
	case good && e.loop && v.IsKnown() && !v.IsNull() && v.CanIterateElements():
		m.pay(weight{elements: product(perTurn, v.LengthInt())})
	case good && e.branch:
		m.unify(v.Type())
	case good && e.of != nil:
		m.index(v, func() (cty.Value, hcl.Diagnostics) { return e.of.Value(ctx) })
	case good && e.text && isNumber(v):
		if s, ok := m.text(v); ok {
			v = cty.StringVal(s)
		}
	}
	switch {
	case told:
		return cty.DynamicVal, ds
	case m.over != "":
		return cty.DynamicVal, hcl.Diagnostics{m.problem(e.Range())}
	case infinite && !ds.HasErrors():
		return cty.DynamicVal, hcl.Diagnostics{notFinite(e.Range())}
	}
	return v, ds
}

// notFinite is the diagnostic of a number beyond all others.
func notFinite(at hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Subject: &at, Summary: "the result is not a finite number", Detail: "It is larger than a number can be.",
		Extra: Problem{Code: diag.CodeEvaluate},
	}
}

// twice reports the names that an object that is written out has twice. The
// value is that of the last.
func (e metered) twice(v cty.Value, ctx *hcl.EvalContext) (ds hcl.Diagnostics) {
	x, object := e.Expression.(*hclsyntax.ObjectConsExpr)
	if !object || !v.IsKnown() || !v.Type().IsObjectType() || len(v.Type().AttributeTypes()) == len(x.Items) {
		return nil
	}
	seen := make(map[string]bool, len(x.Items))
	for _, it := range x.Items {
		k, bad := it.KeyExpr.Value(ctx)
		k, err := convert.Convert(k, cty.String)
		if bad.HasErrors() || err != nil || !k.IsKnown() || k.IsNull() {
			continue
		}
		name, at := k.AsString(), it.KeyExpr.Range()
		if seen[name] {
			ds = append(ds, &hcl.Diagnostic{
				Severity: hcl.DiagError, Subject: &at, Summary: fmt.Sprintf("the object has the key %q twice", name), Detail: "Only one of the two values could be kept.",
				Extra: Problem{Code: diag.CodeDuplicate, Fix: "Remove one, or give it another name."},
			})
		}
		seen[name] = true
	}
	return ds
}

// tells reports whether one of the diagnostics says more than a parser can.
func tells(ds hcl.Diagnostics) bool {
	for _, d := range ds {
		if _, ok := hcl.DiagnosticExtra[Problem](d); ok {
			return true
		}
	}
	return false
}

// Metered returns an expression that computes what x does, and stops where a
// limit of the evaluation that it is part of is reached. It is for Value only:
// what looks at the form of an expression looks at x.
func Metered(x hclsyntax.Expression) hclsyntax.Expression {
	switch x := x.(type) {
	case nil:
		return nil
	case *hclsyntax.AnonSymbolExpr: // known by its address
		return x
	case *hclsyntax.ParenthesesExpr:
		return Metered(x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return Metered(x.Wrapped)
	}
	return metered{Expression: inside(x)}
}

func meteredAll(xs []hclsyntax.Expression) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(xs))
	for i, x := range xs {
		out[i] = Metered(x)
	}
	return out
}

// inside returns x with its parts metered.
func inside(x hclsyntax.Expression) hclsyntax.Expression {
	switch x := x.(type) {
	case *hclsyntax.TemplateExpr:
		c := *x
		c.Parts = make([]hclsyntax.Expression, len(x.Parts))
		for i, p := range x.Parts {
			c.Parts[i] = as(p, text)
		}
		return &c
	case *hclsyntax.TemplateJoinExpr:
		c := *x
		c.Tuple = Metered(x.Tuple)
		return &c
	case *hclsyntax.RelativeTraversalExpr:
		c := *x
		c.Source = Metered(x.Source)
		return &c
	case *hclsyntax.FunctionCallExpr:
		c := *x
		c.Args = meteredAll(x.Args)
		return &c
	case *hclsyntax.ConditionalExpr:
		c := *x
		c.Condition = Metered(x.Condition)
		c.TrueResult, c.FalseResult = as(x.TrueResult, branch), as(x.FalseResult, branch)
		return &c
	case *hclsyntax.IndexExpr:
		c := *x
		c.Collection = Metered(x.Collection)
		c.Key = as(x.Key, func(e *metered) { e.of = c.Collection })
		return &c
	case *hclsyntax.TupleConsExpr:
		c := *x
		c.Exprs = meteredAll(x.Exprs)
		return &c
	case *hclsyntax.ObjectConsExpr:
		return insideObject(x)
	case *hclsyntax.ForExpr:
		c := *x
		c.CollExpr, c.KeyExpr, c.ValExpr, c.CondExpr = as(x.CollExpr, loop), Metered(x.KeyExpr), Metered(x.ValExpr), Metered(x.CondExpr)
		return &c
	case *hclsyntax.SplatExpr:
		c := *x
		c.Source, c.Each = as(x.Source, loop), Metered(x.Each)
		return &c
	case *hclsyntax.BinaryOpExpr:
		c := *x
		c.LHS, c.RHS, c.Op = Metered(x.LHS), Metered(x.RHS), operation(x.Op)
		return &c
	case *hclsyntax.UnaryOpExpr:
		c := *x
		c.Val = Metered(x.Val)
		return &c
	}
	return x
}

// as returns x metered, and marked by set.
func as(x hclsyntax.Expression, set func(*metered)) hclsyntax.Expression {
	m := Metered(x)
	if e, ok := m.(metered); ok {
		set(&e)
		return e
	}
	return m
}

func branch(e *metered) { e.branch = true }
func text(e *metered)   { e.text = true }
func loop(e *metered)   { e.loop = true }

// insideObject meters an object. The form of a key says whether it is a name.
func insideObject(x *hclsyntax.ObjectConsExpr) hclsyntax.Expression {
	c := *x
	c.Items = make([]hclsyntax.ObjectConsItem, len(x.Items))
	for i, it := range x.Items {
		key := it.KeyExpr
		if k, ok := key.(*hclsyntax.ObjectConsKeyExpr); ok {
			key = &hclsyntax.ObjectConsKeyExpr{Wrapped: insideKey(k.Wrapped), ForceNonLiteral: k.ForceNonLiteral}
		} else {
			key = Metered(key)
		}
		c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: Metered(it.ValueExpr)}
	}
	return &c
}

func insideKey(x hclsyntax.Expression) hclsyntax.Expression {
	if _, name := x.(*hclsyntax.ScopeTraversalExpr); name {
		return x
	}
	if hcl.ExprAsKeyword(x) != "" {
		return x
	}
	return Metered(x)
}
