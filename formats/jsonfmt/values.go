package jsonfmt

import (
	"encoding/base64"
	"unsafe"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/internal/number"
)

// value decodes the value at rec[i], which is not null where t is a column's
// own type, and returns the place after it.
func (d *Decoder) value(rec []byte, i int, t *typ, depth int) (gpflow.Value, int, error) {
	if i >= len(rec) {
		return gpflow.Null, 0, d.fail(rec, i, nil, "a value is missing")
	}
	switch t.kind {
	case gpflow.KindString:
		s, i, err := d.str(rec, i, t)
		return gpflow.String(s), i, err
	case gpflow.KindInt:
		return d.int(rec, i)
	case gpflow.KindFloat:
		return d.float(rec, i)
	case gpflow.KindBool:
		switch {
		case hasWord(rec, i, "true"):
			return gpflow.Bool(true), i + 4, nil
		case hasWord(rec, i, "false"):
			return gpflow.Bool(false), i + 5, nil
		}
		return gpflow.Null, 0, d.failFound(rec, i, nil, want[t.kind])
	case gpflow.KindTimestamp:
		return d.timestamp(rec, i, t)
	case gpflow.KindDuration:
		return d.duration(rec, i, t)
	case gpflow.KindBytes:
		return d.bytes(rec, i, t)
	case gpflow.KindList:
		if rec[i] != '[' {
			return gpflow.Null, 0, d.failFound(rec, i, nil, want[t.kind])
		}
		return d.elements(rec, i, t.elem, depth+1)
	case gpflow.KindMap:
		if rec[i] != '{' {
			return gpflow.Null, 0, d.failFound(rec, i, nil, want[t.kind])
		}
		return d.entries(rec, i, t.elem, depth+1)
	}
	return d.any(rec, i, depth)
}

// str decodes a string, sharing rec where it has no escapes.
func (d *Decoder) str(rec []byte, i int, t *typ) (string, int, error) {
	if rec[i] != '"' {
		return "", 0, d.failFound(rec, i, nil, want[t.kind])
	}
	end, escaped, err := d.text(rec, i+1)
	if err != nil {
		return "", 0, err
	}
	s := rec[i+1 : end]
	if escaped {
		s = d.chars.Keep(appendText(d.chars.Room(len(s)), s))
	}
	return unsafe.String(unsafe.SliceData(s), len(s)), end + 1, nil
}

func (d *Decoder) bytes(rec []byte, i int, t *typ) (gpflow.Value, int, error) {
	s, end, err := d.str(rec, i, t)
	if err != nil {
		return gpflow.Null, 0, err
	}
	room := d.chars.Room(base64.StdEncoding.DecodedLen(len(s)))
	b, err := base64.StdEncoding.AppendDecode(room, unsafe.Slice(unsafe.StringData(s), len(s)))
	if err != nil {
		return gpflow.Null, 0, d.failFound(rec, i, nil, want[t.kind])
	}
	return gpflow.Bytes(d.chars.Keep(b)), end, nil
}

func (d *Decoder) int(rec []byte, i int) (gpflow.Value, int, error) {
	end, integer, ok := number.Scan(rec, i)
	if !ok {
		return gpflow.Null, 0, d.failNumber(rec, i, end, gpflow.KindInt)
	}
	var n int64
	var status number.Status
	if integer {
		n, status = number.Int(rec[i:end])
	} else {
		n, status = number.Whole(rec[i:end])
	}
	switch status {
	case number.Overflow:
		return gpflow.Null, 0, d.fail(rec, i, nil, found(rec, i)+" is beyond the 64 bits of an int; declare float or string")
	case number.Fraction:
		return gpflow.Null, 0, d.failFound(rec, i, nil, want[gpflow.KindInt])
	}
	return gpflow.Int(n), end, nil
}

func (d *Decoder) float(rec []byte, i int) (gpflow.Value, int, error) {
	end, _, ok := number.Scan(rec, i)
	if !ok {
		return gpflow.Null, 0, d.failNumber(rec, i, end, gpflow.KindFloat)
	}
	f, status := number.Float(rec[i:end])
	if status != number.OK {
		return gpflow.Null, 0, d.fail(rec, i, nil, found(rec, i)+" is beyond the range of a float; declare string")
	}
	return gpflow.Float(f), end, nil
}

// failNumber tells a number that is not well-formed from something else.
func (d *Decoder) failNumber(rec []byte, i, end int, k gpflow.Kind) error {
	if rec[i] == '-' || rec[i]-'0' < 10 {
		return d.fail(rec, end, nil, "the number is not well-formed")
	}
	return d.failFound(rec, i, nil, want[k])
}

func (d *Decoder) duration(rec []byte, i int, t *typ) (gpflow.Value, int, error) {
	s, end, err := d.str(rec, i, t)
	if err != nil {
		return gpflow.Null, 0, err
	}
	span, err := gpflow.ParseDuration(s)
	if err != nil {
		return gpflow.Null, 0, d.failText(rec, i, err)
	}
	return gpflow.Span(span), end, nil
}

// timestamp decodes a timestamp from text or a number, as its layout says.
func (d *Decoder) timestamp(rec []byte, i int, t *typ) (v gpflow.Value, end int, err error) {
	var at gpflow.Timestamp
	if rec[i] == '"' {
		var s string
		if s, end, err = d.str(rec, i, t); err != nil {
			return gpflow.Null, 0, err
		}
		at, err = t.layout.Parse(s, d.zone)
	} else {
		var ok bool
		if end, _, ok = number.Scan(rec, i); !ok {
			return gpflow.Null, 0, d.failNumber(rec, i, end, gpflow.KindTimestamp)
		}
		if t.layout.Numeric() {
			at, err = t.layout.Parse(unsafe.String(&rec[i], end-i), nil)
		} else {
			_, err = t.layout.FromInt(0)
		}
	}
	if err != nil {
		return gpflow.Null, 0, d.failText(rec, i, err)
	}
	return gpflow.Time(at), end, nil
}

// any decodes whatever stands at rec[i]. A number without fraction and
// exponent that fits is an int, any other a float.
func (d *Decoder) any(rec []byte, i, depth int) (gpflow.Value, int, error) {
	switch c := rec[i]; {
	case c == '"':
		s, i, err := d.str(rec, i, anyType)
		return gpflow.String(s), i, err
	case c == '{':
		return d.entries(rec, i, anyType, depth+1)
	case c == '[':
		return d.elements(rec, i, anyType, depth+1)
	case c == '-' || c-'0' < 10:
		end, integer, ok := number.Scan(rec, i)
		if integer && ok {
			if n, status := number.Int(rec[i:end]); status == number.OK {
				return gpflow.Int(n), end, nil
			}
		}
		return d.float(rec, i)
	}
	end, err := d.literal(rec, i)
	if err != nil || rec[i] == 'n' {
		return gpflow.Null, end, err
	}
	return gpflow.Bool(rec[i] == 't'), end, nil
}

// element decodes a value of a list or map, which may be null where its type
// is optional.
func (d *Decoder) element(rec []byte, i int, t *typ, depth int) (gpflow.Value, int, error) {
	if hasWord(rec, i, "null") {
		if !t.optional && t.kind != gpflow.KindAny {
			return gpflow.Null, 0, d.failFound(rec, i, nil, want[t.kind]+"; declare its elements optional if they may be null")
		}
		return gpflow.Null, i + 4, nil
	}
	return d.value(rec, i, t, depth)
}

// elements decodes the array at rec[i] with elements of type t.
func (d *Decoder) elements(rec []byte, i int, t *typ, depth int) (gpflow.Value, int, error) {
	if depth > maxDepth {
		return gpflow.Null, 0, d.failDepth(rec, i)
	}
	i = space(rec, i+1)
	if i < len(rec) && rec[i] == ']' {
		return gpflow.List(nil), i + 1, nil
	}
	base := len(d.list)
	for {
		v, at, err := d.element(rec, i, t, depth)
		if err != nil {
			return gpflow.Null, 0, err
		}
		d.list = append(d.list, v)
		var done bool
		if i, done, err = d.comma(rec, at, ']'); err != nil {
			return gpflow.Null, 0, err
		}
		if done {
			vs := d.list[base:]
			out := gpflow.List(d.vals.Keep(append(d.vals.Room(len(vs)), vs...)))
			clear(vs)
			d.list = d.list[:base]
			return out, i, nil
		}
	}
}

// entries decodes the object at rec[i] as a map with values of type t.
func (d *Decoder) entries(rec []byte, i int, t *typ, depth int) (gpflow.Value, int, error) {
	if depth > maxDepth {
		return gpflow.Null, 0, d.failDepth(rec, i)
	}
	i = space(rec, i+1)
	if i < len(rec) && rec[i] == '}' {
		return gpflow.Map(nil), i + 1, nil
	}
	base := len(d.dict)
	for {
		if i >= len(rec) || rec[i] != '"' {
			return gpflow.Null, 0, d.fail(rec, i, nil, "a name in quotes is wanted")
		}
		key, at, err := d.str(rec, i, anyType)
		if err != nil {
			return gpflow.Null, 0, err
		}
		if at, err = d.colon(rec, at); err != nil {
			return gpflow.Null, 0, err
		}
		v, at, err := d.element(rec, at, t, depth)
		if err != nil {
			return gpflow.Null, 0, err
		}
		d.dict = append(d.dict, gpflow.Entry{Key: key, Value: v})
		var done bool
		if i, done, err = d.comma(rec, at, '}'); err != nil {
			return gpflow.Null, 0, err
		}
		if done {
			es := d.dict[base:]
			out := gpflow.Map(d.pairs.Keep(append(d.pairs.Room(len(es)), es...)))
			clear(es)
			d.dict = d.dict[:base]
			return out, i, nil
		}
	}
}
