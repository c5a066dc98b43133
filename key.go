package gpflow

import (
	"encoding/binary"
	"fmt"
)

// KeyHashName names the hash of keys. It is part of every checkpoint: key
// groups are derived from it.
const KeyHashName = "xxh64/1"

// Keyer writes the canonical bytes of a row's key and hashes them.
//
// A key is the concatenation of its columns, each one tag byte and a payload:
//
//	null       00
//	bool       01, then 00 or 01
//	int        02, then 8 bytes: the value with its sign bit flipped, big endian
//	string     05, then the length as an unsigned varint, then the bytes
//	bytes      06, likewise
//	timestamp  07, then 8 bytes as int
//	duration   08, then 8 bytes as int
//
// (The tag is the Kind.) Floats are refused as keys: NaN and rounding make two
// keys of what a user sees as one. The hash is XXH64 of the bytes with seed 0;
// a key of no columns has the hash of the empty string. testdata/keyhash.txt
// holds test vectors.
type Keyer struct{ slots []int }

// NewKeyer returns a Keyer over the named columns of s.
func NewKeyer(s *Schema, columns []string) (Keyer, error) {
	k := Keyer{slots: make([]int, len(columns))}
	for i, c := range columns {
		k.slots[i] = s.Index(c)
		if k.slots[i] < 0 {
			return k, fmt.Errorf("key column %q is not in the schema (%s)", c, s)
		}
		if t := s.Columns[k.slots[i]].Type; !KeyType(t) {
			return k, fmt.Errorf("key column %q is %s, which cannot be a key; use int, string, bool, bytes, timestamp or duration", c, t)
		}
	}
	return k, nil
}

// KeyType reports whether columns of type t can be part of a key.
func KeyType(t Type) bool {
	switch t.Kind {
	case KindBool, KindInt, KindString, KindBytes, KindTimestamp, KindDuration:
		return true
	}
	return false
}

// Slots returns the slots of the key's columns. It must not be changed.
func (k Keyer) Slots() []int { return k.slots }

// Append appends the canonical bytes of row's key to dst.
func (k Keyer) Append(dst []byte, row []Value) []byte {
	for _, s := range k.slots {
		dst = AppendKey(dst, row[s])
	}
	return dst
}

// AppendKey appends the canonical bytes of one key column to dst.
func AppendKey(dst []byte, v Value) []byte {
	kind := v.Kind()
	dst = append(dst, byte(kind))
	switch kind {
	case KindNull:
	case KindBool:
		dst = append(dst, byte(v.n))
	case KindString, KindBytes:
		dst = binary.AppendUvarint(dst, v.n&lenMask)
		dst = append(dst, v.Bytes()...)
	case KindInt, KindTimestamp, KindDuration:
		dst = binary.BigEndian.AppendUint64(dst, v.n^1<<63)
	default:
		panic("gpflow: a " + kind.String() + " cannot be a key")
	}
	return dst
}

// DecodeKey reads the canonical bytes that AppendKey wrote for n columns, into
// values of their own memory. Bytes that AppendKey would not have written are
// refused.
func DecodeKey(key []byte, n int) ([]Value, error) {
	vs := make([]Value, 0, n)
	for len(key) > 0 {
		kind := Kind(key[0])
		key = key[1:]
		switch kind {
		case KindNull:
			vs = append(vs, Null)
		case KindBool:
			if len(key) < 1 || key[0] > 1 {
				return nil, errKey
			}
			vs, key = append(vs, Bool(key[0] != 0)), key[1:]
		case KindString, KindBytes:
			l, w := binary.Uvarint(key)
			if w <= 0 || w > 1 && key[w-1] == 0 || uint64(len(key)-w) < l {
				return nil, errKey
			}
			s := string(key[w : w+int(l)])
			if kind == KindString {
				vs = append(vs, String(s))
			} else {
				vs = append(vs, Bytes([]byte(s)))
			}
			key = key[w+int(l):]
		case KindInt, KindTimestamp, KindDuration:
			if len(key) < 8 {
				return nil, errKey
			}
			vs = append(vs, Value{tag(kind), binary.BigEndian.Uint64(key) ^ 1<<63})
			key = key[8:]
		default:
			return nil, errKey
		}
	}
	if len(vs) != n {
		return nil, errKey
	}
	return vs, nil
}

var errKey = fmt.Errorf("not the canonical bytes of a key")
