package spec

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// convert returns v as a value of the type. A list or a map that is written out
// is converted part by part, as a search for the one type of all parts compares
// each with each; where there has to be a search, its steps are counted. The
// error is errOver where they are too many.
func (m *meter) convert(v cty.Value, want cty.Type) (cty.Value, error) {
	if out, ok := m.parts(v, want); ok {
		return out, nil
	}
	if m.over != "" {
		return cty.DynamicVal, errOver
	}
	if !want.IsPrimitiveType() && want != cty.DynamicPseudoType && !m.unify(v.Type()) {
		return cty.DynamicVal, errOver
	}
	return convert.Convert(v, want)
}

func isNumber(v cty.Value) bool {
	return !v.IsMarked() && v.IsKnown() && !v.IsNull() && v.Type() == cty.Number
}

// parts converts v part by part. ok is false where that is not possible.
func (m *meter) parts(v cty.Value, want cty.Type) (out cty.Value, ok bool) {
	switch t := v.Type(); {
	case !v.IsMarked() && v.IsNull() && want.IsPrimitiveType():
		return cty.NullVal(want), true
	case v.IsMarked() || v.IsNull() || !v.IsKnown():
		return v, false
	case want == cty.DynamicPseudoType || t.Equals(want):
		return v, true
	case want == cty.String && t == cty.Number:
		s, ok := m.text(v)
		return cty.StringVal(s), ok
	case want.IsPrimitiveType():
		out, err := convert.Convert(v, want)
		return out, err == nil
	case want.IsListType() && (t.IsTupleType() || t.IsListType()) && v.LengthInt() > 0:
		elems := v.AsValueSlice()
		for i, e := range elems {
			if elems[i], ok = m.parts(e, want.ElementType()); !ok {
				return v, false
			}
		}
		if !cty.CanListVal(elems) {
			return v, false
		}
		return cty.ListVal(elems), true
	case want.IsMapType() && (t.IsObjectType() || t.IsMapType()) && v.LengthInt() > 0:
		elems := v.AsValueMap()
		for k, e := range elems {
			if elems[k], ok = m.parts(e, want.ElementType()); !ok {
				return v, false
			}
		}
		if !cty.CanMapVal(elems) {
			return v, false
		}
		return cty.MapVal(elems), true
	}
	return v, false
}
