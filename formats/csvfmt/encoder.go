package csvfmt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// Encoder writes comma-separated values, each record a line that ends with LF.
// Null is an empty field, the empty string is "", bytes are base64, timestamps
// follow the layout of their type, and floats may be NaN, +Inf and -Inf. A
// field is put in quotes where it must be, or where it begins or ends with
// white space. Append allocates nothing.
type Encoder struct {
	cols     []*column
	delim    byte
	noHeader bool
}

var _ formats.Encoder = (*Encoder)(nil)

// NewEncoder returns an encoder of rows of o.Schema.
func NewEncoder(o formats.EncoderOptions) (*Encoder, error) {
	if err := Check(o.Schema); err != nil {
		return nil, err
	}
	delim, err := delimiter(o.CSV)
	if err != nil {
		return nil, err
	}
	e := &Encoder{delim: delim, noHeader: o.CSV.NoHeader}
	for i, c := range o.Schema.Columns {
		col, err := newColumn(c, i)
		if err != nil {
			return nil, err
		}
		e.cols = append(e.cols, col)
	}
	return e, nil
}

// Begin appends the header, unless there is none.
func (e *Encoder) Begin(dst []byte) []byte {
	if e.noHeader {
		return dst
	}
	for i, c := range e.cols {
		if i > 0 {
			dst = append(dst, e.delim)
		}
		dst = e.text(dst, c.name)
	}
	return append(dst, '\n')
}

var errOnlyNull = errors.New("null in the only column would be a blank line, which is not read back; give a value with ??")

// Append appends row as a record.
func (e *Encoder) Append(dst []byte, row []gpflow.Value) ([]byte, error) {
	start := len(dst)
	for i, c := range e.cols {
		if i > 0 {
			dst = append(dst, e.delim)
		}
		v := row[c.slot]
		if v.IsNull() {
			continue
		}
		var err error
		if dst, err = e.value(dst, c, v); err != nil {
			return dst[:start], &gpflow.RecordError{Code: "encode", Err: fmt.Errorf("column %s: %w", c.name, err)}
		}
	}
	if len(dst) == start {
		if k := e.cols[0].kind; k == gpflow.KindString || k == gpflow.KindBytes {
			return dst, &gpflow.RecordError{Code: "encode", Err: fmt.Errorf("column %s: %w", e.cols[0].name, errOnlyNull)}
		}
		dst = append(dst, `""`...)
	}
	return append(dst, '\n'), nil
}

func (e *Encoder) value(dst []byte, c *column, v gpflow.Value) ([]byte, error) {
	switch c.kind {
	case gpflow.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case gpflow.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case gpflow.KindFloat:
		return appendFloat(dst, v.Float()), nil
	case gpflow.KindString:
		return e.text(dst, v.Str()), nil
	case gpflow.KindDuration:
		return timefmt.AppendDuration(dst, v.Span()), nil
	case gpflow.KindBytes:
		if len(v.Bytes()) == 0 {
			return append(dst, `""`...), nil
		}
		return base64.StdEncoding.AppendEncode(dst, v.Bytes()), nil
	}
	if !c.layout.Fits(v.Time()) {
		return dst, fmt.Errorf("the timestamp %d (microseconds since 1970) is too early or too late to be written in the layout %q", int64(v.Time()), c.layout)
	}
	start := len(dst)
	return e.quote(c.layout.Append(dst, v.Time()), start), nil
}

func appendFloat(dst []byte, f float64) []byte {
	dst, err := gpflow.AppendJSON(dst, gpflow.Float(f))
	if err != nil {
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	return dst
}

// text appends s, in quotes where needed.
func (e *Encoder) text(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	return e.quote(dst, start)
}

// quote puts dst[start:], the text of a field, in quotes where they are
// needed.
func (e *Encoder) quote(dst []byte, start int) []byte {
	quotes, need := 0, len(dst) == start || dst[start] <= ' ' || dst[len(dst)-1] <= ' '
	for _, c := range dst[start:] {
		switch c {
		case '"':
			quotes++
			need = true
		case e.delim, '\n', '\r':
			need = true
		}
	}
	if !need {
		return dst
	}
	to := len(dst) + quotes + 2
	from := len(dst)
	for range quotes + 2 {
		dst = append(dst, '"')
	}
	// From the end, so that nothing is overwritten before it has moved; the
	// last byte is a quote already.
	to--
	for from > start {
		from--
		to--
		dst[to] = dst[from]
		if dst[from] == '"' {
			to--
			dst[to] = '"'
		}
	}
	dst[start] = '"'
	return dst
}
