package yamlspec

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/spectest"
)

// Whatever the text, it is read without a panic, all diagnostics lie within
// it, and a byte of a scalar that is placed is placed within it and behind the
// one before.
func FuzzParse(f *testing.F) {
	a, err := txtar.ParseFile("testdata/broken.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range a.Files {
		f.Add(file.Data)
	}
	f.Add([]byte("a: |\n  x\nb: 'c'\nd: >-\n\n  x\n   y\n"))
	f.Add([]byte("a: &x {b: [1, \"\\u00e9 \\\n  x\"]}\nc: *x\n<<: *x\n"))
	f.Add([]byte("? |-\n  a\n: >+2\n    b\n\n"))
	f.Add([]byte("a: &x\nb: !!str\nc: !!str &y 'd'\ne: ${\"$${f}\"}\n"))
	f.Add([]byte("a\u0085b: \"c\u2028 d\"\r e: 'f\r\n\r\n g'\n"))
	registry := spectest.Registry(f)
	f.Fuzz(func(t *testing.T, src []byte) { checkText(t, registry, src) })
}

// tokens are what texts of YAML consist of, with all line breaks that there are.
var tokens = []string{
	"\n", "\n", "\n  ", "\r\n", "\r", "\u0085", "\u2028", "\u2029", " ", "  ", "\t", "!", "!!str", "!x", "&a", "*a", ">", "|", "|2-", ">+", "|-", "a", "b", "pipeline", "source", "locals",
	": ", ":", "- ", "-", ", ", ",", "[", "]", "{", "}", "'", "\"", "''", "#c", " #", "? ", "<<", "---", "...", "%YAML 1.2", "${", "}", "$${", "%{", "\\", "\\\n", "\\x41", "\\u2028", "é", "\ufeff", "\x00", "\xff", "null", "1.5", "~",
}

// Whatever the tokens, FuzzParse finds nothing.
func TestAnyTokens(t *testing.T) {
	registry := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		checkText(t, registry, []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 1, 24).Draw(t, "tokens"), "")))
	})
}

// failing is a test or a check of a property.
type failing interface {
	spectest.T
	Fatalf(format string, args ...any)
}

func checkText(t failing, registry *gpflow.Registry, src []byte) {
	p, ds := Parse("t", src, Options{Registry: registry})
	spectest.CheckReported(t, p != nil, ds, string(src))
	if p != nil {
		if file, _, ok := File("t", p.Sources["t"]); ok {
			walk(t, file.Body.(*body), p.Sources["t"])
		}
	}
}

// walk checks the places of all values of a body.
func walk(t failing, b *body, src []byte) {
	attrs, _ := b.JustAttributes()
	for _, a := range attrs {
		checkPlace(t, a.Expr, src)
		pairs := a.Expr.(*expression).ExprMap()
		for _, p := range pairs {
			checkPlace(t, p.Value, src)
		}
		for _, e := range a.Expr.(*expression).ExprList() {
			checkPlace(t, e, src)
		}
		a.Expr.(*expression).ExprCall()
		a.Expr.Value(&hcl.EvalContext{})
	}
}

func checkPlace(t failing, x hcl.Expression, src []byte) {
	if r := x.Range(); r.Start.Byte > r.End.Byte || r.End.Byte > len(src) {
		t.Fatalf("the place %v of %d bytes", r, len(src))
	}
	text, at, _ := syntax{}.Literal(x)
	for i := range at {
		if at[i] > len(src) || i > 0 && at[i] < at[i-1] {
			t.Fatalf("byte %d of %q is placed at %d, after %d, of %d", i, text, at[i], at[max(i-1, 0)], len(src))
		}
	}
}
