package expr

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/gpflow/gpflow"
)

// The failures of arithmetic.
var (
	errOverflow = errors.New("integer overflow")
	errDivide   = errors.New("divide by zero")
	errTime     = errors.New("timestamp or duration out of range")
)

// addInt returns a+b, and whether it is an int.
func addInt(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0) || b == 0
}

// subInt returns a-b, and whether it is an int.
func subInt(a, b int64) (int64, bool) {
	s := a - b
	return s, (s < a) == (b > 0) || b == 0
}

// mulInt returns a*b, and whether it is an int.
func mulInt(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	if uint64(a+1<<31) < 1<<32 && uint64(b+1<<31) < 1<<32 {
		return p, true
	}
	ua, ub := uint64(a), uint64(b)
	if a < 0 {
		ua = -ua
	}
	if b < 0 {
		ub = -ub
	}
	hi, lo := bits.Mul64(ua, ub)
	if (a < 0) != (b < 0) {
		return p, hi == 0 && lo <= 1<<63
	}
	return p, hi == 0 && lo < 1<<63
}

// truncate returns f as an int, without its fraction, and whether it is one.
func truncate(f float64) (int64, bool) {
	if f >= -(1<<63) && f < 1<<63 {
		return int64(f), true
	}
	return 0, false
}

func number(v gpflow.Value) float64 {
	if v.Kind() == gpflow.KindInt {
		return float64(v.Int())
	}
	return v.Float()
}

func isNumber(v gpflow.Value) bool {
	k := v.Kind()
	return k == gpflow.KindInt || k == gpflow.KindFloat
}

// arith computes a op b on values of any kinds. It is what the operators mean;
// the closures of known types are shortcuts for it.
func arith(fr *frame, op string, a, b gpflow.Value) (gpflow.Value, error) {
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == gpflow.KindInt && kb == gpflow.KindInt && op != "/" && op != "**":
		i, err := arithInt(op, a.Int(), b.Int())
		return gpflow.Int(i), err
	case isNumber(a) && isNumber(b) && op != "%":
		f, err := arithFloat(op, number(a), number(b))
		return gpflow.Float(f), err
	case ka == gpflow.KindString && kb == gpflow.KindString && op == "+":
		s, err := fr.concat(a.Str(), b.Str())
		return gpflow.String(s), err
	}
	if t, ok := arithType(op, ka, kb); ok && ka != gpflow.KindAny {
		return arithTime(op, t, a, b)
	}
	return gpflow.Null, fmt.Errorf("%s %s %s is not defined", ka, op, kb)
}

func arithInt(op string, a, b int64) (int64, error) {
	var r int64
	ok := true
	switch op {
	case "+":
		r, ok = addInt(a, b)
	case "-":
		r, ok = subInt(a, b)
	case "*":
		r, ok = mulInt(a, b)
	case "%":
		if b == 0 {
			return 0, errDivide
		}
		if b != -1 {
			r = a % b
		}
	}
	if !ok {
		return 0, errOverflow
	}
	return r, nil
}

func arithFloat(op string, a, b float64) (float64, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		if b == 0 {
			return 0, errDivide
		}
		return a / b, nil
	}
	return math.Pow(a, b), nil
}

// arithTime computes what has a timestamp or a duration in it, as t.
func arithTime(op string, t gpflow.Kind, a, b gpflow.Value) (gpflow.Value, error) {
	var r int64
	ok := true
	switch op {
	case "+":
		r, ok = addInt(a.Int(), b.Int())
	case "-":
		r, ok = subInt(a.Int(), b.Int())
	case "*":
		if b.Kind() == gpflow.KindDuration {
			a, b = b, a
		}
		if b.Kind() == gpflow.KindInt {
			r, ok = mulInt(a.Int(), b.Int())
		} else {
			r, ok = truncate(float64(a.Int()) * b.Float())
		}
	case "/":
		if b.Kind() == gpflow.KindDuration {
			if b.Int() == 0 {
				return gpflow.Null, errDivide
			}
			return gpflow.Float(float64(a.Int()) / float64(b.Int())), nil
		}
		if number(b) == 0 {
			return gpflow.Null, errDivide
		}
		if b.Kind() == gpflow.KindFloat {
			r, ok = truncate(float64(a.Int()) / b.Float())
		} else if b.Int() == -1 {
			r, ok = subInt(0, a.Int())
		} else {
			r = a.Int() / b.Int()
		}
	}
	if !ok {
		return gpflow.Null, errTime
	}
	if t == gpflow.KindTimestamp {
		return gpflow.Time(gpflow.Timestamp(r)), nil
	}
	return gpflow.Span(gpflow.Duration(r)), nil
}

// negate computes -v.
func negate(v gpflow.Value) (gpflow.Value, error) {
	switch v.Kind() {
	case gpflow.KindInt:
		if v.Int() == math.MinInt64 {
			return gpflow.Null, errOverflow
		}
		return gpflow.Int(-v.Int()), nil
	case gpflow.KindFloat:
		return gpflow.Float(-v.Float()), nil
	case gpflow.KindDuration:
		if v.Int() == math.MinInt64 {
			return gpflow.Null, errTime
		}
		return gpflow.Span(-v.Span()), nil
	}
	return gpflow.Null, fmt.Errorf("%s has no sign", v.Kind())
}

// equal computes a == b on values of any kinds: ints and floats as floats, NaN
// equal to nothing.
func equal(fr *frame, a, b gpflow.Value) bool {
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == gpflow.KindFloat && isNumber(b), kb == gpflow.KindFloat && isNumber(a):
		return number(a) == number(b)
	case ka != kb:
		return false
	case ka == gpflow.KindList:
		x, y := a.List(), b.List()
		if len(x) != len(y) {
			return false
		}
		fr.steps += len(x)
		for i := range x {
			if !equal(fr, x[i], y[i]) {
				return false
			}
		}
		return true
	case ka == gpflow.KindMap:
		x, y := a.Map(), b.Map()
		if len(x) != len(y) {
			return false
		}
		fr.steps += len(x)
		for i := range x {
			if x[i].Key != y[i].Key || !equal(fr, x[i].Value, y[i].Value) {
				return false
			}
		}
		return true
	}
	return gpflow.Equal(a, b)
}

// compare computes a op b on values of any kinds.
func compare(fr *frame, op string, a, b gpflow.Value) (bool, error) {
	switch op {
	case "==":
		return equal(fr, a, b), fr.step(0)
	case "!=":
		return !equal(fr, a, b), fr.step(0)
	}
	if isNumber(a) && isNumber(b) && (a.Kind() == gpflow.KindFloat || b.Kind() == gpflow.KindFloat) {
		return orderedOp(op, number(a), number(b)), nil
	}
	if a.Kind() != b.Kind() || !ordered(gpflow.T(a.Kind())) {
		return false, fmt.Errorf("%s and %s cannot be compared", a.Kind(), b.Kind())
	}
	return orderedOp(op, gpflow.Compare(a, b), 0), nil
}

func orderedOp[T int | float64](op string, a, b T) bool {
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// contains computes needle in list or map.
func contains(fr *frame, needle, in gpflow.Value) (bool, error) {
	switch in.Kind() {
	case gpflow.KindList:
		for _, e := range in.List() {
			if err := fr.step(1); err != nil {
				return false, err
			}
			if equal(fr, needle, e) {
				return true, nil
			}
		}
		return false, nil
	case gpflow.KindMap:
		if needle.Kind() != gpflow.KindString {
			return false, fmt.Errorf("a key of a map is a string, not %s", needle.Kind())
		}
		_, ok := find(in.Map(), needle.Str())
		return ok, nil
	}
	return false, fmt.Errorf("%s is not a list or a map", in.Kind())
}

// find returns the value of a key.
func find(es []gpflow.Entry, key string) (gpflow.Value, bool) {
	lo, hi := 0, len(es)
	for lo < hi {
		if mid := (lo + hi) / 2; es[mid].Key < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(es) && es[lo].Key == key {
		return es[lo].Value, true
	}
	return gpflow.Null, false
}

// member computes base[key]; null where a map has no such key.
func member(base, key gpflow.Value) (gpflow.Value, error) {
	switch base.Kind() {
	case gpflow.KindList:
		if key.Kind() != gpflow.KindInt {
			return gpflow.Null, fmt.Errorf("a position in a list is an int, not %s", key.Kind())
		}
		list, i := base.List(), key.Int()
		if i < 0 {
			i += int64(len(list))
		}
		if i < 0 || i >= int64(len(list)) {
			return gpflow.Null, fmt.Errorf("there is no element %d in a list of %d", key.Int(), len(list))
		}
		return list[i], nil
	case gpflow.KindMap:
		if key.Kind() != gpflow.KindString {
			return gpflow.Null, fmt.Errorf("a key of a map is a string, not %s", key.Kind())
		}
		v, _ := find(base.Map(), key.Str())
		return v, nil
	}
	return gpflow.Null, fmt.Errorf("%s has no elements", base.Kind())
}
