package yamlspec

import (
	"fmt"
	goparser "go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

const head = "pipeline: { p: {} }\n"

// bomb is a document whose aliases stand for width^depth values.
func bomb(width, depth int) string {
	var b strings.Builder
	b.WriteString(head + "locals:\n  a0: &a0 [x]\n")
	for i := 1; i < depth; i++ {
		one := fmt.Sprintf("*a%d,", i-1)
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(one, width), ","))
	}
	return b.String()
}

// TestCostlyTexts: text that is made to cost much ends at once, with the reason at its place.
func TestCostlyTexts(t *testing.T) {
	deep := 5000
	for _, c := range []struct{ name, src, code, at string }{
		{"a bomb", bomb(9, 12), diag.CodeTooBig, "a.gp.yaml:8,36"},
		{"a slow bomb", bomb(2, 40), diag.CodeTooBig, "a.gp.yaml:18,"},
		{"a bomb of merges", head + "x-a: &a { a: [" + strings.Repeat("x,", 300) + "] }\nx-b: &b [" + strings.Repeat("*a,", 400) + "]\nx-c: { c: *b }\n", diag.CodeTooBig, "a.gp.yaml:3,"},
		{"a circle", head + "locals:\n  a: &a [*a]\n", diag.CodeSyntax, "a.gp.yaml:3,10"},
		{"a circle of merges", head + "locals: &a\n  <<: *a\n", diag.CodeSyntax, "a.gp.yaml:3,7"},
		{"two circles", head + "locals:\n  a: &a\n    b: &b { x: *a }\n    c: *b\n", diag.CodeSyntax, "a.gp.yaml:4,16"},
		{"deep brackets", head + "locals: { a: " + strings.Repeat("[", deep) + strings.Repeat("]", deep) + " }\n", "", ""},
		{"deeper brackets", head + "locals: { a: " + strings.Repeat("[", 20*deep) + "\n", diag.CodeSyntax, "a.gp.yaml:2,1"},
		{"a line of 1 MB", head + "locals: { a: '" + strings.Repeat("x", 1<<20) + "', b: \"${var.nope}\" }\n", diag.CodeUnknownName, "a.gp.yaml:2,1048600"},
		{"a line of many values", head + "locals: { a: [" + strings.Repeat("x, ", 1<<16) + "\"${var.nope}\"] }\n", diag.CodeUnknownName, "a.gp.yaml:2,196626"},
		{"a line of many templates", head + "variable: { v: { default: x } }\nlocals: { a: \"" + strings.Repeat("${var.v}", 1<<11) + "${var.nope}\" }\n", diag.CodeUnknownName, "a.gp.yaml:3,16401"},
		{"an error in a line of 1 MB", head + "locals: { a: " + strings.Repeat("x", 1<<20) + ": : }\n", diag.CodeSyntax, "a.gp.yaml:2,1"},
	} {
		var ds diag.List
		spectest.Bounded(t, c.name, 4<<20+1600*len(c.src), func() {
			_, ds = Parse("a.gp.yaml", []byte(c.src), Options{Registry: spectest.Registry(t)})
		})
		spectest.CheckWords(t, ds)
		switch {
		case c.code == "" && len(ds) == 0:
		case len(ds) == 0 || ds[0].Code != c.code || !strings.HasPrefix(ds[0].Range.String(), c.at):
			t.Errorf("%s: want %s at %s, and not\n%.2000s", c.name, c.code, c.at, spectest.Show(ds, nil))
		}
	}
}

// What stands before and between the lines is no mistake, and moves no place.
func TestEncodings(t *testing.T) {
	src := head + "filter:\n  f:\n    from: source.a\n    where: ${x}\n"
	for name, c := range map[string]struct{ src, code, at string }{
		"BOM":              {"\ufeff" + src, diag.CodeTemplate, "a.gp.yaml:5,12"},
		"CRLF":             {strings.ReplaceAll(src, "\n", "\r\n"), diag.CodeTemplate, "a.gp.yaml:5,12"},
		"BOM and CRLF":     {"\ufeff" + strings.ReplaceAll(src, "\n", "\r\n"), diag.CodeTemplate, "a.gp.yaml:5,12"},
		"no last line end": {strings.TrimSuffix(src, "\n"), diag.CodeTemplate, "a.gp.yaml:5,12"},
		"marker":           {"---\n" + src + "...\n", diag.CodeTemplate, "a.gp.yaml:6,12"},
		"UTF-16 LE":        {"\xff\xfep\x00:\x00", diag.CodeEncoding, "a.gp.yaml"},
		"UTF-16 BE":        {"\xfe\xff\x00p\x00:", diag.CodeEncoding, "a.gp.yaml"},
		"UTF-16 no BOM":    {"p\x00:\x00 \x001\x00", diag.CodeEncoding, "a.gp.yaml"},
		"Latin 1":          {"a: caf\xe9\n", diag.CodeEncoding, "a.gp.yaml:1,7"},
		"control":          {"a: b\nc: \x07\n", diag.CodeSyntax, "a.gp.yaml:2,4"},
		"empty":            {" \n\n", diag.CodeNothingToDo, "a.gp.yaml"},
		"comments only":    {"# nothing\n", diag.CodeNoPipeline, "a.gp.yaml:1,1"},
		"null":             {"~\n", diag.CodeNoPipeline, "a.gp.yaml:1,1"},
		"marker at end":    {src + "---\n", diag.CodeSyntax, "a.gp.yaml:6,1"},
	} {
		_, ds := Parse("a.gp.yaml", []byte(c.src), Options{Registry: spectest.Registry(t)})
		if len(ds) != 1 || ds[0].Code != c.code || ds[0].Range.String() != c.at {
			t.Errorf("%s: want %s at %s, and not\n%s", name, c.code, c.at, spectest.Show(ds, nil))
		}
		spectest.CheckWords(t, ds)
	}
}

// Every syntax error has the line that causes it.
func TestSyntaxErrorLines(t *testing.T) {
	for src, line := range map[string]int{
		"a: b: c\n":                                 1,
		"x: 1\ny:\n  a: b: c\n":                     3,
		"a:\n\tb: c\n":                              2,
		"a: [1, 2\nb: 3\n":                          1,
		"a: 1\nb: \"x\nc: d\ne: f\n":                2,
		"a: 1\nb: 'x\nc: d\n":                       2,
		"b: 1\nc: *x\nd: 1\n":                       2,
		"z: 1\nb: {a: ${var.x}}\nc: 1\n":            2,
		"a:\n  b: 1\n c: 2\nd: 1\n":                 3,
		"a: 1\n  b: 2\nc: 3\n":                      2,
		"a: 1\nb\nc: 2\n":                           2,
		"a:\n- b\n- d: %x\ne: f\n":                  3,
		"a: 1\nb: `x`\nc: 2\n":                      2,
		"a: 1\nb: !<x\nc: 2\n":                      2,
		"a: 1\nb: \"\\q\"\nc: 2\n":                  2,
		"a: 1\nb: |x\n  b\n":                        2,
		"a: |\n \t\n  b\n":                          2,
		"a: 1\nb: |0\nc: 2\n":                       2,
		"a: b\n}\n":                                 2,
		"a: 1\nwhere: \"user\" != \"x\"\nz: 1\n":    2,
		"a: 1\nwhere: !x && y\nz: 1\n":              2,
		"a: 1\nwhere: [1,2][0] == 1\nz: 1\n":        2,
		"k: v\n- a\n":                               2,
		"- a\nk: v\n":                               2,
		"a: 1\n%FOO\n---\n":                         2,
		"a: \"x\" y\nb: 1\n":                        1,
		"a: 1\n---\nb: \"\nc: 1\n":                  3,
		"a:\n  - b\n  c: d\n":                       3,
		"a: |\n  x\n y: 1\n":                        3,
		"a: \"\\xZZ\"\n":                            1,
		"a: 1\nb: \"\\uD800\"\n":                    2,
		"? a\n? [\nb: 1\n":                          2,
		"a: 1\nb: [\nc: 2\nd: 3\n":                  2,
		"a: 1\nb: {\n  c: 2,\n  d: 3\ne: 4\nf: 5\n": 2,
		"a: 'x'\nb: 'it's'\nc: d\n":                 2,
		"a:\n  b: {c: d\n  e: f\n":                  2,
		"where: not (url matches `^x`): y\n":        1,
		strings.Repeat("k: {}\n", 1000) + "- bad\n": 1001,
	} {
		_, ds, ok := File("t", []byte(src))
		if ok || len(ds) != 1 || ds[0].Range.Start.Line != line || ds[0].Code != diag.CodeSyntax {
			t.Errorf("%q: want line %d, and not\n%s", src, line, spectest.Show(ds, nil))
		}
		if len(ds) > 0 && strings.Contains(ds[0].Detail, "parser says") {
			t.Errorf("%q has no words of its own: %s", src, ds[0].Detail)
		}
		spectest.CheckWords(t, ds)
	}
}

// TestTemplatePlaces: what a template refers to is placed exactly, in every
// style of scalar.
func TestTemplatePlaces(t *testing.T) {
	check(t, func(t *rapid.T) {
		style := rapid.SampledFrom([]string{"%s", "'%s'", "\"%s\"", "|\n      %s\n", ">-\n      %s\n", "[z, \"%s\"]", "{ k: \"%s\" }", "&a \"%s\"", "!!str %s"}).Draw(t, "style")
		ends := strings.Contains(style, "\n")
		parts := []string{"a", "ž", "👍", " b", "日"}
		switch {
		case strings.Contains(style, "\""):
			parts = append(parts, `\"`, `\u010d`, `\t`, "\\\n      ", "\n      ", "\n\n     ")
		case strings.Contains(style, "'"):
			parts = append(parts, "''", "\n      ", "#")
		case ends:
			parts = append(parts, "\n      ", "\n\n      ", "\n        ", " # ", ": ")
		default:
			parts = append(parts, "\n      ", "\n\n     ")
		}
		body := "s" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 6).Draw(t, "before"), "") + "${upper(var.nope)}" +
			strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 3).Draw(t, "after"), "") + "e"
		src := "m:\n  x: " + fmt.Sprintf(style, body) + "\n  z: 1\n"
		x := valueOf(t, src)
		vars := x.Variables()
		if len(vars) != 1 {
			t.Fatalf("%q has the variables %v", src, vars)
		}
		from := strings.Index(src, "var.nope")
		if r := vars[0].SourceRange(); r.Start.Byte != from || r.End.Byte != from+len("var.nope") {
			t.Fatalf("%q: the variable is placed at %q", src, src[r.Start.Byte:r.End.Byte])
		}
		_, ds := x.Value(&hcl.EvalContext{})
		if len(ds) == 0 {
			t.Fatalf("%q: no error", src)
		}
		for _, d := range ds {
			if s := src[d.Subject.Start.Byte:d.Subject.End.Byte]; s != "var" && s != "upper" && s != "upper(var.nope)" {
				t.Fatalf("%q: %s is placed at %q", src, d.Summary, s)
			}
		}
	})
}

// The library can be exchanged in one place.
func TestOneImport(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := goparser.ParseFile(token.NewFileSet(), e.Name(), nil, goparser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, "yaml.v3") {
				found = append(found, e.Name())
			}
		}
	}
	if len(found) != 1 {
		t.Errorf("the YAML library is imported in %v", found)
	}
}
