package compiler_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators"
)

// pipelineSettings are fields of the pipeline block, and what they may be.
var pipelineSettings = map[string][]string{
	"parallelism": {"1", "3"}, "key_groups": {"8"}, "on_error": {`"skip"`, `"divert"`, `"fail"`}, "labels": {"{ a = 1 }"},
	"checkpoint {\n every": {`"1s"`}, "state {\n memory": {`"1MiB"`}, "restart {\n attempts": {"3"},
}

// anyPipeline draws specifications whose nodes have any fields, with values that
// are meant more often than not.
type anyPipeline struct {
	t    *rapid.T
	b    strings.Builder
	refs []string // the nodes so far
}

func (a *anyPipeline) pick(from ...string) string {
	return rapid.SampledFrom(from).Draw(a.t, "of")
}

func (a *anyPipeline) chance(percent int) bool {
	return rapid.IntRange(0, 99).Draw(a.t, "chance") >= 100-percent
}

// odd draws a value that is hardly meant.
func (a *anyPipeline) odd() string {
	return a.pick("null", "1 / 0", "-1", "0.5", "1e30", `""`, `"\u00e9"`, "[]", "{}", "[[]]", "[null]", "{ a = {} }", "local.lost", "local.none", "var.n", `"${local.lost}"`,
		"-local.lost", "[local.lost, 1]", "true", "source.a", "schema.s", `"9999999h"`, `"1YiB"`, "local.text", "local.list", "[for x in [-local.lost] : x.a]")
}

// record draws a record expression.
func (a *anyPipeline) record(depth int) string {
	if depth == 0 || a.chance(25) {
		return a.pick("n", "s", "t", "tags", "m", "f", "o", "line", "i", "none", "1", "'x'", "nil", "true", "2.5", "[]", "{}", "local.text", "var.n", "#", "window_start", "at")
	}
	sub := func() string { return a.record(depth - 1) }
	switch rapid.IntRange(0, 8).Draw(a.t, "form") {
	case 0:
		return sub() + a.pick("+", "-", "*", "/", "%", "==", "<", " and ", " or ", " ?? ", " in ", " contains ", " matches ", " | ", "..") + sub()
	case 1:
		return sub() + " ? " + sub() + " : " + sub()
	case 2:
		return "(" + sub() + ")" + a.pick(".a", "[0]", "['k']", "?.b", "[1:2]")
	case 3:
		return a.pick("map", "filter", "all", "any", "count", "reduce", "sum", "find") + "(" + sub() + ", " + sub() + ")"
	case 4:
		return "let v = " + sub() + "; v"
	case 5:
		return a.pick("not ", "-", "!") + sub()
	case 6:
		return "{a: " + sub() + "}"
	case 7:
		return "[" + sub() + ", " + sub() + "]"
	}
	return a.pick("string", "int", "float", "timestamp", "duration", "upper", "length", "count", "sum", "min", "max", "avg", "first", "split", "sqrt", "round", "none",
		"bool", "hash", "trim", "year", "json", "keys") + "(" + sub() + a.pick("", ", "+sub()) + ")"
}

func quoted(expr string) string { return `"` + strings.ReplaceAll(expr, `"`, `'`) + `"` }

// value draws what a field is given.
func (a *anyPipeline) value(f gpflow.Field) string {
	if a.chance(4) {
		return a.odd()
	}
	switch f.Kind {
	case gpflow.FieldExpr:
		if a.chance(60) {
			return a.pick(`"true"`, `"n > 1"`, `"s == 'a'"`, `"[n, 1]"`, `"tags"`, `"i % 2 == 0"`)
		}
		return quoted(a.record(2))
	case gpflow.FieldExprMap, gpflow.FieldAggregates:
		if a.chance(60) {
			return a.pick(`{ n = "i", s = "string(i)" }`, `{ n = "n", x = "s + 'y'" }`, `{ n = "count()" }`, `{ x = "sum(n)", y = "max(n)" }`, `{ at = "timestamp('2024-01-01T00:00:00Z')" }`)
		}
		return fmt.Sprintf("{ %s = %s, %s = %s }", a.pick("n", "s", "x", "(local.text)", `"a b"`), quoted(a.record(2)), a.pick("y", "z", "at"), quoted(a.record(1)))
	case gpflow.FieldColumns, gpflow.FieldColumn:
		return a.pick(`"n"`, `"s"`, `"at"`, `"t"`, `["n", "s"]`, `["none"]`, `"tags"`)
	case gpflow.FieldRef, gpflow.FieldRefs:
		if len(a.refs) == 0 || a.chance(3) {
			return a.pick("source.none", "sink.x", "source.n0.none", "[]")
		}
		return a.pick(a.refs...) + a.pick("", "", "", "", "", "", "", "", ".errors", ".late")
	case gpflow.FieldSchema:
		return a.pick("schema.s", "schema.s", "schema.none", "{ n = int }")
	case gpflow.FieldBool:
		return a.pick("true", "false")
	case gpflow.FieldInt:
		return a.pick("1", "7", "1000")
	case gpflow.FieldDuration:
		return a.pick(`"1s"`, `"1m"`, `"0s"`)
	case gpflow.FieldEnum:
		var names []string
		for _, v := range f.Values {
			names = append(names, quoted(v.Value))
		}
		return a.pick(names...)
	case gpflow.FieldString:
		if f.Exprs {
			return a.pick(`"out/a"`, `"out/{s}/"`, `"{`+a.record(2)+`}"`, `"in"`)
		}
	case gpflow.FieldList:
		return a.pick(`"in"`, `"in/*.csv"`, `"-"`, `["a.json", "b.csv"]`, `"a.txt.gz"`)
	}
	if f.Example != "" {
		return f.Example
	}
	return `"x"`
}

func (a *anyPipeline) fields(fs []gpflow.Field, indent string) {
	for _, f := range fs {
		often := f.Required || f.Kind == gpflow.FieldSchema || f.Name == "format"
		if !often && !a.chance(12) || often && a.chance(3) {
			continue
		}
		if f.Kind == gpflow.FieldBlock && (f.Short == "" || a.chance(50)) {
			fmt.Fprintf(&a.b, "%s%s {\n", indent, f.Name)
			a.fields(f.Fields, indent+"  ")
			fmt.Fprintf(&a.b, "%s}\n", indent)
			continue
		}
		fmt.Fprintf(&a.b, "%s%s = %s\n", indent, f.Name, a.value(f))
	}
}

func (a *anyPipeline) text(kinds []*gpflow.Descriptor) string {
	a.b.WriteString("pipeline \"p\" {\n")
	for _, name := range slices.Sorted(maps.Keys(pipelineSettings)) {
		if values := pipelineSettings[name]; a.chance(10) {
			fmt.Fprintf(&a.b, "  %s = %s\n%s", name, a.pick(append(values, a.odd())...), strings.Repeat("  }\n", strings.Count(name, "{")))
		}
	}
	a.b.WriteString("}\nvariable \"n\" {\n  type = number\n  default = 3\n}\nlocals {\n  text = \"x\"\n  list = [1, \"b\"]\n")
	if a.chance(30) {
		a.b.WriteString("  lost = local.other\n  other = local.lost\n")
	}
	a.b.WriteString("}\nschema \"s\" {\n  n = int\n  s = string\n  t = timestamp\n  f = float\n  o = optional(int)\n  tags = list(string)\n  m = map(int)\n}\n")
	last := rapid.IntRange(1, 5).Draw(a.t, "nodes")
	for i := range last + 1 {
		d := rapid.SampledFrom(kinds).Draw(a.t, "kind")
		for i == 0 && !d.IsSource() || i == last && !d.IsSink() {
			d = rapid.SampledFrom(kinds).Draw(a.t, "kind")
		}
		name := fmt.Sprintf("n%d", i)
		if d.Kind == "" {
			fmt.Fprintf(&a.b, "%s %q {\n", d.Block, name)
		} else {
			fmt.Fprintf(&a.b, "%s %q %q {\n", d.Block, d.Kind, name)
		}
		a.fields(d.AllFields(), "  ")
		a.b.WriteString("}\n")
		if !d.IsSink() {
			a.refs = append(a.refs, d.Block+"."+name)
		}
	}
	return a.b.String()
}

// Whatever fields the nodes of a pipeline have, it is compiled or the mistakes
// are reported.
func TestAnyPipeline(t *testing.T) {
	registry, kinds := builtins(t), operators.Builtin()
	compiled, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		a := &anyPipeline{t: t}
		text := a.text(kinds)
		if tried++; checkText(t, registry, "any.hcl", text) {
			compiled++
		}
		if t.Failed() {
			t.Log(text)
		}
	})
	t.Logf("%d of %d have no mistakes", compiled, tried)
}
