package hclspec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/spec/spectest"
)

// functionNames are the functions of values, of which the expressions of
// TestAnyExpression are made.
var functionNames = []string{
	"abs", "ceil", "chomp", "chunklist", "coalesce", "coalescelist", "compact", "concat", "contains", "csvdecode", "distinct", "element",
	"flatten", "floor", "format", "formatlist", "indent", "join", "jsondecode", "jsonencode", "keys", "length", "lookup", "lower", "max",
	"merge", "min", "parseint", "pow", "range", "regex", "regexall", "replace", "reverse", "setproduct", "signum", "slice", "sort", "split",
	"strlen", "substr", "title", "tobool", "tolist", "tomap", "tonumber", "tostring", "trim", "trimprefix", "trimspace", "trimsuffix",
	"upper", "values", "zipmap",
}

// The expressions that begin with a failure are computed on with values that
// are not known.
var atoms = []string{
	"local.lost", "local.lost", "local.number", "local.text", "local.truth", "local.list", "local.object", "x", "x", "k", "null", "true", "0", "1", "-3", "2.5", `"a"`, `"3"`,
	`"${local.lost}"`, "[]", "{}", "local.none", "1 / 0", "-local.lost", "!local.lost", "split(\",\", \"q${local.lost}\")", "tomap({a = -local.lost})", "[-local.lost]",
}

func drawExpression(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	sub := func() string { return drawExpression(t, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
	switch rapid.IntRange(0, 14).Draw(t, "form") {
	case 0:
		return fmt.Sprintf("(%s %s %s)", sub(), rapid.SampledFrom([]string{"+", "-", "*", "/", "%", "<", ">=", "==", "!=", "&&", "||"}).Draw(t, "operator"), sub())
	case 1:
		return fmt.Sprintf("(%s ? %s : %s)", sub(), sub(), sub())
	case 2:
		return fmt.Sprintf("[%s, %s]", sub(), sub())
	case 3:
		return fmt.Sprintf("{a = %s, (%s) = %s}", sub(), sub(), sub())
	case 4:
		return fmt.Sprintf("[for x in %s : %s]", sub(), sub())
	case 5:
		return fmt.Sprintf("[for k, x in %s : %s if %s]", sub(), sub(), sub())
	case 6:
		return fmt.Sprintf("{for k, x in %s : %s => %s%s}", sub(), sub(), sub(), rapid.SampledFrom([]string{"", "..."}).Draw(t, "group"))
	case 7:
		return fmt.Sprintf("%s[%s]", sub(), sub())
	case 8:
		return fmt.Sprintf("%s.%s", sub(), rapid.SampledFrom([]string{"a", "z", "0"}).Draw(t, "attribute"))
	case 9:
		return fmt.Sprintf("%s[*]%s", sub(), rapid.SampledFrom([]string{"", ".a", "[0]"}).Draw(t, "of each"))
	case 10:
		return fmt.Sprintf("\"a${%s}b\"", sub())
	case 11:
		return fmt.Sprintf("\"%%{for x in %s}${%s}%%{endfor}\"", sub(), sub())
	case 12:
		return fmt.Sprintf("(%s%s)", rapid.SampledFrom([]string{"-", "!", ""}).Draw(t, "unary"), sub())
	}
	args := make([]string, rapid.IntRange(1, 3).Draw(t, "arguments"))
	for i := range args {
		args[i] = sub()
	}
	spread := rapid.SampledFrom([]string{"", "", "", "..."}).Draw(t, "spread")
	return fmt.Sprintf("%s(%s%s)", rapid.SampledFrom(functionNames).Draw(t, "function"), strings.Join(args, ", "), spread)
}

// Whatever an expression is, also one of parts that have failed, it is computed
// or reported.
func TestAnyExpression(t *testing.T) {
	r := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		src := "locals {\n  lost   = local.other\n  other  = local.lost\n  number = 3\n  text   = \"t\"\n  truth  = true\n  list   = [1, \"b\"]\n" +
			"  object = {a = 1, b = [2]}\n  computed = " + drawExpression(t, rapid.IntRange(1, 4).Draw(t, "deep")) + "\n}\n"
		p, ds := Parse("t", []byte(src), Options{Registry: r})
		if p == nil && !ds.HasErrors() {
			t.Fatalf("no pipeline and no error:\n%s", src)
		}
		for _, d := range ds {
			if d.Code == "" || d.Summary == "" || d.Range.Start.Byte > d.Range.End.Byte || d.Range.End.Byte > len(src) {
				t.Fatalf("%+v in\n%s", d, src)
			}
		}
		spectest.CheckWords(t, ds)
		spectest.Show(ds, map[string][]byte{"t": []byte(src)})
	})
}

// The functions of the expressions above are all that there are.
func TestFunctionNames(t *testing.T) {
	_, ds := Parse("t", []byte("locals {\n  a = nofunction(1)\n}\n"), Options{Registry: spectest.Registry(t)})
	for _, d := range ds {
		if _, names, ok := strings.Cut(d.Detail, "The functions of values are "); ok {
			all := strings.FieldsFunc(strings.TrimSuffix(names, "."), func(r rune) bool { return r == ',' || r == ' ' })
			if all = slices.DeleteFunc(all, func(s string) bool { return s == "and" }); !slices.Equal(all, functionNames) {
				t.Fatalf("the functions are %q", all)
			}
			return
		}
	}
	t.Fatalf("no list of functions:\n%v", ds)
}
