package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

var testGroup = []gpflow.Column{
	{Name: "s", Type: tString},
	{Name: "window_start", Type: tTime},
	{Name: "window_end", Type: tTime},
}

var aggregates = []struct{ src, calls, typ, text string }{
	{`count()`, "count() int", "int", "agg0"},
	{`sum(i * j) / count()`, "sum(i * j) int, count() int", "float", "agg0 / agg1"},
	{`avg(i)`, "avg(i) float", "float", "agg0"},
	{`avg(d)`, "avg(d) duration", "duration", "agg0"},
	{`sum(f) + sum(f) * 2`, "sum(f) float", "float", "agg0 + agg0 * 2"},
	{`sum(event.f) + sum(f)`, "sum(f) float", "float", "agg0 + agg0"},
	{`min(t)`, "min(t) timestamp", "timestamp", "agg0"},
	{`max(upper(s))`, "max(upper(s)) string", "string", "agg0"},
	{`first(b)`, "first(b) bool", "bool", "agg0"},
	{`last(tags)`, "last(tags) list(string)", "list(string)", "agg0"},
	{`count(oi)`, "count(oi) int", "int", "agg0"},
	{`sum(oi)`, "sum(oi) optional(int)", "optional(int)", "agg0"},
	{`avg(oi) ?? 0`, "avg(oi) optional(float)", "float", "agg0 ?? 0.0"},
	{`sum(oi ?? 0)`, "sum(oi ?? 0) int", "int", "agg0"},
	{`sum(oi) != nil && sum(oi) > 1`, "sum(oi) optional(int)", "bool", "agg0 != nil && agg0 > 1"},
	{`s + string(count())`, "count() int", "string", "s + string(agg0)"},
	{`window_end - window_start > duration("1m") && count() > 1`, "count() int", "bool", ""},
	{`sum(b ? 1 : 0) * 100 / count()`, "sum(b ? 1 : 0) int, count() int", "float", ""},
	{`sum(f * local.k) > var.min`, "sum(f * 2.5) float", "bool", "agg0 > 5"},
	{`sum(len(filter(tags, # == s)))`, "sum(len(filter(tags, # == s))) int", "int", "agg0"},
	{`max(count)`, "max(count) int", "int", "agg0"},
	{`round(avg(f) * 10) / 10`, "avg(f) float", "float", ""},
}

func TestAggregate(t *testing.T) {
	for _, c := range aggregates {
		a, err := CheckAggregate(c.src, testEnv(), testGroup)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		var calls []string
		for i, call := range a.Calls {
			arg := ""
			if call.Arg != nil {
				arg = call.Arg.String()
			}
			calls = append(calls, fmt.Sprintf("%s(%s) %s", call.Func, arg, call.Type))
			if col := a.Schema().Columns[len(testGroup)+i]; col.Name != fmt.Sprintf("agg%d", i) || !col.Type.Equal(call.Type) {
				t.Errorf("%s: column %v", c.src, col)
			}
		}
		if got := strings.Join(calls, ", "); got != c.calls {
			t.Errorf("%s: calls %s, want %s", c.src, got, c.calls)
		}
		if got := a.Result.Type().String(); got != c.typ {
			t.Errorf("%s: type %s, want %s", c.src, got, c.typ)
		}
		if got := a.Result.String(); c.text != "" && got != c.text {
			t.Errorf("%s: result %s, want %s", c.src, got, c.text)
		}
	}
}

func TestAggregateRun(t *testing.T) {
	a, err := CheckAggregate(`s + ": " + string(sum(i * j) / count())`, testEnv(), testGroup)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(a.Calls[0].Arg.Columns(), " "); got != "i j" {
		t.Errorf("columns %s", got)
	}
	v, rerr := a.Calls[0].Arg.Program().Value(testRow())
	if rerr != nil || v.Int() != -21 {
		t.Errorf("argument %s, %v", show(v), rerr)
	}
	row := []gpflow.Value{gpflow.String("PRG"), gpflow.Time(0), gpflow.Time(1), gpflow.Int(7), gpflow.Int(2)}
	v, rerr = a.Result.Program().Value(row)
	if rerr != nil || v.Str() != "PRG: 3.5" {
		t.Errorf("result %s, %v", show(v), rerr)
	}
	a, err = CheckAggregate(`sum(f * local.k) > var.min`, testEnv(), testGroup)
	if err != nil || strings.Join(a.Result.Constants(), " ") != "local.k var.min" {
		t.Errorf("constants of %v, %v", a, err)
	}
}

func TestAggregateErrors(t *testing.T) {
	for _, c := range []struct{ src, at, summary, detail string }{
		{`i + count()`, `i`, "i must be inside an aggregate or in key_by", "last(i)"},
		{`event.f`, `event.f`, "event.f must be inside an aggregate or in key_by", ""},
		{`address.street`, `address.street`, "address.street must be inside an aggregate or in key_by", ""},
		{`sum(max(i))`, `max(i)`, "An aggregate is not allowed in an aggregate", ""},
		{`sum(count())`, `count()`, "An aggregate is not allowed in an aggregate", ""},
		{`sum()`, `sum()`, "sum does not take 0 arguments", "sum(x)"},
		{`count(i, j)`, `count(i, j)`, "count does not take 2 arguments", ""},
		{`sum(s)`, `sum(s)`, "sum of string is not defined", "sum(float(s))"},
		{`max(tags)`, `max(tags)`, "max of list(string) is not defined", ""},
		{`sum(nope)`, `nope`, "Unknown name nope", ""},
		{`"žluť" + string(sum(nope))`, `nope`, "Unknown name nope", ""},
		{`sum(oi) + 1`, `sum(oi)`, "sum(oi) may be null", ""},
		{`sum(i) + "a"`, `sum(i)`, "int + string is not defined", ""},
		{`window_strat`, `window_strat`, "Unknown name window_strat", "Did you mean window_start?"},
		{`any(last(tags), count() > 1)`, `count()`, "An aggregate is not allowed in a predicate", ""},
	} {
		_, err := CheckAggregate(c.src, testEnv(), testGroup)
		if err == nil {
			t.Errorf("%s: no error", c.src)
			continue
		}
		if got := c.src[err.From:err.To]; got != c.at || !strings.Contains(err.Summary, c.summary) || !strings.Contains(err.Detail, c.detail) {
			t.Errorf("%s: %q %q at %q, want %q %q at %q", c.src, err.Summary, err.Detail, got, c.summary, c.detail, c.at)
		}
	}
}
