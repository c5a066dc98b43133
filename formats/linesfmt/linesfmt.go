// Package linesfmt reads and writes lines of text: each line is the one column
// of a row.
package linesfmt

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/internal/framing"
)

// Check says whether lines can carry rows of s: it has one column, of strings
// or bytes.
func Check(s *gpflow.Schema) error {
	if n := s.Width(); n != 1 {
		return fmt.Errorf("lines have one column and the schema has %d; select one, or use another format such as json", n)
	}
	c := s.Columns[0]
	if c.Type.Kind != gpflow.KindString && c.Type.Kind != gpflow.KindBytes {
		return fmt.Errorf("a line is a string or bytes, and column %s is %s; make a string of it, or use another format such as json", c.Name, c.Type)
	}
	return nil
}

// Decoder reads lines, which end with LF or CR LF. An empty line is a record
// as any other. A line that is not valid UTF-8 has failed where the column is a
// string. Values share the bytes of the record.
type Decoder struct {
	lines framing.Lines
	read  bool // somebody reads the column
	bytes bool
}

var _ formats.Decoder = (*Decoder)(nil)

// NewDecoder returns a decoder of lines.
func NewDecoder(o formats.DecoderOptions) (*Decoder, error) {
	if err := Check(o.Declared); err != nil {
		return nil, err
	}
	return &Decoder{read: o.Read.Width() > 0, bytes: o.Declared.Columns[0].Type.Kind == gpflow.KindBytes}, nil
}

// Frame cuts off a line.
func (d *Decoder) Frame(data []byte, eof bool) (n int, rec []byte, lines int, err error) {
	n, rec, lines = d.lines.Next(data, eof)
	return n, rec, lines, nil
}

// Decode puts the line rec into row.
func (d *Decoder) Decode(rec []byte, row []gpflow.Value) error {
	switch {
	case !d.read:
	case d.bytes:
		row[0] = gpflow.Bytes(rec)
	case !utf8.Valid(rec):
		return &gpflow.RecordError{Code: "decode", Err: fmt.Errorf(
			"column %d: the line is not valid UTF-8; declare the column as bytes to read it all the same", invalid(rec)+1)}
	default:
		row[0] = gpflow.String(unsafe.String(unsafe.SliceData(rec), len(rec)))
	}
	return nil
}

// invalid returns the place of the first byte that is not UTF-8.
func invalid(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// Encoder writes the one column of each row as a line.
type Encoder struct{}

var _ formats.Encoder = (*Encoder)(nil)

// NewEncoder returns an encoder of rows of o.Schema.
func NewEncoder(o formats.EncoderOptions) (*Encoder, error) {
	if err := Check(o.Schema); err != nil {
		return nil, err
	}
	return &Encoder{}, nil
}

// Begin appends nothing: lines have no header.
func (e *Encoder) Begin(dst []byte) []byte { return dst }

var (
	errNull  = errors.New("null cannot be written as a line; filter it out, or give a value with ??")
	errBreak = errors.New("the value has a line end in it and would be read as several lines; use another format such as json")
	errCR    = errors.New("the value ends with a carriage return, which would be read as a part of the line end; use another format such as json")
)

// Append appends the value and a line feed. A value that would not be read
// back as one and the same line is an error: null, a line feed within, a
// carriage return at the end.
func (e *Encoder) Append(dst []byte, row []gpflow.Value) ([]byte, error) {
	v := row[0]
	if v.IsNull() {
		return dst, failed(errNull)
	}
	b := v.Bytes()
	switch {
	case bytes.IndexByte(b, '\n') >= 0:
		return dst, failed(errBreak)
	case len(b) > 0 && b[len(b)-1] == '\r':
		return dst, failed(errCR)
	}
	return append(append(dst, b...), '\n'), nil
}

func failed(err error) error { return &gpflow.RecordError{Code: "encode", Err: err} }
