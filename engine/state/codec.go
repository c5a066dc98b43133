package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/gpflow/gpflow"
)

// A value is a byte kind<<4 | n, and n bytes of a number, little endian, the
// last of them not zero:
//
//	null                      n = 0
//	bool                      0 or 1
//	int, timestamp, duration  the zigzag of the number
//	float                     the bits, in reverse order of bytes
//	string, bytes             the length; the bytes follow
//	list                      the length; the values follow
//	map                       the length; the entries follow, ascending: a
//	                          uvarint with the length of the key, the key, the
//	                          value

// maxDepth is how many lists and maps may be inside one another.
const maxDepth = 1000

var errDepth = fmt.Errorf("more than %d lists and maps are inside one another", maxDepth)

// appendRow appends the values of a row whose columns have the given types.
func appendRow(dst []byte, row []gpflow.Value, types []gpflow.Type) ([]byte, error) {
	for i, v := range row {
		switch k := v.Kind(); {
		case k == gpflow.KindNull:
			dst = append(dst, 0)
		case k != types[i].Kind || k > gpflow.KindFloat && k != gpflow.KindTimestamp && k != gpflow.KindDuration:
			var err error
			if dst, err = appendValue(dst, v, &types[i], 0); err != nil {
				return nil, err
			}
		case k == gpflow.KindFloat:
			dst = appendNumber(dst, k, bits.ReverseBytes64(uint64(v.Int())))
		case k == gpflow.KindBool:
			dst = appendNumber(dst, k, uint64(v.Int()))
		default:
			dst = appendNumber(dst, k, zigzag(v.Int()))
		}
	}
	return dst, nil
}

// sizeOf returns how many bytes v takes, where it can be written at all.
func sizeOf(v gpflow.Value, depth int) int {
	switch v.Kind() {
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		return 1 + bytesOf(zigzag(v.Int()))
	case gpflow.KindFloat:
		return 1 + bytesOf(bits.ReverseBytes64(uint64(v.Int())))
	case gpflow.KindBool:
		return 1 + bytesOf(uint64(v.Int()))
	case gpflow.KindString, gpflow.KindBytes:
		return 1 + bytesOf(uint64(len(v.Bytes()))) + len(v.Bytes())
	case gpflow.KindList:
		n := 1 + bytesOf(uint64(len(v.List())))
		for _, e := range v.List() {
			if depth < maxDepth {
				n += sizeOf(e, depth+1)
			}
		}
		return n
	case gpflow.KindMap:
		n := 1 + bytesOf(uint64(len(v.Map())))
		for _, e := range v.Map() {
			if n += uvarintSize(uint64(len(e.Key))) + len(e.Key); depth < maxDepth {
				n += sizeOf(e.Value, depth+1)
			}
		}
		return n
	}
	return 1
}

// bytesOf returns how many bytes n takes.
func bytesOf(n uint64) int { return (bits.Len64(n) + 7) >> 3 }

func appendNumber(dst []byte, k gpflow.Kind, n uint64) []byte {
	size := bytesOf(n)
	dst = append(dst, byte(k)<<4|byte(size))
	return binary.LittleEndian.AppendUint64(dst, n)[:len(dst)+size]
}

func zigzag(i int64) uint64 { return uint64(i)<<1 ^ uint64(i>>63) }

func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

// fits reports whether a column or element of type t may hold a value of kind
// k. t is nil where nothing is known.
func fits(k gpflow.Kind, t *gpflow.Type) bool {
	return t == nil || k == gpflow.KindNull || k == t.Kind || t.Kind == gpflow.KindAny || t.Kind == gpflow.KindRecord
}

// elem returns the type of the elements of t, or nil.
func elem(t *gpflow.Type) *gpflow.Type {
	if t == nil {
		return nil
	}
	return t.Elem
}

func appendValue(dst []byte, v gpflow.Value, t *gpflow.Type, depth int) ([]byte, error) {
	k := v.Kind()
	if !fits(k, t) {
		return nil, fmt.Errorf("a value is %s where %s was declared", k, t)
	}
	var err error
	switch k {
	case gpflow.KindNull:
		return append(dst, 0), nil
	case gpflow.KindBool:
		return appendNumber(dst, k, uint64(v.Int())), nil
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		return appendNumber(dst, k, zigzag(v.Int())), nil
	case gpflow.KindFloat:
		return appendNumber(dst, k, bits.ReverseBytes64(uint64(v.Int()))), nil
	case gpflow.KindString, gpflow.KindBytes:
		return append(appendNumber(dst, k, uint64(len(v.Bytes()))), v.Bytes()...), nil
	case gpflow.KindList:
		if depth == maxDepth {
			return nil, errDepth
		}
		dst = appendNumber(dst, k, uint64(len(v.List())))
		for _, e := range v.List() {
			if dst, err = appendValue(dst, e, elem(t), depth+1); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case gpflow.KindMap:
		if depth == maxDepth {
			return nil, errDepth
		}
		dst = appendNumber(dst, k, uint64(len(v.Map())))
		for _, e := range v.Map() {
			dst = append(binary.AppendUvarint(dst, uint64(len(e.Key))), e.Key...)
			if dst, err = appendValue(dst, e.Value, elem(t), depth+1); err != nil {
				return nil, err
			}
		}
		return dst, nil
	}
	return nil, fmt.Errorf("this version cannot save values of kind %s", k)
}

// reader reads a segment. The first failure stays: from then on it is at the end
// and gives zeroes.
type reader struct {
	b   []byte
	at  int // in b
	err error
	own arena
}

var (
	errShort = errors.New("it ends too early")
	errValue = errors.New("a value is not one that can have been written")
)

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.b)
}

// left returns how many bytes are left.
func (r *reader) left() int { return len(r.b) - r.at }

func (r *reader) uvarint() uint64 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 {
		r.at++
		return uint64(r.b[r.at-1])
	}
	n, size := binary.Uvarint(r.b[r.at:])
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.at += size
	return n
}

// count returns a number of things that take at least one byte each.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(r.left()) {
		r.fail(errShort)
		return 0
	}
	return int(n)
}

// bytes returns the next n bytes, which are not copied.
func (r *reader) bytes(n int) []byte {
	if n > r.left() {
		r.fail(errShort)
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

// number returns the kind in the next byte and the number behind it.
func (r *reader) number() (gpflow.Kind, uint64) {
	b := r.b[r.at:]
	if len(b) == 0 {
		r.fail(errShort)
		return 0, 0
	}
	k, size := gpflow.Kind(b[0]>>4), int(b[0]&15)
	var n uint64
	switch {
	case size > 8 || size >= len(b):
		r.fail(errShort)
		return 0, 0
	case len(b) > 8:
		n = binary.LittleEndian.Uint64(b[1:]) & (1<<(8*size) - 1)
	default:
		for i := size; i > 0; i-- {
			n = n<<8 | uint64(b[i])
		}
	}
	if size > 0 && b[size] == 0 {
		r.fail(errValue)
		return 0, 0
	}
	r.at += size + 1
	return k, n
}

// row reads the values of a row whose columns have the given types.
func (r *reader) row(row []gpflow.Value, types []gpflow.Type) {
	for i := range row {
		row[i] = r.value(&types[i], 0)
	}
}

func (r *reader) value(t *gpflow.Type, depth int) gpflow.Value {
	k, n := r.number()
	if !fits(k, t) {
		r.fail(errValue)
		return gpflow.Null
	}
	switch k {
	case gpflow.KindInt:
		return gpflow.Int(unzigzag(n))
	case gpflow.KindFloat:
		return gpflow.Float(math.Float64frombits(bits.ReverseBytes64(n)))
	case gpflow.KindTimestamp:
		return gpflow.Time(gpflow.Timestamp(unzigzag(n)))
	case gpflow.KindDuration:
		return gpflow.Span(gpflow.Duration(unzigzag(n)))
	case gpflow.KindNull, gpflow.KindBool:
		if n > 1 || k == gpflow.KindNull && n > 0 {
			break
		}
		if k == gpflow.KindNull {
			return gpflow.Null
		}
		return gpflow.Bool(n > 0)
	case gpflow.KindString, gpflow.KindBytes, gpflow.KindList, gpflow.KindMap:
		if n > uint64(r.left()) || depth == maxDepth {
			break
		}
		return r.sized(k, int(n), elem(t), depth)
	}
	r.fail(errValue)
	return gpflow.Null
}

// skip passes over n values, of which it looks at what says where they end.
func (r *reader) skip(n, depth int) {
	for ; n > 0 && r.err == nil; n-- {
		k, size := r.number()
		switch k {
		case gpflow.KindString, gpflow.KindBytes, gpflow.KindList, gpflow.KindMap:
		default:
			continue
		}
		if size > uint64(r.left()) || depth == maxDepth {
			r.fail(errValue)
			return
		}
		switch k {
		case gpflow.KindList:
			r.skip(int(size), depth+1)
		case gpflow.KindMap:
			for ; size > 0 && r.err == nil; size-- {
				r.bytes(r.count())
				r.skip(1, depth+1)
			}
		default:
			r.bytes(int(size))
		}
	}
}

// sized reads n bytes, elements or entries.
func (r *reader) sized(k gpflow.Kind, n int, t *gpflow.Type, depth int) gpflow.Value {
	switch k {
	case gpflow.KindString:
		return gpflow.StringOf(r.own.copy(r.bytes(n)))
	case gpflow.KindBytes:
		return gpflow.Bytes(r.own.copy(r.bytes(n)))
	case gpflow.KindList:
		var vs []gpflow.Value
		for i := 0; i < n && r.err == nil; i++ {
			vs = append(vs, r.value(t, depth+1))
		}
		return gpflow.List(vs)
	}
	var es []gpflow.Entry
	for i := 0; i < n && r.err == nil; i++ {
		key := string(r.bytes(r.count()))
		if i > 0 && strings.Compare(es[i-1].Key, key) >= 0 {
			r.fail(errValue)
			break
		}
		es = append(es, gpflow.Entry{Key: key, Value: r.value(t, depth+1)})
	}
	return gpflow.Map(es)
}

// arena gives bytes memory of their own, small ones together. A block is so
// small that a value which outlives the others of its block holds little.
type arena struct{ block []byte }

const (
	arenaBlock = 4 << 10
	arenaSmall = arenaBlock / 8
)

func (a *arena) copy(b []byte) []byte {
	if len(b) > arenaSmall {
		return append([]byte(nil), b...)
	}
	if len(b) > cap(a.block)-len(a.block) {
		a.block = make([]byte, 0, arenaBlock)
	}
	from := len(a.block)
	a.block = append(a.block, b...)
	return a.block[from:len(a.block):len(a.block)]
}
