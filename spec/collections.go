package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// expression decodes a record expression, whose text is taken as it stands.
func (d *decoder) expression(f gpflow.Field, expr hcl.Expression, path string) (any, bool) {
	text, at, ok := d.syntax.Literal(expr)
	if !ok {
		d.notLiteral(f.Name, expr)
		return nil, false
	}
	if strings.TrimSpace(text) == "" {
		d.fail(diag.CodeExpressionForm, expr.Range(), fmt.Sprintf("%s: the expression of %q is empty", d.owner, f.Name), "", d.forExample(f))
		return nil, false
	}
	if at, ok := d.syntax.Comment(expr); ok && unfinished(text) {
		d.cutOff(f, at, "Put the expression in quotes, or on lines of its own behind "+f.Name+": |")
		return nil, false
	}
	d.locate(expr, path, text, at)
	return text, true
}

// cutOff reports a comment that ends the text of a field within an expression.
func (d *decoder) cutOff(f gpflow.Field, comment hcl.Range, fix string) {
	d.fail(diag.CodeExpressionForm, comment, fmt.Sprintf("%s: a comment cuts off the expression of %q", d.owner, f.Name),
		fmt.Sprintf("With a space before it, %s is a comment, and no part of the expression.", shortened(d.text(comment))), fix)
}

// locate notes the text of the field at path, and the place of its bytes where it
// is known.
func (d *decoder) locate(expr hcl.Expression, path, text string, at []int) {
	l := d.located[path]
	l.Text, l.At, l.src = text, at, d.p.Sources[expr.Range().Filename]
	if len(at) != len(text)+1 {
		l.At = nil
	}
	d.located[path] = l
}

// braced notes where the record expressions in the text of a field stand, and
// reports one that a comment cuts off. The text has been computed.
func (d *decoder) braced(f gpflow.Field, expr hcl.Expression, path, text string) bool {
	if at, ok := d.syntax.Comment(expr); ok && braceOpen(text) {
		d.cutOff(f, at, "Put the whole text in quotes.")
		return false
	}
	literal, at, ok := d.syntax.Literal(expr)
	if !ok || literal != text {
		r := expr.Range()
		at = aligned(d.p.Sources[r.Filename], r.Start.Byte, r.End.Byte, text)
	}
	d.locate(expr, path, text, at)
	return true
}

// notLiteral reports a record expression that is not plain text.
func (d *decoder) notLiteral(name string, expr hcl.Expression) {
	src, r := d.text(expr.Range()), expr.Range()
	quoted := strings.HasPrefix(src, `"`) || strings.HasPrefix(src, "<<")
	if _, ds := hcl.ExprMap(expr); d.syntax.Bare() && ds.HasErrors() {
		_, ds = hcl.ExprList(expr)
		quoted = ds.HasErrors()
	}
	if i := templateStart(src); quoted && i >= 0 {
		r.Start.Byte += i
		r.End.Byte = r.Start.Byte + 2
		d.fail(diag.CodeTemplate, r, fmt.Sprintf("%s: ${ } does not work in a record expression", d.owner),
			"A record expression is worked out for each record, and ${ } once, before the pipeline runs.",
			"Variables and locals are constants of record expressions: write var.x in place of ${var.x}.")
		return
	}
	hint := "Write it in quotes: " + d.syntax.Attribute(name, `"..."`)
	if src != "" && !quoted && !strings.Contains(src, "\n") {
		hint = "Write it in quotes: " + d.syntax.Attribute(name, strconv.Quote(strings.ReplaceAll(src, `"`, "'")))
	}
	d.fail(diag.CodeExpressionForm, r, fmt.Sprintf("%s: %q takes the text of a record expression", d.owner, name),
		"A record expression is text, because it is worked out for each record, and not once, before the pipeline runs.", hint)
}

// unfinished reports whether more must follow the text of an expression: a
// bracket is open, or an operator has no right side.
func unfinished(text string) bool {
	_, open, quote := brackets(text, false)
	words := strings.Fields(text)
	return open > 0 || quote || len(words) > 0 && operatorAtEnd.MatchString(words[len(words)-1])
}

// braceOpen reports whether a brace in text, behind which an expression stands,
// is not closed.
func braceOpen(text string) bool {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return false
		}
		end, open, quote := brackets(text[i:], true)
		if open > 0 || quote {
			return true
		}
		text = text[i+end:]
	}
}

// brackets returns how many brackets are open at the end of an expression, and
// whether a quote is. With first, the end is where the first bracket is closed.
func brackets(text string, first bool) (end, open int, quoted bool) {
	quote := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			open++
		case c == ')' || c == ']' || c == '}':
			if open--; first && open == 0 {
				return i + 1, 0, false
			}
		}
	}
	return len(text), open, quote != 0
}

var operatorAtEnd = regexp.MustCompile(`(?:[-+*/%<>=&|?:,]|^(?:and|or|not|in|contains|matches|startsWith|endsWith))$`)

// templateStart returns the offset of the first ${ or %{ in src that is not
// escaped by doubling its first character, or -1.
func templateStart(src string) int {
	for i := 0; i+1 < len(src); i++ {
		if (src[i] != '$' && src[i] != '%') || src[i+1] != '{' {
			continue
		}
		if i == 0 || src[i-1] != src[i] {
			return i
		}
	}
	return -1
}

// quotedText is an expression within an example.
var quotedText = regexp.MustCompile(`"[^"]*"`)

// expressions decodes an object of record expressions, in its order.
func (d *decoder) expressions(f gpflow.Field, expr hcl.Expression, path string) (any, bool) {
	pairs, ok := d.object(f, expr)
	if !ok {
		return nil, false
	}
	out, all := make([]gpflow.NamedExpr, 0, len(pairs)), true
	for _, p := range d.keys(f, pairs, path) {
		inner := f
		inner.Name, inner.Example = p.key, quotedText.FindString(f.Example)
		text, ok := d.expression(inner, p.value, path+"."+p.key)
		if !ok {
			all = false
			continue
		}
		out = append(out, gpflow.NamedExpr{Name: p.key, Expr: text.(string)})
	}
	if all && len(out) == 0 && f.Required {
		return nil, d.wrong(f, expr, "The object is empty.")
	}
	return out, all
}

// object returns the pairs of an object that is written out.
func (d *decoder) object(f gpflow.Field, expr hcl.Expression) ([]hcl.KeyValuePair, bool) {
	pairs, ds := hcl.ExprMap(expr)
	if ds.HasErrors() {
		example := cmpOr(f.Example, `{ name = "..." }`)
		d.fail(diag.CodeValueType, expr.Range(), fmt.Sprintf("%s: %q takes a %s", d.owner, f.Name, f.Kind),
			"It is an object that is written out, so that the order and the places of its parts are known.", "Write it as "+d.syntax.Attribute(f.Name, example))
		return nil, false
	}
	return pairs, true
}

type keyed struct {
	key   string
	value hcl.Expression
}

// keys computes the keys of an object, reports those that are written twice,
// and notes where each pair stands.
func (d *decoder) keys(f gpflow.Field, pairs []hcl.KeyValuePair, path string) []keyed {
	var out []keyed
	for _, p := range pairs {
		v, known := d.eval(p.Key)
		if !known {
			d.bad = true
			continue
		}
		s, err := convert.Convert(v, cty.String)
		if err != nil || s.IsNull() || s.AsString() == "" {
			d.fail(diag.CodeValueType, p.Key.Range(), fmt.Sprintf("%s: a key of %q is not a name", d.owner, f.Name), "", "")
			continue
		}
		key := path + "." + s.AsString()
		if first, twice := d.located[key]; twice {
			d.bad = true
			d.report(diag.Diagnostic{
				Code: diag.CodeDuplicate, Range: d.rng(p.Key.Range()), Summary: fmt.Sprintf("%s: %q has the key %q twice", d.owner, f.Name, s.AsString()),
				Fix: "Remove one, or give it another name.", Related: []diag.Related{{Message: "the other one", Range: first.Name}},
			})
			continue
		}
		d.located[key] = Located{Name: d.rng(p.Key.Range()), Value: d.rng(p.Value.Range())}
		out = append(out, keyed{s.AsString(), p.Value})
	}
	return out
}

// pairs decodes a map of strings: in its order where it is written out, by key
// where it is computed.
func (d *decoder) pairs(f gpflow.Field, expr hcl.Expression, path string) (any, bool) {
	if pairs, ds := hcl.ExprMap(expr); !ds.HasErrors() {
		out, all := make([]gpflow.Pair, 0, len(pairs)), true
		for _, p := range d.keys(f, pairs, path) {
			inner := gpflow.Field{Name: p.key, Kind: gpflow.FieldString, Required: true}
			v, ok := d.plain(inner, p.value)
			if !ok {
				all = false
				continue
			}
			out = append(out, gpflow.Pair{Key: p.key, Value: v.(string)})
		}
		return out, all && len(out) == len(pairs)
	}
	v, ok := d.evaluate(f, expr)
	if !ok {
		return nil, false
	}
	m, err := convert.Convert(v, cty.Map(cty.String))
	if err != nil {
		return nil, d.wrong(f, expr, "This is "+describe(v)+".")
	}
	out := make([]gpflow.Pair, 0, m.LengthInt())
	for it := m.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			return nil, d.wrong(f, expr, fmt.Sprintf("The value of %q is null.", k.AsString()))
		}
		out = append(out, gpflow.Pair{Key: k.AsString(), Value: e.AsString()})
	}
	return out, true
}
