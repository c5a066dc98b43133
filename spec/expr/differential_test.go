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
// {t}imestamp, {d}uration, {l}ist of ints, {g} list of strings, {h} list
// of floats, {o} list of optional ints, {e} map of ints.
func (g *grammar) of(kind byte) string {
	g.depth++
	defer func() { g.depth-- }()
	set := productions[kind]
	if g.depth > 3 {
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
	'g': {"tags", `["a", ""]`, "var.eu"},
	'h': {"[f, 1, -0.0]", "map(nums, # * 0.5)", "[1.5]", "filter([f], false)"},
	'o': {"[oi, 1]", "[nil, 2]", "[oi, nil, oi]"},
	'e': {"m", "(om ?? m)", "({k: i})"},
}

var productions = map[byte][]string{
	'i': append([]string{
		"{i} + {i}", "{i} - {i}", "{i} * {i}", "{i} % {i}", "-{i}", "{b} ? {i} : {i}", "len({s})", "len({l})", "int({f})", "int({s})",
		"abs({i})", "min({i}, {i})", "max({i}, {i}, {i})", "hour({t})", "unix({t})", "hash({s}) % 10", "hash({i}) % 10", "sum({l})",
		"sum({l}, # * {i})", "count({l}, # > {i})", "{l}[{i}]", "let y = {i}; y * y", "oi != nil ? oi * {i} : {i}", "first({l}) ?? {i}", "indexOf({s}, {s})",
		"find({l}, # > {i}) ?? 0", "if {b} { {i} } else { {i} }", "findLast({l}, # < {i}) ?? 0", "findIndex({g}, # > {s}) ?? -1",
		"findLastIndex({h}, # <= {f}) ?? -1", "count({g}, # contains {s})", "count({h}, # in [1, 2.5])", "count(map({l}, # > {i}))",
		"sum({g}, len(#))", "sum(filter({l}, # > {i}))", "sum({o}, # ?? {i})", "sum({o}, # != nil ? # : 1)", "last({o}) ?? {i}", "len({o})", "({e})['k'] ?? {i}",
		"get({e}, {s}) ?? {i}", "len({e})", "sum(values({e}))", "max({l}) ?? {i}", "lastIndexOf({s}, {s})", "minute({t})", "second({t})", "weekday({t})", "day_of_year({t})",
		"year({t})", "month({t})", "day_of_month({t})", "({l})[{i}:{i}][0]", "first(sortBy({g}, #, 'desc') | map(len(#))) ?? {i}", "unix({t}) % {i}", "+{i}",
	}, leaves['i']...),
	'f': append([]string{
		"{f} + {f}", "{f} - {i}", "{i} * {f}", "{f} / {f}", "{i} / {i}", "{i} ** 2", "{f} ** {f}", "-{f}", "{b} ? {f} : {i}", "float({i})", "float({s})",
		"abs({f})", "ceil({f})", "floor({i})", "round({f})", "min({f}, {i})", "{d} / {d}", "of ?? {i}", "mean({l}) ?? 0", "sum({l}, # / {i})", "oi ?? {f}",
		"max({f}, {f})", "sum({h})", "sum({h}, # * {f})", "sum({g}, {f})", "{h}[{i}]", "find({h}, # != {f}) ?? {f}", "median({h}) ?? {f}", "mean({h}) ?? 1", "random({i})",
		"max({h}) ?? {f}", "sum(map({l}, {d}), # / duration('1s'))",
	}, leaves['f']...),
	'b': append([]string{
		"{i} < {i}", "{i} <= {f}", "{f} > {i}", "{f} >= {f}", "{i} == {i}", "{i} != {f}", "{f} == {f}", "{s} == {s}", "{s} < {s}", "{s} >= {s}", "{t} < {t}",
		"{t} == {t}", "{d} <= {d}", "{b} == {b}", "{b} && {b}", "{b} || {b}", "!{b}", "{i} in [1, 7, -3]", "{i} in [1.5, 7]", "{f} in [1, 2.5]", "{i} in -5..9",
		"{f} in 0..3", "{s} in ['a', 'žluť']", "{s} in {g}", "{i} in {l}", "{s} contains {s}", "{s} startsWith {s}", "{s} endsWith 'x'", "{s} matches '^[a-z]*$'",
		"oi != nil && oi > {i}", "oi == nil || oi > {i}", "of == nil || of < {f}", "any({l}, # > {i})", "all({g}, # != {s})", "none({l}, # % 2 == {i})",
		"one({l}, # == {i})", "{l} == {l}", "{g} == {g}", "b ? {b} : {b}", "'k' in m", "hasPrefix({s}, {s})", "x == {i}", "{i} == x", "(os ?? {s}) == s",
		"{i} < {i} < {i}", "any({h}, # < {f})", "all({l}, # in {l})", "any({g}, # in ['a', 'b'])", "none({g}, {s} contains #)", "one({g}, # matches 'a')", "any({g}, # startsWith {s} || # endsWith 'x')",
		"any({o}, # == nil)", "all({o}, # == nil || # > {i})", "none(var.eu, lower({s}) contains #)", "any(var.eu, # == {s})", "{s} in {e}", "{s} not in var.eu", "any({l}, # in 1..9)",
		"any({l}, {b})", "find({l}, # == {i}) == nil", "findIndex({g}, # == {s}) != nil", "{h} == {l}", "{e} == {e}", "any(keys({e}), # == {s})", "hasSuffix({s}, {s})",
		"any({l}, t + d * # > {t})", "any({l}, upper({s}) == string(#) + trim({s})) && any({g}, raw == fromBase64(toBase64(#)))", "raw == raw", "any({l}, # == x)", "all({l}, x != {i} && # > 1)", "{f} < x", "any(map({g}, ({k: #, l: {s}})), (#.k ?? {s}) == (#['l'] ?? 'x'))",
		"i > 1", "f < 2.5", "s == 'a'",
	}, leaves['b']...),
	's': append([]string{
		"{s} + {s}", "{s} + {s} + {s}", "upper({s})", "lower({s})", "trim({s})", "string({i})", "string({f})", "string({b})", "string({t})", "string({d})",
		"{b} ? {s} : {s}", "{s}[1:]", "{s}[{i}:3]", "replace({s}, {s}, {s})", "join({g}, {s})", "format_time({t}, '%Y-%m-%d %H')", "string({l})", "trimPrefix({s}, {s})",
		"first({g}) ?? {s}", "find({g}, # > {s}) ?? {s}", "findLast({g}, # < {s}) ?? ''", "join(map({l}, string(#)), ' ')", "join(filter({g}, # != {s}), {s})", "{g}[{i}]", "{s}[:{i}]",
		"{s}[-2:-1]", "toJSON({e})", "toJSON({o})", "toJSON(map({g}, ({(#): {i}, b: 1})))", "trimSuffix({s}, {s})", "trim({s}, {s})", "string({h})", "max({g}) ?? {s}", "max({s}, {s})", "toJSON(sortBy({h}, #))",
		"string(raw)", "toBase64({s})", "type(x)",
	}, leaves['s']...),
	't': append([]string{"{t} + {d}", "{t} - {d}", "day({t})", "truncate({t}, {d})", "{b} ? {t} : {t}", "min({t}, {t})", "timestamp({i})", "max(map({l}, {t} + d * #)) ?? {t}", "sortBy(map({l}, {t}), #)[0]", "find(map({l}, timestamp(# % 1000)), # > {t}) ?? {t}"}, leaves['t']...),
	'd': append([]string{"{t} - {t}", "{d} + {d}", "{d} - {d}", "{d} * {i}", "{f} * {d}", "{d} / {i}", "-{d}", "abs({d})", "{b} ? {d} : {d}", "sum({l}, {d})", "sum({l}, {d} * #)", "sum(map({g}, {d}))", "duration(string({d}))", "map({l}, {d})[0]", "-sum({l}, -{d})"}, leaves['d']...),
	'l': append([]string{
		"filter({l}, # > {i})", "map({l}, # + {i})", "map({g}, len(#))", "sort({l})", "reverse({l})", "uniq({l})", "concat({l}, {l})", "take({l}, 2)", "1..4",
		"{l}[1:]", "[{i}, {i}]", "sortBy({l}, -#)", "{b} ? {l} : {l}", "let z = {i}; filter({l}, # > z)", "sortBy({l}, {d} * #)", "sortBy({l}, #, 'desc')", "map({o}, # ?? {i})", "map({h}, int(#))", "map({g}, indexOf(#, {s}))",
		"{l}[{i}:{i}]", "{l}[:-1]", "values({e})", "map(1..5, # * {i})", "sortBy({l}, t + d * #)", "sortBy({l}, float(#))", "sortBy({l}, string(#))", "slice({l}, 1, {i})", "take(filter({l}, # > {i}), 2)",
		"filter({l}, # > {i})[1:]", "reverse({l})", "map({l}, #) | filter(# < {i})",
	}, leaves['l']...),
	'h': append([]string{
		"map({l}, # / {i})", "map({h}, # * {f})", "filter({h}, # > {f})", "[{f}, {i}, {f}]", "sortBy({h}, #)", "sortBy({h}, -#, 'asc')", "sort({h})", "{h}[1:]", "uniq({h})", "map({g}, {f})", "map({l}, # ** 2)",
	}, leaves['h']...),
	'o': append([]string{"map({l}, # > {i} ? # : nil)", "[oi, {i}]", "filter({o}, # != nil)", "filter({o}, (# ?? 1) > {i})", "reverse({o})", "map({g}, m[#])", "map({l}, oi)", "map({g}, ({e})[#])"}, leaves['o']...),
	'e': append([]string{"({k: {i}, l: {i}})", "({(s): {i}})", "({k: 1, k: {i}})", "map({g}, ({(#): len(#)}))[0]", "{b} ? {e} : m", "om ?? {e}"}, leaves['e']...),
	'g': append([]string{"split({s}, 'a')", "filter({g}, # != {s})", "map({g}, # + {s})", "keys({e})", "sort({g})", "[{s}, {s}]", "map({l}, string(#))", "sortBy({g}, len(#))", "sortBy({g}, #, 'desc')", "{g}[{i}:]", "uniq({g})", "map({o}, string(# ?? 1))", "map({h}, string(#))", "concat({g}, var.eu)", "map({g}, #[1:])", "map({g}, upper(#))", "map(tags, type(x))"}, leaves['g']...),
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
	for range 10 {
		differential(t, &ran, &failed)
	}
	t.Logf("%d evaluations, %d of them failed", ran, failed)
	if ran < 100 || failed == ran {
		t.Errorf("%d evaluations, %d of them failed: the generator draws nothing of use", ran, failed)
	}
}

func differential(t *testing.T, ran, failed *int) {
	rapid.Check(t, func(t *rapid.T) {
		g := &grammar{t: t}
		src := g.of("ifbstdlgho"[rapid.IntRange(0, 9).Draw(t, "kind")])
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
			*ran++
			if ea != nil {
				*failed++
			}
		}
	})
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
