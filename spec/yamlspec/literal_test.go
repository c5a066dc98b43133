package yamlspec

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hashicorp/hcl/v2"
)

var full = flag.Bool("full", false, "check 100,000 scalars of each kind, not 10,000")

// check runs a property over 10,000 cases, 1,000 with -short, or as many as
// the flags ask for.
func check(t *testing.T, prop func(*rapid.T)) {
	n := flag.Lookup("rapid.checks")
	if old := n.Value.String(); old == n.DefValue {
		count := "10000"
		switch {
		case *full:
			count = "100000"
		case testing.Short():
			count = "1000"
		}
		if err := n.Value.Set(count); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = n.Value.Set(old) }()
	}
	rapid.Check(t, prop)
}

// scalarText is a scalar under construction: its source, what it stands for,
// and where in the source each byte of that is.
type scalarText struct {
	src, text strings.Builder
	at        []int
}

// put adds source that stands for text: byte by byte where they are the same.
func (s *scalarText) put(src, text string) {
	for i := range len(text) {
		if src == text {
			s.at = append(s.at, s.src.Len()+i)
		} else {
			s.at = append(s.at, s.src.Len())
		}
	}
	s.src.WriteString(src)
	s.text.WriteString(text)
}

// piece is a bit of source with the text that it stands for.
type piece struct{ src, text string }

func verbatim(all ...string) (ps []piece) {
	for _, s := range all {
		ps = append(ps, piece{s, s})
	}
	return ps
}

var (
	words   = []string{"a", "ž", "x==1", "👍", "日本", "e\u0301", "q'", "b\"", "\\", "c:d", "a#b", "$", "%", "&&", "\u00a0", "{", "}", "[", "]", ",", "-", "?"}
	inPlain = verbatim(append(words, " ", "  ", "\t")...)
	// Within a block nothing has a meaning but line breaks and indentation.
	inBlock  = verbatim(append(words, " ", "  ", "\t", "# x", ": ", "'", "\"", "@", "`", "*x", "!t", "---")...)
	inSingle = append(verbatim("a", "ž", "👍", "\\", "\\n", "\"", "# x", ": ", " ", "  ", "\t", "{", "&", "*"), piece{"''", "'"})
	inDouble = append(verbatim("a", "ž", "👍", "'", "# x", ": ", " ", "  ", "\t", "{", "&"),
		piece{`\n`, "\n"}, piece{`\t`, "\t"}, piece{`\"`, `"`}, piece{`\\`, `\`}, piece{`\x41`, "A"},
		piece{`\u00e9`, "é"}, piece{`\U0001f44d`, "👍"}, piece{`\N`, "\u0085"}, piece{`\_`, "\u00a0"}, piece{`\L`, "\u2028"}, piece{`\ `, " "}, piece{`\e`, "\x1b"})
)

// line draws pieces that neither begin nor end with white space, so that what
// is folded around them is known.
func line(t *rapid.T, from []piece) []piece {
	var out []piece
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(from)-1), 0, 8).Draw(t, "pieces") {
		out = append(out, from[i])
	}
	return append(append([]piece{{"M", "M"}}, out...), piece{"W", "W"})
}

func (s *scalarText) line(ps []piece) {
	for _, p := range ps {
		s.put(p.src, p.text)
	}
}

// fold adds line breaks between two lines of a flow scalar, with white space
// that does not count.
func (s *scalarText) fold(t *rapid.T, eol, indent string) {
	s.src.WriteString(rapid.SampledFrom([]string{"", " ", "\t", "   "}).Draw(t, "trail"))
	extra := rapid.IntRange(0, 2).Draw(t, "empty")
	if extra == 0 {
		s.put(eol, " ")
	} else {
		s.src.WriteString(eol)
	}
	for range extra {
		s.src.WriteString(rapid.SampledFrom([]string{"", "  "}).Draw(t, "blank"))
		s.put(eol, "\n")
	}
	s.src.WriteString(indent + rapid.SampledFrom([]string{"", " ", "   "}).Draw(t, "lead"))
}

// flowScalar draws a plain or quoted scalar.
func flowScalar(t *rapid.T, eol string) *scalarText {
	s := &scalarText{}
	var from []piece
	quote := rapid.SampledFrom([]string{"", "'", "\""}).Draw(t, "quote")
	switch quote {
	case "":
		from = inPlain
	case "'":
		from = inSingle
	default:
		from = inDouble
	}
	s.src.WriteString(quote)
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		if i > 0 {
			if quote == `"` && rapid.Bool().Draw(t, "escaped") {
				s.src.WriteString("\\" + eol + "     ")
			} else {
				s.fold(t, eol, "     ")
			}
		}
		s.line(line(t, from))
	}
	s.src.WriteString(quote)
	return s
}

// blockScalar draws a scalar behind | or >, as the value of a key that is
// indented by two.
func blockScalar(t *rapid.T, eol string) *scalarText {
	s := &scalarText{}
	folds := rapid.Bool().Draw(t, "folded")
	head := "|"
	if folds {
		head = ">"
	}
	indent := rapid.IntRange(3, 8).Draw(t, "indent")
	if rapid.Bool().Draw(t, "digit") {
		head += fmt.Sprint(indent - 2)
	}
	chomp := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "chomp")
	s.src.WriteString(head + chomp + rapid.SampledFrom([]string{"", "  ", " # why"}).Draw(t, "comment") + eol)
	n := rapid.IntRange(1, 4).Draw(t, "lines")
	for i := range n {
		s.src.WriteString(strings.Repeat(" ", indent))
		s.line(line(t, inBlock))
		last := i == n-1
		empty := rapid.IntRange(0, 2).Draw(t, "empty")
		switch {
		case last && chomp == "-":
			s.src.WriteString(eol)
		case last || !folds:
			s.put(eol, "\n")
		case empty == 0:
			s.put(eol, " ")
		default:
			s.src.WriteString(eol)
		}
		for range empty {
			if last && chomp != "+" {
				s.src.WriteString(eol)
			} else {
				s.put(eol, "\n")
			}
		}
	}
	return s
}

// document draws a document around a scalar, and returns it with the offset of
// the scalar.
func document(t *rapid.T, s *scalarText, eol string, block bool) (src string, offset int) {
	lead := rapid.SampledFrom([]string{"", "# ž", "%YAML 1.1" + eol + "---", "n: 👍 # x", "s: \"a\u0085b\"", "s: 'a" + eol + eol + "  b'", "f: [a, {b: c}, 日本]"}).Draw(t, "lead")
	if lead != "" {
		lead += eol
	}
	key := rapid.SampledFrom([]string{"x: ", "x:   ", "\"x\": ", "'x':\t", "x: &anchor ", "x: !!str ", "x: &a !!str ", "x: !!str &a "}).Draw(t, "key")
	src = lead + "m:" + eol + "  " + key
	offset = len(src)
	src += s.src.String()
	if !block {
		src += rapid.SampledFrom([]string{eol, " # tail" + eol, ""}).Draw(t, "tail")
	}
	if strings.HasSuffix(src, eol) {
		src += "  z: 1" + eol
	}
	return src, offset
}

// TestPlaces: the place of every byte of every scalar is exact, whatever its
// style and whatever stands around it.
func TestPlaces(t *testing.T) {
	check(t, func(t *rapid.T) {
		eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "eol")
		block := rapid.Bool().Draw(t, "block")
		var s *scalarText
		if block {
			s = blockScalar(t, eol)
		} else {
			s = flowScalar(t, eol)
		}
		src, offset := document(t, s, eol, block)
		x := valueOf(t, src)
		want := s.text.String()
		if strings.Contains(want, "${") || strings.Contains(want, "%{") {
			return // a template, and so no literal
		}
		text, at, ok := syntax{}.Literal(x)
		if !ok || text != want {
			t.Fatalf("%q: ok %v, text %q, want %q", src, ok, text, want)
		}
		if len(at) != len(text)+1 {
			t.Fatalf("%q: %q is not placed", src, text)
		}
		for i, from := range s.at {
			if at[i] != offset+from {
				t.Fatalf("%q: byte %d of %q is placed at %d, and not at %d", src, i, text, at[i], offset+from)
			}
		}
		if r := x.Range(); r.Start.Byte != offset || r.End.Byte > len(src) {
			t.Fatalf("%q: the scalar is placed at %v", src, r)
		}
		if r := x.Range(); !block && src[offset:r.End.Byte] != s.src.String() {
			t.Fatalf("%q: the scalar is %q, and not %q", src, src[offset:r.End.Byte], s.src.String())
		}
	})
}

// valueOf returns the expression of m.x.
func valueOf(t interface{ Fatalf(string, ...any) }, src string) *expression {
	f, ds, ok := File("t", []byte(src))
	if !ok {
		t.Fatalf("%q: %+v", src, ds)
	}
	content, _, _ := f.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "m"}}})
	if len(content.Blocks) != 1 {
		t.Fatalf("%q: no block m", src)
	}
	attrs, _ := content.Blocks[0].Body.JustAttributes()
	if attrs["x"] == nil {
		t.Fatalf("%q: no attribute x", src)
	}
	return attrs["x"].Expr.(*expression)
}
