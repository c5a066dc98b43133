package spec

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec/diag"
)

// step is a failed step from a value into it: base.key or base[key].
type step struct {
	base cty.Value
	text string // of base, or ""
	key  cty.Value
}

// access is about an attribute or an element that a value does not have.
func (e *evaluation) access() (out diag.Diagnostic, ok bool) {
	s, ok := e.failed()
	if !ok || s.key.IsNull() || !s.key.IsKnown() || s.key.Type() != cty.String && s.key.Type() != cty.Number {
		out.Code, out.Summary = diag.CodeEvaluate, "there is no such element"
		out.Detail = "An element of a list has a number, and one of an object a name."
		if name, attr := strings.CutPrefix(e.text, "."); attr {
			out.Code, out.Summary, out.Detail = diag.CodeUnknownName, fmt.Sprintf("there is no attribute %q", name), "Not every element has one of this name."
		}
		return out, true
	}
	subject := cmpOr(s.text, "the value")
	if s.text != "" && !strings.Contains(s.text, ".") {
		subject = "the value " + s.text
	}
	short := cmpOr(s.text, "x")
	t := s.base.Type()
	out.Code = diag.CodeEvaluate
	switch {
	case s.base.IsNull():
		out.Summary, out.Detail = subject+" is null", "Null has no attributes and no elements."
		out.Fix = fmt.Sprintf("Give it a value, or ask first: %s == null ? ... : ....", short)
	case t.IsObjectType() || t.IsMapType():
		s.attribute(&out, subject)
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		s.element(&out, subject, short)
	default:
		out.Summary = fmt.Sprintf("%s has no attributes and no elements", subject)
		out.Detail = "It is " + describe(s.base) + "."
		if s.text != "" {
			out.Fix = "Refer to it alone: " + s.text
		}
	}
	return out, true
}

// attribute is about an object.
func (s step) attribute(out *diag.Diagnostic, subject string) {
	name := keyWritten(s.key)
	out.Code, out.Summary = diag.CodeUnknownName, fmt.Sprintf("%s has no attribute %q", subject, name)
	out.Later = func(d *diag.Diagnostic) { s.nearest(d, name) }
}

// nearest completes what is said of an attribute that does not exist.
func (s step) nearest(out *diag.Diagnostic, name string) {
	var names []string
	for it := s.base.ElementIterator(); it.Next(); {
		k, _ := it.Element()
		names = append(names, k.AsString())
	}
	slices.Sort(names)
	switch out.Fix = didYouMean(diag.Suggest(name, names)); {
	case len(names) == 0:
		out.Detail = "It has no attributes."
	case len(names) == 1:
		out.Detail = fmt.Sprintf("It has the attribute %s only.", names[0])
	case out.Fix == "":
		if len(names) > 12 {
			names = append(names[:12], fmt.Sprintf("%d others", len(names)-12))
		}
		out.Detail = "It has the attributes " + listed(names, "and") + "."
	}
}

// element is about a list.
func (s step) element(out *diag.Diagnostic, subject, short string) {
	n := s.base.LengthInt()
	if s.key.Type() == cty.String {
		out.Summary = fmt.Sprintf("%s is a list and has no attribute %q", subject, s.key.AsString())
		out.Fix = fmt.Sprintf("Take it of one element, %s[0].%s, or of each, %s[*].%s.", short, s.key.AsString(), short, s.key.AsString())
		return
	}
	x := s.key.AsBigFloat()
	out.Code, out.Summary = diag.CodeUnknownName, fmt.Sprintf("%s has no element %s", subject, numberWords(x))
	switch _, acc := x.Int(nil); {
	case acc != big.Exact:
		out.Detail, out.Fix = "The number of an element is a whole number.", "Round it with floor or ceil."
	case n == 0:
		out.Detail = "It is empty."
	case n == 1:
		out.Detail = fmt.Sprintf("It has one element, %s[0].", short)
	default:
		out.Detail = fmt.Sprintf("It has %d elements, from %s[0] to %s[%d].", n, short, short, n-1)
	}
	if x.Sign() < 0 && n > 0 {
		out.Fix = fmt.Sprintf("The last one is %s[length(%s) - 1].", short, short)
	}
}

func keyWritten(k cty.Value) string {
	switch {
	case k.IsNull() || !k.IsKnown():
		return "null"
	case k.Type() == cty.Number:
		return numberWords(k.AsBigFloat())
	case k.Type() == cty.String:
		return k.AsString()
	case k.Type() == cty.Bool:
		return strconv.FormatBool(k.True())
	}
	return "..."
}

// failed finds the step that failed.
func (e *evaluation) failed() (s step, ok bool) {
	ctx := e.d.EvalContext
	switch x := unmetered(e.d.Expression).(type) {
	case *hclsyntax.IndexExpr:
		s.base, s.key, s.text = valueOf(x.Collection, ctx), valueOf(x.Key, ctx), addressText(x.Collection)
		return s, s.base != cty.NilVal && s.key != cty.NilVal
	case *hclsyntax.RelativeTraversalExpr:
		return walk(valueOf(x.Source, ctx), addressText(x.Source), x.Traversal)
	case *hclsyntax.ScopeTraversalExpr:
		root := x.Traversal[:1]
		v, ds := root.TraverseAbs(ctx)
		if ds.HasErrors() {
			return s, false
		}
		return walk(v, x.Traversal.RootName(), x.Traversal[1:])
	}
	return s, false
}

// walk goes along t from v, which is written as text, until a step fails. It
// gives up at a value that is not known: a part of it has failed as well.
func walk(v cty.Value, text string, t hcl.Traversal) (s step, ok bool) {
	for _, st := range t {
		if v == cty.NilVal || !v.IsKnown() {
			return s, false
		}
		var key cty.Value
		var next string
		switch st := st.(type) {
		case hcl.TraverseAttr:
			key, next = cty.StringVal(st.Name), "."+st.Name
		case hcl.TraverseIndex:
			key = st.Key
			next = indexText(key)
		default:
			return s, false
		}
		to, ds := st.TraversalStep(v)
		if ds.HasErrors() {
			return step{v, text, key}, true
		}
		if v = to; text != "" {
			text += next
		}
	}
	return s, false
}

func indexText(key cty.Value) string {
	if key.Type() == cty.String && key.IsKnown() && !key.IsNull() {
		return "[" + strconv.Quote(key.AsString()) + "]"
	}
	return "[" + keyWritten(key) + "]"
}

// addressText returns how the address of a value is written, or "".
func addressText(x hcl.Expression) string {
	t, ok := unmetered(x).(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return ""
	}
	text := t.Traversal.RootName()
	for _, st := range t.Traversal[1:] {
		switch st := st.(type) {
		case hcl.TraverseAttr:
			text += "." + st.Name
		case hcl.TraverseIndex:
			text += indexText(st.Key)
		default:
			return ""
		}
	}
	return text
}
