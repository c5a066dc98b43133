package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// typeNames are the words of the type language, for messages.
var typeNames = []string{
	"string", "int", "float", "bool", "timestamp", "duration", "bytes", "any", "decimal", "list", "map", "record", "optional",
}

// aliases are words of other languages, with ours.
var aliases = map[string]string{
	"number": "int or float", "integer": "int", "long": "int", "bigint": "int", "int64": "int", "double": "float", "float64": "float",
	"text": "string", "varchar": "string", "str": "string", "boolean": "bool", "datetime": "timestamp", "date": "timestamp", "time": "timestamp",
	"array": "list", "set": "list", "object": "record", "struct": "record",
}

// singleQuoted is a type with a layout in the quotes that a type does not have.
var singleQuoted = regexp.MustCompile(`timestamp\(\s*'([^'"]*)'\s*\)`)

// typ decodes a type that is written as an expression: a word, a call such as
// list(string), or an object. inner says that the type stands inside a list or
// a map, where fields are not columns.
func (d *decoder) typ(expr hcl.Expression, inner bool) (gpflow.Type, bool) {
	if pairs, ds := hcl.ExprMap(expr); !ds.HasErrors() {
		return d.record(expr, pairs, inner)
	}
	if call, ds := hcl.ExprCall(expr); !ds.HasErrors() {
		return d.typeCall(expr, call, inner)
	}
	word := hcl.ExprAsKeyword(expr)
	if word == "" {
		hint := "For example: string, optional(int) or list(string)"
		if text, _, ok := d.syntax.Literal(expr); ok && !d.syntax.Bare() && !strings.ContainsAny(text, " \n") {
			hint = fmt.Sprintf("Write it without quotes: %s", text)
		} else if ok && singleQuoted.MatchString(text) {
			hint = "Write the layout in double quotes: " + singleQuoted.ReplaceAllString(text, `timestamp("$1")`)
		}
		d.badType(expr.Range(), "this is not a type", hint)
		return gpflow.Type{}, false
	}
	switch word {
	case "list", "map", "optional":
		d.badType(expr.Range(), fmt.Sprintf("%s needs to say of what", word), fmt.Sprintf("For example: %s(string)", word))
	case "decimal":
		d.badType(expr.Range(), "decimal needs a precision and a scale", "For example: decimal(18, 2)")
	case "record":
		d.badType(expr.Range(), "record needs its fields", "For example: record({ street = string })")
	default:
		if t, err := gpflow.ParseType(word); err == nil {
			return t, true
		}
		d.unknownType(expr.Range(), word)
	}
	return gpflow.Type{}, false
}

func (d *decoder) badType(at hcl.Range, summary, fix string) {
	d.fail(diag.CodeType, at, d.owner+": "+summary, "", fix)
}

func (d *decoder) unknownType(at hcl.Range, word string) {
	hint := fix(aliases[word], "It is called %s here.")
	if hint == "" {
		hint = didYouMean(diag.Suggest(word, typeNames))
	}
	d.fail(diag.CodeType, at, fmt.Sprintf("%s: there is no type %q", d.owner, word),
		"The types are string, int, float, bool, timestamp, duration, bytes, any, decimal(precision, scale), list(T), map(T), { field = T } and optional(T).", hint)
}

func (d *decoder) typeCall(expr hcl.Expression, call *hcl.StaticCall, inner bool) (t gpflow.Type, ok bool) {
	switch call.Name {
	case "decimal":
		return d.decimal(expr, call)
	case "optional", "list", "map", "record", "timestamp":
	default:
		if _, err := gpflow.ParseType(call.Name); err == nil {
			d.badType(expr.Range(), call.Name+" takes nothing in parentheses", fmt.Sprintf("Write it as %s", call.Name))
		} else {
			d.unknownType(call.NameRange, call.Name)
		}
		return t, false
	}
	if len(call.Arguments) != 1 {
		d.badType(expr.Range(), call.Name+" takes one thing in its parentheses", "")
		return t, false
	}
	arg := call.Arguments[0]
	switch call.Name {
	case "record":
		pairs, ds := hcl.ExprMap(arg)
		if ds.HasErrors() {
			d.badType(arg.Range(), "record needs its fields", "For example: record({ street = string })")
			return t, false
		}
		return d.record(arg, pairs, inner)
	case "timestamp":
		return d.timestamp(arg)
	}
	t, ok = d.typ(arg, inner || call.Name != "optional")
	switch call.Name {
	case "list":
		return gpflow.ListOf(t), ok
	case "map":
		return gpflow.MapOf(t), ok
	}
	return t.Opt(), ok
}

func (d *decoder) timestamp(layout hcl.Expression) (t gpflow.Type, ok bool) {
	v, known := d.eval(layout)
	if !known {
		d.bad = true
		return t, false
	}
	if v.IsNull() || v.Type() != cty.String {
		d.badType(layout.Range(), "timestamp takes a layout as text", `For example: timestamp("%Y-%m-%d %H:%M:%S") or timestamp("unix_ms")`)
		return t, false
	}
	d.locatePart("layout", layout)
	return gpflow.Type{Kind: gpflow.KindTimestamp, Layout: v.AsString()}, true
}

func (d *decoder) decimal(expr hcl.Expression, call *hcl.StaticCall) (t gpflow.Type, ok bool) {
	ns := make([]int64, 2)
	ok = len(call.Arguments) == 1 || len(call.Arguments) == 2
	for i, arg := range call.Arguments {
		v, known := d.eval(arg)
		if !known || !ok {
			d.bad = d.bad || !known
			return t, false
		}
		whole := !v.IsNull() && v.Type() == cty.Number
		if whole {
			ns[i], whole = wholeNumber(v.AsBigFloat())
		}
		ok = ok && whole
	}
	if !ok || ns[0] < 1 || ns[0] > 38 || ns[1] < 0 || ns[1] > ns[0] {
		d.badType(expr.Range(), "decimal takes a precision from 1 to 38 and a scale from 0 to the precision", "For example: decimal(18, 2)")
		return t, false
	}
	return gpflow.Type{Kind: gpflow.KindDecimal, Precision: int(ns[0]), Scale: int(ns[1])}, true
}

func (d *decoder) record(expr hcl.Expression, pairs []hcl.KeyValuePair, inner bool) (gpflow.Type, bool) {
	t, ok := gpflow.Type{Kind: gpflow.KindRecord}, true
	outer := d.typePath
	defer func() { d.typePath = outer }()
	seen := make(map[string]hcl.Range)
	for _, p := range pairs {
		v, known := d.eval(p.Key)
		if !known || v.IsNull() || v.Type() != cty.String {
			d.bad, ok = true, false
			continue
		}
		name := v.AsString()
		if !d.columnName(name, p.Key.Range(), inner) || !d.once(seen, name, p.Key.Range()) {
			ok = false
			continue
		}
		d.typePath = outer + "." + name
		d.located[d.typePath] = Located{Name: d.rng(p.Key.Range()), Value: d.rng(p.Value.Range())}
		ft, good := d.typ(p.Value, inner)
		ok = ok && good
		t.Fields = append(t.Fields, gpflow.Column{Name: name, Type: ft})
	}
	if ok && len(t.Fields) == 0 {
		d.badType(expr.Range(), "there are no fields", "For example: { "+d.syntax.Attribute("user", "string")+" }")
		ok = false
	}
	return t, ok
}

func (d *decoder) once(seen map[string]hcl.Range, name string, at hcl.Range) bool {
	first, twice := seen[name]
	if twice {
		d.bad = true
		d.report(diag.Diagnostic{
			Code: diag.CodeDuplicate, Range: d.rng(at), Summary: fmt.Sprintf("%s: the field %q is written twice", d.owner, name),
			Fix: "Remove one.", Related: []diag.Related{{Message: "the other one", Range: d.rng(first)}},
		})
	}
	seen[name] = at
	return !twice
}

// columnName reports a name that a column cannot have. A name inside of a list
// or map is also a word of the type language.
func (d *decoder) columnName(name string, at hcl.Range, inner bool) bool {
	detail := ""
	switch {
	case name == "":
		detail = "It is empty."
	case strings.Contains(name, "."):
		detail = "A dot leads into a record."
	case inner && !wordForm.MatchString(name):
		detail = "Inside of a list or a map, the names of fields have letters, digits and underscores only."
	default:
		return true
	}
	d.fail(diag.CodeBadName, at, fmt.Sprintf("%s: %q cannot be the name of a field", d.owner, name), detail, "")
	return false
}

// locatePart notes where a part of the type in hand stands. Of several parts of
// one name, none is noted.
func (d *decoder) locatePart(part string, expr hcl.Expression) {
	path := d.typePath + "." + part
	l := Located{Value: d.rng(expr.Range())}
	if _, twice := d.located[path]; twice {
		l = d.located[d.typePath]
	}
	d.located[path] = l
}

// schemaDecl is a schema block. A nil schema had an error.
type schemaDecl struct {
	schema *gpflow.Schema
	at     diag.Range
	places map[string]Located // of its columns and their layouts: ".at", ".at.layout"
}

// readSchemas decodes the schema blocks.
func (b *builder) readSchemas() {
	for _, blk := range b.schemaBlocks {
		name := blk.Labels[0]
		decl := &schemaDecl{at: b.rng(blk.DefRange)}
		b.checkName(name, blk.LabelRanges[0], "schema", blockSchema)
		if first, twice := b.schemas[name]; twice {
			b.twice("schema", name, decl.at, first.at)
			continue
		}
		b.schemas[name] = decl
		d := b.decoder(blk, "schema."+name)
		if cols, ok := d.columns(blk); ok {
			decl.schema = gpflow.NewSchema(cols...)
		}
		for path, l := range d.located {
			l.Block = decl.at
			d.located[path] = l
		}
		decl.places = d.located
	}
}

// twice reports a second declaration of one name.
func (b *builder) twice(what, name string, at, first diag.Range) {
	b.report(diag.Diagnostic{
		Code: diag.CodeSameName, Range: at, Summary: fmt.Sprintf("there are two %ss called %q", what, name),
		Fix: "Rename one of them.", Related: []diag.Related{{Message: "the other one", Range: first}},
	})
}

// columns decodes the body of a schema block: an attribute for each column.
func (d *decoder) columns(blk block) ([]gpflow.Column, bool) {
	items, ok := d.syntax.Outline(blk.Body), true
	schema := &hcl.BodySchema{}
	seen := make(map[string]hcl.Range)
	for _, it := range items {
		if first, twice := seen[it.Name]; twice && it.Attribute {
			ok = false
			d.attributeTwice(it, first)
			continue
		}
		if it.Attribute {
			seen[it.Name] = it.Range
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: it.Name})
			continue
		}
		ok = false
		d.fail(diag.CodeBlockForm, it.Range, fmt.Sprintf("%s: a field is not written as a block", d.owner), "",
			asAttribute(d.syntax, it.Name, "{ ... }"))
	}
	content, _, _ := blk.Body.PartialContent(schema)
	attrs := make([]*hcl.Attribute, 0, len(items))
	for _, a := range content.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(x, y *hcl.Attribute) int { return x.NameRange.Start.Byte - y.NameRange.Start.Byte })
	cols := make([]gpflow.Column, 0, len(attrs))
	for _, a := range attrs {
		d.typePath = "." + a.Name
		d.located[d.typePath] = Located{Name: d.rng(a.NameRange), Value: d.rng(a.Expr.Range())}
		t, good := d.typ(a.Expr, false)
		ok = ok && good && d.columnName(a.Name, a.NameRange, false)
		cols = append(cols, gpflow.Column{Name: a.Name, Type: t})
	}
	if ok && len(cols) == 0 {
		d.badType(blk.DefRange, "there are no fields", "For example: "+d.syntax.Attribute("user", "string"))
		ok = false
	}
	return cols, ok
}

// schemaValue decodes a field that takes a schema: a reference, or an object.
func (d *decoder) schemaValue(f gpflow.Field, expr hcl.Expression, path string) (any, bool) {
	if pairs, ds := hcl.ExprMap(expr); !ds.HasErrors() {
		d.typePath = path
		t, ok := d.record(expr, pairs, false)
		if !ok {
			return nil, false
		}
		return gpflow.NewSchema(t.Fields...), true
	}
	parts, ok := address(expr)
	if !ok || len(parts) != 2 || parts[0] != blockSchema {
		d.fail(diag.CodeValueType, expr.Range(), fmt.Sprintf("%s: %q takes a schema", d.owner, f.Name), "",
			fmt.Sprintf("Write the name of a schema block, %s, or the fields: %s", d.syntax.Attribute(f.Name, "schema.orders"), d.syntax.Attribute(f.Name, "{ user = string, at = timestamp }")))
		return nil, false
	}
	decl, known := d.schemas[parts[1]]
	switch {
	case known && decl.schema != nil:
		l := d.located[path]
		l.parts = decl.places
		d.located[path] = l
		return decl.schema, true
	case known || d.isLost(blockSchema, parts[1]):
		d.bad = true
		return nil, false
	}
	d.fail(diag.CodeUnknownSchema, expr.Range(), fmt.Sprintf("%s: there is no schema %q", d.owner, parts[1]), "", "")
	d.diags[len(d.diags)-1].Later = func(out *diag.Diagnostic) {
		out.Fix = fix(diag.Suggest(parts[1], slices.Sorted(maps.Keys(d.schemas))), "Did you mean schema.%s?")
		if out.Fix == "" {
			out.Fix = "Declare it: " + d.syntax.Block(blockSchema, parts[1])
		}
	}
	return nil, false
}
