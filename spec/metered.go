package spec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// metered is a part of an expression whose values are counted. After a limit
// is reached nothing is computed any more.
type metered struct {
	hclsyntax.Expression
	branch bool // of a condition, which finds one type for both
	text   bool // a part of a text, which a number becomes
	loop   bool // its elements are gone through
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
	v, ds := e.Expression.Value(ctx)
	told := m.over != "" && tells(ds)
	if _, literal := e.Expression.(*hclsyntax.LiteralValueExpr); !literal {
		m.pay(weight{elements: perPart})
	}
	switch good := m.value(v); {
	case good && e.loop && v.CanIterateElements():
		m.pay(weight{elements: product(perTurn, v.LengthInt())})
	case good && e.branch:
		m.unify(v.Type())
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
	}
	return v, ds
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
		c.Collection, c.Key = Metered(x.Collection), Metered(x.Key)
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
		c.LHS, c.RHS = Metered(x.LHS), Metered(x.RHS)
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
