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
	// Text is the text of a record expression, or that in which some stand, and
	// At the place of each of its bytes: the offset in the file. At has one entry more than Text has
	// bytes, the offset behind the last. nil: not known.
	Text string
	At   []int

	// Block is the header of the block that the field stands in, where that is
	// not the node's: a schema. Otherwise it is zero.
	Block diag.Range

	src   []byte             // the file, when At is known
	parts map[string]Located // of a schema with a name: its columns by path, ".at"
}

// Elsewhere returns the header of the block that the field at path stands in,
// where that is not the node's.
func (n *Node) Elsewhere(path string) (diag.Range, bool) {
	l, _, _ := n.closest(path)
	return l.Block, !l.Block.IsZero()
}

// Place returns the place of the bytes [from, to) of the text of the field at
// path, such as "where" or "select.total". With to == 0, or where the bytes
// cannot be placed, it is the field's whole value; for an unknown path that of
// the closest parent, and finally the node's header.
func (n *Node) Place(path string, from, to int) diag.Range {
	switch l, exact, ok := n.closest(path); {
	case exact:
		return l.part(from, to)
	case ok:
		return l.part(0, 0)
	}
	return n.Range
}

// closest returns the field at path, or the closest parent of it.
func (n *Node) closest(path string) (l Located, exact, ok bool) {
	for at := path; at != ""; at = parent(at) {
		l, ok = n.Fields[at]
		if !ok {
			continue
		}
		for inner := path[len(at):]; inner != ""; inner = parent(inner) {
			if p, has := l.parts[inner]; has {
				return p, false, true
			}
		}
		return l, at == path, true
	}
	return Located{}, false, false
}

// parent returns the path of what the field at path is part of, "" at the top.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

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

// aligned returns the places of the bytes of a text that has been computed from
// the source [from, to) of a file. What the two have in common at the beginning
// and at the end stands where it does in the source. The rest, which ${ } has a
// part in, stands as a whole at what is between.
func aligned(file []byte, from, to int, text string) []int {
	to = min(to, len(file))
	if from >= to {
		return nil
	}
	if q := file[from]; to-from > 1 && (q == '"' || q == '\'') && file[to-1] == q {
		from, to = from+1, to-1
	}
	src := file[from:to]
	head, tail, most := 0, 0, min(len(src), len(text))
	for head < most && src[head] == text[head] {
		head++
	}
	for tail < most-head && src[len(src)-1-tail] == text[len(text)-1-tail] {
		tail++
	}
	at := make([]int, len(text)+1)
	for i := range at {
		switch {
		case i < head:
			at[i] = from + i
		case i < len(text)-tail:
			at[i] = from + head
		default:
			at[i] = to - (len(text) - i)
		}
	}
	return at
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
