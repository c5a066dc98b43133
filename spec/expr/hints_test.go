package expr

import (
	"strings"
	"testing"
)

// habitual has what people who know other languages write, where the mistake
// is shown, and what the hint has in it.
var habitual = []struct{ src, at, hint string }{
	{`i == 1 AND b`, `AND`, "&&"},
	{`i == 1 OR b`, `OR`, "||"},
	{`NOT b`, `NOT`, "!"},
	{`i > 1 and NOT b`, `NOT`, "!"},
	{`i <> 1`, `<>`, "!="},
	{`i IS NULL`, `IS NULL`, "x == nil"},
	{`i IS NOT NULL && b`, `IS NOT NULL`, "x != nil"},
	{`oi is null`, `is null`, "x == nil"},
	{`s NOT IN ["a"]`, `NOT IN`, "not in"},
	{`s IN ["a"]`, `IN`, "x in ['a', 'b']"},
	{`s LIKE "a%"`, `LIKE`, "startsWith"},
	{`s ilike "a"`, `ilike`, "matches"},
	{`i BETWEEN 1 AND 2`, `BETWEEN`, ">= a && x <= b"},
	{`CASE WHEN b THEN 1 ELSE 2 END`, `WHEN`, "c ? a : b"},
	{`oi == null`, `null`, "nil"},
	{`oi != NULL`, `NULL`, "nil"},
	{`oi == None`, `None`, "nil"},
	{`b == True`, `True`, "true"},
	{`b == FALSE`, `FALSE`, "false"},
	{`b & b`, `&`, "&&"},
	{`b | b`, `|`, "||"},
	{`i | 1`, `|`, "||"},
	{`i === 1`, `===`, "=="},
	{`i !== 1`, `!==`, "!="},
	{`i == 1 && s = "a"`, `=`, "=="},
	{`i := 1`, `:=`, "let"},
	{`i++`, `++`, "x + 1"},
	{`i += 1`, `+=`, "x + 1"},
	{`i => 1`, `=>`, ">="},
	{`i =< 1`, `=<`, "<="},
	{`s =~ "a"`, `=~`, "matches"},
	{`i << 1`, `<<`, "bits"},
	{`any(tags, t => t == "a")`, `=>`, "#"},
	{`s == 'it's'`, `s`, "backslash"},
	{`s == 'a' 'b'`, `'b'`, "+"},
	{`s == ‘a’`, `‘`, "straight"},
	{`s == 'a`, `a`, "ends with the quote"},
	{`max(i`, `(`, "not closed"},
	{`max(i, (j) + [1, 2`, `[`, "not closed"},
	{`(i > len([1, 2)`, `)`, "A ] is missing"},
	{`s == ")" && (b`, `(`, "not closed"},
	{`i > 1)`, `)`, "no bracket open"},
	{`(i >`, `>`, "A value is missing"},
	{`b and`, `d`, "A value is missing"},
	{`and b`, `and`, "A value is missing"},
	{`b ? 1`, `?`, "c ? a : b"},
	{`if(b, 1, 2)`, `,`, "c ? a : b"},
	{`d > 10ms`, `10ms`, "duration('10ms')"},
	{`i > 1,000`, `,`, "1_000"},
	{`s.length > 1`, `s.length`, "len(x)"},
	{`nums.length`, `nums.length`, "len(x)"},
	{`s.startsWith("a")`, `s.startsWith("a")`, "s startsWith 'a'"},
	{`UPPER(s)`, `UPPER`, "Did you mean upper?"},
	{`COALESCE(oi, 1)`, `COALESCE`, "a ?? b"},
	{`lenght(s)`, `lenght`, "len(x)"},
	{`to_string(i)`, `to_string`, "string(x)"},
	{`COUNT(*)`, `*`, "count()"},
}

// TestHabits has each habit of another language be answered with what to write.
func TestHabits(t *testing.T) {
	for _, c := range habitual {
		_, err := Check(c.src, testEnv())
		if err == nil {
			t.Errorf("%s: no error", c.src)
			continue
		}
		if got := c.src[err.From:err.To]; got != c.at || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: at %q %s, want %q %q", c.src, got, err, c.at, c.hint)
		}
	}
}

// TestAggregateHabits is about windows.
func TestAggregateHabits(t *testing.T) {
	for _, c := range []struct{ src, at, hint string }{
		{`sum(b)`, `sum(b)`, "sum(b ? 1 : 0)"},
		{`sum(i > 1)`, `sum(i > 1)`, "sum(i > 1 ? 1 : 0)"},
		{`avg(b)`, `avg(b)`, "avg(b ? 1 : 0)"},
		{`sum(s)`, `sum(s)`, "sum(float(s))"},
		{`count(*)`, `*`, "count()"},
		{`SUM(i)`, `SUM`, "Did you mean sum?"},
		{`max(i) - min(i`, `(`, "not closed"},
		{`sum(i) FILTER`, `FILTER`, "sum(c ? x : 0)"},
	} {
		_, err := CheckAggregate(c.src, testEnv(), testGroup)
		if err == nil {
			t.Errorf("%s: no error", c.src)
			continue
		}
		if got := c.src[err.From:err.To]; got != c.at || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: at %q %s, want %q %q", c.src, got, err, c.at, c.hint)
		}
	}
}
