package csvfmt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/internal/excerpt"
	"github.com/gpflow/gpflow/formats/internal/number"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// Check says whether comma-separated values can carry rows of s: every column
// is a scalar.
func Check(s *gpflow.Schema) error {
	if s.Width() == 0 {
		return errors.New("comma-separated values need a column at least")
	}
	for i, c := range s.Columns {
		if _, err := newColumn(c, i); err != nil {
			return err
		}
	}
	return nil
}

// column is a column that is read or written.
type column struct {
	name     string
	slot     int
	kind     gpflow.Kind
	optional bool
	layout   *timefmt.Layout
}

func newColumn(c gpflow.Column, slot int) (*column, error) {
	out := &column{name: c.Name, slot: slot, kind: c.Type.Kind, optional: c.Type.Optional}
	switch c.Type.Kind {
	case gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindBytes, gpflow.KindDuration:
		return out, nil
	case gpflow.KindTimestamp:
		var err error
		if out.layout, err = timefmt.Compile(c.Type.Layout); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("column %s: comma-separated values cannot hold values of type %s; select what is in it, or use another format such as json", c.Name, c.Type)
}

// value returns the value that a field holds.
func (c *column) value(f field, d *Decoder) (gpflow.Value, error) {
	b := f.content
	if len(b) == 0 {
		return c.empty(f.quoted)
	}
	s := unsafe.String(unsafe.SliceData(b), len(b))
	switch c.kind {
	case gpflow.KindString:
		if !utf8.Valid(b) {
			return gpflow.Null, errors.New("the text is not valid UTF-8")
		}
		if f.owned {
			d.text.Keep(b) // the bytes of s
		}
		return gpflow.String(s), nil
	case gpflow.KindInt:
		return c.int(s)
	case gpflow.KindFloat:
		return c.float(s)
	case gpflow.KindBool:
		switch {
		case strings.EqualFold(s, "true"):
			return gpflow.Bool(true), nil
		case strings.EqualFold(s, "false"):
			return gpflow.Bool(false), nil
		}
	case gpflow.KindTimestamp:
		t, err := c.layout.Parse(s, d.zone)
		if err != nil {
			return gpflow.Null, c.fail(b, err.Error())
		}
		return gpflow.Time(t), nil
	case gpflow.KindDuration:
		span, err := gpflow.ParseDuration(s)
		if err != nil {
			return gpflow.Null, c.fail(b, err.Error())
		}
		return gpflow.Span(span), nil
	case gpflow.KindBytes:
		return c.bytes(f, d)
	}
	return gpflow.Null, c.fail(b, "")
}

// empty returns the value of an empty field. In quotes it is the empty string
// and not null.
func (c *column) empty(quoted bool) (gpflow.Value, error) {
	text := c.kind == gpflow.KindString || c.kind == gpflow.KindBytes
	switch {
	case c.optional && !(quoted && text):
		return gpflow.Null, nil
	case c.kind == gpflow.KindString:
		return gpflow.String(""), nil
	case c.kind == gpflow.KindBytes:
		return gpflow.Bytes(nil), nil
	}
	return gpflow.Null, c.fail(nil, "declare it optional if it may be empty")
}

func (c *column) bytes(f field, d *Decoder) (gpflow.Value, error) {
	b := f.content
	if f.owned { // base64 has no quotes
		return gpflow.Null, c.fail(b, "")
	}
	out, err := base64.StdEncoding.AppendDecode(d.text.Room(base64.StdEncoding.DecodedLen(len(b))), b)
	if err != nil {
		return gpflow.Null, c.fail(b, err.Error())
	}
	return gpflow.Bytes(d.text.Keep(out)), nil
}

// int reads a whole number, also with a fraction of zeros or an exponent.
func (c *column) int(s string) (gpflow.Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return gpflow.Int(n), nil
	}
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	end, _, ok := number.Scan(b, 0)
	if !ok || end != len(b) {
		return gpflow.Null, c.fail(b, "")
	}
	n, status := number.Whole(b)
	switch status {
	case number.Overflow:
		return gpflow.Null, fmt.Errorf("%s is beyond the 64 bits of an int; declare float or string", quote(b))
	case number.Fraction:
		return gpflow.Null, c.fail(b, "")
	}
	return gpflow.Int(n), nil
}

// float reads a decimal number, NaN, Inf, +Inf or -Inf.
func (c *column) float(s string) (gpflow.Value, error) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	if end, _, ok := number.Scan(b, 0); ok && end == len(b) {
		f, status := number.Float(b)
		if status != number.OK {
			return gpflow.Null, fmt.Errorf("%s is beyond the range of a float; declare string", quote(b))
		}
		return gpflow.Float(f), nil
	}
	if strings.ContainsAny(s, "xX_") {
		return gpflow.Null, c.fail(b, "")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return gpflow.Null, c.fail(b, "")
	}
	return gpflow.Float(f), nil
}

var want = [...]string{
	gpflow.KindBool:      "true or false",
	gpflow.KindInt:       "a whole number (int)",
	gpflow.KindFloat:     "a number (float)",
	gpflow.KindString:    "a string",
	gpflow.KindBytes:     "base64 (bytes)",
	gpflow.KindTimestamp: "a timestamp",
	gpflow.KindDuration:  "a duration",
}

// fail returns the error of the field text b; more may be empty.
func (c *column) fail(b []byte, more string) error {
	if more != "" {
		more = "; " + more
	}
	return fmt.Errorf("found %s, want %s%s", quote(b), want[c.kind], more)
}

func quote(b []byte) string { return `"` + excerpt.Of(b) + `"` }
