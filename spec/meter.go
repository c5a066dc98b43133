package spec

import (
	"fmt"
	"math"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec/diag"
)

// The limits of values that are computed when a pipeline is compiled. An
// element is a part of a list or an object, or a plain value; text is counted
// in bytes, with the names of attributes. A step is what looking at an element
// takes, some 0.2 us. What may be made of a text grows with it: all limits but
// those of one value are higher by the bytes of the specification.
const (
	maxElements = 100_000 // of one value
	maxText     = 1 << 20 // of one value
	maxLevels   = 10_000  // of lists and objects within each other
	maxExponent = 4096    // of a number, in bits
	maxSteps    = 100_000 // that one expression takes
	maxMade     = 8 << 20 // bytes of text that the parts of one expression give
	allSteps    = 200_000 // of all expressions
	allMade     = 16 << 20
	allElements = 100_000 // of all variables and locals
	allText     = 4 << 20
	perPart     = 4 // steps to compute a part of an expression, besides those for its value
	perCall     = 3 // steps of a call for each element of its arguments
	perTurn     = 4 // steps of a turn of a loop, besides those for its parts
)

// weight is how large a value is, or what it took to make it.
type weight struct{ elements, text int }

func (w *weight) add(o weight) {
	w.elements = bounded(w.elements, o.elements)
	w.text = bounded(w.text, o.text)
}

// bounded adds without an overflow.
func bounded(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

// bounded product.
func product(a, b int) int {
	if b > 0 && a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}

// meter bounds what evaluation takes. Its zero value is ready; it serves the
// expressions of one pipeline, one after the other.
type meter struct {
	spent  weight // by the expression
	total  weight // by all expressions
	kept   weight // by the values that have names
	source int    // bytes of the text that the expressions are of
	over   string // what the expression is beyond; "": nothing
	told   bool   // a value that is too big has been reported
	last   size   // of the value that was measured last
}

// size is what measuring finds out about a value.
type size struct {
	weight
	unknown  bool // it, or a part of it
	infinite bool // a number in it, as a division by zero gives
}

// begin starts an expression.
func (m *meter) begin() {
	m.spent, m.over = weight{}, ""
	if m.beyond(m.total, allSteps, allMade) {
		m.exceed("all values of the pipeline together take too many steps to compute")
	}
}

// beyond reports whether w is beyond a limit that grows with the text.
func (m *meter) beyond(w weight, elements, text int) bool {
	return w.elements > bounded(elements, m.source) || w.text > bounded(text, m.source)
}

func (m *meter) exceed(what string) {
	if m.over == "" {
		m.over = what
	}
}

// pay counts w, and reports whether to go on.
func (m *meter) pay(w weight) bool {
	m.spent.add(w)
	m.total.add(w)
	switch {
	case m.over != "":
	case m.beyond(m.spent, maxSteps, math.MaxInt):
		m.exceed(fmt.Sprintf("computing it takes more than %d steps", maxSteps))
	case m.beyond(m.spent, math.MaxInt, maxMade):
		m.exceed(fmt.Sprintf("computing it makes more than %d MiB of text", maxMade>>20))
	}
	return m.over == ""
}

// keep counts a value of the size w that gets a name, and reports whether it
// may.
func (m *meter) keep(w weight) bool {
	m.kept.add(w)
	if m.beyond(m.kept, allElements, allText) {
		m.exceed(fmt.Sprintf("all variables and locals together have more than %d elements or %d MiB of text", allElements, allText>>20))
	}
	return m.over == ""
}

// value counts a value that was computed, and reports whether to go on.
func (m *meter) value(v cty.Value) bool {
	w, ok := m.measure(v)
	return m.pay(w) && ok
}

// allows reports whether a value may have the size w, which it is going to
// have.
func (m *meter) allows(w weight) bool {
	switch {
	case w.elements > maxElements:
		m.exceed(fmt.Sprintf("a value of it has more than %d elements", maxElements))
	case w.text > maxText:
		m.exceed(fmt.Sprintf("a value of it has more than %d MiB of text", maxText>>20))
	}
	return m.over == ""
}

// measure returns the size of v. It stops, and ok is false, where a limit is
// reached.
func (m *meter) measure(v cty.Value) (w weight, ok bool) {
	m.last = size{}
	if m.over != "" {
		return w, false
	}
	if v == cty.NilVal {
		return w, true
	}
	m.into(&m.last, v, 0, 0)
	return m.last.weight, m.over == ""
}

// into adds the size of v, which stands at a path of some bytes of text. The
// names that lead to a member count for each member.
func (m *meter) into(w *size, v cty.Value, path, level int) {
	w.elements++
	if level > maxLevels {
		m.exceed(fmt.Sprintf("a value of it has more than %d levels", maxLevels))
	}
	if v.IsMarked() || v.IsNull() || !v.IsKnown() {
		w.unknown = w.unknown || !v.IsKnown()
		return
	}
	switch t := v.Type(); {
	case t == cty.String:
		w.text += len(v.AsString())
	case t == cty.Number:
		if x := v.AsBigFloat(); x.IsInf() {
			w.infinite = true
		} else if huge(x) {
			m.exceed(errHuge.Error())
		}
	case t.IsObjectType(), t.IsMapType():
		for it := v.ElementIterator(); it.Next() && m.over == ""; {
			k, e := it.Element()
			to := path + len(k.AsString())
			w.text += to
			m.into(w, e, to, level+1)
		}
	case t.IsTupleType(), t.IsListType(), t.IsSetType():
		for it := v.ElementIterator(); it.Next() && m.over == ""; {
			_, e := it.Element()
			m.into(w, e, path, level+1)
		}
	}
	m.allows(w.weight)
}

// unify counts the steps to find one type for the parts of a value of type t,
// which compares each with each.
func (m *meter) unify(t cty.Type) bool {
	var parts []cty.Type
	switch {
	case t.IsTupleType():
		parts = t.TupleElementTypes()
	case t.IsObjectType():
		for _, a := range t.AttributeTypes() {
			parts = append(parts, a)
		}
	}
	ok := m.pay(weight{elements: product(len(parts), len(parts)) / 128})
	for _, p := range parts {
		ok = ok && (p.IsPrimitiveType() || m.unify(p))
	}
	return ok
}

// problem is the diagnostic of what the meter is beyond.
func (m *meter) problem(at hcl.Range) *hcl.Diagnostic {
	m.told = true
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "the value is too big", Detail: sentence(m.over), Subject: &at,
		Extra: Problem{Code: diag.CodeTooBig, Fix: "Make it smaller, or keep the data in a file and join with it."},
	}
}

// The meter of an evaluation is a variable that no text can name.
const meterName = "\x00meter"

var meterType = cty.Capsule("meter", reflect.TypeFor[meter]())

// limited returns a context for expressions that have neither names nor
// functions.
func limited(m *meter) *hcl.EvalContext {
	return &hcl.EvalContext{Variables: map[string]cty.Value{meterName: cty.CapsuleVal(meterType, m)}}
}

// meterOf returns the meter of an evaluation, or nil.
func meterOf(ctx *hcl.EvalContext) *meter {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[meterName]; ok {
			return v.EncapsulatedValue().(*meter)
		}
	}
	return nil
}

// Plain computes an expression that refers to nothing and calls nothing,
// within the limits of values. Where it is beyond one, the diagnostic has a
// Problem.
func Plain(expr hcl.Expression) (cty.Value, hcl.Diagnostics) {
	r := expr.Range()
	m := &meter{source: r.End.Byte - r.Start.Byte}
	if _, native := expr.(hclsyntax.Expression); !native { // text is no template without a context
		return m.eval(expr, nil)
	}
	return m.eval(expr, limited(m))
}

// eval computes an expression. Where it is beyond a limit, that is the only
// diagnostic. After all values together are too much, and that or the cause was
// reported, the others are unknown.
func (m *meter) eval(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	told := m.told
	m.begin()
	switch {
	case m.over != "" && told:
		m.last = size{unknown: true}
		return cty.DynamicVal, nil
	case m.over != "":
		return cty.DynamicVal, hcl.Diagnostics{m.problem(expr.Range())}
	}
	x := expr
	if native, ok := expr.(hclsyntax.Expression); ok {
		x = Metered(native)
	}
	v, ds := x.Value(ctx)
	ok := m.over == ""
	if _, measured := x.(metered); ok && !measured {
		_, ok = m.measure(v)
	}
	if ok {
		return v, ds
	}
	for _, d := range ds {
		if _, ok := hcl.DiagnosticExtra[Problem](d); ok && d.Summary == m.problem(hcl.Range{}).Summary {
			return cty.DynamicVal, hcl.Diagnostics{d}
		}
	}
	return cty.DynamicVal, hcl.Diagnostics{m.problem(expr.Range())}
}
