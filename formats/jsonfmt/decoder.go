// Package jsonfmt reads and writes JSON lines: one JSON object a line, its
// fields the columns of a schema.
package jsonfmt

import (
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/internal/arena"
	"github.com/gpflow/gpflow/formats/internal/framing"
)

// Decoder reads JSON lines. It decodes the columns to read and passes over the
// rest, whose syntax it checks but not its types: a column that nobody reads
// may hold anything.
//
// A record's syntax is that of RFC 8259 and encoding/json, with UTF-8 required
// and no more than 64 arrays and objects open at once. Names are compared with
// case. Where a name is there twice, the last one counts. A nested object
// holds the columns that are called after it, such as "address.street"; null
// in its place makes them null. Decode allocates nothing but, now and then, a
// chunk of memory for strings with escapes, bytes, lists and maps.
type Decoder struct {
	root     *object
	read     *gpflow.Schema
	required []int // slots that must not be null
	strict   bool
	zone     *time.Location
	lines    framing.Lines

	chars arena.Arena[byte]
	vals  arena.Arena[gpflow.Value]
	pairs arena.Arena[gpflow.Entry]
	// The elements of lists and maps that are open.
	list []gpflow.Value
	dict []gpflow.Entry

	row    []gpflow.Value
	at     *field // being decoded, for errors
	nullAt *field // a column that must not be null and was, last
	nullI  int
}

var _ formats.Decoder = (*Decoder)(nil)

// NewDecoder returns a decoder of the columns o.Read of records declared as
// o.Declared.
func NewDecoder(o formats.DecoderOptions) (*Decoder, error) {
	root, err := newObject(o.Declared, o.Read)
	if err != nil {
		return nil, err
	}
	d := &Decoder{root: root, read: o.Read, strict: o.StrictFields, zone: o.Zone}
	for s, c := range o.Read.Columns {
		if !c.Type.Optional {
			d.required = append(d.required, s)
		}
	}
	return d, nil
}

// Frame cuts off a line. Blank lines are passed over.
func (d *Decoder) Frame(data []byte, eof bool) (n int, rec []byte, lines int, err error) {
	n, rec, lines = d.lines.Next(data, eof)
	if isBlank(rec) {
		rec = nil
	}
	return n, rec, lines, nil
}

// Decode reads the record rec into row. Strings without escapes share rec.
func (d *Decoder) Decode(rec []byte, row []gpflow.Value) error {
	d.row, d.at, d.nullAt = row, nil, nil
	d.list, d.dict = d.list[:0], d.dict[:0]
	i := space(rec, 0)
	if i >= len(rec) || rec[i] != '{' {
		return d.fail(rec, i, nil, "a record is a JSON object, {...}; found "+found(rec, i))
	}
	i, err := d.object(rec, i, d.root, 1)
	if err != nil {
		return err
	}
	if i = space(rec, i); i < len(rec) {
		return d.fail(rec, i, nil, "there is something after the end of the record")
	}
	for _, s := range d.required {
		if row[s].IsNull() {
			return d.failNull(rec, s)
		}
	}
	return nil
}

// object decodes the object that begins at rec[i] and returns the place after
// it.
func (d *Decoder) object(rec []byte, i int, o *object, depth int) (int, error) {
	if depth > maxDepth {
		return 0, d.failDepth(rec, i)
	}
	if i = i + 1; i < len(rec) && rec[i] <= ' ' {
		i = space(rec, i)
	}
	if i < len(rec) && rec[i] == '}' {
		return i + 1, nil
	}
	last := &o.first
	for {
		f := *last
		if f != nil && f.begins(rec, i) {
			if i += len(f.word); i < len(rec) && rec[i] <= ' ' {
				i = space(rec, i)
			}
		} else {
			var err error
			if f, i, err = d.name(rec, i, o); err != nil {
				return 0, err
			}
			if f != nil {
				*last = f
			}
		}
		if f != nil {
			last = &f.next
		}
		var done bool
		var err error
		if i, err = d.field(rec, i, f, depth); err != nil {
			return 0, err
		}
		if i, done, err = d.comma(rec, i, '}'); err != nil || done {
			return i, err
		}
	}
}

// name reads the name at rec[i] and the colon behind it, and returns its field
// and the place of the value. An unknown name is no field, or an error where
// fields are strict.
func (d *Decoder) name(rec []byte, i int, o *object) (f *field, value int, err error) {
	if i >= len(rec) || rec[i] != '"' {
		return nil, 0, d.fail(rec, i, nil, "a field's name in quotes is wanted")
	}
	end, escaped, err := d.text(rec, i+1)
	if err != nil {
		return nil, 0, err
	}
	name := rec[i+1 : end]
	if escaped {
		name = appendText(d.chars.Room(len(name)), name)
	}
	f = o.byName[string(name)]
	if f == nil && d.strict {
		return nil, 0, d.fail(rec, i, nil, fmt.Sprintf(
			"the record has a field %q that the schema does not declare; declare it, or set unknown_fields = \"ignore\"", name))
	}
	value, err = d.colon(rec, end+1)
	return f, value, err
}

// field decodes the value at rec[i] of f, or passes over it.
func (d *Decoder) field(rec []byte, i int, f *field, depth int) (int, error) {
	switch {
	case f == nil:
		return d.skip(rec, i, depth)
	case f.obj == nil && f.slot >= 0:
		return d.column(rec, i, f, depth)
	case f.obj == nil || len(f.obj.slots) == 0 && !d.strict:
		return d.skip(rec, i, depth)
	}
	for _, s := range f.obj.slots { // the last of several objects counts, whole
		d.row[s] = gpflow.Null
	}
	if i < len(rec) && rec[i] == '{' {
		return d.object(rec, i, f.obj, depth+1)
	}
	if len(f.obj.slots) > 0 && !hasWord(rec, i, "null") {
		return 0, d.failFound(rec, i, f, "an object")
	}
	return d.skip(rec, i, depth)
}

// column decodes the value at rec[i] into the slot of f.
func (d *Decoder) column(rec []byte, i int, f *field, depth int) (int, error) {
	if i < len(rec) && rec[i] == 'n' {
		if !hasWord(rec, i, "null") {
			return d.literal(rec, i)
		}
		if !f.typ.optional {
			d.nullAt, d.nullI = f, i
		}
		d.row[f.slot] = gpflow.Null
		return i + 4, nil
	}
	d.at = f
	v, i, err := d.value(rec, i, f.typ, depth)
	if err == nil {
		d.row[f.slot], d.at = v, nil
	}
	return i, err
}
