package jsonfmt

import (
	"fmt"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// Encoder writes JSON lines. Dotted columns are nested objects, which stand
// where their first column stands. Values are as gpflow.AppendJSON writes them,
// but that timestamps follow the layout of their type. Append allocates
// nothing.
type Encoder struct {
	cols []column
	end  string // closes the record
}

// column is a slot and what stands before its value.
type column struct {
	before string
	slot   int
	path   string
	typ    *typ
}

var _ formats.Encoder = (*Encoder)(nil)

// NewEncoder returns an encoder of rows of o.Schema.
func NewEncoder(o formats.EncoderOptions) (*Encoder, error) {
	root, err := newObject(o.Schema, o.Schema)
	if err != nil {
		return nil, err
	}
	e := &Encoder{}
	e.end = e.lay(root, "{") + "\n"
	return e, nil
}

// lay adds the columns of o, before being what stands before its first field,
// and returns what stands after its last value.
func (e *Encoder) lay(o *object, before string) string {
	for i, f := range o.fields {
		if i > 0 {
			before += ","
		}
		before += f.word
		if f.obj != nil {
			before = e.lay(f.obj, before+"{")
			continue
		}
		e.cols = append(e.cols, column{before, f.slot, f.path, f.typ})
		before = ""
	}
	return before + "}"
}

// Begin appends nothing: JSON lines have no header.
func (e *Encoder) Begin(dst []byte) []byte { return dst }

// Append appends row as an object and a line feed.
func (e *Encoder) Append(dst []byte, row []gpflow.Value) ([]byte, error) {
	start := len(dst)
	for i := range e.cols {
		c := &e.cols[i]
		dst = append(dst, c.before...)
		v := row[c.slot]
		var err error
		switch {
		case v.IsNull():
			dst = append(dst, "null"...)
		case c.typ.kind == gpflow.KindString:
			dst = gpflow.AppendQuoted(dst, v.Str())
		case c.typ.kind == gpflow.KindInt:
			dst = strconv.AppendInt(dst, v.Int(), 10)
		default:
			dst, err = appendValue(dst, v, c.typ)
		}
		if err != nil {
			return dst[:start], &gpflow.RecordError{Code: "encode", Err: fmt.Errorf("column %s: %w", c.path, err)}
		}
	}
	return append(dst, e.end...), nil
}

// appendValue appends v, a value of type t, which is anyType where nothing is
// known.
func appendValue(dst []byte, v gpflow.Value, t *typ) ([]byte, error) {
	switch v.Kind() {
	case gpflow.KindTimestamp:
		return appendTime(dst, v.Time(), t.layout)
	case gpflow.KindDuration:
		dst = timefmt.AppendDuration(append(dst, '"'), v.Span())
		return append(dst, '"'), nil
	case gpflow.KindList:
		return appendList(dst, v.List(), t.element())
	case gpflow.KindMap:
		return appendMap(dst, v.Map(), t.element())
	}
	return gpflow.AppendJSON(dst, v)
}

// element returns the type of the elements of a list or map of type t.
func (t *typ) element() *typ {
	if t.elem == nil {
		return anyType
	}
	return t.elem
}

func appendList(dst []byte, vs []gpflow.Value, t *typ) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, v, t); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, es []gpflow.Entry, t *typ) (_ []byte, err error) {
	dst = append(dst, '{')
	for i, e := range es {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(gpflow.AppendQuoted(dst, e.Key), ':')
		if dst, err = appendValue(dst, e.Value, t); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendTime(dst []byte, t gpflow.Timestamp, l *timefmt.Layout) ([]byte, error) {
	if l == nil {
		l = anyType.layout
	}
	if !l.Fits(t) {
		return dst, fmt.Errorf("the timestamp %d (microseconds since 1970) is too early or too late to be written in the layout %q", int64(t), l)
	}
	if l.Numeric() {
		return l.Append(dst, t), nil
	}
	start := len(dst)
	dst = l.Append(append(dst, '"'), t)
	for _, c := range dst[start+1:] {
		if c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			return gpflow.AppendQuoted(dst[:start], string(dst[start+1:])), nil
		}
	}
	return append(dst, '"'), nil
}
