package gpflow

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Type is the type of a column or of an expression.
type Type struct {
	Kind     Kind
	Optional bool     // null is allowed
	Elem     *Type    // of a list, or of a map's values
	Fields   []Column // of a record, in order
	// Layout says how a timestamp column is written as text or number:
	// "" is RFC 3339; "unix", "unix_ms", "unix_us" and "unix_ns" are numbers
	// since the epoch; anything else is a strftime pattern such as
	// "%Y/%m/%d %H:%M". It is a property of the wire, not of the value: types
	// that differ in Layout only are the same to Equal.
	Layout           string
	Precision, Scale int // of a decimal
}

// T returns the plain type of kind k.
func T(k Kind) Type { return Type{Kind: k} }

// Opt returns t with null allowed.
func (t Type) Opt() Type { t.Optional = true; return t }

// NonNull returns t with null not allowed.
func (t Type) NonNull() Type { t.Optional = false; return t }

// ListOf returns the type of lists of t.
func ListOf(t Type) Type { return Type{Kind: KindList, Elem: &t} }

// MapOf returns the type of maps from strings to t.
func MapOf(t Type) Type { return Type{Kind: KindMap, Elem: &t} }

// IsNumber reports whether t is int or float.
func (t Type) IsNumber() bool { return t.Kind == KindInt || t.Kind == KindFloat }

// Sized reports whether values of type t may point to memory besides their own.
func (t Type) Sized() bool {
	switch t.Kind {
	case KindNull, KindBool, KindInt, KindFloat, KindTimestamp, KindDuration:
		return false
	}
	return true
}

// Equal reports whether t and u hold the same values. Layout does not count.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || t.Optional != u.Optional || t.Precision != u.Precision || t.Scale != u.Scale ||
		len(t.Fields) != len(u.Fields) || (t.Elem == nil) != (u.Elem == nil) {
		return false
	}
	if t.Elem != nil && !t.Elem.Equal(*u.Elem) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i].Name != u.Fields[i].Name || !t.Fields[i].Type.Equal(u.Fields[i].Type) {
			return false
		}
	}
	return true
}

// String returns t as a spec writes it. ParseType reads it back.
func (t Type) String() string {
	var s string
	switch t.Kind {
	case KindList, KindMap:
		s = fmt.Sprintf("%s(%s)", t.Kind, t.Elem)
	case KindRecord:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			name := f.Name
			if p := (typeParser{src: name}); name == "" || p.word() != name {
				name = strconv.Quote(name)
			}
			parts[i] = name + " = " + f.Type.String()
		}
		s = "record({" + strings.Join(parts, ", ") + "})"
	case KindDecimal:
		s = fmt.Sprintf("decimal(%d, %d)", t.Precision, t.Scale)
	case KindTimestamp:
		s = "timestamp"
		if t.Layout != "" {
			s = "timestamp(" + strconv.Quote(t.Layout) + ")"
		}
	default:
		s = t.Kind.String()
	}
	if t.Optional {
		return "optional(" + s + ")"
	}
	return s
}

// Column is a named, typed slot of a row.
type Column struct {
	Name string // the dotted path from the record's root: "user", "address.street"
	Type Type
}

// Mode says what the rows of a stream mean.
type Mode uint8

// The changelog modes.
const (
	Append  Mode = iota // each row is a new fact
	Retract             // rows are inserted, and taken back by their old content
	Upsert              // a row replaces the earlier one with the same Schema.Key
)

func (m Mode) String() string { return [...]string{"append", "retract", "upsert"}[m] }

// Schema describes the rows of a stream: the columns, which are the slots of a
// row in order, the unique key where there is one, and the changelog mode.
// A Schema is immutable once batches use it.
type Schema struct {
	Columns []Column
	Key     []string // the unique key's columns; nil: none
	Mode    Mode
	// Timeless says that the rows carry no event time, as those on the ports
	// late and errors.
	Timeless bool

	pool sync.Pool // of *Batch with this width
}

// NewSchema returns an append schema of cols, records flattened.
func NewSchema(cols ...Column) *Schema {
	return &Schema{Columns: Flatten(nil, "", false, cols)}
}

// Flatten appends to dst the columns of cols with each record replaced by its
// fields, named by their path. The fields of an optional record are optional:
// a null record and a record of nulls are the same.
func Flatten(dst []Column, prefix string, optional bool, cols []Column) []Column {
	for _, c := range cols {
		name := prefix + c.Name
		if c.Type.Kind == KindRecord {
			dst = Flatten(dst, name+".", optional || c.Type.Optional, c.Type.Fields)
			continue
		}
		c.Name = name
		c.Type.Optional = c.Type.Optional || optional
		dst = append(dst, c)
	}
	return dst
}

// Width returns the number of slots of a row.
func (s *Schema) Width() int { return len(s.Columns) }

// Index returns the slot of the named column, or -1.
func (s *Schema) Index(name string) int {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Names returns the names of the columns in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// Select returns a schema with only the columns that keep accepts, in the
// order of s. Its key is s's key if all of it is kept.
func (s *Schema) Select(keep func(name string) bool) *Schema {
	out := &Schema{Mode: s.Mode, Key: s.Key, Timeless: s.Timeless}
	for _, c := range s.Columns {
		if keep(c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, k := range s.Key {
		if !keep(k) {
			out.Key = nil
		}
	}
	return out
}

// Equal reports whether s and o have the same columns, key and mode.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if len(s.Columns) != len(o.Columns) || len(s.Key) != len(o.Key) || s.Mode != o.Mode || s.Timeless != o.Timeless {
		return false
	}
	for i := range s.Columns {
		if s.Columns[i].Name != o.Columns[i].Name || !s.Columns[i].Type.Equal(o.Columns[i].Type) {
			return false
		}
	}
	for i := range s.Key {
		if s.Key[i] != o.Key[i] {
			return false
		}
	}
	return true
}

// String returns s on one line: "user string, amount float".
func (s *Schema) String() string {
	parts := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		parts[i] = c.Name + " " + c.Type.String()
	}
	return strings.Join(parts, ", ")
}

// ErrorSchema returns the one schema of every errors port.
//
//	raw            the record as it was read, or as JSON where it had been decoded
//	code           a stable short name of what went wrong, such as "decode"
//	message        what went wrong, in words
//	node           the address of the node that refused the record
//	origin.file    the split: a file's path, a generator's name
//	origin.offset  the position in the split: for a file the byte offset
//	origin.line    the line in the file, from 1, where there are lines
//	time           the record's event time, where it had one
func ErrorSchema() *Schema {
	s := NewSchema(
		Column{"raw", T(KindBytes)},
		Column{"code", T(KindString)},
		Column{"message", T(KindString)},
		Column{"node", T(KindString)},
		Column{"origin", Type{Kind: KindRecord, Fields: []Column{
			{"file", T(KindString).Opt()},
			{"offset", T(KindInt).Opt()},
			{"line", T(KindInt).Opt()},
		}}},
		Column{"time", T(KindTimestamp).Opt()},
	)
	s.Timeless = true
	return s
}

// ParseType reads a type in the form that Type.String writes.
func ParseType(s string) (Type, error) {
	p := typeParser{src: s}
	t, err := p.typ()
	if err == nil && p.skip() < len(p.src) {
		err = fmt.Errorf("unexpected %q after the type", p.src[p.pos:])
	}
	return t, err
}

type typeParser struct {
	src string
	pos int
}

func (p *typeParser) skip() int {
	for p.pos < len(p.src) && (p.src[p.pos] == ' ' || p.src[p.pos] == '\n' || p.src[p.pos] == '\t') {
		p.pos++
	}
	return p.pos
}

func (p *typeParser) eat(c byte) bool {
	if p.skip() < len(p.src) && p.src[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *typeParser) word() string {
	start := p.skip()
	for p.pos < len(p.src) && (p.src[p.pos] == '_' || p.src[p.pos] >= '0' && p.src[p.pos] <= '9' ||
		p.src[p.pos]|0x20 >= 'a' && p.src[p.pos]|0x20 <= 'z') {
		p.pos++
	}
	return p.src[start:p.pos]
}

// name reads the name of a field: a word, or anything in quotes.
func (p *typeParser) name() (name string, ok bool) {
	if w := p.word(); w != "" {
		return w, true
	}
	q, err := strconv.QuotedPrefix(p.src[p.pos:])
	if err != nil {
		return "", false
	}
	p.pos += len(q)
	name, err = strconv.Unquote(q)
	return name, err == nil
}

func (p *typeParser) typ() (t Type, err error) {
	w := p.word()
	switch w {
	case "optional", "list", "map":
		if !p.eat('(') {
			return t, fmt.Errorf("%s needs a type: %s(string)", w, w)
		}
		if t, err = p.typ(); err != nil {
			return t, err
		}
		switch w {
		case "optional":
			t = t.Opt()
		case "list":
			t = ListOf(t)
		case "map":
			t = MapOf(t)
		}
	case "decimal":
		t.Kind = KindDecimal
		if !p.eat('(') {
			return t, fmt.Errorf("decimal needs a precision and a scale: decimal(18, 2)")
		}
		t.Precision, _ = strconv.Atoi(p.word())
		if p.eat(',') {
			t.Scale, _ = strconv.Atoi(p.word())
		}
		if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
			return t, fmt.Errorf("decimal(precision, scale) needs a precision from 1 to 38 and a scale from 0 to the precision")
		}
	case "timestamp":
		t.Kind = KindTimestamp
		if !p.eat('(') {
			return t, nil
		}
		q, qerr := strconv.QuotedPrefix(p.src[p.skip():])
		if qerr != nil {
			return t, fmt.Errorf(`timestamp takes a quoted layout: timestamp("%%Y-%%m-%%d")`)
		}
		p.pos += len(q)
		t.Layout, _ = strconv.Unquote(q)
	case "record":
		t.Kind = KindRecord
		if !p.eat('(') || !p.eat('{') {
			return t, fmt.Errorf("record needs its fields: record({name = string})")
		}
		for !p.eat('}') {
			name, ok := p.name()
			if !ok || !p.eat('=') {
				return t, fmt.Errorf("record needs its fields: record({name = string})")
			}
			ft, err := p.typ()
			if err != nil {
				return t, err
			}
			t.Fields = append(t.Fields, Column{name, ft})
			p.eat(',')
		}
	case "bool", "int", "float", "string", "bytes", "duration", "any":
		for k := Kind(0); k < numKinds; k++ {
			if kindNames[k] == w {
				t.Kind = k
			}
		}
		return t, nil
	default:
		return t, fmt.Errorf("unknown type %q; the types are int, float, string, bool, timestamp, duration, bytes, list(T), map(T), record({...}), any, optional(T)", w)
	}
	if !p.eat(')') {
		return t, fmt.Errorf("missing ) after %s", w)
	}
	return t, nil
}
