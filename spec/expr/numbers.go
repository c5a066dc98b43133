package expr

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/gpflow/gpflow"
)

// rounding makes a function from numbers to floats.
func rounding(f func(float64) float64) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
		return gpflow.Float(f(number(args[0]))), nil
	}
}

// extreme returns the type of min and max.
func extreme(args []*node) gpflow.Type {
	if len(args) == 1 && args[0].typ.Kind == gpflow.KindList {
		return args[0].typ.Elem.Opt()
	}
	t := args[0].typ
	for _, a := range args[1:] {
		var ok bool
		if t, ok = unify(t, a.typ); !ok {
			return gpflow.T(gpflow.KindNull)
		}
	}
	return t
}

var numberFunctions = []*function{
	{name: "int", params: []kinds{aNumber | aString}, result: is(tInt), eval: toInt, example: "int(s)"},
	{name: "float", params: []kinds{aNumber | aString}, result: is(tFloat), eval: convertFloat, example: "float(s)"},
	{
		name: "abs", params: []kinds{aNumber | aDuration}, result: same, example: "abs(x)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			if v := args[0]; v.Kind() == gpflow.KindFloat {
				return gpflow.Float(math.Abs(v.Float())), nil
			} else if v.Int() >= 0 {
				return v, nil
			}
			return negate(args[0])
		},
	},
	{name: "ceil", params: []kinds{aNumber}, result: is(tFloat), eval: rounding(math.Ceil), example: "ceil(x)"},
	{name: "floor", params: []kinds{aNumber}, result: is(tFloat), eval: rounding(math.Floor), example: "floor(x)"},
	{name: "round", params: []kinds{aNumber}, result: is(tFloat), eval: rounding(math.Round), example: "round(x)"},
	{
		name: "min", params: []kinds{anOrdered | aList, anOrdered}, optional: 1, variadic: true, result: extreme, example: "min(a, b)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return pick(fr, "<", args) },
	},
	{
		name: "max", params: []kinds{anOrdered | aList, anOrdered}, optional: 1, variadic: true, result: extreme, example: "max(a, b)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return pick(fr, ">", args) },
	},
	{
		name: "hash", params: []kinds{aKey}, nullable: true, result: is(tInt), example: "hash(user)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return gpflow.Int(hash(fr, args[0])), nil },
	},
	{
		name: "random", params: []kinds{aKey}, result: is(tFloat), example: "random(i)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Float(float64(hash(fr, args[0])>>10) / (1 << 53)), nil
		},
	},
	{
		name: "type", params: []kinds{anything}, nullable: true, result: is(tString), example: "type(x)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.String(args[0].Kind().String()), nil
		},
	},
}

// hash returns the hash of the value as a key, not negative.
func hash(fr *frame, v gpflow.Value) int64 {
	fr.scratch = gpflow.AppendKey(fr.scratch[:0], v)
	return int64(gpflow.HashKey(fr.scratch) &^ (1 << 63))
}

// toInt computes int(x): a float without its fraction, or the int that a text
// says.
func toInt(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	v := args[0]
	switch v.Kind() {
	case gpflow.KindInt:
		return v, nil
	case gpflow.KindFloat:
		i, ok := truncate(v.Float())
		if !ok {
			return gpflow.Null, fmt.Errorf("%s is not an int", appendFloat(nil, v.Float()))
		}
		return gpflow.Int(i), nil
	}
	i, err := strconv.ParseInt(v.Str(), 10, 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return gpflow.Null, errOverflow
		}
		return gpflow.Null, fmt.Errorf("%s is not an int", quoted(v.Str()))
	}
	return gpflow.Int(i), nil
}

// convertFloat computes float(x).
func convertFloat(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	v := args[0]
	if v.Kind() != gpflow.KindString {
		return gpflow.Float(number(v)), nil
	}
	f, err := strconv.ParseFloat(v.Str(), 64)
	if err != nil {
		return gpflow.Null, fmt.Errorf("%s is not a float", quoted(v.Str()))
	}
	return gpflow.Float(f), nil
}

// pick returns the least or greatest of the arguments, or of the list that is
// the only one. An empty list has none: null. NaN is picked only if it is
// first.
func pick(fr *frame, op string, args []gpflow.Value) (gpflow.Value, error) {
	if len(args) == 1 && args[0].Kind() == gpflow.KindList {
		args = args[0].List()
	}
	if err := fr.step(len(args)); err != nil || len(args) == 0 {
		return gpflow.Null, err
	}
	best, float := args[0], false
	for _, v := range args {
		if !anOrdered.has(v.Kind()) {
			return gpflow.Null, fmt.Errorf("%s has no order", v.Kind())
		}
		float = float || v.Kind() == gpflow.KindFloat
		less, err := compare(fr, op, v, best)
		if err != nil {
			return gpflow.Null, err
		}
		if less {
			best = v
		}
	}
	if float {
		best = gpflow.Float(number(best))
	}
	return best, nil
}

// sumList returns the sum of a list, int 0 of an empty one.
func sumList(fr *frame, list []gpflow.Value) (gpflow.Value, error) {
	if err := fr.step(len(list)); err != nil {
		return gpflow.Null, err
	}
	sum := gpflow.Int(0)
	for i, v := range list {
		var err error
		if k := v.Kind(); k != gpflow.KindInt && k != gpflow.KindFloat && k != gpflow.KindDuration {
			return gpflow.Null, fmt.Errorf("%s cannot be summed", k)
		}
		if i == 0 {
			sum = v
			continue
		}
		if sum, err = arith(fr, "+", sum, v); err != nil {
			return gpflow.Null, err
		}
	}
	return sum, nil
}
