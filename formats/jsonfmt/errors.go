package jsonfmt

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/internal/excerpt"
)

// fail returns the error of a record, at rec[i]; f is the field that it is
// about, or nil.
func (d *Decoder) fail(rec []byte, i int, f *field, msg string) error {
	if f == nil {
		f = d.at
	}
	if i >= len(rec) {
		i = len(rec)
		msg += "; the record ends here"
	}
	if f != nil {
		msg = "field " + f.path + ": " + msg
	}
	return &gpflow.RecordError{Code: "decode", Err: fmt.Errorf("column %d: %s", i+1, msg)}
}

func (d *Decoder) failFound(rec []byte, i int, f *field, want string) error {
	return d.fail(rec, i, f, "found "+found(rec, i)+", want "+want)
}

// failText returns the error of a value at rec[i] that is of the right kind.
func (d *Decoder) failText(rec []byte, i int, err error) error {
	return d.fail(rec, i, nil, "found "+found(rec, i)+": "+err.Error())
}

func (d *Decoder) failDepth(rec []byte, i int) error {
	return d.fail(rec, i, nil, fmt.Sprintf("more than %d arrays and objects are inside one another", maxDepth))
}

func (d *Decoder) failUTF8(rec []byte, start, end int) error {
	for start < end {
		r, n := utf8.DecodeRune(rec[start:end])
		if r == utf8.RuneError && n == 1 {
			break
		}
		start += n
	}
	return d.fail(rec, start, nil, fmt.Sprintf("the byte 0x%02x is not valid UTF-8", rec[start]))
}

// failNull returns the error of the column in slot s, which must not be null.
func (d *Decoder) failNull(rec []byte, s int) error {
	if f := d.nullAt; f != nil && d.row[f.slot].IsNull() {
		return d.failFound(rec, d.nullI, f, want[f.typ.kind]+"; declare it optional if it may be null")
	}
	c := d.read.Columns[s]
	return &gpflow.RecordError{Code: "decode", Err: errors.New(
		"field " + c.Name + ": the record does not have it, and it is not optional; want " + want[c.Type.Kind])}
}

// want says what a column of a kind is made of, in words.
var want = [...]string{
	gpflow.KindBool:      "true or false",
	gpflow.KindInt:       "a whole number (int)",
	gpflow.KindFloat:     "a number (float)",
	gpflow.KindString:    "a string",
	gpflow.KindBytes:     "a string of base64 (bytes)",
	gpflow.KindTimestamp: "a timestamp",
	gpflow.KindDuration:  "a string such as \"1h30m\" (duration)",
	gpflow.KindList:      "an array",
	gpflow.KindMap:       "an object",
	gpflow.KindAny:       "a value",
}

// found says what stands at rec[i], in words.
func found(rec []byte, i int) string {
	if i >= len(rec) {
		return "nothing"
	}
	switch c := rec[i]; {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "the string " + excerpt.Of(rec[i:stringEnd(rec, i)])
	case c == '-' || c-'0' < 10:
		end := i + 1
		for end < len(rec) && bytes.IndexByte([]byte("0123456789.eE+-"), rec[end]) >= 0 {
			end++
		}
		return "the number " + excerpt.Of(rec[i:end])
	case hasWord(rec, i, "null"):
		return "null"
	case hasWord(rec, i, "true"):
		return "true"
	case hasWord(rec, i, "false"):
		return "false"
	}
	return fmt.Sprintf("%q", rec[i:i+1])
}

// stringEnd returns the place after the string at rec[i], whether or not it is
// well-formed.
func stringEnd(rec []byte, i int) int {
	for i++; i < len(rec) && rec[i] != '"'; i++ {
		if rec[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(rec))
}
