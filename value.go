package gpflow

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"unsafe"
)

// Kind names a type of values. KindRecord and KindAny are kinds of types only:
// a record is flattened into the columns of its schema, and an any column
// holds a value of whatever kind the record carried.
//
// The numbers are part of the batch codec and of every checkpoint: they are
// never reused or reordered.
type Kind uint8

// The kinds.
const (
	KindNull Kind = iota
	KindBool
	KindInt       // 64-bit signed
	KindFloat     // IEEE 754 binary64
	KindDecimal   // reserved: exact decimal of a declared precision and scale
	KindString    // UTF-8 text
	KindBytes     // any bytes
	KindTimestamp // microseconds since 1970-01-01T00:00:00Z
	KindDuration  // microseconds
	KindList
	KindMap // string keys, sorted, each once
	KindRecord
	KindAny
	numKinds
)

var kindNames = [numKinds]string{
	"null", "bool", "int", "float", "decimal", "string", "bytes",
	"timestamp", "duration", "list", "map", "record", "any",
}

// String returns the name that specs use for k.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return "invalid"
}

// Timestamp is an instant in microseconds since the Unix epoch, UTC.
type Timestamp int64

// The ends of time. A mark at MaxTimestamp says that the stream has ended:
// every window closes. MinTimestamp is the watermark before the first mark.
const (
	MinTimestamp Timestamp = math.MinInt64
	MaxTimestamp Timestamp = math.MaxInt64
)

// Duration is a span of time in microseconds.
type Duration int64

// The units of Duration.
const (
	Microsecond Duration = 1
	Millisecond          = 1000 * Microsecond
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
	Day                  = 24 * Hour
)

// Add returns t+d, held at the ends of time instead of wrapping.
func (t Timestamp) Add(d Duration) Timestamp {
	s := int64(t) + int64(d)
	if d > 0 && s < int64(t) {
		return MaxTimestamp
	}
	if d < 0 && s > int64(t) {
		return MinTimestamp
	}
	return Timestamp(s)
}

// Value is one field of a record: 16 bytes that hold a scalar, or point to a
// string, bytes, list or map. The zero Value is null.
//
// A Value does not own what it points to: strings and bytes lie in the arena
// of the batch that they came in, which the garbage collector frees when the
// last Value that points into it is gone. Whoever keeps a Value for longer
// than its batch (state, a cache) copies it with Clone, so that one kept row
// does not hold the whole arena.
//
// The accessors do not check the kind: the compiler has fixed the type of each
// slot. Code that does not know the type asks Kind first.
type Value struct {
	p unsafe.Pointer // scalars: &scalar[kind]; else the data; nil is null
	n uint64         // scalars: the bits; else kind<<56 | length
}

// scalar lends its addresses as tags of scalar values.
var scalar [numKinds]byte

const lenMask = 1<<56 - 1

func tag(k Kind) unsafe.Pointer { return unsafe.Pointer(&scalar[k]) }

// Null is the absent value.
var Null = Value{}

// MakeScalars returns n nulls in memory that the garbage collector does not look
// through, however much of it there is. They may be set to scalars, which are
// nulls, bools, ints, floats, timestamps and durations, and to nothing that points
// to memory: that would be freed under them.
func MakeScalars(n int) []Value {
	if n == 0 {
		return nil
	}
	words := make([][2]uint64, n)
	return unsafe.Slice((*Value)(unsafe.Pointer(&words[0])), n)
}

// Int returns an int value.
func Int(i int64) Value { return Value{unsafe.Pointer(&scalar[KindInt]), uint64(i)} }

// Float returns a float value.
func Float(f float64) Value {
	return Value{unsafe.Pointer(&scalar[KindFloat]), math.Float64bits(f)}
}

// Bool returns a bool value.
func Bool(b bool) Value {
	var n uint64
	if b {
		n = 1
	}
	return Value{unsafe.Pointer(&scalar[KindBool]), n}
}

// Time returns a timestamp value.
func Time(t Timestamp) Value { return Value{unsafe.Pointer(&scalar[KindTimestamp]), uint64(t)} }

// Span returns a duration value.
func Span(d Duration) Value { return Value{unsafe.Pointer(&scalar[KindDuration]), uint64(d)} }

// String returns a string value that shares the bytes of s.
func String(s string) Value {
	if len(s) == 0 {
		return Value{tag(KindNull), uint64(KindString) << 56}
	}
	return Value{unsafe.Pointer(unsafe.StringData(s)), uint64(KindString)<<56 | uint64(len(s))}
}

// StringOf returns a string value that shares b, which must be UTF-8. The
// caller must not change b afterwards.
func StringOf(b []byte) Value {
	return String(unsafe.String(unsafe.SliceData(b), len(b)))
}

// Bytes returns a bytes value that shares b. The caller must not change b
// afterwards.
func Bytes(b []byte) Value {
	if len(b) == 0 {
		return Value{tag(KindNull), uint64(KindBytes) << 56}
	}
	return Value{unsafe.Pointer(unsafe.SliceData(b)), uint64(KindBytes)<<56 | uint64(len(b))}
}

// List returns a list value that shares vs. The caller must not change vs
// afterwards.
func List(vs []Value) Value {
	if len(vs) == 0 {
		return Value{tag(KindNull), uint64(KindList) << 56}
	}
	return Value{unsafe.Pointer(unsafe.SliceData(vs)), uint64(KindList)<<56 | uint64(len(vs))}
}

// Entry is one pair of a map value.
type Entry struct {
	Key   string
	Value Value
}

// Map returns a map value. It sorts es by key in place and keeps the last of
// several entries with one key; the caller must not change es afterwards.
func Map(es []Entry) Value {
	slices.SortStableFunc(es, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	n := 0
	for i := range es {
		if i+1 < len(es) && es[i].Key == es[i+1].Key {
			continue
		}
		es[n] = es[i]
		n++
	}
	return mapOf(es[:n])
}

// mapOf returns a map value of entries that are sorted, each key once.
func mapOf(es []Entry) Value {
	if len(es) == 0 {
		return Value{tag(KindNull), uint64(KindMap) << 56}
	}
	return Value{unsafe.Pointer(unsafe.SliceData(es)), uint64(KindMap)<<56 | uint64(len(es))}
}

// Kind returns the kind of v.
func (v Value) Kind() Kind {
	if v.p == nil {
		return KindNull
	}
	off := uintptr(v.p) - uintptr(unsafe.Pointer(&scalar[0]))
	if off < uintptr(numKinds) && off != uintptr(KindNull) {
		return Kind(off)
	}
	return Kind(v.n >> 56)
}

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.p == nil }

// Int returns an int value's integer.
func (v Value) Int() int64 { return int64(v.n) }

// Float returns a float value's number.
func (v Value) Float() float64 { return math.Float64frombits(v.n) }

// Bool returns a bool value's truth.
func (v Value) Bool() bool { return v.n != 0 }

// Time returns a timestamp value's instant.
func (v Value) Time() Timestamp { return Timestamp(v.n) }

// Span returns a duration value's length.
func (v Value) Span() Duration { return Duration(v.n) }

// Str returns a string value's text. It shares the value's bytes.
func (v Value) Str() string { return unsafe.String((*byte)(v.p), int(v.n&lenMask)) }

// Bytes returns a bytes value's content, which must not be changed.
func (v Value) Bytes() []byte { return unsafe.Slice((*byte)(v.p), int(v.n&lenMask)) }

// List returns a list value's elements, which must not be changed.
func (v Value) List() []Value {
	if v.n&lenMask == 0 {
		return nil
	}
	return unsafe.Slice((*Value)(v.p), int(v.n&lenMask))
}

// Map returns a map value's entries, sorted by key, which must not be changed.
func (v Value) Map() []Entry {
	if v.n&lenMask == 0 {
		return nil
	}
	return unsafe.Slice((*Entry)(v.p), int(v.n&lenMask))
}

// Size returns the bytes that v points to, besides its own 16.
func (v Value) Size() int {
	switch v.Kind() {
	case KindString, KindBytes:
		return int(v.n & lenMask)
	case KindList:
		n := 0
		for _, e := range v.List() {
			n += 16 + e.Size()
		}
		return n
	case KindMap:
		n := 0
		for _, e := range v.Map() {
			n += 32 + len(e.Key) + e.Value.Size()
		}
		return n
	}
	return 0
}

// Clone returns a value equal to v that shares no memory with it.
func (v Value) Clone() Value {
	switch v.Kind() {
	case KindString:
		return String(strings.Clone(v.Str()))
	case KindBytes:
		return Bytes(bytes.Clone(v.Bytes()))
	case KindList:
		vs := slices.Clone(v.List())
		for i := range vs {
			vs[i] = vs[i].Clone()
		}
		return List(vs)
	case KindMap:
		es := slices.Clone(v.Map())
		for i := range es {
			es[i] = Entry{strings.Clone(es[i].Key), es[i].Value.Clone()}
		}
		return mapOf(es)
	}
	return v
}

// Equal reports whether a and b are the same value of the same kind. NaN
// equals NaN, and 0.0 equals -0.0.
func Equal(a, b Value) bool { return Compare(a, b) == 0 }

// Compare orders values: by kind first, then by value; null comes before
// everything, NaN before every number. It is a total order.
func Compare(a, b Value) int {
	k := a.Kind()
	if c := cmp.Compare(k, b.Kind()); c != 0 {
		return c
	}
	switch k {
	case KindNull:
		return 0
	case KindFloat:
		return cmp.Compare(a.Float(), b.Float())
	case KindString:
		return strings.Compare(a.Str(), b.Str())
	case KindBytes:
		return bytes.Compare(a.Bytes(), b.Bytes())
	case KindList:
		return slices.CompareFunc(a.List(), b.List(), Compare)
	case KindMap:
		return slices.CompareFunc(a.Map(), b.Map(), func(x, y Entry) int {
			if c := strings.Compare(x.Key, y.Key); c != 0 {
				return c
			}
			return Compare(x.Value, y.Value)
		})
	}
	return cmp.Compare(int64(a.n), int64(b.n))
}
