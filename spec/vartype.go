package spec

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec/diag"
)

// varType is the declared type of a variable. nil is a type that was not
// declared: any value.
type varType struct {
	kind   string   // string, bool, number, int, float, any, list, map or object
	elem   *varType // of list and map
	names  []string // of an object's attributes
	attrs  []*varType
	needed []bool // the attribute is not optional
}

func (t *varType) primitive() bool {
	switch t.kind {
	case "string", "bool", "number", "int", "float":
		return true
	}
	return false
}

// String returns the type in words for messages.
func (t *varType) String() string {
	switch {
	case t == nil:
		return "value"
	case t.kind == "int":
		return "whole number"
	case t.kind == "float":
		return "number"
	case t.kind == "bool":
		return "truth value (true or false)"
	case t.kind == "any":
		return "value"
	case t.elem != nil:
		return fmt.Sprintf("%s of %ss", t.kind, t.elem)
	}
	return t.kind
}

func (t *varType) cty() cty.Type {
	switch t.kind {
	case "string":
		return cty.String
	case "bool":
		return cty.Bool
	case "number", "int", "float":
		return cty.Number
	case "list":
		return cty.List(t.elem.cty())
	case "map":
		return cty.Map(t.elem.cty())
	case "object":
		types := make(map[string]cty.Type)
		var optional []string
		for i, n := range t.names {
			types[n] = t.attrs[i].cty()
			if !t.needed[i] {
				optional = append(optional, n)
			}
		}
		return cty.ObjectWithOptionalAttrs(types, optional)
	}
	return cty.DynamicPseudoType
}

// convert returns v as a value of the type, or why it is not one.
func (t *varType) convert(v cty.Value) (out cty.Value, why string) {
	if t == nil || v.IsNull() {
		return v, ""
	}
	m := &meter{}
	out, err := m.convert(v, t.cty())
	if errors.Is(err, errOver) {
		return v, "It has too many elements to find one type for them: declare that type."
	}
	if err != nil {
		why = "It is " + describe(v)
		if !t.primitive() {
			why += ": " + plainWords(err.Error())
		}
		return v, why + "."
	}
	if _, ok := m.measure(out); !ok { // text of a few bytes can be a number of millions
		return v, sentence(m.over)
	}
	if path, bad := t.fraction(out); bad != nil {
		if path != "" {
			return v, fmt.Sprintf("Its element %s is %s.", path, numberWords(bad))
		}
		return v, fmt.Sprintf("It is %s.", numberWords(bad))
	}
	return out, ""
}

// fraction returns a number in v that is not whole where the type asks for it,
// and where it stands.
func (t *varType) fraction(v cty.Value) (path string, bad *big.Float) {
	if v.IsNull() || !v.IsKnown() {
		return "", nil
	}
	switch t.kind {
	case "int":
		if _, ok := wholeNumber(v.AsBigFloat()); !ok {
			return "", v.AsBigFloat()
		}
	case "list", "map":
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			if p, bad := t.elem.fraction(e); bad != nil {
				return join(keyText(k), p), bad
			}
		}
	case "object":
		for i, n := range t.names {
			if p, bad := t.attrs[i].fraction(v.GetAttr(n)); bad != nil {
				return join(n, p), bad
			}
		}
	}
	return "", nil
}

func join(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "." + inner
}

func keyText(k cty.Value) string {
	if k.Type() == cty.Number {
		return numberWords(k.AsBigFloat())
	}
	return k.AsString()
}

// typeOfDefault is the type of a variable that declares none.
func typeOfDefault(v cty.Value) *varType {
	switch {
	case v.IsNull():
	case v.Type() == cty.String:
		return &varType{kind: "string"}
	case v.Type() == cty.Number:
		return &varType{kind: "number"}
	case v.Type() == cty.Bool:
		return &varType{kind: "bool"}
	}
	return &varType{kind: "any"}
}

var varTypeNames = []string{"string", "bool", "number", "int", "float", "any", "list", "map", "object", "optional"}

// varType decodes the declared type of a variable.
func (d *decoder) varType(expr hcl.Expression) (*varType, bool) {
	if pairs, ds := hcl.ExprMap(expr); !ds.HasErrors() {
		return d.objectType(pairs)
	}
	if call, ds := hcl.ExprCall(expr); !ds.HasErrors() {
		return d.varTypeCall(expr, call)
	}
	word := hcl.ExprAsKeyword(expr)
	t := &varType{kind: word}
	switch {
	case word == "any" || t.primitive():
		return t, true
	case word == "list" || word == "map":
		d.badType(expr.Range(), word+" needs to say of what", fmt.Sprintf("For example: %s(string)", word))
		return nil, false
	}
	hint := meantVarType(word)
	if text, _, ok := d.syntax.Literal(expr); ok && !d.syntax.Bare() {
		hint = "Write it without quotes: " + d.syntax.Attribute("type", strings.TrimSpace(text))
	}
	d.unknownVarType(expr.Range(), d.text(expr.Range()), hint)
	return nil, false
}

// meantVarType says which type is meant by a word.
func meantVarType(word string) string {
	if here := aliases[word]; slices.Contains(varTypeNames, here) {
		return fmt.Sprintf("It is called %s here.", here)
	}
	return didYouMean(diag.Suggest(word, varTypeNames))
}

func (d *decoder) unknownVarType(at hcl.Range, word, hint string) {
	d.fail(diag.CodeType, at, fmt.Sprintf("%s: there is no type %s for variables", d.owner, shortened(word)),
		"The types are string, number, int, float, bool, list(T), map(T), object({ name = T, other = optional(T) }) and any.", hint)
}

func (d *decoder) varTypeCall(expr hcl.Expression, call *hcl.StaticCall) (*varType, bool) {
	switch call.Name {
	case "list", "map", "object":
	default:
		d.unknownVarType(call.NameRange, call.Name, meantVarType(call.Name))
		return nil, false
	}
	if len(call.Arguments) != 1 {
		d.badType(expr.Range(), call.Name+" takes one thing in its parentheses", "")
		return nil, false
	}
	elem, ok := d.varType(call.Arguments[0])
	if !ok {
		return nil, false
	}
	if call.Name != "object" {
		return &varType{kind: call.Name, elem: elem}, true
	}
	if elem.kind != "object" {
		d.badType(expr.Range(), "object needs its attributes", "For example: object({ host = string })")
		return nil, false
	}
	return elem, true
}

func (d *decoder) objectType(pairs []hcl.KeyValuePair) (*varType, bool) {
	t, ok := &varType{kind: "object"}, true
	seen := make(map[string]hcl.Range)
	for _, p := range pairs {
		name := hcl.ExprAsKeyword(p.Key)
		if name == "" || !d.once(seen, name, p.Key.Range()) {
			if name == "" {
				d.badType(p.Key.Range(), "this is not the name of an attribute", "")
			}
			ok = false
			continue
		}
		value, needed := p.Value, true
		if call, ds := hcl.ExprCall(value); !ds.HasErrors() && call.Name == "optional" && len(call.Arguments) == 1 {
			value, needed = call.Arguments[0], false
		}
		at, good := d.varType(value)
		ok = ok && good
		t.names, t.attrs, t.needed = append(t.names, name), append(t.attrs, at), append(t.needed, needed)
	}
	return t, ok
}
