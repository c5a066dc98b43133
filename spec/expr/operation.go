package expr

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
)

// operation returns what n computes from the values of its kids, for the
// machine.
func operation(n *node) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	switch n.op {
	case opNeg:
		return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) { return negate(args[0]) }
	case opArith:
		return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			return arith(fr, n.name, args[0], args[1])
		}
	case opCompare:
		return truthOf(func(fr *frame, args []gpflow.Value) (bool, error) { return compare(fr, n.name, args[0], args[1]) })
	case opIn:
		return truthOf(func(fr *frame, args []gpflow.Value) (bool, error) { return contains(fr, args[0], args[1]) })
	case opInRange:
		return truthOf(func(_ *frame, args []gpflow.Value) (bool, error) {
			switch v := args[0]; v.Kind() {
			case gpflow.KindInt:
				return v.Int() >= n.lo && v.Int() <= n.hi, nil
			case gpflow.KindFloat:
				return inRange(v.Float(), n.lo, n.hi), nil
			}
			return false, fmt.Errorf("%s is not in a range of ints", args[0].Kind())
		})
	case opMatch:
		return truthOf(matcher(n))
	case opMember:
		return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			if n.optional && args[0].IsNull() {
				return gpflow.Null, nil
			}
			return member(args[0], args[1])
		}
	case opMap:
		return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			out := make([]gpflow.Entry, 0, len(args)/2)
			for i := 0; i < len(args); i += 2 {
				out = append(out, gpflow.Entry{Key: args[i].Str(), Value: args[i+1]})
			}
			return gpflow.Map(out), nil
		}
	case opLoop: // sortBy, of the list and its keys
		return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			out, err := sortBy(fr, args[0].List(), args[1].List(), descending(n))
			return gpflow.List(out), err
		}
	case opFloat:
		return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) { return coerce(args[0], tFloat), nil }
	}
	return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return n.fn.invoke(fr, n.typ, args) }
}

func truthOf(f func(*frame, []gpflow.Value) (bool, error)) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
		b, err := f(fr, args)
		return gpflow.Bool(b), err
	}
}

// perMatch is how many bytes of a text times instructions of a regular
// expression make a step.
const perMatch = 16

// matcher returns what a contains b and the like compute. Regular expressions
// take more steps than the rest.
func matcher(n *node) func(*frame, []gpflow.Value) (bool, error) {
	match, cost := strings.Contains, 0
	switch n.name {
	case "startsWith":
		match = strings.HasPrefix
	case "endsWith":
		match = strings.HasSuffix
	case "matches":
		cost = n.re.cost
		match = func(s, _ string) bool { return n.re.match(s) }
	}
	return func(fr *frame, args []gpflow.Value) (bool, error) {
		for _, a := range args {
			if a.Kind() != gpflow.KindString {
				return false, fmt.Errorf("%s takes strings, not %s", n.name, a.Kind())
			}
		}
		if err := fr.step(len(args[0].Str()) * cost / perMatch); err != nil {
			return false, err
		}
		return match(args[0].Str(), args[1].Str()), nil
	}
}
