package spec

import (
	"math"
	"math/big"
	"strconv"

	"github.com/zclconf/go-cty/cty"
)

// shortText returns the shortest decimal text that x is read from, as
// x.Text('f', -1) does. That takes the long way round for each number, as
// numbers of specifications have 512 bits; most of them are whole, or decimals
// that a float64 has the digits of. ok is false for others, and below 64 bits,
// where several texts can be as short.
func shortText(x *big.Float) (s string, ok bool) {
	if x.IsInf() || x.Sign() == 0 && x.Signbit() {
		return "", false
	}
	if i, acc := x.Int64(); acc == big.Exact && x.Prec() >= 64 {
		return strconv.FormatInt(i, 10), true
	}
	f, _ := x.Float64()
	if x.Prec() < 64 || f == 0 || math.IsInf(f, 0) {
		return "", false
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	y, _, err := big.ParseFloat(s, 10, x.Prec(), x.Mode())
	return s, err == nil && y.Cmp(x) == 0
}

// huge reports whether x is larger, or closer to zero, than numbers of values may
// be. What is done with such a number, or with its text, may take for ever.
func huge(x *big.Float) bool {
	e := x.MantExp(nil)
	return e > maxExponent || e < -maxExponent
}

// numberWords returns x for messages.
func numberWords(x *big.Float) string {
	if huge(x) {
		return "that is too large, or too close to zero, to be written"
	}
	return shortened(x.Text('f', -1))
}

// longText is how many steps the text of a number takes that has no short one.
// Those close to zero take the most.
func longText(x *big.Float) int {
	e, bits := x.MantExp(nil), int(x.Prec())
	n := 10 + bits*bits/1300
	if e < 0 {
		return n + e*e/3000
	}
	return n + e/16
}

// text returns a number as text. It pays for the text, and gives nothing where
// that is too much.
func (m *meter) text(v cty.Value) (string, bool) {
	x := v.AsBigFloat()
	s, ok := shortText(x)
	if !ok {
		if !x.IsInf() && !m.pay(weight{elements: longText(x)}) {
			return "", false
		}
		s = x.Text('f', -1)
	}
	return s, m.pay(weight{elements: 1, text: len(s)})
}

// light returns v with numbers that give the same text, and give it soon: what
// is called with it makes text of them. It pays for those that do not. Where
// whole is true, only whole numbers may be others than before.
func (m *meter) light(v cty.Value, whole bool) cty.Value {
	if v.IsMarked() || v.IsNull() || !v.IsKnown() || m.over != "" {
		return v
	}
	switch t := v.Type(); {
	case t == cty.Number:
		return m.lightNumber(v, whole)
	case t.IsTupleType() && v.LengthInt() > 0:
		return cty.TupleVal(m.lightAll(v, whole))
	case t.IsListType() && v.LengthInt() > 0 && t.ElementType() != cty.String:
		return cty.ListVal(m.lightAll(v, whole))
	case t.IsObjectType() && v.LengthInt() > 0:
		return cty.ObjectVal(m.lightMembers(v, whole))
	case t.IsMapType() && v.LengthInt() > 0 && t.ElementType() != cty.String:
		return cty.MapVal(m.lightMembers(v, whole))
	}
	return v
}

func (m *meter) lightAll(v cty.Value, whole bool) []cty.Value {
	out := v.AsValueSlice()
	for i, e := range out {
		out[i] = m.light(e, whole)
	}
	return out
}

func (m *meter) lightMembers(v cty.Value, whole bool) map[string]cty.Value {
	out := v.AsValueMap()
	for k, e := range out {
		out[k] = m.light(e, whole)
	}
	return out
}

func (m *meter) lightNumber(v cty.Value, whole bool) cty.Value {
	x := v.AsBigFloat()
	if x.IsInf() {
		return v
	}
	if i, acc := x.Int64(); acc == big.Exact && x.Prec() >= 64 && (i != 0 || !x.Signbit()) {
		m.pay(weight{elements: 10}) // it still takes a microsecond
		return cty.NumberIntVal(i)
	}
	if s, ok := shortText(x); ok && !whole {
		if y, _, err := big.ParseFloat(s, 10, 64, x.Mode()); err == nil {
			m.pay(weight{elements: 10})
			return cty.NumberVal(y)
		}
	}
	m.pay(weight{elements: longText(x)})
	return v
}
