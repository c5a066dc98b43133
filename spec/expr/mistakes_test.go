package expr

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// several has what is wrong in an expression: the texts that are underlined.
var several = []struct {
	src string
	at  []string
}{
	// Independent mistakes.
	{`foo > 1 and bar < 2`, []string{"foo", "bar"}},
	{`upper(1) + lower(2)`, []string{"1", "2"}},
	{`i and f`, []string{"i", "f"}},
	{`b && (s > 1 || foo)`, []string{"s > 1", "foo"}},
	{`foo ? bar : baz`, []string{"foo", "bar", "baz"}},
	{`foo ? 1 : "a"`, []string{"foo", `foo ? 1 : "a"`}},
	{`i ? 1 : 2 + s`, []string{"i", "2"}},
	{`oi + of`, []string{"oi", "of"}},
	{`(oi + 1) + upper(of)`, []string{"oi", "oi + 1", "of"}},
	{`replace(1, 2, 3)`, []string{"1", "2", "3"}},
	{`[foo, bar + 1, upper(1)]`, []string{"foo", "bar", "1"}},
	{`let y = foo; y + bar`, []string{"foo", "bar"}},
	{`let y = upper(1); y + 1`, []string{"1", "1"}},
	{`let i = 1; i + foo`, []string{"i", "foo"}},
	{`any(foo, # > bar)`, []string{"foo", "bar"}},
	{`any(1, # > bar)`, []string{"1", "bar"}},
	{`nope(foo)`, []string{"nope", "foo"}},
	{`upper(foo, bar)`, []string{"upper(foo, bar)", "foo", "bar"}},
	{`i matches "("`, []string{"i", `"("`}},
	{`tags[s] + nums[b]`, []string{"s", "nums[b]", "b"}},
	{`i in s || b in i`, []string{"s", "i"}},
	{`oi + 1 > 2 && oi < 3`, []string{"oi"}},
	{`upper(foo) + 1`, []string{"foo", "1"}},
	{`-s + -b`, []string{"-s", "-b"}},

	// What follows from one is silent.
	{`foo + 1`, []string{"foo"}},
	{`foo.bar.baz`, []string{"foo.bar.baz"}},
	{`(foo + 1) * s`, []string{"foo"}},
	{`-foo`, []string{"foo"}},
	{`!foo`, []string{"foo"}},
	{`foo[1].x + nums[foo]`, []string{"foo"}},
	{`foo > 1 && foo < 5 && foo != 7`, []string{"foo"}},
	{`any(foo, #.x > 1)`, []string{"foo"}},
	{`map(foo, # + 1)[0] + s`, []string{"foo"}},
	{`let y = foo; y + 1 > s`, []string{"foo"}},
	{`foo ?? "a"`, []string{"foo"}},
	{`(foo ?? 1) + s`, []string{"foo"}},
	{`s matches foo`, []string{"foo"}},
	{`foo matches "a"`, []string{"foo"}},
	{`foo in [1, 2]`, []string{"foo"}},
	{`i in foo`, []string{"foo"}},
	{`1..foo`, []string{"foo"}},
	{`d / foo`, []string{"foo"}},
	{`foo == nil`, []string{"foo"}},
	{`[foo, 1][0] + s`, []string{"foo"}},
	{`sortBy(foo, #)`, []string{"foo"}},
	{`sum(foo, # * 2)`, []string{"foo"}},
	{`foo < b`, []string{"foo"}},
	{`{"a": foo}.a + s`, []string{"foo"}},
	{`oi < 1 / 0`, []string{"1 / 0"}},
	{`foo[1:2] + s`, []string{"foo"}},
	{`min(foo, s)`, []string{"foo"}},
}

// TestSeveral: all mistakes of an expression are found, in the order of the
// text, and nothing that follows from one of them.
func TestSeveral(t *testing.T) {
	for _, c := range several {
		e, err := Check(c.src, testEnv())
		if err == nil {
			t.Errorf("%s: no error, type %s", c.src, e.Type())
			continue
		}
		var at, said []string
		for _, m := range err.All() {
			at = append(at, c.src[m.From:m.To])
			said = append(said, fmt.Sprintf("%q: %s", c.src[m.From:m.To], m))
		}
		if !slices.Equal(at, c.at) {
			t.Errorf("%s: at %q, want %q\n  %s", c.src, at, c.at, strings.Join(said, "\n  "))
		}
	}
}

// TestSeveralAggregates: the same of the aggregates of a window.
func TestSeveralAggregates(t *testing.T) {
	for _, c := range []struct {
		src string
		at  []string
	}{
		{`sum(foo) / count(bar)`, []string{"foo", "bar"}},
		{`sum(s) + avg(b)`, []string{"sum(s)", "avg(b)"}},
		{`sum(foo > 1 ? 1 : 0) + sum(foo > 1 ? 1 : 0)`, []string{"foo"}},
		{`sum(upper(1)) + i`, []string{"1", "i"}},
		{`summ(i) + foo`, []string{"summ", "foo"}},
		{`sum(foo) + "a"`, []string{"foo"}},
	} {
		_, err := CheckAggregate(c.src, testEnv(), testGroup)
		if err == nil {
			t.Errorf("%s: no error", c.src)
			continue
		}
		var at []string
		for _, m := range err.All() {
			at = append(at, c.src[m.From:m.To])
		}
		if !slices.Equal(at, c.at) {
			t.Errorf("%s: at %q, want %q", c.src, at, c.at)
		}
	}
}

// TestManyMistakes: the search ends after some.
func TestManyMistakes(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("nope%d", i))
	}
	_, err := Check(strings.Join(names, " + "), testEnv())
	if err == nil || len(err.All()) != maxMistakes {
		t.Errorf("got %v", err)
	}
}

// TestPlaces: what is underlined is the part that is wrong, never more.
func TestPlaces(t *testing.T) {
	for _, c := range []struct{ src, at string }{
		{`!(s > 1)`, `s > 1`},
		{`!(i + 1)`, `i + 1`},
		{`!i`, `i`},
		{`not (i + 1) and b`, `i + 1`},
		{`!!i`, `i`},
		{`-(s)`, `-(s)`},
		{`+s`, `+s`},
		{`!b + 1`, `!b`},
		{`(!b) + 1`, `!b`},
		{`!(b) > !(b)`, `!(b) > !(b)`},
		{`(b == nil) + 1`, `b == nil`},
		{`(b != nil) + 1`, `b != nil`},
		{`!(b ? i : s)`, `b ? i : s`},
		{`(b ? 1 : 2.0) + s`, `b ? 1 : 2.0`},
		{`(i ?? 1) and b`, `i ?? 1`},
		{`(true ? 1 : 2) and b`, `1`},
		{`i > 99999999999999999999`, `99999999999999999999`},
		{`99999999999999999999 > i`, `99999999999999999999`},
		{`99999999999999999999`, `99999999999999999999`},
		{`nums[99999999999999999999]`, `99999999999999999999`},
		{`f > 1e999 && b`, `1e999`},
		{`'ž' + s == 'ž' && i < -99999999999999999999`, `99999999999999999999`},
		{`i > 0xfffffffffffffffffff + 1`, `0xfffffffffffffffffff`},
	} {
		_, err := Check(c.src, testEnv())
		if err == nil {
			t.Errorf("%s: no error", c.src)
		} else if got := c.src[err.From:err.To]; got != c.at || len(err.More) > 0 {
			t.Errorf("%s: at %q, want %q: %s", c.src, got, c.at, err)
		}
	}
}
