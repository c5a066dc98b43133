package spec

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/gpflow/gpflow/spec/diag"
)

// Located says where a field stands.
type Located struct {
	Name  diag.Range // the name of the attribute, block or key
	Value diag.Range // the value; of a block its header
	// Text is the text of a record expression, and At the place of each of its
	// bytes: the offset in the file. At has one entry more than Text has
	// bytes, the offset behind the last. nil: not known.
	Text string
	At   []int

	src []byte // the file, when At is known
}

// Place returns the place of the bytes [from, to) of the text of the field at
// path, such as "where" or "select.total". With to == 0, or where the bytes
// cannot be placed, it is the field's whole value; for an unknown path that of
// the closest parent, and finally the node's header.
func (n *Node) Place(path string, from, to int) diag.Range {
	for path != "" {
		if f, ok := n.Fields[path]; ok {
			return f.part(from, to)
		}
		from, to = 0, 0
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return n.Range
}

// part returns the place of bytes [from, to) of l's text.
func (l Located) part(from, to int) diag.Range {
	if to <= 0 || l.At == nil || from < 0 || from > to || to > len(l.Text) || len(l.At) != len(l.Text)+1 {
		return l.Value
	}
	start := l.At[from]
	end := start
	if from < to {
		end = l.end(to - 1)
	}
	if end < start || end > len(l.src) {
		return l.Value
	}
	return diag.Range{File: l.Value.File, Start: posAt(l.src, start), End: posAt(l.src, end)}
}

// end returns the offset behind the source of byte i: where the next byte of
// the text begins, or, where a line ends between the two, one byte on.
func (l Located) end(i int) int {
	for j := i + 1; j < len(l.At); j++ {
		if l.At[j] <= l.At[i] {
			continue
		}
		if l.At[j] > len(l.src) || bytes.IndexByte(l.src[l.At[i]:l.At[j]], '\n') >= 0 {
			break
		}
		return l.At[j]
	}
	return l.At[i] + 1
}

// posAt returns the position of the byte at offset in text.
func posAt(text []byte, offset int) diag.Pos {
	offset = max(0, min(offset, len(text)))
	bol := bytes.LastIndexByte(text[:offset], '\n') + 1
	return diag.Pos{
		Line:   bytes.Count(text[:bol], []byte{'\n'}) + 1,
		Column: utf8.RuneCount(text[bol:offset]) + 1,
		Byte:   offset,
	}
}
