package compiler_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/hclspec"
)

// chained returns a specification of about n nodes: chains of a source, a
// filter, a map and a sink.
func chained(n int) []byte {
	var b bytes.Buffer
	b.WriteString("pipeline \"large\" {}\n\nvariable \"least\" { default = 5 }\n")
	for i := range (n + 3) / 4 {
		fmt.Fprintf(&b, `
source "generate" "s%[1]d" {
  fields = { n = "i", user = "'u' + string(i %% 10)" }
}

filter "f%[1]d" {
  from  = source.s%[1]d
  where = "n > var.least && user != 'u%[1]d'"
}

map "m%[1]d" {
  from   = filter.f%[1]d
  select = { user = "upper(user)", twice = "n * 2", odd = "n %% 2 == 1" }
}

sink "blackhole" "x%[1]d" { from = map.m%[1]d }
`, i)
	}
	return b.Bytes()
}

// BenchmarkNodes compiles 10,000 nodes.
func BenchmarkNodes(b *testing.B) {
	r, text := builtins(b), chained(10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p, list := hclspec.Parse("large.gp.hcl", text, hclspec.Options{Registry: r})
		result, more := compiler.Compile(p, compiler.Options{})
		if result.Plan == nil {
			b.Fatal(list, more)
		}
	}
}

// BenchmarkMistakes compiles 10,000 nodes of which each has a mistake.
func BenchmarkMistakes(b *testing.B) {
	r := builtins(b)
	text := bytes.ReplaceAll(chained(10_000), []byte("user !="), []byte("usr !="))
	text = bytes.ReplaceAll(text, []byte("from = map.m"), []byte("from = map.n"))
	for b.Loop() {
		list, sources := diagnose(r, "large.gp.hcl", text)
		if len(list) != 5_000 {
			b.Fatal(len(list))
		}
		if err := diag.WriteText(&bytes.Buffer{}, list, sources, diag.TextOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLarge: a specification of 10 MB, and lines of 1 MB.
func TestLarge(t *testing.T) {
	r := builtins(t)
	padding := "# " + strings.Repeat("x", 1<<20) + "\n"
	long := `  description = "` + strings.Repeat("y", 1<<20) + "\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"10 MB":             {strings.Repeat(padding, 10) + string(chained(40)), ""},
		"a long text":       {strings.Replace(string(chained(40)), "fields =", long+"  fields =", 1), ""},
		"a long expression": {strings.Replace(string(chained(40)), "n > var.least", strings.Repeat("n > 1 && ", 1<<17)+"n > var.least", 1), diag.CodeTooBig},
		"a mistake on a long line": {
			strings.Replace(string(chained(40)), "pipeline \"large\" {}", `pipeline "large" { descripton = "`+strings.Repeat("z", 1<<20)+`" }`, 1), diag.CodeUnknownField,
		},
	} {
		start := time.Now()
		list, sources := diagnose(r, "large.gp.hcl", []byte(c.text))
		t.Logf("%s: %v", name, time.Since(start))
		var got string
		for _, d := range list {
			got += d.Code
		}
		var shown bytes.Buffer
		if err := diag.WriteText(&shown, list, sources, diag.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if got != c.want || shown.Len() > 2000 {
			t.Errorf("%s: %q, want %q; %d bytes of text", name, got, c.want, shown.Len())
		}
	}
}

// TestNoText: what is no specification at all says so, once.
func TestNoText(t *testing.T) {
	r := builtins(t)
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(chained(4)))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"nothing":                   {nil, diag.CodeNothingToDo},
		"blanks":                    {[]byte(" \r\n\t\n"), diag.CodeNothingToDo},
		"a byte order mark":         {[]byte("\ufeff"), diag.CodeNothingToDo},
		"UTF-16":                    {wide, diag.CodeEncoding},
		"UTF-16 without its mark":   {wide[2:], diag.CodeEncoding},
		"Latin-1":                   {bytes.Replace(chained(4), []byte("large"), []byte("gr\xf6\xdfer"), 1), diag.CodeEncoding},
		"a compressed file":         {[]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), diag.CodeEncoding},
		"a comment":                 {[]byte("# to come\n"), diag.CodeNoPipeline},
		"a character with no place": {[]byte("pipeline \"p\" {}\n\x00"), diag.CodeSyntax},
	} {
		list, _ := diagnose(r, "odd.gp.hcl", c.text)
		if len(list) != 1 || list[0].Code != c.want {
			t.Errorf("%s: %+v, want %s", name, list, c.want)
		}
	}
}
