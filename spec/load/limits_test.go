package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/hclspec"
	"github.com/gpflow/gpflow/spec/spectest"
	"github.com/gpflow/gpflow/spec/yamlspec"
)

// doubled returns locals of which each is made of the one before.
func doubled(n int, first, next string) []string {
	out := []string{first}
	for i := 1; i < n; i++ {
		out = append(out, strings.ReplaceAll(next, "A", fmt.Sprintf("local.a%d", i-1)))
	}
	return out
}

// what each of these would compute does not fit into memory, or has no end.
var bombs = map[string][]string{
	"text":              doubled(40, `"x"`, `"${A}${A}"`),
	"list":              doubled(24, `["x"]`, `[A, A]`),
	"object":            doubled(24, `{ x = "x" }`, `{ a = A, b = A }`),
	"concat":            doubled(40, `[1]`, `concat(A, A)`),
	"names of names":    doubled(1100, `{ x = "x" }`, `{ abcdefghijkl = A }`),
	"number":            doubled(40, `10`, `A * A`),
	"number as text":    {`"${1e100000000}"`},
	"number in format":  {`format("%.3f", 1e100000000)`},
	"small number":      {`"${1e-100000000}"`},
	"number in JSON":    {`jsondecode("1e100000000")`},
	"power":             {`parseint(join("", [for x in range(1000): "123456"]), 10)`},
	"product":           {`range(1000)`, `setproduct(local.a0, local.a0, local.a0)`},
	"product of itself": {`setproduct(range(1000), range(1000), range(1000), range(1000), range(1000), range(1000), range(1000))`},
	"join":              {`join(join(",", range(1000)), range(1000))`},
	"format":            {`format("%1000000000s", "x")`},
	"format precision":  {`format("%.1000000000f", 1.5)`},
	"format arguments":  {`join("", [for x in range(1000): "123456789"])`, fmt.Sprintf(`format(%q, local.a0)`, strings.Repeat("%[1]s", 1000))},
	"formatlist":        {`formatlist("%100000s", range(1000))`},
	"indent":            {`indent(100000000, "a\nb")`},
	"replace":           {`join("", [for x in range(1000): "123456789"])`, `replace(local.a0, "1", local.a0)`},
	"for":               {`[for x in range(1000): [for y in range(1000): [for z in range(1000): x]]]`},
	"for of flags":      {`[for x in range(1000): [for y in range(1000): [for z in range(1000): x if false] if false]]`},
	"for of an object":  {`{for x in range(1000): "k${x}" => {for y in range(1000): "k${y}" => [for z in range(1000): x]}}`},
	"for and lookups":   {`[for x in range(1000): length([for y in range(1000): y])]`},
	"template for":      {`"%{ for x in range(1000) }%{ for y in range(1000) }%{ for z in range(1000) }x%{ endfor }%{ endfor }%{ endfor }"`},
	"splat":             doubled(24, `[{ x = 1 }]`, `[A[*], A[*]]`),
	"split":             {`join("", [for x in range(1000): join("", range(100))])`, `split("", local.a0)`},
	"decode":            {`join("", [for x in range(1000): join("", [for y in range(100): "[],"])])`, `jsondecode("[${local.a0}1]")`},
	"csv":               {`join("", [for x in range(1000): join("", [for y in range(100): "a\n"])])`, `csvdecode(local.a0)`},
	"regex":             {`regex("((a?){30}){30}(bc?){900}(de?){900}(fg?){900}(hi?){999}(kl?){999}", "aaaaaaaaaaaa")`},
	"regex on text":     {`join("", [for x in range(1000): "aaaaaaaaaaaaa"])`, `regexall("(?:a?){1000}b", local.a0)`},
	"groups":            {`join("", [for x in range(1000): "aaaaaaaaaaaaa"])`, fmt.Sprintf(`regexall(%q, local.a0)`, strings.Repeat("()", 1000))},
	"trim":              {`join("", [for x in range(1000): "ééééééééé"])`, `trim(local.a0, "${local.a0}é")`},
	"distinct":          {`flatten([for x in range(10): [for y in range(1000): x * 1000 + y]])`, `distinct(local.a0)`},
	"types":             append(doubled(13, `[{ a = 1 }, [1]]`, `concat(A, A)`), `tolist(local.a12)`),
	"many":              doubled(440, `join("", [for x in range(1000): "0123456789012345678901234567890123456789"])`, `"${A}"`),
}

func TestValuesAreBounded(t *testing.T) {
	for name, locals := range bombs {
		t.Run(name, func(t *testing.T) {
			var native, yaml strings.Builder
			native.WriteString("pipeline \"p\" {}\nlocals {\n")
			yaml.WriteString("pipeline: { p: {} }\nlocals:\n")
			for i, l := range locals {
				fmt.Fprintf(&native, "  a%d = %s\n", i, l)
				fmt.Fprintf(&yaml, "  a%d: '${%s}'\n", i, l)
			}
			native.WriteString("}\n")
			o := hclspec.Options{Registry: spectest.Registry(t)}
			var ds diag.List
			spectest.Bounded(t, "HCL", mostAllocated, func() { _, ds = hclspec.Parse("a.gp", []byte(native.String()), o) })
			wantTooBig(t, "HCL", ds)
			spectest.Bounded(t, "YAML", mostAllocated, func() { _, ds = yamlspec.Parse("a.gp.yaml", []byte(yaml.String()), o) })
			wantTooBig(t, "YAML", ds)
		})
	}
}

// mostAllocated is how many bytes computing the values of a text may allocate.
const mostAllocated = 96 << 20

func wantTooBig(t *testing.T, language string, ds diag.List) {
	t.Helper()
	n := 0
	for _, d := range ds {
		if d.Code == diag.CodeTooBig {
			n++
			if n == 1 {
				t.Logf("%s: %s: %s", d.Range, d.Summary, d.Detail)
			}
			if d.Range.File == "" || d.Range.Start.Line == 0 {
				t.Errorf("%s: no place: %v", language, d)
			}
		}
	}
	if n != 1 {
		t.Errorf("%s: %d diagnostics of values that are too big, want 1: %.2000v", language, n, ds)
	}
}

// TestTypeOfManyElements has the elements of a variable's value compared with
// each other.
func TestTypeOfManyElements(t *testing.T) {
	for _, c := range []struct {
		typ, first string
		good       bool
	}{
		{"list(any)", "1", true},
		{"list(any)", `"a"`, false},
		{"list(number)", "1", true},
		{"list(number)", "null", true},
		{"list(string)", "1", true},
		{"list(string)", `"a"`, true},
	} {
		src := fmt.Sprintf("pipeline \"p\" {}\nvariable \"v\" {\n  type = %s\n  default = [%s, %s1]\n}\n", c.typ, c.first, strings.Repeat("1,", 40_000))
		var ds diag.List
		spectest.Bounded(t, c.typ, 256<<20, func() {
			_, ds = hclspec.Parse("a.gp", []byte(src), hclspec.Options{Registry: spectest.Registry(t)})
		})
		bad := false
		for _, d := range ds {
			bad = bad || d.Code == diag.CodeVariableValue
		}
		if bad == c.good {
			t.Errorf("%s: %.500v", c.typ, ds)
		}
	}
}
