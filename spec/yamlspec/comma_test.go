package yamlspec

import (
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// A comma that ends a value within its brackets is told from one that does not,
// and the fix is the text that was meant.
func TestCommaInBraces(t *testing.T) {
	for src, want := range map[string]string{
		"a: { n: round(x, 2) }":                `"round(x, 2)"`,
		"a: { n: decimal(10,2) }":              `"decimal(10,2)"`,
		"a: { n: f(g(x, 1), 2), m: 3 }":        `"f(g(x, 1), 2)"`,
		"a: { n: min(x, y, 5) }":               `"min(x, y, 5)"`,
		"a: { n: &x f(a, b) }":                 `"f(a, b)"`,
		"a: [{ n: x[a, b] }]":                  "-",
		"a: { n: \"f(a, 2)\", m: 'f(a, 2)' }":  "",
		"a: { n: (x, m: 2) }":                  "",
		"a: { n: (x, m, k: 1 }":                "",
		"a: { n: \"(x\", 2) }":                 "",
		"a: { n: f(x), m, k) }":                "",
		"a:\n  n: f(x, 2)\n  m: (x\n  k):\n":   "",
		"a: { n: (x , ? b), k: 2 }":            "",
		"a: { n: (x,\n  # why\n  b) }":         "",
		"a: { n: *f }\nb: 1":                   "-",
		"x: &f (a\na: { n: *f, b) }":           "",
		"a: { n: (ž, 日) }":                     `"(ž, 日)"`,
		"a: { n: !!str (a, b) }":               `"(a, b)"`,
		"a: { n: replace(s, 'a', 'b') }":       "-",
		"a: { n: (x\n  y, z) }\nb: { c: d }\n": `"(x y, z)"`,
	} {
		_, ds, _ := File("t", []byte(src))
		switch {
		case want == "" && len(ds) == 0, want == "-" && len(ds) == 1 && ds[0].Code == diag.CodeSyntax:
		case len(ds) != 1 || ds[0].Fix != "Put the value in quotes: "+want || ds[0].Code != diag.CodeSyntax:
			t.Errorf("%q: want %s, and not\n%s", src, want, spectest.Show(ds, map[string][]byte{"t": []byte(src)}))
		}
		spectest.CheckWords(t, ds)
	}
}
