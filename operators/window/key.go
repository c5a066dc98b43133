package window

import (
	"encoding/binary"
	"fmt"

	"github.com/gpflow/gpflow"
)

// keyReader reads the canonical bytes of keys, as gpflow.DecodeKey does, into
// memory that many keys share.
type keyReader struct{ text []byte }

// chunk is the size of the memory that the texts of keys share.
const chunk = 4096

// read fills dst with the values of key, and returns the bytes of their text.
func (r *keyReader) read(dst []gpflow.Value, key []byte) (text int, err error) {
	for i := range dst {
		if len(key) == 0 {
			return text, fmt.Errorf("the key has %d columns, not %d", i, len(dst))
		}
		kind, rest := gpflow.Kind(key[0]), key[1:]
		switch {
		case kind == gpflow.KindNull:
			dst[i] = gpflow.Null
		case kind == gpflow.KindBool && len(rest) >= 1:
			dst[i], rest = gpflow.Bool(rest[0] != 0), rest[1:]
		case kind == gpflow.KindString || kind == gpflow.KindBytes:
			n, w := binary.Uvarint(rest)
			if w <= 0 || uint64(len(rest)-w) < n {
				return text, fmt.Errorf("column %d of the key is cut short", i)
			}
			piece := r.own(rest[w : w+int(n)])
			if dst[i] = gpflow.Bytes(piece); kind == gpflow.KindString {
				dst[i] = gpflow.StringOf(piece)
			}
			text, rest = text+int(n), rest[w+int(n):]
		case len(rest) >= 8:
			n := int64(binary.BigEndian.Uint64(rest) ^ 1<<63)
			if dst[i] = integer(kind, n); dst[i].IsNull() {
				return text, fmt.Errorf("column %d of the key has the kind %d", i, kind)
			}
			rest = rest[8:]
		default:
			return text, fmt.Errorf("column %d of the key is cut short", i)
		}
		key = rest
	}
	if len(key) > 0 {
		return text, fmt.Errorf("the key has more than %d columns", len(dst))
	}
	return text, nil
}

func integer(kind gpflow.Kind, n int64) gpflow.Value {
	switch kind {
	case gpflow.KindInt:
		return gpflow.Int(n)
	case gpflow.KindTimestamp:
		return gpflow.Time(gpflow.Timestamp(n))
	case gpflow.KindDuration:
		return gpflow.Span(gpflow.Duration(n))
	}
	return gpflow.Null
}

// own returns a copy of b that is never overwritten.
func (r *keyReader) own(b []byte) []byte {
	if cap(r.text)-len(r.text) < len(b) {
		r.text = make([]byte, 0, max(chunk, len(b)))
	}
	n := len(r.text)
	r.text = append(r.text, b...)
	return r.text[n:len(r.text):len(r.text)]
}
