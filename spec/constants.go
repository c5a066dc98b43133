package spec

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow"
)

// constants makes typed constants of the variables and locals whose values are
// known.
func (b *builder) constants() {
	for _, v := range b.vars {
		b.declared("var."+v.name, v.val, v.typ)
	}
	for _, l := range b.localDecls {
		b.declared("local."+l.name, b.scope.locals[l.name], nil)
	}
}

// declared adds what can be referred to by a name. A value that is not wholly
// known has become wholly unknown.
func (b *builder) declared(name string, v cty.Value, t *varType) {
	if v == cty.NilVal || !v.IsKnown() {
		b.p.Unknown[name] = true
		return
	}
	b.constant(name, v, t)
}

// constant adds the constant of the given name, or those of the members where
// it is an object. The value is known.
func (b *builder) constant(name string, v cty.Value, t *varType) {
	if v.Type().IsObjectType() && !v.IsNull() {
		for member := range v.Type().AttributeTypes() {
			full := name + "." + member
			b.p.ConstantRanges[full] = b.p.ConstantRanges[name]
			b.constant(full, v.GetAttr(member), t.member(member))
		}
		return
	}
	c := toConstant(v, t)
	b.p.Constants[name] = c
}

// member returns the type of an object's attribute.
func (t *varType) member(name string) *varType {
	if t == nil {
		return nil
	}
	for i, n := range t.names {
		if n == name {
			return t.attrs[i]
		}
	}
	return t.elem
}

// toConstant converts a known value. A number is an int if it is whole and not
// declared as float.
func toConstant(v cty.Value, t *varType) gpflow.Constant {
	if v.IsNull() {
		return gpflow.Constant{Type: t.constantType().Opt(), Value: gpflow.Null}
	}
	vt := v.Type()
	switch {
	case vt == cty.String:
		return gpflow.Constant{Type: gpflow.T(gpflow.KindString), Value: gpflow.String(v.AsString())}
	case vt == cty.Bool:
		return gpflow.Constant{Type: gpflow.T(gpflow.KindBool), Value: gpflow.Bool(v.True())}
	case vt == cty.Number:
		x := v.AsBigFloat()
		if i, ok := wholeNumber(x); ok && (t == nil || t.kind != "float") {
			return gpflow.Constant{Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(i)}
		}
		f, _ := x.Float64()
		return gpflow.Constant{Type: gpflow.T(gpflow.KindFloat), Value: gpflow.Float(f)}
	case vt.IsObjectType(), vt.IsMapType():
		var keys []string
		var vals []gpflow.Constant
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			keys = append(keys, k.AsString())
			vals = append(vals, toConstant(e, t.member(k.AsString())))
		}
		elem := unify(vals, t)
		entries := make([]gpflow.Entry, len(vals))
		for i := range vals {
			entries[i] = gpflow.Entry{Key: keys[i], Value: vals[i].Value}
		}
		return gpflow.Constant{Type: gpflow.MapOf(elem), Value: gpflow.Map(entries)}
	}
	var vals []gpflow.Constant
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		vals = append(vals, toConstant(e, t.member("")))
	}
	elem := unify(vals, t)
	list := make([]gpflow.Value, len(vals))
	for i := range vals {
		list[i] = vals[i].Value
	}
	return gpflow.Constant{Type: gpflow.ListOf(elem), Value: gpflow.List(list)}
}

// unify returns the one type of the elements of a list or map of type t, and
// converts the elements to it: ints among floats are floats, and elements that
// have nothing in common are any.
func unify(vals []gpflow.Constant, t *varType) gpflow.Type {
	if len(vals) == 0 {
		return t.member("").constantType()
	}
	out := gpflow.Type{}
	optional, set := false, false
	for _, c := range vals {
		optional = optional || c.Type.Optional
		switch ct := c.Type.NonNull(); {
		case c.Value.IsNull():
		case !set:
			out, set = ct, true
		case out.Equal(ct):
		case out.IsNumber() && ct.IsNumber():
			out = gpflow.T(gpflow.KindFloat)
		default:
			out = gpflow.T(gpflow.KindAny)
		}
	}
	if !set {
		out = t.member("").constantType()
	}
	if out.Kind == gpflow.KindFloat {
		for i, c := range vals {
			if c.Type.Kind == gpflow.KindInt && !c.Value.IsNull() {
				vals[i].Value = gpflow.Float(float64(c.Value.Int()))
			}
		}
	}
	out.Optional = optional
	return out
}

// constantType returns the type of constants of a declared type.
func (t *varType) constantType() gpflow.Type {
	if t == nil {
		return gpflow.T(gpflow.KindAny)
	}
	switch t.kind {
	case "string":
		return gpflow.T(gpflow.KindString)
	case "bool":
		return gpflow.T(gpflow.KindBool)
	case "int":
		return gpflow.T(gpflow.KindInt)
	case "number", "float":
		return gpflow.T(gpflow.KindFloat)
	case "list":
		return gpflow.ListOf(t.elem.constantType())
	case "map":
		return gpflow.MapOf(t.elem.constantType())
	}
	return gpflow.T(gpflow.KindAny)
}
