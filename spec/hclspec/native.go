package hclspec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec"
)

// native is the syntax of HCL's own language, of one file.
type native struct{ src []byte }

// Outline lists the attributes and blocks of a body in the order of the text.
func (native) Outline(body hcl.Body) []spec.Item {
	b, ok := body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	items := make([]spec.Item, 0, len(b.Attributes)+len(b.Blocks))
	for _, a := range b.Attributes {
		items = append(items, spec.Item{Name: a.Name, Attribute: true, Range: a.NameRange})
	}
	for _, blk := range b.Blocks {
		items = append(items, spec.Item{
			Name: blk.Type, Block: true, Range: blk.TypeRange, Header: blk.DefRange(),
			Labels: blk.Labels, LabelRanges: blk.LabelRanges,
		})
	}
	slices.SortFunc(items, func(x, y spec.Item) int { return x.Range.Start.Byte - y.Range.Start.Byte })
	return items
}

// Literal returns the text of a quoted string or a heredoc without
// interpolation, and the place of each of its bytes. Where the places do not
// make up the parser's own text, they are not known.
func (n native) Literal(expr hcl.Expression) (text string, at []int, ok bool) {
	for {
		p, paren := expr.(*hclsyntax.ParenthesesExpr)
		if !paren {
			break
		}
		expr = p.Expression
	}
	t, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() && !plainParts(t) {
		return "", nil, false
	}
	v, ds := t.Value(nil)
	if ds.HasErrors() {
		return "", nil, false
	}
	m := mapper{}
	if !m.read(n.src, t.Range()) {
		return "", nil, false
	}
	text = m.text.String()
	if cty.NormalizeString(text) != v.AsString() {
		return v.AsString(), nil, true
	}
	return text, append(m.at, m.end), true
}

// plainParts reports whether a template has literal parts only, as one of
// several lines has.
func plainParts(t *hclsyntax.TemplateExpr) bool {
	return !slices.ContainsFunc(t.Parts, func(p hclsyntax.Expression) bool {
		_, lit := p.(*hclsyntax.LiteralValueExpr)
		return !lit
	})
}

// mapper reads the tokens of a literal and notes where each byte of its text
// comes from.
type mapper struct {
	text strings.Builder
	at   []int
	end  int // the offset behind the last byte
}

// put adds text that stands for the source [from, to): byte by byte where it
// is the source itself.
func (m *mapper) put(s string, from, to int) {
	m.text.WriteString(s)
	for i := range len(s) {
		if len(s) == to-from {
			m.at = append(m.at, from+i)
		} else {
			m.at = append(m.at, from)
		}
	}
	m.end = to
}

// read reads the literal that stands at r. It returns false if there is
// anything else.
func (m *mapper) read(src []byte, r hcl.Range) bool {
	if r.End.Byte > len(src) {
		return false
	}
	part := slices.Concat(src[r.Start.Byte:r.End.Byte], []byte("\n")) // a heredoc ends with its line
	tokens, _ := hclsyntax.LexExpression(part, r.Filename, r.Start)
	var lines []hclsyntax.Token
	flush := false
	m.end = r.Start.Byte
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenNewline, hclsyntax.TokenEOF, hclsyntax.TokenCHeredoc:
			if t.Type == hclsyntax.TokenOQuote {
				m.end = t.Range.End.Byte
			}
		case hclsyntax.TokenOHeredoc:
			flush = strings.HasPrefix(string(t.Bytes), "<<-")
			m.end = t.Range.End.Byte
		case hclsyntax.TokenQuotedLit:
			m.quoted(string(t.Bytes), t.Range.Start.Byte)
		case hclsyntax.TokenStringLit:
			lines = append(lines, t)
		default:
			return false
		}
	}
	m.heredoc(lines, flush)
	return true
}

// heredoc adds the lines of a heredoc. Where it is flushed, the indentation
// that all lines share is left out; blank lines do not count and keep theirs.
func (m *mapper) heredoc(lines []hclsyntax.Token, flush bool) {
	strip := -1
	begins := true
	for _, l := range lines {
		if flush && begins && !blank(l.Bytes) {
			if n := indent(l.Bytes); strip < 0 || n < strip {
				strip = n
			}
		}
		begins = ends(l.Bytes)
	}
	begins = true
	for _, l := range lines {
		s, from := string(l.Bytes), l.Range.Start.Byte
		if begins && strip > 0 && !blank(l.Bytes) {
			s, from = s[strip:], from+strip
		}
		begins = ends(l.Bytes)
		m.verbatim(s, from)
	}
}

func indent(b []byte) int { return len(b) - len(strings.TrimLeft(string(b), " \t")) }
func ends(b []byte) bool  { return len(b) > 0 && b[len(b)-1] == '\n' }
func blank(b []byte) bool { return ends(b) && strings.TrimSpace(string(b)) == "" }

// doubled reports whether s begins with a template marker that is escaped by
// doubling its first character.
func doubled(s string) bool { return strings.HasPrefix(s, "$${") || strings.HasPrefix(s, "%%{") }

// verbatim adds text that stands for itself but for template markers.
func (m *mapper) verbatim(s string, from int) {
	for i := 0; i < len(s); {
		if doubled(s[i:]) {
			m.put(s[i:i+1], from+i, from+i+2)
			m.put(s[i+2:i+3], from+i+2, from+i+3)
			i += 3
			continue
		}
		m.put(s[i:i+1], from+i, from+i+1)
		i++
	}
}

// escapes are what a backslash and a character stand for in a quoted string.
var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '"': "\"", '\\': "\\"}

// quoted adds the inside of a quoted string, which the parser has accepted.
func (m *mapper) quoted(s string, from int) {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			n := strings.IndexByte(s[i+1:], '\\') + 1
			if n == 0 {
				n = len(s) - i
			}
			m.verbatim(s[i:i+n], from+i)
			i += n
			continue
		}
		out, n := escapes[s[i+1]], 2
		if s[i+1] == 'u' || s[i+1] == 'U' {
			out, n = codePoint(s[i:])
		}
		m.put(out, from+i, from+i+n)
		i += n
	}
}

// codePoint reads \uXXXX or \UXXXXXXXX at the start of s.
func codePoint(s string) (out string, n int) {
	n = 6
	if s[1] == 'U' {
		n = 10
	}
	n = min(n, len(s))
	c, err := strconv.ParseUint(s[2:n], 16, 32)
	if err != nil {
		return "", n
	}
	return string(rune(c)), n
}

// Comment finds nothing: in HCL a value ends where it says.
func (native) Comment(hcl.Expression) (hcl.Range, bool) { return hcl.Range{}, false }

// Attribute writes an attribute.
func (native) Attribute(name, value string) string { return name + " = " + value }

// Block writes a block.
func (native) Block(name string, labels ...string) string {
	for _, l := range labels {
		name += " " + strconv.Quote(l)
	}
	return name + " { ... }"
}

// Bare reports that text stands in quotes.
func (native) Bare() bool { return false }
