package yamlspec

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec"
)

// file is the text of a file with its lines.
type file struct {
	name    string
	src     []byte
	lines   []int // offsets of the lines, which end with \n
	index   *spec.Lines
	entries map[*node][]pair
	texts   map[*node]parsed
}

func newFile(name string, src []byte) *file {
	f := &file{name: name, src: src, lines: []int{0}, index: spec.NewLines(src), entries: make(map[*node][]pair), texts: make(map[*node]parsed)}
	for i, c := range src {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	return f
}

func (f *file) pos(offset int) hcl.Pos {
	offset = max(0, min(offset, len(f.src)))
	line, column := f.index.Pos(offset)
	return hcl.Pos{Line: line, Column: column, Byte: offset}
}

func (f *file) rng(from, to int) hcl.Range {
	return hcl.Range{Filename: f.name, Start: f.pos(from), End: f.pos(max(from, to))}
}

// at returns the place of a node: of an alias the alias, not what it stands
// for.
func (f *file) at(n *node) hcl.Range { return f.rng(n.start, n.end) }

// lineEnd returns the offset behind the text of the line that offset is on.
func (f *file) lineEnd(offset int) int {
	end := len(f.src)
	if i := bytes.IndexByte(f.src[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	return offset + len(bytes.TrimRight(f.src[offset:end], " \t\r"))
}

// breakAt returns the text that the line break at src[i:] stands for, and its
// width in src; 0 if there is none. The parser knows more line breaks than \n.
func breakAt(src []byte, i int) (text string, width int) {
	switch rest := src[i:]; {
	case len(rest) == 0:
		return "", 0
	case rest[0] == '\n':
		return "\n", 1
	case rest[0] == '\r' && len(rest) > 1 && rest[1] == '\n':
		return "\n", 2
	case rest[0] == '\r':
		return "\n", 1
	case rest[0] == 0xc2 && len(rest) > 1 && rest[1] == 0x85:
		return "\n", 2
	case rest[0] == 0xe2 && len(rest) > 2 && rest[1] == 0x80 && (rest[2] == 0xa8 || rest[2] == 0xa9):
		return string(rest[:3]), 3
	}
	return "", 0
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// placer finds the bytes of nodes. It goes through a document in the order of
// the text, and so reads each line once.
type placer struct {
	src          []byte
	lines        []int // offsets of the lines as the parser counts them
	line, column int   // where it stands: from 1, in runes
	offset       int   // the same place in bytes
}

// place finds the bytes of root and all nodes below it.
func place(src []byte, root *node) {
	p := &placer{src: src, lines: []int{0}}
	for i := 0; i < len(src); {
		if _, n := breakAt(src, i); n > 0 {
			i += n
			p.lines = append(p.lines, i)
			continue
		}
		i++
	}
	p.place(root)
}

// find returns the offset of a place that the parser names.
func (p *placer) find(line, column int) int {
	if line < 1 || line > len(p.lines) {
		return len(p.src)
	}
	if line != p.line || column < p.column {
		p.line, p.column, p.offset = line, 1, p.lines[line-1]
	}
	for p.column < column && p.offset < len(p.src) {
		_, n := utf8.DecodeRune(p.src[p.offset:])
		p.offset += n
		p.column++
	}
	return p.offset
}

// place sets the bytes of n. The parser points a node with an anchor or a tag
// at that.
func (p *placer) place(n *node) {
	at := p.find(n.line, n.column)
	n.whole, n.start = at, at
	switch n.kind {
	case alias:
		n.end = min(at+1+len(n.value), len(p.src))
		n.exact = at < len(p.src) && p.src[at] == '*'
	case scalar:
		n.start = p.properties(at, n.value != "" || n.style != plain)
		t := readScalar(p.src, n)
		n.end, n.exact = t.end, t.exact
	default:
		if n.flow {
			n.start = p.properties(at, true)
		}
		n.end = n.start + 1
		for _, c := range n.content {
			p.place(c)
		}
		p.enclose(n)
	}
}

// enclose sets the bytes of a mapping or sequence, whose content is placed.
func (p *placer) enclose(n *node) {
	n.exact = true
	if len(n.content) > 0 {
		first, last := n.content[0], n.content[len(n.content)-1]
		if !n.flow {
			n.start = min(max(n.start, 0), first.start)
			if c := p.src[min(n.start, len(p.src)-1)]; c == '&' || c == '!' {
				n.start = first.start
			}
		}
		n.end, n.exact = max(last.end, n.start), last.exact
	}
	if !n.flow {
		return
	}
	for i := n.end; i < len(p.src); {
		w := space(p.src, i)
		switch c := p.src[i]; {
		case c == '}' || c == ']':
			n.end = i + 1
			return
		case c == '#':
			i = commentEnd(p.src, i)
		case w > 0:
			i += w
		case c == ',' || c == ':' || c == '?':
			i++
		default:
			n.exact = false
			return
		}
	}
}

// properties returns the offset behind the anchor and the tag at offset, and
// behind the space that follows them where a value does.
func (p *placer) properties(offset int, value bool) int {
	for offset < len(p.src) && (p.src[offset] == '&' || p.src[offset] == '!') {
		for offset < len(p.src) && space(p.src, offset) == 0 {
			offset++
		}
		next := offset
		for n := space(p.src, next); n > 0; n = space(p.src, next) {
			if next += n; next < len(p.src) && p.src[next] == '#' {
				next = commentEnd(p.src, next)
			}
		}
		if value || next < len(p.src) && (p.src[next] == '&' || p.src[next] == '!') {
			offset = next
		}
	}
	return offset
}

// space returns the width of the space or the line break at src[i:], or 0.
func space(src []byte, i int) int {
	if i < len(src) && blank(src[i]) {
		return 1
	}
	_, n := breakAt(src, i)
	return n
}

// commentEnd returns the offset behind the comment at src[i:].
func commentEnd(src []byte, i int) int {
	for i < len(src) {
		if _, n := breakAt(src, i); n > 0 {
			break
		}
		i++
	}
	return i
}
