package yamlspec

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// expression is a value of a document. Text is a template.
type expression struct {
	f *file
	n *node
}

// parsed is a template that has been parsed.
type parsed struct {
	template *mapped // nil: it is wrong
	wrong    hcl.Diagnostics
}

// inTemplate returns the template that the text n is, or nil where it holds
// none.
func (e *expression) inTemplate(n *node) (*mapped, hcl.Diagnostics) {
	if !n.text() || !strings.Contains(n.value, "${") && !strings.Contains(n.value, "%{") {
		return nil, nil
	}
	p, done := e.f.texts[n]
	if !done {
		p = e.parse(n)
		e.f.texts[n] = p
	}
	return p.template, p.wrong
}

func (e *expression) parse(n *node) parsed {
	m := newMapping(e.f, n)
	tokens, _ := hclsyntax.LexTemplate([]byte(n.value), inText, hcl.InitialPos)
	if at, deep := spec.Nesting(tokens); deep {
		return parsed{wrong: hcl.Diagnostics{problem(m.rng(at), diag.CodeTooBig, "the text is nested too deeply", "", "Give parts of it names, as locals.")}}
	}
	x, ds := hclsyntax.ParseTemplate([]byte(n.value), inText, hcl.InitialPos)
	if ds.HasErrors() {
		return parsed{wrong: m.syntaxErrors(ds)}
	}
	return parsed{template: &mapped{x, m}}
}

// Value computes the value.
func (e *expression) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n := e.n.resolved()
	switch n.kind {
	case sequence:
		vals := make([]cty.Value, len(n.content))
		var ds hcl.Diagnostics
		for i, c := range n.content {
			v, more := (&expression{f: e.f, n: c}).Value(ctx)
			vals[i], ds = v, append(ds, more...)
		}
		return cty.TupleVal(vals), ds
	case mapping:
		return e.object(n, ctx)
	}
	switch {
	case n.null():
		return cty.NullVal(cty.DynamicPseudoType), nil
	case n.tag == "!!bool":
		return e.truth(n)
	case n.tag == "!!int" || n.tag == "!!float":
		return e.number(n)
	case n.style == plain && !n.tagged && sexagesimal.MatchString(n.value):
		return cty.DynamicVal, e.ambiguous(n, "It is text to some readers of YAML, and a number in base 60 to others.", "Write it in quotes: %q")
	}
	t, ds := e.inTemplate(n)
	switch {
	case ds.HasErrors():
		return cty.DynamicVal, ds
	case t == nil:
		return cty.StringVal(n.value), nil
	}
	return t.Value(ctx)
}

func (e *expression) object(n *node, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	ps := e.f.pairs(n)
	if key := twice(ps); key != nil {
		return cty.DynamicVal, hcl.Diagnostics{e.f.writtenTwice(key)}
	}
	attrs := make(map[string]cty.Value, len(ps))
	var ds hcl.Diagnostics
	for _, p := range ps {
		key, more := (&keyExpression{expression{f: e.f, n: p.key}}).Value(ctx)
		v, evenMore := (&expression{f: e.f, n: p.value}).Value(ctx)
		if ds = append(append(ds, more...), evenMore...); !more.HasErrors() && key.Type() == cty.String && key.IsWhollyKnown() && !key.IsNull() {
			attrs[key.AsString()] = v
		}
	}
	return cty.ObjectVal(attrs), ds
}

var (
	decimal     = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	sexagesimal = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
)

// number reads a number that every reader of YAML, and HCL, reads alike.
func (e *expression) number(n *node) (cty.Value, hcl.Diagnostics) {
	if !decimal.MatchString(n.value) {
		return cty.DynamicVal, e.ambiguous(n, "The readers of YAML do not agree on what it is.", "Write a plain decimal number, or, if it is text, put it in quotes: %q")
	}
	x, _, err := big.ParseFloat(n.value, 10, 512, big.ToNearestEven)
	if err != nil {
		return cty.DynamicVal, hcl.Diagnostics{problem(e.Range(), diag.CodeEvaluate, "the number is too large", "", "")}
	}
	return cty.NumberVal(x), nil
}

func (e *expression) truth(n *node) (cty.Value, hcl.Diagnostics) {
	switch {
	case strings.EqualFold(n.value, "true"):
		return cty.True, nil
	case strings.EqualFold(n.value, "false"):
		return cty.False, nil
	}
	return cty.DynamicVal, e.ambiguous(n, "A truth value is true or false.", "If it is text, put it in quotes: %q")
}

func (e *expression) ambiguous(n *node, detail, fix string) hcl.Diagnostics {
	return hcl.Diagnostics{problem(e.Range(), diag.CodeEvaluate, fmt.Sprintf("%q can be read in several ways", n.value), detail, fmt.Sprintf(fix, n.value))}
}

// Variables returns what the templates in the value refer to.
func (e *expression) Variables() (out []hcl.Traversal) {
	n := e.n.resolved()
	switch n.kind {
	case sequence:
		for _, c := range n.content {
			out = append(out, (&expression{f: e.f, n: c}).Variables()...)
		}
	case mapping:
		for _, p := range e.f.pairs(n) {
			out = append(out, (&keyExpression{expression{f: e.f, n: p.key}}).Variables()...)
			out = append(out, (&expression{f: e.f, n: p.value}).Variables()...)
		}
	default:
		if t, _ := e.inTemplate(n); t != nil {
			return t.Variables()
		}
	}
	return out
}

// Range is the place of the value, or of the alias that stands for it.
func (e *expression) Range() hcl.Range { return e.f.at(e.n) }

// StartRange is where the value begins.
func (e *expression) StartRange() hcl.Range { return e.f.rng(e.n.start, e.n.start) }

// AsTraversal reads text as an address.
func (e *expression) AsTraversal() hcl.Traversal {
	n := e.n.resolved()
	if !n.text() {
		return nil
	}
	t, ds := hclsyntax.ParseTraversalAbs([]byte(n.value), inText, hcl.InitialPos)
	if ds.HasErrors() {
		return nil
	}
	return newMapping(e.f, n).traversal(t)
}

// ExprList returns the elements of a list.
func (e *expression) ExprList() []hcl.Expression {
	n := e.n.resolved()
	if n.kind != sequence {
		return nil
	}
	out := make([]hcl.Expression, len(n.content))
	for i, c := range n.content {
		out[i] = &expression{f: e.f, n: c}
	}
	return out
}

// ExprMap returns the keys and values of a mapping.
func (e *expression) ExprMap() []hcl.KeyValuePair {
	if e.n.resolved().kind != mapping {
		return nil
	}
	ps := e.f.pairs(e.n)
	out := make([]hcl.KeyValuePair, len(ps))
	for i, p := range ps {
		out[i] = hcl.KeyValuePair{Key: &keyExpression{expression{f: e.f, n: p.key}}, Value: &expression{f: e.f, n: p.value}}
	}
	return out
}

// ExprCall reads text as a call.
func (e *expression) ExprCall() *hcl.StaticCall {
	n := e.n.resolved()
	if !n.text() || !strings.Contains(n.value, "(") {
		return nil
	}
	tokens, _ := hclsyntax.LexExpression([]byte(n.value), inText, hcl.InitialPos)
	if _, deep := spec.Nesting(tokens); deep {
		return nil
	}
	x, ds := hclsyntax.ParseExpression([]byte(n.value), inText, hcl.InitialPos)
	if ds.HasErrors() {
		return nil
	}
	return (&mapped{x, newMapping(e.f, n)}).ExprCall()
}

// keyExpression is a key, which is text whatever it looks like.
type keyExpression struct{ expression }

// Value computes the key.
func (k *keyExpression) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	t, ds := k.inTemplate(k.n.resolved())
	switch {
	case ds.HasErrors():
		return cty.DynamicVal, ds
	case t == nil:
		return cty.StringVal(k.n.resolved().value), nil
	}
	return t.Value(ctx)
}
