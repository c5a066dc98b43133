package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec/diag"
)

// evalErrors reports why an expression cannot be computed.
func (b *builder) evalErrors(expr hcl.Expression, ds hcl.Diagnostics) {
	seen, failed := make(map[hcl.Range]bool), subjects(ds)
	for _, d := range ds {
		at := expr.Range()
		if d.Subject != nil {
			at = *d.Subject
		}
		if x := d.Expression; x != nil && strings.HasPrefix(d.Summary, "Invalid function") && x.Range().Filename == at.Filename {
			at = x.Range() // the whole argument, of which this is the beginning
		}
		if x := d.Expression; x != nil && d.Summary == "Null value as key" {
			at = x.Range()
		}
		if d.Severity != hcl.DiagError || seen[at] || follows(d, failed) {
			continue
		}
		seen[at] = true
		out := diag.Diagnostic{Code: diag.CodeEvaluate, Summary: plainWords(d.Summary), Detail: plainWords(d.Detail)}
		if p, ok := hcl.DiagnosticExtra[Problem](d); ok {
			out.Code, out.Fix = p.Code, p.Fix
		} else if d.Summary == "Call to unknown function" {
			b.unknownFunction(&out, b.text(at))
		} else if said, ok := (&evaluation{d: d, text: b.text(at)}).words(); ok {
			out = said
		}
		out.Range, out.Context = b.rng(at), b.rng(expr.Range())
		b.report(out)
	}
}

// follows reports whether a part of what d is about has failed as well, so that
// its value is not known.
func follows(d *hcl.Diagnostic, failed []hcl.Range) bool {
	return d.Subject != nil && slices.ContainsFunc(failed, func(o hcl.Range) bool {
		return o.Filename == d.Subject.Filename && o != *d.Subject &&
			o.Start.Byte >= d.Subject.Start.Byte && o.End.Byte <= d.Subject.End.Byte
	})
}

// subjects returns the places of errors, each once.
func subjects(ds hcl.Diagnostics) []hcl.Range {
	var out []hcl.Range
	seen := make(map[hcl.Range]bool)
	for _, d := range ds {
		if d.Severity == hcl.DiagError && d.Subject != nil && !seen[*d.Subject] {
			seen[*d.Subject] = true
			out = append(out, *d.Subject)
		}
	}
	return out
}

// unknownFunction says of a call that there is no such function.
func (b *builder) unknownFunction(d *diag.Diagnostic, name string) {
	names := slices.Sorted(maps.Keys(b.scope.functions))
	d.Code, d.Summary = diag.CodeUnknownFunction, fmt.Sprintf("there is no function %q", name)
	if d.Fix, d.Detail = didYouMean(diag.Suggest(name, names)), ""; d.Fix == "" {
		d.Detail = "The functions of values are " + listed(names, "and") + "."
	}
}

// plainWords puts the words of specifications for those of the parser.
func plainWords(s string) string {
	return strings.NewReplacer(
		"primitive-typed value", "plain value", "primitive", "plain", "tuple", "list", "This is a bug in this program.", "",
		"lists or tuples", "lists", "a list, a map or a tuple", "a list or a map", "regexp pattern", "regular expression", "EOF", "The text ends too early",
		"a bool is required", "true or false is wanted", "a number is required", "a number is wanted",
		"string required", "text is wanted", "number required", "a number is wanted", "bool required", "true or false is wanted",
	).Replace(s)
}

// evaluation is a failure of the evaluation of an expression, which is worded
// for the authors of specifications.
type evaluation struct {
	d    *hcl.Diagnostic
	text string // what it is about
}

// words returns what is said, unless the failure is of an unknown kind.
func (e *evaluation) words() (out diag.Diagnostic, ok bool) {
	out.Code = diag.CodeEvaluate
	switch e.d.Summary {
	case "Invalid index", "Attempt to index null value", "Unsupported attribute", "Attempt to get attribute from null value", "Missing map element":
		return e.access()
	case "Invalid operand":
		e.operand(&out)
	case "Operation failed":
		out.Summary = "the operation has no result"
		switch {
		case strings.Contains(e.d.Detail, errZero.Error()):
			out.Detail, out.Fix = "It divides by 0.", "Give it another divisor, or compare that with 0 first: x == 0 ? 0 : y / x."
		case strings.Contains(e.d.Detail, errHuge.Error()):
			out.Detail = sentence(errHuge.Error())
		case strings.Contains(e.d.Detail, "null"):
			out.Detail, out.Fix = "One of its operands is null.", "Give it a value, or another one in its place: coalesce(x, 0)."
		default:
			out.Detail = "It is no number that there is."
		}
	case "Incorrect condition type", "Null condition", "Condition is null", "Invalid 'for' condition":
		out.Summary, out.Detail = "the condition is neither true nor false", e.this()
		out.Fix = "Write a comparison, such as x > 0."
	case "Inconsistent conditional result types":
		e.branches(&out)
	case "Iteration over non-iterable value", "Iteration over null value", "Splat of null value":
		out.Summary, out.Detail = "there are no elements to go through", e.this()
		out.Fix = "Go through a list or an object. One value becomes a list in brackets: [x]."
	case "Null value as key", "Incorrect key type", "Invalid object key":
		out.Summary, out.Detail, out.Fix = "the key is not text", e.this(), "Write a key that is text or a number."
	case "Ambiguous attribute key":
		out.Summary = "the key may be a name or a value"
		out.Fix = fmt.Sprintf("If the value is meant, write it in parentheses: (%s). If the name is meant, in quotes: %q.", e.text, e.text)
	case "Duplicate object key":
		out.Summary, out.Detail = "two elements give the same key", "Only one of the two values could be kept."
		out.Fix = "Make the keys differ, or write ... behind the value, which gives each key a list of its values."
	case "Invalid template interpolation value":
		e.inText(&out)
	default:
		return e.call()
	}
	return out, true
}

// value computes the part that the failure is about; NilVal: it is not known.
func (e *evaluation) value() cty.Value { return valueOf(e.d.Expression, e.d.EvalContext) }

func valueOf(x hcl.Expression, ctx *hcl.EvalContext) cty.Value {
	if x == nil {
		return cty.NilVal
	}
	v, ds := x.Value(ctx)
	if ds.HasErrors() || !v.IsWhollyKnown() {
		return cty.NilVal
	}
	return v
}

// this says what the part is.
func (e *evaluation) this() string {
	if v := e.value(); v != cty.NilVal {
		return "This is " + describe(v) + "."
	}
	return ""
}

// operand is about an operand of the wrong type.
func (e *evaluation) operand(out *diag.Diagnostic) {
	v := e.value()
	out.Detail = e.this()
	if strings.Contains(e.d.Detail, "bool required") || strings.Contains(e.d.Detail, "a bool is required") {
		out.Summary = "the operand is neither true nor false"
		out.Fix = "The operators !, && and || take comparisons, such as x > 0."
		return
	}
	out.Summary = "the operand is not a number"
	out.Fix = "Write a number. The operators + - * / % and < <= > >= compute with numbers."
	if v != cty.NilVal && !v.IsNull() && v.Type() == cty.String {
		out.Fix = `Write a number. Text is joined within quotes: "${x}${y}".`
	}
}

// branches is about a condition whose results are of two types.
func (e *evaluation) branches(out *diag.Diagnostic) {
	out.Summary = "the results of the condition are of two types"
	out.Fix = "Give both one type: with tostring or tonumber, with the same attributes, or with lists of the same length."
	c, ok := unmetered(e.d.Expression).(*hclsyntax.ConditionalExpr)
	if !ok {
		return
	}
	a, b := valueOf(c.TrueResult, e.d.EvalContext), valueOf(c.FalseResult, e.d.EvalContext)
	if a != cty.NilVal && b != cty.NilVal {
		out.Detail = fmt.Sprintf("The first is %s, and the second %s.", describe(a), describe(b))
	}
}

// inText is about a value within a text that text cannot hold.
func (e *evaluation) inText(out *diag.Diagnostic) {
	out.Summary, out.Detail = "the value cannot stand in a text", e.this()
	switch v := e.value(); {
	case v == cty.NilVal:
		out.Fix = "Use a value that is text or a number."
	case v.IsNull():
		out.Fix = fmt.Sprintf(`Say what stands in its place: ${coalesce(%s, "none")}.`, e.text)
	case v.CanIterateElements() && !v.Type().IsObjectType() && !v.Type().IsMapType():
		out.Fix = fmt.Sprintf(`Take one of its elements, ${%s[0]}, or join them: ${join(", ", %s)}.`, e.text, e.text)
	default:
		out.Fix = "Take one of its attributes."
	}
}

// call is about the arguments of a function.
func (e *evaluation) call() (out diag.Diagnostic, ok bool) {
	extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](e.d)
	if !ok {
		return out, false
	}
	name := extra.CalledFunctionName()
	if _, known := signatures[name]; !known {
		return out, false
	}
	out.Code, out.Fix = diag.CodeEvaluate, fmt.Sprintf("Write it as %s.", signatures[name].form(name))
	switch e.d.Summary {
	case "Not enough function arguments":
		out.Summary = fmt.Sprintf("the call of %s has too few arguments", name)
	case "Too many function arguments":
		out.Summary = fmt.Sprintf("the call of %s has too many arguments", name)
	case "Invalid expanding argument value":
		out.Summary, out.Detail = "there are no elements to be arguments", e.this()
		out.Fix = "A list stands before the ... of a call."
	case "Invalid function argument", "Error in function call":
		out.Summary = fmt.Sprintf("the function %s cannot take this", name)
		if err := extra.FunctionCallError(); err != nil {
			out.Detail = strings.TrimSpace(e.this() + " " + sentence(err.Error()))
		}
	default:
		return out, false
	}
	return out, true
}

// unmetered returns the expression that is metered.
func unmetered(x hcl.Expression) hcl.Expression {
	if m, ok := x.(metered); ok {
		return m.Expression
	}
	return x
}
