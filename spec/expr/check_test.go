package expr

import (
	"strings"
	"sync"
	"testing"

	"github.com/gpflow/gpflow"
)

// mistakes has what is wrong with a text, where exactly, and what to do.
var mistakes = []struct{ src, at, summary, detail string }{
	{`amuont > 1`, `amuont`, "Unknown name amuont", "The columns are"},
	{`i + ff`, `ff`, "Unknown name ff", "Did you mean"},
	{`"žluť" == "čau" && countt > 1`, `countt`, "Unknown name countt", "Did you mean count?"},
	{`event.coutn > 1`, `event.coutn`, "Unknown name event.coutn", "Did you mean event.count?"},
	{`address.stret == ""`, `address.stret`, "Unknown name address.stret", "Did you mean address.street?"},
	{`address == nil`, `address`, "address is a record", "address.street"},
	{`var.mim > 1`, `var.mim`, "Unknown name var.mim", "Did you mean var.min?"},
	{`local.limits.mix > 1`, `local.limits.mix`, "Unknown name local.limits.mix", "Did you mean local.limits.max?"},
	{`local.limits`, `local.limits`, "local.limits is a record", "local.limits.max"},
	{`count(i)`, `i`, "i is int; count takes list", ""},
	{`sum(i)`, `i`, "i is int; sum takes list", ""},
	{`sortBy(nums, #, "up")`, `"up"`, "The order is 'asc' or 'desc'", ""},
	{`event`, `event`, "event is the record", "event.x"},
	{`count()`, `)`, "The call has too few arguments", "window"},
	{`max(i)`, `max(i)`, "max takes a list, or several values", "window"},
	{`first(i)`, `i`, "i is int; first takes list", ""},
	{`map(tags, {"n": #})`, `:`, "Unexpected :", "({n: #})"},
	{`s == 'a`, `a`, "The text has no closing quote", ""},
	{`var > 1`, `var`, "var is a record", "var.eu"},
	{`i > ${var.min}`, `${var.min}`, "Interpolation is not allowed in a record expression", "var.x"},
	{``, ``, "The expression is empty", ""},
	{`i > `, `>`, "The expression ends too early", ""},
	{`i = 1`, `=`, "Unexpected =", "=="},
	{`oi ?? 0 > 1`, `>`, "?? stands before another operator", "(a ?? 0) > 1"},
	{`(i > 1`, `(`, "A ) is missing", "not closed"},
	{`i > "a"`, `i > "a"`, "int and string cannot be compared", "int(x)"},
	{`b && (s > f)`, `s > f`, "string and float cannot be compared", "float(x)"},
	{`s + i`, `i`, "string + int is not defined", "string(i)"},
	{`(i - 1) * s`, `s`, "int * string is not defined", "int(s)"},
	{`f % 2`, `f`, "float % int is not defined", "int(f)"},
	{`b + 1`, `b`, "bool + int is not defined", "(b ? 1 : 0)"},
	{`t + 5`, `5`, "timestamp + int is not defined", "duration('60s')"},
	{`s - s`, `-`, "string - string is not defined", ""},
	{`t + t`, `+`, "timestamp + timestamp is not defined", ""},
	{`i && b`, `i`, "i is int, not bool", ""},
	{`!s`, `s`, "s is string, not bool", ""},
	{`-s`, `-s`, "string has no sign", ""},
	{`b < b`, `b < b`, "bool has no order", ""},
	{`1 + (i + oi) * 2`, `oi`, "oi may be null", "(oi ?? 0)"},
	{`oi > 1 && oi != nil`, `oi`, "oi may be null", "oi != nil && ..."},
	{`oi == nil && oi > 1`, `oi`, "oi may be null", ""},
	{`oi != nil || oi > 1`, `oi`, "oi may be null", ""},
	{`oi != nil ? 1 : oi + 1`, `oi`, "oi may be null", ""},
	{`upper(os)`, `os`, "os may be null", "''"},
	{`om.k`, `om`, "om may be null", "?."},
	{`m.k + 1`, `m.k`, "m.k may be null", ""},
	{`first(nums) + 1`, `first(nums)`, "first(nums) may be null", ""},
	{`nil + 1`, `nil`, "nil is not allowed here", ""},
	{`nil`, `nil`, "The result is always null", ""},
	{`b ? 1 : "a"`, `b ? 1 : "a"`, "The branches are int and string", "string(x)"},
	{`if b { 1 } else { s }`, `if b { 1 } else { s }`, "The branches are int and string", ""},
	{`os ?? 1`, `os ?? 1`, "The default is int, the value string", ""},
	{`i in s`, `s`, "s is string, not a list, a range or a map", "contains"},
	{`i in tags`, `i in tags`, "i is int, the list has string", ""},
	{`tags contains "a"`, `tags`, "tags is a list, not a string", "in list"},
	{`s matches "("`, `"("`, "The regular expression cannot be read", ""},
	{`s matches s`, `s`, "A regular expression is a constant", ""},
	{`uper(s)`, `uper`, "Unknown function uper", "Did you mean upper?"},
	{`upper(s, s)`, `upper(s, s)`, "upper does not take 2 arguments", "upper(s)"},
	{`upper(i)`, `i`, "i is int; upper takes string", ""},
	{`s + upper(s + (i))`, `i`, "string + int is not defined", ""},
	{`upper`, `upper`, "upper is a function", ""},
	{`s.upper()`, `s.upper()`, "A value has no methods", "upper(x)"},
	{`i.x`, `i.x`, "i is int and has no fields", ""},
	{`s[0]`, `s[0]`, "A string has no elements", "s[0:1]"},
	{`tags["a"]`, `"a"`, "The position in a list is string, not int", ""},
	{`now() > t`, `now()`, "now is not allowed in a record expression", "own time"},
	{`reduce(nums, #acc + #, 0)`, `reduce(nums, #acc + #, 0)`, "reduce is not allowed in a record expression", ""},
	{`repeat(s, 3)`, `repeat(s, 3)`, "repeat is not allowed in a record expression", ""},
	{`fromJSON(s)`, `fromJSON(s)`, "fromJSON is not allowed in a record expression", ""},
	{`groupBy(nums, #)`, `groupBy(nums, #)`, "groupBy is not allowed in a record expression", ""},
	{`any(nums, any(nums, # > 1))`, `any(nums, # > 1)`, "any is not allowed in a predicate", "nest"},
	{`any(1..i, # > 1)`, `i`, "The bounds of a range are constant ints", ""},
	{`len(1..1000000)`, `1..1000000`, "The range is too long", ""},
	{`any(nums, # in uniq(1..100))`, `1..100`, "A range is not allowed in a predicate", ""},
	{`# > 1`, `#`, "# is not allowed here", ""},
	{`i; j`, `i; j`, "Several expressions in a row", "let"},
	{`{"a": i}`, `{"a": i}`, "The result is a map", "select"},
	{`let i = 1; i`, `i`, "There is a column i already", ""},
	{`let y = nil; y`, `nil`, "A variable cannot be nil", ""},
	{`let y = 1; let y = 2; y`, `y`, "There is a variable y already", ""},
	{`9223372036854775807 + 1`, `9223372036854775807 + 1`, "Integer overflow", ""},
	{`i > 1 / 0`, `1 / 0`, "Divide by zero", ""},
	{`t > timestamp("yesterday")`, `timestamp("yesterday")`, `"yesterday" is not a timestamp`, ""},
	{`d > duration("5 parsecs")`, `duration("5 parsecs")`, `"5 parsecs" is not a duration`, "Write a duration"},
	{`format_time(t, "%Q")`, `"%Q"`, "The layout cannot be read", "The layout has %Q"},
	{`avg(f)`, `avg(f)`, "avg is not allowed in a record expression", "windows"},
	{`s + 'ěšč' + /* žluť */ nope`, `nope`, "Unknown name nope", ""},
	{`99999999999999999999`, ``, "The number is too large", ""},
}

func TestErrors(t *testing.T) {
	for _, c := range mistakes {
		e, err := Check(c.src, testEnv())
		if err == nil {
			t.Errorf("%s: no error, type %s", c.src, e.Type())
			continue
		}
		if err.From < 0 || err.From > err.To || err.To > len(c.src) {
			t.Errorf("%s: range %d-%d", c.src, err.From, err.To)
			continue
		}
		if got := c.src[err.From:err.To]; c.at != "" && got != c.at {
			t.Errorf("%s: at %q, want %q", c.src, got, c.at)
		}
		if !strings.Contains(err.Summary, c.summary) || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: %q %q, want %q %q", c.src, err.Summary, err.Detail, c.summary, c.detail)
		}
	}
}

// TestShadow has columns that are called as functions and words are.
func TestShadow(t *testing.T) {
	var cols []gpflow.Column
	for _, name := range []string{"count", "sum", "first", "last", "min", "max", "day", "map", "type", "nil", "in"} {
		cols = append(cols, gpflow.Column{Name: name, Type: tInt})
	}
	env := Env{Schema: gpflow.NewSchema(append(cols, gpflow.Column{Name: "tags", Type: gpflow.ListOf(tInt)})...)}
	row := make([]gpflow.Value, len(cols)+1)
	for i := range cols {
		row[i] = gpflow.Int(int64(i + 1))
	}
	row[len(cols)] = ints(4, 5)
	for src, want := range map[string]int64{
		`count + event.sum`:                     3,
		`count(tags, # > 4) + count`:            2,
		`sum(tags, # + sum) + first`:            16,
		`max(first, last) + (first(tags) ?? 0)`: 8,
		`event.nil + event.in`:                  21,
		`map(tags, # + map)[0]`:                 12,
	} {
		e, err := Check(src, env)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, rerr := e.Program().Value(row)
		if rerr != nil || got.Int() != want {
			t.Errorf("%s = %s, %v; want %d", src, show(got), rerr, want)
		}
		if again, err := Check(e.String(), env); err != nil || again.String() != e.String() {
			t.Errorf("%s: canonical text %s: %v", src, e, err)
		}
	}
}

func TestNames(t *testing.T) {
	e, err := Check(`event.s == var.name || i > var.min && address.street != "" && i > 0`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Columns(), " "); got != "address.street i s" {
		t.Errorf("columns %s", got)
	}
	if got := strings.Join(e.Constants(), " "); got != "var.min var.name" {
		t.Errorf("constants %s", got)
	}
	if _, err := Check("1 + 1", Env{}); err != nil {
		t.Error(err)
	}
}

// TestCanonical has texts that mean the same, and texts that do not.
func TestCanonical(t *testing.T) {
	canon := func(src string) string {
		e, err := Check(src, testEnv())
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		return e.String()
	}
	for _, same := range [][]string{
		{`i>1&&b`, `(i > 1) and b`, "event.i > 1 &&\n // note\n b", `i > 1 && b`},
		{`i > var.min`, `i > 5`, `i > (2 + 3)`},
		{`not (i > 1)`, `!(i > 1)`},
		{`i ** 2`, `i ^ 2`},
		{`s == 'a'`, `s == "a"`, "s == `a`"},
		{`b ? i : j`, `if b { i } else { j }`},
		{`i not in [1, 2]`, `!(i in [1, 2])`},
		{`oi != nil`, `nil != event.oi`, `not (oi == nil)`},
		{`f * local.k`, `f * 2.5`},
		{`m.k ?? 0`, `m["k"] ?? 0`},
	} {
		for _, src := range same {
			if got := canon(src); got != canon(same[0]) {
				t.Errorf("%s: %s, want %s", src, got, canon(same[0]))
			}
		}
	}
	for _, differ := range [][]string{
		{`i - (j - 1)`, `i - j - 1`},
		{`-(i ** 2)`, `(-i) ** 2`},
		{`2.0 * f`, `2.5 * f`},
		{`b ? i : (b ? j : i)`, `(b ? b : b) ? j : i`},
		{`(b ? tags : tags)[0]`, `b ? tags[0] : tags[0]`},
		{`i * (j + 1)`, `i * j + 1`},
		{`"a b" + s`, `"a" + s`},
		{`i > 1 || b && b`, `(i > 1 || b) && b`},
		{`i + 1.0`, `i + 1`},
		{`d > duration("1s")`, `d > duration("1m")`},
	} {
		if canon(differ[0]) == canon(differ[1]) {
			t.Errorf("%s and %s: both %s", differ[0], differ[1], canon(differ[0]))
		}
	}
}

// TestInterpreted has the expressions that a pipeline is full of run as
// closures, and says what does not.
func TestInterpreted(t *testing.T) {
	for src, want := range map[string]string{
		`i > 1 && s == "a" && f < 2`:                                  "",
		`upper(s) startsWith "A" ? f * i : -f`:                        "",
		`day(t) == timestamp("2001-01-01") || oi == nil`:              "",
		`i > 1 && any(tags, # == s)`:                                  "",
		`len(filter(tags, len(#) > i)) + sum(nums, #)`:                "",
		`none(var.eu, lower(s) contains #)`:                           "",
		`map(tags, ({"n": #}))[0]["n"] != nil && len(1..9) in [1, 2]`: "",
		`sortBy(nums[1:], -#, "desc")[0] in nums || "k" in m`:         "",
		`x + 1`: "x + 1",
		`i > 1 && int(x + 1) > 2 || !(x == 1 ? x : b)`:          "x + 1|!(x == 1 ? x : b)",
		`any(nums, # > x) && count(nums, # > i) > sum(nums, i)`: "any(nums, # > x)",
		`len(concat(filter(nums, # > 1), map(x, i))) > 1`:       "map(x, i)",
	} {
		e, err := Check(src, testEnv())
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		var got []string
		for _, p := range e.Interpreted() {
			got = append(got, src[p.From:p.To])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: interpreted %q, want %q", src, got, want)
		}
		if closures, vm := e.Stats(); (vm > 0) != (want != "") || closures+vm != size(e.root) {
			t.Errorf("%s: %d closures, %d on the machine", src, closures, vm)
		}
	}
}

// TestShared has one expression run by several goroutines, each with a program
// of its own.
func TestShared(t *testing.T) {
	e, err := Check(`upper(s) + string(i) + string(len(filter(tags, # != s)))`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			p, row := e.Program(), testRow()
			for range 200 {
				if v, err := p.Value(row); err != nil || v.Str() != "ŽLUŤ73" {
					t.Errorf("%s, %v", show(v), err)
					return
				}
			}
		})
	}
	wg.Wait()
}
