package spec

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// errZero is the failure of a division by zero, which as such gives an infinite
// number, and a remainder that is the number itself.
var errZero = errors.New("division by zero")

// errHuge is what is wrong with numbers that are larger, or closer to zero, than
// those of values.
var errHuge = errors.New("a number of it is too large, or too close to zero")

// operations are the operators of values that are stricter than those of the
// language that they come from.
var operations = map[*hclsyntax.Operation]*hclsyntax.Operation{
	hclsyntax.OpDivide:     {Impl: divided(hclsyntax.OpDivide.Impl), Type: cty.Number},
	hclsyntax.OpModulo:     {Impl: divided(hclsyntax.OpModulo.Impl), Type: cty.Number},
	hclsyntax.OpLogicalAnd: {Impl: hclsyntax.OpLogicalAnd.Impl, Type: cty.Bool, ShortCircuit: notNull(hclsyntax.OpLogicalAnd)},
	hclsyntax.OpLogicalOr:  {Impl: hclsyntax.OpLogicalOr.Impl, Type: cty.Bool, ShortCircuit: notNull(hclsyntax.OpLogicalOr)},
}

// operation returns what o does for values.
func operation(o *hclsyntax.Operation) *hclsyntax.Operation {
	if strict, ok := operations[o]; ok {
		return strict
	}
	return o
}

// divided returns f, which refuses a divisor that is zero.
func divided(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), Type: function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if isNumber(args[1]) && args[1].AsBigFloat().Sign() == 0 {
				return cty.DynamicVal, errZero
			}
			for _, a := range args { // text that was made a number is not measured yet
				if isNumber(a) && huge(a.AsBigFloat()) {
					return cty.DynamicVal, errHuge
				}
			}
			return f.Call(args)
		},
	})
}

// notNull returns how o is decided by one operand, which a null does not do: it
// is an error, unless the operand before it decides.
func notNull(o *hclsyntax.Operation) func(l, r cty.Value, ld, rd hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
	return func(l, r cty.Value, ld, rd hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
		decisive := cty.BoolVal(o == hclsyntax.OpLogicalOr)
		switch {
		case l.IsKnown() && !l.IsNull() && l.RawEquals(decisive):
			return l, ld
		case l.IsNull() || r.IsNull():
			return cty.NilVal, nil
		}
		return o.ShortCircuit(l, r, ld, rd)
	}
}
