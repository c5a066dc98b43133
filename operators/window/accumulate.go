package window

import (
	"cmp"
	"fmt"

	"github.com/gpflow/gpflow"
)

// op is an aggregate function for one kind of argument.
type op uint8

const (
	opCount    op = iota // of records
	opCountOf            // of values that are not null
	opSumInt             // checked
	opSumFloat           //
	opSumSpan            // of durations, checked
	opAvgInt             // sum, count
	opAvgFloat           // sum, count
	opAvgSpan            // sum, count
	opMinBits            // of int, bool, timestamp, duration
	opMaxBits            //
	opMinFloat           //
	opMaxFloat           //
	opMin                // of the rest
	opMax                //
	opFirst              // value, time, split, position
	opLast               // likewise
)

// opOf returns the op of a function for arguments of type t.
func opOf(function string, hasArg bool, t gpflow.Type) (op, error) {
	number := map[gpflow.Kind]op{gpflow.KindInt: opSumInt, gpflow.KindFloat: opSumFloat, gpflow.KindDuration: opSumSpan}
	switch function {
	case "count":
		if hasArg {
			return opCountOf, nil
		}
		return opCount, nil
	case "sum":
		if o, ok := number[t.Kind]; ok {
			return o, nil
		}
	case "avg":
		if o, ok := number[t.Kind]; ok {
			return o - opSumInt + opAvgInt, nil
		}
	case "min", "max":
		return extreme(function, t), nil
	case "first":
		return opFirst, nil
	case "last":
		return opLast, nil
	}
	return 0, fmt.Errorf("%s does not take a value of type %s", function, t)
}

func extreme(function string, t gpflow.Type) op {
	o := opMin
	switch t.Kind {
	case gpflow.KindInt, gpflow.KindBool, gpflow.KindTimestamp, gpflow.KindDuration:
		o = opMinBits
	case gpflow.KindFloat:
		o = opMinFloat
	}
	if function == "max" {
		o++
	}
	return o
}

// columns returns the accumulator's columns of state, for a call of the given
// text with an argument of type t. Null is a value that has not come yet.
func (o op) columns(text string, t gpflow.Type) []gpflow.Column {
	integer := gpflow.T(gpflow.KindInt).Opt()
	t = t.Opt()
	switch o {
	case opCount, opCountOf:
		return []gpflow.Column{{Name: text, Type: integer}}
	case opAvgInt, opAvgFloat, opAvgSpan:
		return []gpflow.Column{{Name: text + ".sum", Type: t}, {Name: text + ".count", Type: integer}}
	case opFirst, opLast:
		return []gpflow.Column{
			{Name: text, Type: t},
			{Name: text + ".time", Type: gpflow.T(gpflow.KindTimestamp).Opt()},
			{Name: text + ".split", Type: gpflow.T(gpflow.KindString).Opt()},
			{Name: text + ".position", Type: integer},
		}
	}
	return []gpflow.Column{{Name: text, Type: t}}
}

// overflows reports whether adding v to the accumulator acc would overflow.
func (o op) overflows(acc []gpflow.Value, v gpflow.Value) bool {
	switch o {
	case opSumInt, opSumSpan, opAvgInt, opAvgSpan:
		a, b := acc[0].Int(), v.Int() // 0 where null
		s := a + b
		return (s > a) != (b > 0)
	}
	return false
}

// place is a row of the input. Records are ordered by event time, split and
// position, so that a replay in another order finds the same first and last;
// those that an operator made have no position, and go by their arrival.
type place struct {
	in  gpflow.Rows
	row int
}

// before reports whether r comes before the record that acc, of opFirst or
// opLast, has kept.
func (r place) before(acc []gpflow.Value) bool {
	if c := cmp.Compare(r.in.Times[r.row], acc[1].Time()); c != 0 {
		return c < 0
	}
	split, pos, _, _ := r.in.Position(r.row)
	if c := cmp.Compare(split, acc[2].Str()); c != 0 {
		return c < 0
	}
	return pos < acc[3].Int()
}

// keep makes acc, of opFirst or opLast, that of r with value v.
func (r place) keep(acc []gpflow.Value, v gpflow.Value) {
	split, pos, _, _ := r.in.Position(r.row)
	acc[0], acc[1] = keep(acc[0], v), gpflow.Time(r.in.Times[r.row])
	acc[2], acc[3] = keep(acc[2], gpflow.String(split)), gpflow.Int(pos)
}

// add adds v, the value of the argument of r, to the accumulator acc, which is
// nulls at first. overflows has been asked.
func (o op) add(acc []gpflow.Value, v gpflow.Value, r place) {
	if o == opCount {
		acc[0] = gpflow.Int(acc[0].Int() + 1)
		return
	}
	if v.IsNull() {
		return
	}
	switch o {
	case opCountOf:
		acc[0] = gpflow.Int(acc[0].Int() + 1)
	case opSumInt:
		acc[0] = gpflow.Int(acc[0].Int() + v.Int())
	case opSumFloat:
		acc[0] = gpflow.Float(acc[0].Float() + v.Float())
	case opSumSpan:
		acc[0] = gpflow.Span(acc[0].Span() + v.Span())
	case opAvgInt:
		acc[0], acc[1] = gpflow.Int(acc[0].Int()+v.Int()), gpflow.Int(acc[1].Int()+1)
	case opAvgFloat:
		acc[0], acc[1] = gpflow.Float(acc[0].Float()+v.Float()), gpflow.Int(acc[1].Int()+1)
	case opAvgSpan:
		acc[0], acc[1] = gpflow.Span(acc[0].Span()+v.Span()), gpflow.Int(acc[1].Int()+1)
	case opFirst:
		if acc[1].IsNull() || r.before(acc) {
			r.keep(acc, v)
		}
	case opLast:
		if acc[1].IsNull() || !r.before(acc) {
			r.keep(acc, v)
		}
	default:
		if acc[0].IsNull() || o.beats(v, acc[0]) {
			acc[0] = v.Clone()
		}
	}
}

// beats reports whether a minimum or maximum of old becomes v.
func (o op) beats(v, old gpflow.Value) bool {
	switch o {
	case opMinBits:
		return v.Int() < old.Int()
	case opMaxBits:
		return v.Int() > old.Int()
	case opMinFloat:
		return cmp.Less(v.Float(), old.Float())
	case opMaxFloat:
		return cmp.Less(old.Float(), v.Float())
	case opMin:
		return gpflow.Compare(v, old) < 0
	}
	return gpflow.Compare(v, old) > 0
}

// keep returns v in memory of its own, which is old's where they have the same
// text.
func keep(old, v gpflow.Value) gpflow.Value {
	if k := v.Kind(); (k == gpflow.KindString || k == gpflow.KindBytes) && gpflow.Equal(old, v) {
		return old
	}
	return v.Clone()
}

// result returns what the call gives for the accumulator.
func (o op) result(acc []gpflow.Value) gpflow.Value {
	switch o {
	case opCount, opCountOf:
		return gpflow.Int(acc[0].Int())
	case opAvgInt, opAvgFloat, opAvgSpan:
		n := acc[1].Int()
		if n == 0 {
			return gpflow.Null
		}
		switch o {
		case opAvgInt:
			return gpflow.Float(float64(acc[0].Int()) / float64(n))
		case opAvgFloat:
			return gpflow.Float(acc[0].Float() / float64(n))
		}
		return gpflow.Span(acc[0].Span() / gpflow.Duration(n))
	}
	return acc[0]
}
