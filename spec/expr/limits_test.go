package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/spectest"
)

func TestCheckIsBounded(t *testing.T) {
	text := func(s string) gpflow.Constant {
		return gpflow.Constant{Type: gpflow.T(gpflow.KindString), Value: gpflow.String(s)}
	}
	long := make([]gpflow.Value, 100_000)
	for i := range long {
		long[i] = gpflow.String(fmt.Sprint(i))
	}
	env := Env{
		Schema: gpflow.NewSchema(gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)}),
		Constants: gpflow.Constants{
			"var.re":   text("(a?){1000}"),
			"var.big":  text("(?i)" + strings.Repeat(`\PL{999}`, 900)),
			"var.set":  text(strings.Repeat(`\PL`, 9000)),
			"var.long": text(strings.Repeat("x", 1<<20)),
			"var.kilo": text(strings.Repeat("x", 4<<10)),
			"var.list": {Type: gpflow.ListOf(gpflow.T(gpflow.KindString)), Value: gpflow.List(long)},
		},
	}
	repeated := func(n int, s, with string) string { return strings.TrimSuffix(strings.Repeat(s+with, n), with) }
	numbered := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "s matches '(a?){%d}' || ", 900+i)
		}
		return b.String() + "false"
	}
	for name, c := range map[string]struct {
		src, code string
	}{
		"one pattern many times":     {repeated(50, "s matches var.re", " || "), ""},
		"one literal many times":     {repeated(90, "s matches '(a?){1000}'", " || "), ""},
		"many patterns":              {numbered(50), CodeTooBig},
		"a long pattern":             {"s matches '" + repeated(500, "(a?){1000}", "") + "'", CodeTooBig},
		"a pattern in itself":        {"s matches '((a{30}){30}b)(((c{30}){30}d){1})' && s matches '(x{1000})(y{1000})(z{999}){1}(ab){1000}(cd){1000}(ef){1000}(gh){900}'", CodeTooBig},
		"classes":                    {"s matches var.big", CodeTooBig},
		"classes without repetition": {"s matches var.set", CodeTooBig},
		"a text as a pattern":        {"s matches var.long", CodeTooBig},
		"long constants":             {"s + " + repeated(40, "(var.long + var.long)", " + "), CodeTooBig},
		"short constants":            {"s == " + repeated(60, "var.kilo", " + "), CodeTooBig},
		"one list many times":        {repeated(50, "s in var.list", " || "), ""},
		"searches in constants":      {repeated(30, "(var.long matches 'x{18}y')", " || ") + " || s == 'a'", CodeTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			var err *Error
			spectest.Bounded(t, name, 16<<20, func() {
				var e *Expr
				if e, err = Check(c.src, env); err == nil {
					e.Program()
				}
			})
			if c.code == "" && err != nil || c.code != "" && (err == nil || err.Code != c.code) {
				t.Errorf("got %v, want the code %q", err, c.code)
			}
		})
	}
}

// lets names first, and n times step of the value before.
func lets(first, step string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "let v0 = %s; ", first)
	for i := range n {
		fmt.Fprintf(&b, "let v%d = %s; ", i+1, strings.ReplaceAll(step, "P", fmt.Sprintf("v%d", i)))
	}
	fmt.Fprintf(&b, "len(v%d)", n)
	return b.String()
}

// TestAdmission has texts made to take time or memory. Each ends soon.
func TestAdmission(t *testing.T) {
	big := testRow()
	big[3] = gpflow.String(strings.Repeat("ab", 1<<19))
	many := make([]gpflow.Value, 100_000)
	for i := range many {
		many[i] = gpflow.Int(int64(i))
	}
	big[9] = gpflow.List(many)
	long := make([]gpflow.Value, 10)
	for i := range long {
		long[i] = gpflow.String(strings.Repeat("ab", 1<<18))
	}
	big[8] = gpflow.List(long)
	for _, src := range []string{
		`let r = 1..300; sum(r, sum(r, sum(r, #)))`,
		`reduce(1..900, #acc + #acc, "xxxxxxxx")`,
		`let a = repeat("x", 900000); len(a + a)`,
		lets("s", "P + P", 40),
		lets("s", "concat([P], [P])[0] + P", 30),
		lets("nums", "concat(P, P)", 40),
		lets("s", "replace(P, 'a', P)", 3),
		lets("s", "toJSON(P)", 40),
		lets("s", "toBase64(P)", 60),
		`map(nums, s + "x")`,
		`map(nums, nums)`,
		`let r = 1..10000; len(filter(r, # in r))`,
		`len(filter(nums, # in nums))`,
		`len(filter(nums, nums == nums))`,
		`len(filter(nums, sum(nums) > #))`,
		`len(filter(nums, s matches "(a|b)*c"))`,
		`len(filter(nums, tags == map(tags, # + "")))`,
		`let copy = map(tags, # + ""); len(filter(nums, tags == copy))`,
		`len(filter(nums, len(sort(tags)) > #))`,
		`len(filter(nums, string(tags) == s))`,
		`len(filter(nums, s + "" in tags))`,
		`map(nums, s)`,
		`map(nums, [nums])`,
		`map(nums, ({"a": nums}))`,
		`map(nums, [` + strings.Repeat("#, ", 450) + `#])`,
		`len(filter(nums, # > ` + strings.Repeat("# + ", 200) + `#))`,
		`len(filter(x ?? nums, s < string(#) + s))`,
		lets("nums", "[P, P]", 40),
		lets("nums", "map(P, P)", 40),
		`len(sortBy(nums, s))`,
		strings.Repeat("sortBy(", 160) + "nums" + strings.Repeat(", -#)", 160),
		strings.Repeat("filter(", 160) + "nums" + strings.Repeat(", # > 0)", 160),
		`let r = 1..10000; len(filter(r, hash(#) % 2 == 0)) + len(filter(r, # in nums))`,
		`s matches "((a|b|ab)?){60}c$"`,
		`any(tags, # matches "(((a|b)*)*)*c$")`,
		`len(filter(nums, s contains "zz"))`,
		`len(map(nums, upper(s)))`,
		`len(map(nums, split(s, "")))`,
		`len(map(nums, sort(nums)))`,
		`len(1..99999999999)`,
		`len(1..9223372036854775807)`,
		strings.Repeat("(", 16000) + "1",
		strings.Repeat("!", 16000) + "b",
		strings.Repeat("-", 16000) + "1",
		strings.Repeat("[", 16000),
		strings.Repeat("{a:", 5000),
		strings.Repeat("b ? ", 4000),
		strings.Repeat("any(nums, ", 1000),
		"i" + strings.Repeat(" + i", 4000),
		strings.Repeat("x", 1<<20),
		`s matches "((a{100}){100}){100}"`,
		`s matches "` + strings.Repeat("(a?){50}", 200) + `"`,
	} {
		for _, machine := range []bool{false, true} {
			spectest.Bounded(t, fmt.Sprintf("%.60s (machine %t)", src, machine), 64<<20, func() {
				if e, err := check(src, testEnv(), machine); err == nil {
					_, _ = e.Program().Value(big)
				}
			})
		}
	}
}
