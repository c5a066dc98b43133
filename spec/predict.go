package spec

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/gpflow/gpflow/spec/regex"
)

// errOver ends a call; what it is beyond, the meter says.
var errOver = errors.New("beyond a limit")

// within returns f, which is not called where its result would be beyond a
// limit.
func (m *meter) within(name string, f function.Function) function.Function {
	c := &call{m: m, f: f, name: name, predict: predictions[name], signature: signatures[name]}
	params := slices.Clone(f.Params())
	for i := range params {
		c.want, c.nulls = append(c.want, params[i].Type), append(c.nulls, params[i].AllowNull)
		params[i].Type, params[i].AllowNull, params[i].AllowDynamicType = cty.DynamicPseudoType, true, true
	}
	rest := f.VarParam()
	if rest != nil {
		p := *rest
		c.rest, c.nulls = p.Type, append(c.nulls, p.AllowNull)
		p.Type, p.AllowNull, p.AllowDynamicType, rest = cty.DynamicPseudoType, true, true, &p
	}
	switch name {
	case "tolist", "tomap":
		c.want[0] = cty.List(cty.DynamicPseudoType)
		c.keep = true
	case "setproduct":
		c.rest, c.keep = cty.List(cty.DynamicPseudoType), true
	}
	return function.New(&function.Spec{
		Description: f.Description(), Params: params, VarParam: rest,
		Type: func(args []cty.Value) (cty.Type, error) {
			var err error
			c.result, err = c.value(args)
			return c.result.Type(), err
		},
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return c.result, nil },
	})
}

// measured reports whether a conversion to t may take more than its result says:
// where the parts of a value need one type, or a number becomes text.
func measured(t cty.Type) bool {
	if t.IsCollectionType() {
		t = t.ElementType()
		return t == cty.DynamicPseudoType || t == cty.String
	}
	return t == cty.String
}

// call is a function that is called within limits.
type call struct {
	m         *meter
	f         function.Function
	name      string
	signature signature
	predict   func(*meter, []cty.Value) bool
	want      []cty.Type // the types of the arguments
	rest      cty.Type   // of those behind them
	nulls     []bool     // whether they may be null; the last of those behind them
	keep      bool       // what the function converts by itself is left to it
	result    cty.Value  // of the last call
}

// value calls the function. To tell the type of its result takes as much as to
// compute it, so that this is done once, for both.
func (c *call) value(args []cty.Value) (cty.Value, error) {
	args, err := c.args(args)
	if err != nil {
		return cty.DynamicVal, err
	}
	known := true
	for _, a := range args {
		w, ok := c.m.measure(a)
		if known = known && !c.m.last.unknown; !ok || !c.m.pay(weight{elements: product(perCall, w.elements)}) {
			return cty.DynamicVal, errOver
		}
	}
	if known && c.predict != nil && !c.predict(c.m, args) {
		return cty.DynamicVal, errOver
	}
	switch {
	case c.name == "length" && args[0].Type().IsObjectType():
		return cty.NumberIntVal(int64(args[0].LengthInt())), nil
	case c.name == "contains" && known && args[1].IsNull() && args[0].CanIterateElements():
		return cty.BoolVal(slices.ContainsFunc(args[0].AsValueSlice(), cty.Value.IsNull)), nil
	}
	v, err := c.f.Call(args)
	return v, c.explain(args, err)
}

// args brings arguments to the types of the function. A list whose elements
// have one type needs no search for it.
func (c *call) args(args []cty.Value) ([]cty.Value, error) {
	out := slices.Clone(args)
	for i, a := range args {
		want := c.rest
		if i < len(c.want) {
			want = c.want[i]
		}
		switch c.name {
		case "jsonencode", "tostring":
			out[i] = c.m.light(a, false)
		case "format", "formatlist":
			out[i] = c.m.light(a, true)
		}
		if c.m.over != "" {
			return nil, errOver
		}
		p := c.signature.at(i)
		switch {
		case !a.IsKnown() || a.IsNull() && c.nulls[min(i, len(c.nulls)-1)]:
			continue
		case a.IsNull():
			return nil, c.refuse(i, a)
		}
		if c.keep && measured(want) {
			if v, ok := c.m.parts(a, want); p.good != nil && !p.good(a) {
				return nil, c.refuse(i, a)
			} else if ok && want.IsListType() {
				out[i] = v
			} else if !c.m.unify(a.Type()) {
				return nil, errOver
			}
			continue
		}
		v, err := c.m.convert(out[i], want)
		if errors.Is(err, errOver) {
			return nil, err
		}
		if err != nil || p.good != nil && !p.good(v) {
			return nil, c.refuse(i, a)
		}
		out[i] = v
	}
	return out, nil
}

// predictions say whether a call may be made, by the sizes of its arguments,
// which are known and of the types that the function takes. A function that is
// not among them gives no more than it is given.
var predictions = map[string]func(m *meter, args []cty.Value) bool{
	"setproduct": predictProduct,
	"concat":     predictConcat,
	"join":       predictJoin,
	"format":     predictFormat, "formatlist": predictFormat,
	"indent":  predictIndent,
	"replace": predictReplace,
	"split":   predictSplit,
	"trim": func(m *meter, args []cty.Value) bool {
		return m.pay(weight{elements: product(textLen(args[0]), textLen(args[1])) / 64})
	},
	"distinct": func(m *meter, args []cty.Value) bool {
		n := args[0].LengthInt()
		return m.pay(weight{elements: product(n, n) / 8})
	},
	"regex": predictRegex, "regexall": predictRegex,
	"csvdecode": predictDecode, "jsondecode": predictDecode,
	"parseint": func(m *meter, args []cty.Value) bool {
		if args[0].Type() == cty.String && textLen(args[0]) > maxExponent {
			m.exceed("a number of it is too large")
		}
		return m.over == ""
	},
}

func textLen(v cty.Value) int {
	if v.IsNull() || v.Type() != cty.String {
		return 0
	}
	return len(v.AsString())
}

func length(v cty.Value) int {
	if v.IsNull() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

func predictProduct(m *meter, args []cty.Value) bool {
	n := 1
	for _, a := range args {
		n = product(n, length(a))
	}
	return m.allows(weight{elements: product(n, 1+len(args))})
}

func predictConcat(m *meter, args []cty.Value) bool {
	n := 1
	for _, a := range args {
		n = bounded(n, length(a))
	}
	return m.allows(weight{elements: n})
}

func predictJoin(m *meter, args []cty.Value) bool {
	var w weight
	n := 0
	for _, a := range args[1:] {
		one, ok := m.measure(a)
		if !ok {
			return false
		}
		w.add(weight{text: one.text})
		n = bounded(n, length(a))
	}
	w.add(weight{text: product(n, textLen(args[0]))})
	return m.allows(w)
}

// predictFormat counts each number in the format as a width, and each % as the
// largest of the arguments.
func predictFormat(m *meter, args []cty.Value) bool {
	if args[0].IsNull() || args[0].Type() != cty.String {
		return true
	}
	verbs, widths := 0, 0
	run := 0
	f := args[0].AsString()
	for i := range len(f) {
		if f[i] >= '0' && f[i] <= '9' {
			run = bounded(product(run, 10), int(f[i]-'0'))
			continue
		}
		widths, run = bounded(widths, run), 0
		if f[i] == '%' {
			verbs++
		}
	}
	if verbs == 0 {
		return true
	}
	widths = bounded(widths, run)
	if m.numbersOf(f, args[1:]); m.over != "" {
		return false
	}
	most, times := 0, 1
	for _, a := range args[1:] {
		w, ok := m.measure(a)
		if !ok {
			return false
		}
		most, times = max(most, w.text+8*w.elements), max(times, length(a))
	}
	one := bounded(bounded(len(f), widths), product(verbs, most/times+1))
	if !m.allows(weight{text: bounded(len(f), widths)}) {
		return false
	}
	return m.pay(weight{text: product(times, one)})
}

func predictIndent(m *meter, args []cty.Value) bool {
	x, _ := args[0].AsBigFloat().Float64()
	s := args[1].AsString()
	lines := strings.Count(s, "\n") + 1
	if x < 0 || math.Abs(x) > maxText {
		m.exceed("an indentation of it is not possible")
		return false
	}
	return m.allows(weight{text: bounded(len(s), product(lines, int(x)))})
}

func predictReplace(m *meter, args []cty.Value) bool {
	s, old, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
	return m.allows(weight{text: bounded(len(s), product(strings.Count(s, old), len(with)))})
}

func predictSplit(m *meter, args []cty.Value) bool {
	sep, s := args[0].AsString(), args[1].AsString()
	n := utf8.RuneCountInString(s)
	if sep != "" {
		n = strings.Count(s, sep) + 1
	}
	return m.allows(weight{elements: n})
}

// predictRegex counts the steps of a search, which are at most those of the
// pattern at each byte, and what it may find.
func predictRegex(m *meter, args []cty.Value) bool {
	text, n := args[0].AsString(), textLen(args[1])+1
	size, err := regex.Measure(text)
	if err != nil {
		return true
	}
	if size.TooBig() {
		m.exceed("a regular expression of it is too large")
		return false
	}
	found := 2 * maxElements / (size.Groups + 1)
	if n > found && size.Groups > 0 {
		m.exceed("a regular expression of it has too many groups for the text")
		return false
	}
	return m.pay(weight{elements: product(size.Instructions, n) / 64})
}

// predictDecode counts what separates elements.
func predictDecode(m *meter, args []cty.Value) bool {
	s := args[0].AsString()
	n := 0
	for _, c := range [...]string{",", "\n", "[", "{"} {
		n += strings.Count(s, c)
	}
	return m.allows(weight{elements: n})
}
