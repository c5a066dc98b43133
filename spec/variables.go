package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// variable is a declared variable and its value.
type variable struct {
	name        string
	typ         *varType // nil: not declared, or wrong
	at          diag.Range
	validations []*hcl.Block
	syntax      Syntax
	from        *Value // where the value came from; nil: the default
	val         cty.Value
}

// variableFields are the names and forms of a variable block's parts.
var variableFields = []gpflow.Field{
	{Name: "type", Example: "number"},
	{Name: "default"},
	{Name: "description", Kind: gpflow.FieldString},
	{Name: "validation", Kind: gpflow.FieldBlock, Many: true, Fields: validationFields},
}

var validationFields = []gpflow.Field{
	{Name: "condition", Required: true, Kind: gpflow.FieldBool, Example: "var.min > 0", Doc: "What must be true of the value."},
	{Name: "error_message", Required: true, Kind: gpflow.FieldString, Example: `"min must be more than 0"`, Doc: "What is said otherwise."},
}

// variables decodes the variable blocks and gives them their values.
func (b *builder) variables(values []Value) {
	declared := make(map[string]*variable)
	for _, text := range b.p.Sources {
		b.scope.meter.source += len(text)
	}
	for _, blk := range b.variableBlocks {
		v := &variable{name: blk.Labels[0], at: b.rng(blk.DefRange), syntax: blk.syntax, val: cty.DynamicVal}
		b.checkName(v.name, blk.LabelRanges[0], "variable", blockVariable)
		if first, twice := declared[v.name]; twice {
			b.twice("variable", v.name, v.at, first.at)
			continue
		}
		declared[v.name] = v
		b.vars = append(b.vars, v)
		b.p.ConstantRanges["var."+v.name] = v.at
		given := strongest(values, v.name)
		b.variable(v, blk, given)
	}
	for _, v := range b.vars {
		m := b.scope.meter
		m.over = ""
		if w, _ := m.measure(v.val); m.last.unknown || !b.keeps(w, v.at) {
			v.val = cty.DynamicVal
		}
		b.scope.setVar(v.name, v.val)
	}
	b.undeclared(values, slices.Sorted(maps.Keys(declared)))
}

// strongest returns the value that wins, or nil.
func strongest(values []Value, name string) *Value {
	var best *Value
	for i := range values {
		if v := &values[i]; v.Name == name && (best == nil || v.Origin >= best.Origin) {
			best = v
		}
	}
	return best
}

func (b *builder) variable(v *variable, blk block, given *Value) {
	d := b.decoder(blk, "variable."+v.name)
	c := d.content(blk.Body, variableFields, level{header: blk.DefRange})
	v.validations = c.blocks["validation"]
	typed := true
	if a := c.attrs["type"]; a != nil {
		v.typ, typed = d.varType(a.Expr)
	}
	if a := c.attrs["description"]; a != nil {
		d.plain(*field(variableFields, "description"), a.Expr)
	}
	def := c.attrs["default"]
	val := cty.NilVal
	if def != nil {
		if len(def.Expr.Variables()) > 0 {
			d.fail(diag.CodeEvaluate, def.Expr.Range(), fmt.Sprintf("the default of variable %q refers to another value", v.name),
				"A default stands for itself.", "What is computed of variables is a local.")
			return
		}
		raw, known := d.eval(def.Expr)
		if !known || !typed {
			return
		}
		var why string
		if val, why = v.typ.convert(raw); why != "" {
			d.fail(diag.CodeVariableValue, def.Expr.Range(), fmt.Sprintf("the default of variable %q is not %s", v.name, article(v.typ.String())), why, "")
			return
		}
	}
	switch {
	case given != nil && typed:
		if v.typ == nil && val != cty.NilVal {
			v.typ = typeOfDefault(val)
		}
		v.from = given
		v.val = b.given(v, given)
	case given == nil && val != cty.NilVal:
		v.val = val
	case given == nil && def == nil && !c.absent["default"]:
		d.fail(diag.CodeNoValue, blk.DefRange, fmt.Sprintf("the variable %q has no value", v.name), "It has no default, and none was given.",
			fmt.Sprintf("Give one: with --var %s=..., with a line %s = ... in a file for --var-file, or in the environment as GPFLOW_VAR_%s.", v.name, v.name, v.name))
	}
}

// given reads the value that was given to v. It is unknown if it is wrong.
func (b *builder) given(v *variable, from *Value) cty.Value {
	raw, why := from.Val, ""
	if raw == cty.NilVal {
		raw, why = v.typ.parse(from.Text)
	}
	if why == "" {
		var val cty.Value
		if val, why = v.typ.convert(raw); why == "" {
			return val
		}
	}
	at := from.Range
	related := []diag.Related{{Message: "declared here", Range: v.at}}
	if at.IsZero() {
		at, related = v.at, nil
	}
	b.report(diag.Diagnostic{
		Code: diag.CodeVariableValue, Range: at, Related: related,
		Summary: fmt.Sprintf("the value given to variable %q is not %s", v.name, article(v.typ.String())),
		Detail:  fmt.Sprintf("It was given by %s. %s", from.Where, why),
	})
	return cty.DynamicVal
}

// undeclared reports values for variables that do not exist. The environment
// is shared with others, and may hold more.
func (b *builder) undeclared(values []Value, names []string) {
	for _, v := range values {
		if slices.Contains(names, v.Name) || v.Origin == FromEnvironment || b.isLost(blockVariable, v.Name) {
			continue
		}
		d := diag.Diagnostic{
			Code: diag.CodeUnknownVariable, Range: v.Range,
			Summary: fmt.Sprintf("there is no variable %q", v.Name),
			Detail:  fmt.Sprintf("A value is given by %s.", v.Where),
			Fix:     didYouMean(diag.Suggest(v.Name, names)),
		}
		if v.Origin == FromFile {
			d.Severity = diag.Warning
		}
		if d.Fix == "" && len(names) > 0 {
			d.Fix = "The variables are " + listed(names, "and") + "."
		}
		b.report(d)
	}
}

// validations checks the values of variables by their validation blocks.
func (b *builder) validations() {
	for _, v := range b.vars {
		for _, blk := range v.validations {
			d := b.decoder(block{blk, v.syntax}, "variable."+v.name)
			at := level{header: blk.DefRange, name: "validation", parent: variableFields}
			c := d.content(blk.Body, validationFields, at)
			for _, f := range validationFields {
				if c.attrs[f.Name] == nil && !c.absent[f.Name] {
					d.missing(f, at)
				}
			}
			cond, msg := c.attrs["condition"], c.attrs["error_message"]
			if cond == nil || msg == nil {
				continue
			}
			if ok, good := d.plain(validationFields[0], cond.Expr); !good || ok.(bool) {
				continue
			}
			if text, good := d.plain(validationFields[1], msg.Expr); good {
				b.invalid(v, text.(string), cond.Expr.Range())
			}
		}
	}
}

func (b *builder) invalid(v *variable, message string, cond hcl.Range) {
	d := diag.Diagnostic{
		Code: diag.CodeValidation, Range: v.at, Summary: fmt.Sprintf("the value of variable %q is not allowed", v.name),
		Detail: message, Related: []diag.Related{{Message: "required here", Range: b.rng(cond)}},
	}
	if v.from != nil {
		d.Detail += fmt.Sprintf("\nThe value was given by %s.", v.from.Where)
		if !v.from.Range.IsZero() {
			d.Range = v.from.Range
		}
	}
	b.report(d)
}

// parse reads the text of a value that was given outside of any file, as the
// type asks.
func (t *varType) parse(text string) (v cty.Value, why string) {
	if t == nil || t.kind == "string" {
		return cty.StringVal(text), ""
	}
	tokens, _ := hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos)
	if _, deep := Nesting(tokens); deep {
		return cty.DynamicVal, "The text is nested too deeply."
	}
	expr, ds := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if !ds.HasErrors() {
		v, ds = Plain(expr)
	}
	if !ds.HasErrors() {
		return v, ""
	}
	if tells(ds) {
		return cty.DynamicVal, ds[0].Detail
	}
	if t.kind == "any" || t.primitive() {
		return cty.StringVal(text), ""
	}
	return cty.DynamicVal, fmt.Sprintf("The text %q cannot be read: %s", shortened(text), strings.TrimSpace(plainWords(ds[0].Detail)))
}
