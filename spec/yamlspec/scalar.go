package yamlspec

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// located is the text of a scalar with the place of each of its bytes. It is
// read from the source by the rules of the scalar's style, and only exact if
// it is what the parser read.
type located struct {
	text  strings.Builder
	at    []int // where the source of each byte begins
	to    []int // and ends
	end   int   // of the scalar
	exact bool
}

// put adds text that stands for the source [from, to): byte by byte where it
// is as long, and so the source itself.
func (t *located) put(s string, from, to int) {
	if len(s) != to-from {
		t.escaped(s, from, to)
		return
	}
	t.text.WriteString(s)
	for i := range len(s) {
		t.at, t.to = append(t.at, from+i), append(t.to, from+i+1)
	}
}

// escaped adds text of which each byte stands for all of the source [from, to).
func (t *located) escaped(s string, from, to int) {
	t.text.WriteString(s)
	for range len(s) {
		t.at, t.to = append(t.at, from), append(t.to, to)
	}
}

// pieces are parts of a text that are added together, or not at all.
type pieces []struct {
	s        string
	from, to int
}

func (p pieces) with(s string, from, to int) pieces {
	return append(p, struct {
		s        string
		from, to int
	}{s, from, to})
}

func (t *located) putAll(p pieces) {
	for _, e := range p {
		t.put(e.s, e.from, e.to)
	}
}

// readScalar reads the scalar n, whose start is known.
func readScalar(src []byte, n *node) *located {
	t := &located{end: n.start}
	if n.start > len(src) {
		return t
	}
	switch n.style {
	case literal, folded:
		t.block(src, n)
	case single, double:
		t.quoted(src, n)
	default:
		t.plain(src, n)
	}
	t.exact = t.exact && t.text.String() == n.value
	if !t.exact {
		t.end = n.start
		for t.end < len(src) && src[t.end] != '\n' {
			t.end++
		}
	}
	return t
}

// breaks reads white space and line breaks at src[i:]. It returns what they
// stand for in a flow scalar, and the offset behind them. escaped says that
// the line break before them is escaped.
func breaks(src []byte, i int, escaped bool) (fold pieces, next int) {
	var blanks, trailing pieces
	first, from := "", 0
	folding := escaped
	for i < len(src) {
		s, n := breakAt(src, i)
		switch {
		case n > 0 && !folding:
			first, from, folding = s, i, true
		case n > 0:
			trailing = trailing.with(s, i, i+n)
		case !blank(src[i]):
			n = 0
		default:
			n = 1
			if !folding {
				blanks = blanks.with(string(src[i:i+1]), i, i+1)
			}
		}
		if n == 0 {
			break
		}
		i += n
	}
	switch {
	case !folding:
		return blanks, i
	case first == "":
		return trailing, i
	case first != "\n":
		return append(pieces{}.with(first, from, from+len(first)), trailing...), i
	case len(trailing) == 0:
		_, n := breakAt(src, from)
		return pieces{}.with(" ", from, from+n), i
	}
	return trailing, i
}

// plain reads a scalar without quotes. Its end is where the text of the parser
// is complete.
func (t *located) plain(src []byte, n *node) {
	i := n.start
	for i < len(src) && t.text.Len() < len(n.value) {
		if _, w := breakAt(src, i); w > 0 || blank(src[i]) {
			fold, next := breaks(src, i, false)
			t.putAll(fold)
			i = next
			continue
		}
		t.put(string(src[i:i+1]), i, i+1)
		i++
	}
	t.end, t.exact = i, true
}

// quoted reads a scalar in single or double quotes.
func (t *located) quoted(src []byte, n *node) {
	quote := byte('\'')
	if n.style == double {
		quote = '"'
	}
	i := n.start
	if i >= len(src) || src[i] != quote {
		return
	}
	for i++; i < len(src); {
		_, w := breakAt(src, i)
		switch c := src[i]; {
		case w > 0 || blank(c):
			fold, next := breaks(src, i, false)
			t.putAll(fold)
			i = next
		case c == '\'' && quote == '\'' && i+1 < len(src) && src[i+1] == '\'':
			t.put("'", i, i+2)
			i += 2
		case c == quote:
			t.end, t.exact = i+1, true
			return
		case c == '\\' && quote == '"':
			i = t.escape(src, i)
		default:
			t.put(string(src[i:i+1]), i, i+1)
			i++
		}
	}
}

// escapes are what a backslash and a character stand for in double quotes.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b", ' ': " ",
	'"': "\"", '\'': "'", '\\': "\\", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// escape reads the escape at src[i:] and returns the offset behind it.
func (t *located) escape(src []byte, i int) int {
	if i+1 >= len(src) {
		return i + 1
	}
	if _, w := breakAt(src, i+1); w > 0 {
		fold, next := breaks(src, i+1+w, true)
		t.putAll(fold)
		return next
	}
	if s, ok := escapes[src[i+1]]; ok {
		t.escaped(s, i, i+2)
		return i + 2
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[src[i+1]]
	end := min(i+2+digits, len(src))
	if c, err := strconv.ParseUint(string(src[i+2:end]), 16, 32); err == nil {
		t.escaped(string(rune(c)), i, end)
	}
	return end
}

// block reads a scalar behind | or >.
func (t *located) block(src []byte, n *node) {
	if n.start >= len(src) || src[n.start] != '|' && src[n.start] != '>' {
		return
	}
	b := &blockReader{t: t, src: src, fold: n.style == folded}
	b.header(n.start + 1)
	t.end = b.i
	if b.digit {
		b.indent = b.leading() - leadingSpaces(n.value)
	} else {
		b.detect()
	}
	b.indent = max(b.indent, 1)
	b.read()
	t.exact = true
}

// leadingSpaces counts the spaces before the first text of a value.
func leadingSpaces(value string) int {
	value = strings.TrimLeft(value, "\n")
	return len(value) - len(strings.TrimLeft(value, " "))
}

// blockReader reads the lines of a block scalar.
type blockReader struct {
	t      *located
	src    []byte
	i      int
	fold   bool
	chomp  byte // '+', '-' or 0
	digit  bool // the indentation is written
	indent int
}

// header reads the rest of the first line, from i.
func (b *blockReader) header(i int) {
	for ; i < len(b.src); i++ {
		switch c := b.src[i]; {
		case c == '+' || c == '-':
			b.chomp = c
			continue
		case c >= '1' && c <= '9':
			b.digit = true
			continue
		}
		break
	}
	b.i = i
	for b.i < len(b.src) {
		if _, w := breakAt(b.src, b.i); w > 0 {
			b.i += w
			return
		}
		b.i++
	}
}

// leading counts the spaces before the first text.
func (b *blockReader) leading() int {
	spaces := 0
	for i := b.i; i < len(b.src); {
		_, w := breakAt(b.src, i)
		switch {
		case w > 0:
			i, spaces = i+w, 0
		case b.src[i] == ' ':
			i, spaces = i+1, spaces+1
		default:
			return spaces
		}
	}
	return spaces
}

// detect finds the indentation: the most spaces up to the first text.
func (b *blockReader) detect() {
	spaces := 0
	for i := b.i; i < len(b.src); {
		_, w := breakAt(b.src, i)
		switch {
		case w > 0:
			i, spaces = i+w, 0
		case b.src[i] == ' ':
			i, spaces = i+1, spaces+1
			b.indent = max(b.indent, spaces)
		default:
			return
		}
	}
}

// empty reads empty lines and the indentation of the next one.
func (b *blockReader) empty() (lines pieces, column int) {
	for {
		for column = 0; column < b.indent && b.i < len(b.src) && b.src[b.i] == ' '; column++ {
			b.i++
		}
		s, w := breakAt(b.src, b.i)
		if w == 0 {
			return lines, column
		}
		lines = lines.with(s, b.i, b.i+w)
		b.i += w
	}
}

func (b *blockReader) read() {
	var last pieces // the break behind the last line
	wasBlank := false
	lines, column := b.empty()
	for column == b.indent && b.i < len(b.src) {
		isBlank := blank(b.src[b.i])
		if b.fold && !wasBlank && !isBlank && len(last) > 0 && last[0].s == "\n" {
			if len(lines) == 0 {
				b.t.put(" ", last[0].from, last[0].to)
			}
		} else {
			b.t.putAll(last)
		}
		b.t.putAll(lines)
		wasBlank, last = isBlank, nil
		for b.i < len(b.src) {
			s, w := breakAt(b.src, b.i)
			if w > 0 {
				last = last.with(s, b.i, b.i+w)
				b.i += w
				break
			}
			_, w = utf8.DecodeRune(b.src[b.i:])
			b.t.put(string(b.src[b.i:b.i+w]), b.i, b.i+w)
			b.i += w
			b.t.end = b.i
		}
		lines, column = b.empty()
	}
	if b.chomp != '-' {
		b.t.putAll(last)
	}
	if b.chomp == '+' {
		b.t.putAll(lines)
	}
}
