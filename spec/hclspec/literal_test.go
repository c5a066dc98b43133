package hclspec

import (
	"flag"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

// piece is a bit of source with the text that it stands for.
type piece struct{ src, text string }

func verbatim(ss ...string) (ps []piece) {
	for _, s := range ss {
		ps = append(ps, piece{s, s})
	}
	return ps
}

var (
	inQuotes = append(verbatim("a", "ž", " ", "'", "x == 1", "👍", "日本", "{", "}", "$", "%", "#", "e\u0301"),
		piece{`\n`, "\n"}, piece{`\t`, "\t"}, piece{`\r`, "\r"}, piece{`\"`, `"`}, piece{`\\`, `\`},
		piece{"$${", "${"}, piece{"%%{", "%{"}, piece{`\u00e9`, "é"}, piece{`\U0001f44d`, "👍"})
	inHeredoc = append(verbatim("a", "ž", " ", "'", "\"", `\`, `\n`, "x == 1", "👍", "日本", "{", "}", "$", "%", "#", "\t"),
		piece{"$${", "${"}, piece{"%%{", "%{"})
)

func draw(t *rapid.T, from []piece) (src, text string, starts []int) {
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(from)-1), 0, 10).Draw(t, "pieces") {
		p := from[i]
		// A marker character before a brace would begin a template.
		if n := len(src); n > 0 && (src[n-1] == '$' || src[n-1] == '%') && strings.ContainsAny(p.src[:1], "{$%") {
			continue
		}
		for j := range len(p.text) {
			switch {
			case p.src == p.text:
				starts = append(starts, len(src)+j)
			case p.src[0] == '\\':
				starts = append(starts, len(src))
			default: // $${ and %%{
				starts = append(starts, len(src)+2*j)
			}
		}
		src, text = src+p.src, text+p.text
	}
	return src, text, starts
}

func attribute(t *rapid.T, src string) hcl.Expression {
	f, ds := hclsyntax.ParseConfig([]byte(src), "t", hcl.InitialPos)
	if ds.HasErrors() {
		t.Fatalf("%q: %v", src, ds)
	}
	attrs, _ := f.Body.JustAttributes()
	return attrs["x"].Expr
}

// check runs a property over 10,000 cases, or as many as the flag asks for.
func check(t *testing.T, prop func(*rapid.T)) {
	n := flag.Lookup("rapid.checks")
	if old := n.Value.String(); old == n.DefValue {
		if err := n.Value.Set("10000"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = n.Value.Set(old) }()
	}
	rapid.Check(t, prop)
}

// Every byte of a quoted string is placed exactly.
func TestQuotedPlaces(t *testing.T) {
	check(t, func(t *rapid.T) {
		body, want, starts := draw(t, inQuotes)
		lead := rapid.SampledFrom([]string{"", "# ž\n", "a = \"👍\"\n"}).Draw(t, "lead")
		src := lead + `x = "` + body + "\"\nb = 1\n"
		base := len(lead) + len(`x = "`)
		text, at, ok := native{[]byte(src)}.Literal(attribute(t, src))
		if !ok || text != want || len(at) != len(text)+1 {
			t.Fatalf("%q: ok %v, text %q, want %q, %d places", src, ok, text, want, len(at))
		}
		for i, from := range starts {
			if at[i] != base+from {
				t.Fatalf("%q: byte %d of %q is placed at %d, and not at %d", src, i, text, at[i], base+from)
			}
		}
		if at[len(text)] != base+len(body) {
			t.Fatalf("%q: the end is placed at %d", src, at[len(text)])
		}
	})
}

// Every byte of a heredoc is placed exactly: what is left out is indentation
// that all lines share.
func TestHeredocPlaces(t *testing.T) {
	check(t, func(t *rapid.T) {
		flush := rapid.Bool().Draw(t, "flush")
		eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "eol")
		head := "x = <<EOT" + eol
		if flush {
			head = "x = <<-EOT" + eol
		}
		src := head
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			body, _, _ := draw(t, inHeredoc)
			src += rapid.SampledFrom([]string{"", "  ", "    ", "\t"}).Draw(t, "indent") + body + eol
		}
		end := len(src)
		src += "  EOT" + eol + "b = 1" + eol
		text, at, ok := native{[]byte(src)}.Literal(attribute(t, src))
		if !ok || at == nil {
			t.Fatalf("%q: ok %v, text %q, no places", src, ok, text)
		}
		next := len(head)
		for i := range len(text) {
			if src[at[i]] != text[i] {
				t.Fatalf("%q: byte %d of %q is placed at %d", src, i, text, at[i])
			}
			if left := src[next:at[i]]; at[i] < next || left != "" && left != "$" && left != "%" && strings.Trim(left, " \t") != "" {
				t.Fatalf("%q: %q was left out before byte %d of %q", src, left, i, text)
			}
			next = at[i] + 1
			if i+1 < len(text) && at[i+1] == at[i] {
				t.Fatalf("%q: bytes %d and %d have one place", src, i, i+1)
			}
		}
		if at[len(text)] != end {
			t.Fatalf("%q: the end is placed at %d, and not at %d", src, at[len(text)], end)
		}
	})
}

func TestNotLiteral(t *testing.T) {
	for _, src := range []string{`"a${1}"`, `"${var.x}"`, `"a${"b"}"`, `"%{ if true }a%{ endif }"`, `1`, `true`, `var.x`, `["a"]`, `upper("a")`, `"a" == "b"`, "<<E\n${1}\nE"} {
		f, ds := hclsyntax.ParseConfig([]byte("x = "+src+"\n"), "t", hcl.InitialPos)
		if ds.HasErrors() {
			t.Fatal(src, ds)
		}
		attrs, _ := f.Body.JustAttributes()
		if text, _, ok := (native{[]byte("x = " + src + "\n")}).Literal(attrs["x"].Expr); ok {
			t.Errorf("%s is taken for the text %q", src, text)
		}
	}
	src := []byte("x = ((\"a\"))\n")
	f, _ := hclsyntax.ParseConfig(src, "t", hcl.InitialPos)
	attrs, _ := f.Body.JustAttributes()
	if text, at, ok := (native{src}).Literal(attrs["x"].Expr); !ok || text != "a" || at[0] != 7 {
		t.Errorf("parentheses: %q %v %v", text, at, ok)
	}
}
