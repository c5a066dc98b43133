package spec

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// value decodes the value of a field that is an attribute. ok is false where
// there is no value: the field is an edge, the value was null, or an error was
// reported.
func (d *decoder) value(f gpflow.Field, expr hcl.Expression, path string) (v any, ok bool) {
	switch f.Kind {
	case gpflow.FieldExpr:
		v, ok = d.expression(f, expr, path)
	case gpflow.FieldExprMap, gpflow.FieldAggregates:
		v, ok = d.expressions(f, expr, path)
		if some, _ := v.([]gpflow.NamedExpr); len(some) > 0 {
			ok = true // the others have been reported, and the field is wrong
		}
	case gpflow.FieldRef, gpflow.FieldRefs:
		d.edges(f, expr, path)
		return nil, false
	case gpflow.FieldSchema:
		v, ok = d.schemaValue(f, expr, path)
	case gpflow.FieldSecret:
		v, ok = d.secret(f, expr)
	case gpflow.FieldMap:
		v, ok = d.pairs(f, expr, path)
	case gpflow.FieldList, gpflow.FieldColumns:
		v, ok = d.plain(f, expr)
		return v, ok && d.checkList(f, v.([]string), expr, path)
	default:
		if v, ok = d.plain(f, expr); ok && f.Exprs {
			ok = d.braced(f, expr, path, v.(string))
		}
	}
	return v, ok && d.check(f, v, expr.Range())
}

// plain decodes a value that is computed at compile time.
func (d *decoder) plain(f gpflow.Field, expr hcl.Expression) (any, bool) {
	if f.Kind == gpflow.FieldEnum {
		if word := hcl.ExprAsKeyword(expr); word != "" && option(f, word) && !d.syntax.Bare() {
			d.fail(diag.CodeUnknownName, expr.Range(), fmt.Sprintf("%s: the value of %q is text", d.owner, f.Name), "", fmt.Sprintf("Write it in quotes: %s = %q", f.Name, word))
			return nil, false
		}
	}
	v, ok := d.evaluate(f, expr)
	if !ok {
		return nil, false
	}
	switch f.Kind {
	case gpflow.FieldString, gpflow.FieldColumn:
		return d.str(f, v, expr)
	case gpflow.FieldInt:
		return d.whole(f, v, expr)
	case gpflow.FieldFloat:
		if n, ok := d.converted(f, v, cty.Number, expr); ok {
			x, _ := n.AsBigFloat().Float64()
			if math.IsInf(x, 0) {
				return nil, d.wrong(f, expr, "The number is too large.")
			}
			return x, true
		}
	case gpflow.FieldBool:
		return d.truth(f, v, expr)
	case gpflow.FieldDuration:
		return d.duration(f, v, expr)
	case gpflow.FieldSize:
		return d.size(f, v, expr)
	case gpflow.FieldEnum:
		return d.enum(f, v, expr)
	case gpflow.FieldList, gpflow.FieldColumns:
		return d.list(f, v, expr)
	}
	return nil, false
}

// truthWords are words of other languages for true and false.
var truthWords = map[string]string{"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

func (d *decoder) truth(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	if b, err := convert.Convert(v, cty.Bool); err == nil {
		return b.True(), true
	}
	hint := cmpOr(d.computed(f.Name, expr), d.forExample(f))
	if v.Type() == cty.String {
		if word := truthWords[strings.ToLower(v.AsString())]; word != "" {
			hint = "Write it as " + d.syntax.Attribute(f.Name, word)
		}
	}
	d.fail(diag.CodeValueType, expr.Range(), fmt.Sprintf("%s: %q takes %s", d.owner, f.Name, takes(f)), "This is "+describe(v)+".", hint)
	return nil, false
}

// evaluate computes expr. A null is the same as leaving the field out, which a
// required field does not allow.
func (d *decoder) evaluate(f gpflow.Field, expr hcl.Expression) (cty.Value, bool) {
	v, known := d.eval(expr)
	if !known || d.bare(d.owner+": ", f.Name, expr) {
		d.bad = true
		return v, false
	}
	if v.IsNull() {
		if f.Required {
			d.fail(diag.CodeMissingField, expr.Range(), fmt.Sprintf("%s: the value of %q is null", d.owner, f.Name), "The attribute is required.", d.forExample(f))
		}
		return v, false
	}
	return v, true
}

// wrong reports a value of the wrong type and returns false.
func (d *decoder) wrong(f gpflow.Field, expr hcl.Expression, detail string) bool {
	return d.wrongUnit(f, expr, detail, d.computed(f.Name, expr))
}

// wrongUnit is wrong with a suggestion, where there is one.
func (d *decoder) wrongUnit(f gpflow.Field, expr hcl.Expression, detail, meant string) bool {
	d.fail(diag.CodeValueType, expr.Range(), fmt.Sprintf("%s: %q takes %s", d.owner, f.Name, takes(f)), detail, cmpOr(meant, d.forExample(f)))
	return false
}

// converted returns v as a value of type t.
func (d *decoder) converted(f gpflow.Field, v cty.Value, t cty.Type, expr hcl.Expression) (cty.Value, bool) {
	out, err := convert.Convert(v, t)
	if err != nil {
		return out, d.wrong(f, expr, "This is "+describe(v)+".")
	}
	if _, ok := (&meter{}).measure(out); !ok { // text of a few bytes can be a number of millions
		return out, d.wrong(f, expr, "This is "+describe(v)+", which is too large, or too close to zero.")
	}
	return out, true
}

// describe names a value for messages.
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case !v.IsKnown():
		return "a value that is not known"
	case v.IsNull():
		return "null"
	case t == cty.String:
		return "the text " + strconv.Quote(shortened(v.AsString()))
	case t == cty.Number:
		return "the number " + numberWords(v.AsBigFloat())
	case t == cty.Bool:
		return "the truth value " + strconv.FormatBool(v.True())
	case t.IsObjectType(), t.IsMapType():
		return "an object"
	}
	return "a list"
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}

func (d *decoder) str(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	s, ok := d.converted(f, v, cty.String, expr)
	if !ok || !d.sameText(f, v, s, expr) {
		return nil, false
	}
	return s.AsString(), true
}

var numberText = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// sameText reports a number where text is asked for that would not be the text
// that is written: 1.10 is the number 1.1.
func (d *decoder) sameText(f gpflow.Field, v, s cty.Value, expr hcl.Expression) bool {
	text := d.text(expr.Range())
	if v.Type() != cty.Number || s.AsString() == text || !numberText.MatchString(text) {
		return true
	}
	d.fail(diag.CodeValueType, expr.Range(), fmt.Sprintf("%s: %q takes %s, and %s is a number", d.owner, f.Name, takes(f), text),
		fmt.Sprintf("As a number it is %s, and that would be its text.", s.AsString()), fmt.Sprintf("Write it in quotes: %q", text))
	return false
}

func (d *decoder) whole(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	n, ok := d.converted(f, v, cty.Number, expr)
	if !ok {
		return nil, false
	}
	i, ok := wholeNumber(n.AsBigFloat())
	if !ok {
		return nil, d.wrong(f, expr, "This is "+describe(n)+".")
	}
	return i, true
}

// wholeNumber returns x as an int64, if it is one.
func wholeNumber(x *big.Float) (int64, bool) {
	i, acc := x.Int64()
	return i, acc == big.Exact
}

func (d *decoder) duration(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	if v.Type() != cty.String {
		detail := "This is " + describe(v) + "."
		if v.Type() == cty.Number {
			detail = "A number has no unit; the units are d, h, m, s, ms and us."
		}
		return nil, d.wrong(f, expr, detail)
	}
	t, err := gpflow.ParseDuration(v.AsString())
	if err != nil {
		return nil, d.wrongUnit(f, expr, fmt.Sprintf("This is the text %q. %s", shortened(v.AsString()), sentence(err.Error())), meantDuration(v.AsString()))
	}
	return t, true
}

// sizeUnits are the units of sizes.
var sizeUnits = map[string]float64{
	"B": 1, "": 1,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

func (d *decoder) size(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	s, ok := d.converted(f, v, cty.String, expr)
	if !ok {
		return nil, false
	}
	text := strings.TrimSpace(s.AsString())
	cut := strings.LastIndexAny(text, "0123456789.") + 1
	n, err := strconv.ParseFloat(text[:cut], 64)
	unit, known := sizeUnits[strings.TrimSpace(text[cut:])]
	bytes := n * unit
	if err != nil || !known || bytes < 0 || bytes >= math.MaxInt64 || bytes != math.Trunc(bytes) {
		return nil, d.wrongUnit(f, expr, fmt.Sprintf("This is the text %q. Write a size as a number of bytes, or with a unit: 64MiB; the units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB.", shortened(text)), meantSize(text))
	}
	return int64(bytes), true
}

func option(f gpflow.Field, word string) bool {
	for _, o := range f.Values {
		if o.Value == word {
			return true
		}
	}
	return false
}

func (d *decoder) enum(f gpflow.Field, v cty.Value, expr hcl.Expression) (any, bool) {
	s, err := convert.Convert(v, cty.String)
	if err == nil && option(f, s.AsString()) {
		return s.AsString(), true
	}
	var names []string
	detail := "It is one of these:"
	for _, o := range f.Values {
		names = append(names, o.Value)
		detail += "\n" + fmt.Sprintf("%q: %s", o.Value, o.Doc)
	}
	hint := ""
	if err == nil {
		hint = didYouMean(diag.Suggest(s.AsString(), names))
	}
	d.fail(diag.CodeUnknownOption, expr.Range(), fmt.Sprintf("%s: %q cannot be %s", d.owner, f.Name, describe(v)), detail, hint)
	return nil, false
}
