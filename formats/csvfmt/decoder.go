// Package csvfmt reads and writes comma-separated values as RFC 4180 has them.
package csvfmt

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/internal/arena"
	"github.com/gpflow/gpflow/formats/internal/framing"
)

// Decoder reads comma-separated values.
//
// Unless there is no header, the first record names the columns, in any order.
// Every declared column must be named; columns that are not declared are passed
// over, or refused where fields are strict. Every record must have as many
// fields as the header, or as there are declared columns.
//
// A field may stand in quotes, and must where it contains a quote (written
// twice), the delimiter or a line end; what it contains is taken as it is. A
// quote within a field that does not begin with one is an error, and so are
// characters after the closing quote. Lines end with LF or CR LF; blank lines
// are passed over. An empty field is null where the column is optional; a string
// that is empty and not null is written "". Spaces count.
//
// Decode allocates nothing but, now and then, a chunk of memory for strings with
// quotes and for bytes.
type Decoder struct {
	declared *gpflow.Schema
	read     *gpflow.Schema
	strict   bool
	delim    byte
	zone     *time.Location

	cols    []*column // by place in the record; nil: not read
	ready   bool      // cols is set: the header has been read
	started bool
	text    arena.Arena[byte]
}

var (
	_ formats.Decoder = (*Decoder)(nil)
	_ formats.Headed  = (*Decoder)(nil)
)

// NewDecoder returns a decoder of the columns o.Read of records declared as
// o.Declared.
func NewDecoder(o formats.DecoderOptions) (*Decoder, error) {
	if err := Check(o.Declared); err != nil {
		return nil, err
	}
	delim, err := delimiter(o.CSV)
	if err != nil {
		return nil, err
	}
	d := &Decoder{declared: o.Declared, read: o.Read, strict: o.StrictFields, delim: delim, zone: o.Zone}
	if o.CSV.NoHeader {
		err = d.setColumns(o.Declared.Names())
	}
	return d, err
}

func delimiter(o formats.CSV) (byte, error) {
	switch c := o.Delimiter; {
	case c == 0:
		return ',', nil
	case c == '"' || c == '\n' || c == '\r' || c >= 0x80 || bytes.IndexByte(inValues, c|0x20) >= 0 || bytes.IndexByte(inValues, c) >= 0:
		return 0, fmt.Errorf("%q cannot be the delimiter: it is one ASCII character, and none that numbers and base64 are made of, no quote and no line end", c)
	default:
		return c, nil
	}
}

// inValues are the characters that values other than text are made of, letters
// in lower case.
var inValues = []byte("abcdefghijklmnopqrstuvwxyz0123456789+-./=")

// NeedsHeader reports whether the header is still to come.
func (d *Decoder) NeedsHeader() bool { return !d.ready }

// Frame cuts off a record, which may span lines. The header and blank lines are
// passed over. An error of the header is one of the whole split. A quoted field
// without an end takes in the rest of the input; Decode refuses it.
func (d *Decoder) Frame(data []byte, eof bool) (n int, rec []byte, lines int, err error) {
	mark := 0
	if !d.started {
		var more bool
		if mark, more = framing.Mark(data, eof); more {
			return 0, nil, 0, nil
		}
	}
	n, end, lines := frame(data[mark:], d.delim, eof)
	if n == 0 {
		if eof {
			return mark, nil, 0, nil
		}
		return 0, nil, 0, nil
	}
	d.started = true
	rec = data[mark : mark+end : mark+end]
	n += mark
	switch {
	case len(rec) == 0:
		return n, nil, lines, nil
	case !d.ready:
		return n, nil, lines, d.header(rec)
	}
	return n, rec, lines, nil
}

// header reads the names of the columns.
func (d *Decoder) header(rec []byte) error {
	var names []string
	for i := 0; i <= len(rec); {
		f, next, err := d.field(rec, i)
		if err != nil {
			return fmt.Errorf("the header of the CSV input: %w", err)
		}
		names = append(names, string(f.content))
		i = next
	}
	return d.setColumns(names)
}

// setColumns binds the columns to their places in a record.
func (d *Decoder) setColumns(names []string) error {
	d.cols = make([]*column, len(names))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		at := d.declared.Index(name)
		if at < 0 {
			if d.strict {
				return fmt.Errorf("the header of the CSV input names a column %q that the schema does not declare; declare it, or set unknown_fields = \"ignore\"", name)
			}
			continue
		}
		if seen[name] {
			return fmt.Errorf("the header of the CSV input names the column %q twice", name)
		}
		seen[name] = true
		if slot := d.read.Index(name); slot >= 0 {
			c, err := newColumn(d.declared.Columns[at], slot)
			if err != nil {
				return err
			}
			d.cols[i] = c
		}
	}
	for _, c := range d.declared.Columns {
		if !seen[c.Name] {
			return fmt.Errorf("the header of the CSV input does not name the column %s; it has %q; correct the schema, or set header = false", c.Name, names)
		}
	}
	d.ready = true
	return nil
}

// Decode reads the record rec into row. Strings without quotes in them share
// rec.
func (d *Decoder) Decode(rec []byte, row []gpflow.Value) error {
	if !d.ready {
		return failed(errors.New("the header has not been read"))
	}
	var bad error // of the first field that has the wrong type
	n, quotes := 0, bytes.IndexByte(rec, '"') >= 0
	for i := 0; i <= len(rec); n++ {
		var f field
		var next int
		if quotes {
			var err error
			if f, next, err = d.field(rec, i); err != nil {
				return failed(err)
			}
		} else {
			f.content, next = plainField(rec, i, d.delim)
		}
		if n < len(d.cols) && d.cols[n] != nil {
			c := d.cols[n]
			v, err := c.value(f, d)
			if err != nil && bad == nil {
				bad = fmt.Errorf("column %d: field %s: %w", i+1, c.name, err)
			}
			row[c.slot] = v
		}
		i = next
	}
	switch {
	case n != len(d.cols):
		return failed(fmt.Errorf("the record has %s, and each of this input has %d", count(n), len(d.cols)))
	case bad != nil:
		return failed(bad)
	}
	return nil
}

func count(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

func failed(err error) error { return &gpflow.RecordError{Code: "decode", Err: err} }

// field is the content of a field, without its quotes.
type field struct {
	content []byte
	quoted  bool
	owned   bool // content is the decoder's, valid until the next field
}

var (
	errBare  = errors.New("there is a quote inside a field that does not begin with one; put the field in quotes and write the quote twice")
	errAfter = errors.New("there is something after the closing quote of a field; a quote inside a field in quotes is written twice")
	errOpen  = errors.New("the quote that opens the field is never closed")
)

// field returns the field at rec[i] and the place of the next, which is beyond
// len(rec) after the last.
func (d *Decoder) field(rec []byte, i int) (f field, next int, err error) {
	if i < len(rec) && rec[i] == '"' {
		return d.quotedField(rec, i)
	}
	end := i
	for end < len(rec) && rec[end] != d.delim {
		if rec[end] == '"' {
			return f, 0, fmt.Errorf("column %d: %w", end+1, errBare)
		}
		end++
	}
	return field{content: rec[i:end:end]}, end + 1, nil
}

// plainField is field for records without quotes.
func plainField(rec []byte, i int, delim byte) (content []byte, next int) {
	end := bytes.IndexByte(rec[i:], delim)
	if end < 0 {
		return rec[i:], len(rec) + 1
	}
	return rec[i : i+end], i + end + 1
}

func (d *Decoder) quotedField(rec []byte, open int) (f field, next int, err error) {
	i, doubled := open+1, 0
	for {
		n := bytes.IndexByte(rec[i:], '"')
		if n < 0 {
			return f, 0, fmt.Errorf("column %d: %w", open+1, errOpen)
		}
		i += n
		if i+1 >= len(rec) || rec[i+1] != '"' {
			break
		}
		i += 2
		doubled++
	}
	if i+1 < len(rec) && rec[i+1] != d.delim {
		return f, 0, fmt.Errorf("column %d: %w", i+2, errAfter)
	}
	f = field{content: rec[open+1 : i : i], quoted: true}
	if doubled > 0 {
		f.content, f.owned = d.unquote(f.content, doubled), true
	}
	return f, i + 2, nil
}

// unquote returns s with each pair of quotes made one.
func (d *Decoder) unquote(s []byte, pairs int) []byte {
	dst := d.text.Room(len(s) - pairs)
	for {
		n := bytes.IndexByte(s, '"')
		if n < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:n+1]...)
		s = s[n+2:]
	}
}
