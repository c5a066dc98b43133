package filesink

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow"
)

// What stands in a path for a null and for the empty string.
const (
	nullSegment  = "__null__"
	emptySegment = "__empty__"
)

// nameMax is how many bytes the name of a file has at most.
const nameMax = 255

// template is a path with columns in it.
type template struct {
	root   string // the directory before the first column
	pieces []piece
}

// piece is a text, or a column.
type piece struct {
	text     string
	column   string
	from, to int // bytes of the path that name the column, with its braces
	slot     int // of the column, in a row
}

// parseTemplate takes a path like "out/{day}/{origin}/" apart.
func parseTemplate(path string) (*template, error) {
	var t template
	first := strings.IndexByte(path, '{')
	if first < 0 {
		if strings.IndexByte(path, '}') >= 0 {
			return nil, fmt.Errorf("a } closes no brace; a column stands between { and }, as in \"out/{day}/\"")
		}
		return &template{root: filepath.Clean(path)}, nil
	}
	cut := strings.LastIndexByte(path[:first], '/') + 1
	t.root = filepath.Clean(path[:cut])
	for at := cut; at < len(path); {
		open := strings.IndexAny(path[at:], "{}")
		if open < 0 {
			t.text(path[at:])
			break
		}
		t.text(path[at : at+open])
		at += open
		end := strings.IndexAny(path[at+1:], "{}")
		if path[at] == '}' || end < 0 || path[at+1+end] == '{' || end == 0 {
			return nil, fmt.Errorf("the braces at byte %d name no column; a column stands between { and }, as in \"out/{day}/\"", at+1)
		}
		t.pieces = append(t.pieces, piece{column: path[at+1 : at+1+end], from: at, to: at + 2 + end})
		at += end + 2
	}
	for _, name := range strings.Split(path[cut:], "/") {
		if name == ".." || name == "." {
			return nil, fmt.Errorf("%q stands behind a column; write a path that leads down only", name)
		}
	}
	return &t, nil
}

func (t *template) text(s string) {
	if s != "" {
		t.pieces = append(t.pieces, piece{text: s})
	}
}

// columns returns the columns that the path names, each once, in its order; nil
// where it names none.
func (t *template) columns() []string {
	var all []string
	for _, p := range t.pieces {
		if p.column != "" && !slices.Contains(all, p.column) {
			all = append(all, p.column)
		}
	}
	return all
}

// bind finds the columns in a schema.
func (t *template) bind(s *gpflow.Schema) error {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.column == "" {
			continue
		}
		if p.slot = s.Index(p.column); p.slot < 0 {
			return fmt.Errorf("the path names the column %q, and there is none", p.column)
		}
	}
	return nil
}

// append appends the path of a row below the root.
func (t *template) append(dst []byte, row []gpflow.Value) ([]byte, error) {
	name, begun := "", len(dst)
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.column == "" {
			if cut := strings.LastIndexByte(p.text, '/'); cut >= 0 {
				if err := short(name, len(dst)+strings.IndexByte(p.text, '/')-begun); err != nil {
					return dst, err
				}
				begun = len(dst) + cut + 1
			}
			dst = append(dst, p.text...)
			continue
		}
		name = p.column
		dst = appendSafe(dst, row[p.slot])
	}
	return dst, short(name, len(dst)-begun)
}

func short(column string, n int) error {
	if n <= nameMax {
		return nil
	}
	return &gpflow.RecordError{
		Code: "path", Field: "path",
		Err: fmt.Errorf("the column %s makes the name of a directory of %d bytes, and a name has at most %d", column, n, nameMax),
	}
}

// appendSafe appends a value as a part of a path: letters, digits and . _ - = as
// they are, and all other bytes as % and two hexadecimal digits, as well as a
// dot at the beginning, which would hide the directory or lead out of it.
func appendSafe(dst []byte, v gpflow.Value) []byte {
	at := len(dst)
	switch v.Kind() {
	case gpflow.KindNull:
		return append(dst, nullSegment...)
	case gpflow.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case gpflow.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case gpflow.KindString:
		dst = appendEscaped(dst, v.Str())
	case gpflow.KindBytes:
		dst = appendEscaped(dst, string(v.Bytes()))
	case gpflow.KindTimestamp:
		var text [40]byte
		dst = appendEscaped(dst, string(gpflow.AppendTime(text[:0], v.Time())))
	default:
		dst = appendEscaped(dst, v.Span().String())
	}
	switch string(dst[at:]) {
	case "":
		return append(dst, emptySegment...)
	case nullSegment: // a text that looks like a null
		return append(dst[:at], "%5F"+nullSegment[1:]...)
	case emptySegment:
		return append(dst[:at], "%5F"+emptySegment[1:]...)
	}
	return dst
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '=' || c == '.' && i > 0 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', hex[c>>4], hex[c&15])
	}
	return dst
}
