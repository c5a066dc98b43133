package spectest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// Functions are the names of the functions of values, sorted.
var Functions = []string{
	"abs", "ceil", "chomp", "chunklist", "coalesce", "coalescelist", "compact", "concat", "contains", "csvdecode", "distinct", "element",
	"flatten", "floor", "format", "formatlist", "indent", "join", "jsondecode", "jsonencode", "keys", "length", "lookup", "lower", "max",
	"merge", "min", "parseint", "pow", "range", "regex", "regexall", "replace", "reverse", "setproduct", "signum", "slice", "sort", "split",
	"strlen", "substr", "title", "tobool", "tolist", "tomap", "tonumber", "tostring", "trim", "trimprefix", "trimspace", "trimsuffix",
	"upper", "values", "zipmap",
}

// Locals are what the atoms of expressions refer to, and more: lost and other
// have no value.
var Locals = [][2]string{
	{"lost", "local.other"}, {"other", "local.lost"}, {"number", "3"}, {"text", `"t"`}, {"truth", "true"}, {"list", `[1, "b"]`}, {"object", "{a = 1, b = [2]}"},
}

var atoms = []string{
	"local.lost", "local.lost", "local.number", "local.text", "local.truth", "local.list", "local.object", "x", "x", "k", "null", "true", "0", "1", "-3", "2.5", `"a"`, `"3"`,
	`"${local.lost}"`, "[]", "{}", "local.none", "1 / 0", "-local.lost", "!local.lost", "split(\",\", \"q${local.lost}\")", "tomap({a = -local.lost})", "[-local.lost]",
}

// Expression draws an expression, of the depth at most, over Locals: what is
// computed with some of them is not known, and much has no value at all.
func Expression(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	sub := func() string { return Expression(t, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
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
	return fmt.Sprintf("%s(%s%s)", rapid.SampledFrom(Functions).Draw(t, "function"), strings.Join(args, ", "), spread)
}
