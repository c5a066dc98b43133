package expr

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

// grammar draws expressions of a type over testSchema.
type grammar struct {
	t     *rapid.T
	depth int
}

func (g *grammar) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(g.t, "option")
}

// of draws an expression of a kind, in parentheses. A letter in braces in the
// productions stands for an expression: {i}nt, {f}loat, {b}ool, {s}tring,
// {t}imestamp, {d}uration, {l}ist of ints, {g} list of strings.
func (g *grammar) of(kind byte) string {
	g.depth++
	defer func() { g.depth-- }()
	set := productions[kind]
	if g.depth > 4 {
		set = leaves[kind]
	}
	p := g.pick(set...)
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '{' && i+2 < len(p) && p[i+2] == '}' {
			b.WriteString("(" + g.of(p[i+1]) + ")")
			i += 2
			continue
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

var leaves = map[byte][]string{
	'i': {"i", "j", "count", "7", "0", "-1", "9223372036854775807", "oi ?? 3", "nums[0]", "m.k ?? 1", "address.zip ?? 0"},
	'f': {"f", "2.5", "0.0", "1e300", "of ?? 1.5"},
	'b': {"b", "true", "oi == nil", "of != nil"},
	's': {"s", `""`, `"žluť"`, "os ?? 'x'", "address.street", "tags[0]"},
	't': {"t", `timestamp("2001-01-01T00:00:00Z")`},
	'd': {"d", `duration("1h")`},
	'l': {"nums", "[1, 2, 3]"},
	'g': {"tags", `["a", ""]`},
}

var productions = map[byte][]string{
	'i': append([]string{
		"{i} + {i}", "{i} - {i}", "{i} * {i}", "{i} % {i}", "-{i}", "{b} ? {i} : {i}", "len({s})", "len({l})", "int({f})", "int({s})",
		"abs({i})", "min({i}, {i})", "max({i}, {i}, {i})", "hour({t})", "unix({t})", "hash({s}) % 10", "hash({i}) % 10", "sum({l})",
		"sum({l}, # * {i})", "count({l}, # > {i})", "{l}[{i}]", "let y = {i}; y * y", "oi != nil ? oi * {i} : {i}", "first({l}) ?? {i}", "indexOf({s}, {s})",
		"find({l}, # > {i}) ?? 0", "if {b} { {i} } else { {i} }",
	}, leaves['i']...),
	'f': append([]string{
		"{f} + {f}", "{f} - {i}", "{i} * {f}", "{f} / {f}", "{i} / {i}", "{i} ** 2", "{f} ** {f}", "-{f}", "{b} ? {f} : {i}", "float({i})", "float({s})",
		"abs({f})", "ceil({f})", "floor({i})", "round({f})", "min({f}, {i})", "{d} / {d}", "of ?? {i}", "mean({l}) ?? 0", "sum({l}, # / {i})", "oi ?? {f}",
		"max({f}, {f})",
	}, leaves['f']...),
	'b': append([]string{
		"{i} < {i}", "{i} <= {f}", "{f} > {i}", "{f} >= {f}", "{i} == {i}", "{i} != {f}", "{f} == {f}", "{s} == {s}", "{s} < {s}", "{s} >= {s}", "{t} < {t}",
		"{t} == {t}", "{d} <= {d}", "{b} == {b}", "{b} && {b}", "{b} || {b}", "!{b}", "{i} in [1, 7, -3]", "{i} in [1.5, 7]", "{f} in [1, 2.5]", "{i} in -5..9",
		"{f} in 0..3", "{s} in ['a', 'žluť']", "{s} in {g}", "{i} in {l}", "{s} contains {s}", "{s} startsWith {s}", "{s} endsWith 'x'", "{s} matches '^[a-z]*$'",
		"oi != nil && oi > {i}", "oi == nil || oi > {i}", "of == nil || of < {f}", "any({l}, # > {i})", "all({g}, # != {s})", "none({l}, # % 2 == {i})",
		"one({l}, # == {i})", "{l} == {l}", "{g} == {g}", "b ? {b} : {b}", "'k' in m", "hasPrefix({s}, {s})", "x == {i}", "{i} == x", "(os ?? {s}) == s",
		"{i} < {i} < {i}", "i > 1", "f < 2.5", "s == 'a'",
	}, leaves['b']...),
	's': append([]string{
		"{s} + {s}", "{s} + {s} + {s}", "upper({s})", "lower({s})", "trim({s})", "string({i})", "string({f})", "string({b})", "string({t})", "string({d})",
		"{b} ? {s} : {s}", "{s}[1:]", "{s}[{i}:3]", "replace({s}, {s}, {s})", "join({g}, {s})", "format_time({t}, '%Y-%m-%d %H')", "string({l})", "trimPrefix({s}, {s})",
		"first({g}) ?? {s}", "string(raw)", "toBase64({s})", "type(x)",
	}, leaves['s']...),
	't': append([]string{"{t} + {d}", "{t} - {d}", "day({t})", "truncate({t}, {d})", "{b} ? {t} : {t}", "min({t}, {t})", "timestamp({i})"}, leaves['t']...),
	'd': append([]string{"{t} - {t}", "{d} + {d}", "{d} - {d}", "{d} * {i}", "{f} * {d}", "{d} / {i}", "-{d}", "abs({d})", "{b} ? {d} : {d}"}, leaves['d']...),
	'l': append([]string{
		"filter({l}, # > {i})", "map({l}, # + {i})", "map({g}, len(#))", "sort({l})", "reverse({l})", "uniq({l})", "concat({l}, {l})", "take({l}, 2)", "1..4",
		"{l}[1:]", "[{i}, {i}]", "sortBy({l}, -#)", "{b} ? {l} : {l}", "let z = {i}; filter({l}, # > z)", "sortBy({l}, {d} * #)",
	}, leaves['l']...),
	'g': append([]string{"split({s}, 'a')", "filter({g}, # != {s})", "map({g}, # + {s})", "keys(m)", "sort({g})", "[{s}, {s}]"}, leaves['g']...),
}

func drawInt(t *rapid.T) gpflow.Value {
	return gpflow.Int(rapid.OneOf(rapid.Int64Range(-10, 10), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, 1 << 31, 1 << 53}), rapid.Int64()).Draw(t, "int"))
}

func drawFloat(t *rapid.T) gpflow.Value {
	return gpflow.Float(rapid.OneOf(rapid.Float64Range(-10, 10), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 2.5, 7}), rapid.Float64()).Draw(t, "float"))
}

func drawText(t *rapid.T) gpflow.Value {
	return gpflow.String(rapid.OneOf(rapid.SampledFrom([]string{"", "a", "žluť", "12", "1.5", "NaN", "aXbXc", "\xff"}), rapid.String()).Draw(t, "text"))
}

func drawOptional(t *rapid.T, f func(*rapid.T) gpflow.Value) gpflow.Value {
	if rapid.Bool().Draw(t, "null") {
		return gpflow.Null
	}
	return f(t)
}

func drawList(t *rapid.T, f func(*rapid.T) gpflow.Value) gpflow.Value {
	vs := make([]gpflow.Value, rapid.IntRange(0, 4).Draw(t, "len"))
	for i := range vs {
		vs[i] = f(t)
	}
	return gpflow.List(vs)
}

// drawRow draws a row of testSchema.
func drawRow(t *rapid.T) []gpflow.Value {
	const span = 100 * 365 * int64(gpflow.Day)
	return []gpflow.Value{
		drawInt(t), drawInt(t), drawFloat(t), drawText(t), gpflow.Bool(rapid.Bool().Draw(t, "bool")),
		gpflow.Time(gpflow.Timestamp(rapid.OneOf(rapid.Int64Range(-span, span), rapid.Int64()).Draw(t, "time"))),
		gpflow.Span(gpflow.Duration(rapid.OneOf(rapid.Int64Range(-span, span), rapid.Int64Range(-9, 9), rapid.Int64()).Draw(t, "span"))),
		gpflow.Bytes([]byte(drawText(t).Str())), drawList(t, drawText), drawList(t, drawInt),
		gpflow.Map([]gpflow.Entry{{Key: rapid.SampledFrom([]string{"k", "l"}).Draw(t, "key"), Value: drawInt(t)}}),
		drawOptional(t, drawInt), drawOptional(t, drawInt), drawOptional(t, drawFloat), drawOptional(t, drawText), gpflow.Null,
		drawText(t), drawOptional(t, drawInt), drawInt(t),
	}
}

// TestDifferential has closures and the machine agree: on the result, bit by
// bit, and on the failure and its place.
func TestDifferential(t *testing.T) {
	ran, failed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := &grammar{t: t}
		src := g.of("ifbstdlg"[rapid.IntRange(0, 7).Draw(t, "kind")])
		a, err := check(src, testEnv(), false)
		if err != nil {
			if !expected(err) {
				t.Fatalf("%s: %v", src, err)
			}
			t.Skip("no expression")
		}
		b, err := check(src, testEnv(), true)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		again, err := check(a.String(), testEnv(), false)
		if err != nil && (strings.Contains(err.Summary, "not a timestamp") || strings.Contains(err.Summary, "not a duration")) {
			again, err = a, nil // so far off that it can be computed but not written
		}
		if err != nil || again.String() != a.String() || !again.Type().Equal(a.Type()) {
			t.Fatalf("%s: canonical text %s: %v, %v", src, a, again, err)
		}
		pa, pb, pc := a.Program(), b.Program(), again.Program()
		for range 5 {
			row := drawRow(t)
			va, ea := pa.Value(row)
			vb, eb := pb.Value(row)
			vc, ec := pc.Value(row)
			if show(va) != show(vb) || where(ea) != where(eb) {
				t.Fatalf("%s\n%s\nclosures %s, %s\nmachine  %s, %s", src, gpflow.RowJSON(nil, testSchema, row), show(va), where(ea), show(vb), where(eb))
			}
			if show(va) != show(vc) || (ea == nil) != (ec == nil) {
				t.Fatalf("%s is %s, but %s is %s", src, show(va), a, show(vc))
			}
			if k := va.Kind(); ea == nil && k != a.Type().Kind && !(va.IsNull() && a.Type().Optional) && a.Type().Kind != gpflow.KindAny {
				t.Fatalf("%s is %s, not %s", src, show(va), a.Type())
			}
			ran++
			if ea != nil {
				failed++
			}
		}
	})
	t.Logf("%d evaluations, %d of them failed", ran, failed)
	if ran < 100 || failed == ran {
		t.Errorf("%d evaluations, %d of them failed: the generator draws nothing of use", ran, failed)
	}
}

func where(err error) string {
	if err == nil {
		return ""
	}
	e := err.(*gpflow.RecordError).Err.(*Error)
	return fmt.Sprintf("%d-%d %s", e.From, e.To, e.Summary)
}

// expected reports whether a drawn text may be in error: its constants have no
// result, or its predicates nest.
func expected(err *Error) bool {
	for _, s := range []string{"overflow", "divide by zero", " is not a", "not allowed in a predicate", "out of range", "no element", "more than 0", "a variable"} {
		if strings.Contains(strings.ToLower(err.Summary), s) {
			return true
		}
	}
	return false
}
