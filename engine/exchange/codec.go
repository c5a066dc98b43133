package exchange

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/gpflow/gpflow"
)

// The form of a batch on a link, integers as varints (v: unsigned, z: zigzag):
//
//	v rows | v flags | v marks, each v row, z time since the mark before
//	[bounds: v number, each v row, z time since the bound before]
//	[times: z each, since the one before] [ops: a byte each]
//	[origin: v length, split, z first, z line, v rows placed, each v position, v line]
//	values, row by row: kind byte, then
//	  bool: a byte; int, timestamp, duration: z; float: 8 bytes, little endian
//	  string, bytes: v length, the bytes
//	  list: v length, values; map: v length, (v length, key, value) each
const (
	hasTimes = 1 << iota
	hasOps
	hasOrigin
	hasBounds
)

// AppendBatch appends the encoding of b.
func AppendBatch(dst []byte, b *gpflow.Batch) []byte {
	flags := uint64(0)
	if b.Times != nil && !b.Schema.Timeless {
		flags |= hasTimes
	}
	if len(b.Ops) > 0 {
		flags |= hasOps
	}
	if b.Origin.Split != "" {
		flags |= hasOrigin
	}
	if len(b.Bounds) > 0 {
		flags |= hasBounds
	}
	dst = binary.AppendUvarint(dst, uint64(b.N))
	dst = binary.AppendUvarint(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(len(b.Marks)))
	last := int64(0)
	for _, m := range b.Marks {
		dst = binary.AppendUvarint(dst, uint64(m.Row))
		dst = binary.AppendVarint(dst, int64(m.Time)-last)
		last = int64(m.Time)
	}
	if flags&hasBounds != 0 {
		dst = appendBounds(dst, b.Bounds)
	}
	if flags&hasTimes != 0 {
		last = 0
		for _, t := range b.Times {
			dst = binary.AppendVarint(dst, int64(t)-last)
			last = int64(t)
		}
	}
	if flags&hasOps != 0 {
		for _, o := range b.Ops {
			dst = append(dst, byte(o))
		}
	}
	if flags&hasOrigin != 0 {
		dst = appendText(dst, b.Origin.Split)
		dst = binary.AppendVarint(dst, b.Origin.First)
		dst = binary.AppendVarint(dst, b.Origin.Line)
		dst = binary.AppendUvarint(dst, uint64(len(b.Origin.Rows)))
		for _, d := range b.Origin.Rows {
			dst = binary.AppendUvarint(dst, uint64(d.Position))
			dst = binary.AppendUvarint(dst, uint64(d.Line))
		}
	}
	for _, v := range b.Slab {
		dst = appendValue(dst, v)
	}
	return dst
}

func appendBounds(dst []byte, bounds []gpflow.Bound) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(bounds)))
	last := int64(0)
	for _, m := range bounds {
		dst = binary.AppendUvarint(dst, uint64(m.Row))
		dst = binary.AppendVarint(dst, int64(m.Time)-last)
		last = int64(m.Time)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendValue(dst []byte, v gpflow.Value) []byte {
	k := v.Kind()
	dst = append(dst, byte(k))
	switch k {
	case gpflow.KindBool:
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case gpflow.KindInt, gpflow.KindTimestamp, gpflow.KindDuration:
		return binary.AppendVarint(dst, v.Int())
	case gpflow.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	case gpflow.KindString, gpflow.KindBytes:
		return append(binary.AppendUvarint(dst, uint64(len(v.Bytes()))), v.Bytes()...)
	case gpflow.KindList:
		dst = binary.AppendUvarint(dst, uint64(len(v.List())))
		for _, e := range v.List() {
			dst = appendValue(dst, e)
		}
	case gpflow.KindMap:
		dst = binary.AppendUvarint(dst, uint64(len(v.Map())))
		for _, e := range v.Map() {
			dst = appendValue(appendText(dst, e.Key), e.Value)
		}
	}
	return dst
}

var errCodec = errors.New("a batch on a link is damaged")

// reader reads the encoding; after the first damage everything is zero.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail() { r.data, r.err = nil, errCodec }

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return x
}

// count reads the number of things that follow, each of a byte or more.
func (r *reader) count(each int) int {
	n := r.uvarint()
	if n > uint64(len(r.data))/uint64(max(each, 1)) && each > 0 {
		r.fail()
		return 0
	}
	return int(n)
}

// bytes returns the next n bytes, shared.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.fail()
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) text() string { return string(r.bytes(r.count(1))) }

// bareRows is how many rows of no bytes a batch may have.
const bareRows = 1 << 20

// DecodeBatch reads a batch of s that AppendBatch wrote. The strings share
// data, which the caller must not change afterwards. Damaged data is an error,
// or gives a batch that is sound in itself.
func DecodeBatch(data []byte, s *gpflow.Schema) (*gpflow.Batch, error) {
	r := &reader{data: data}
	rows, flags := r.uvarint(), r.uvarint()
	if rows > uint64(len(data)) && (s.Width() > 0 || rows > bareRows) || flags > hasTimes|hasOps|hasOrigin|hasBounds {
		return nil, errCodec
	}
	n := int(rows)
	marks := r.marks(n)
	var bounds []gpflow.Bound
	if flags&hasBounds != 0 {
		bounds = r.bounds(n)
	}
	var times []gpflow.Timestamp
	if flags&hasTimes != 0 {
		times = r.times(n)
	}
	var ops []gpflow.Op
	if flags&hasOps != 0 {
		ops = r.ops(n)
	}
	var o gpflow.Origin
	if flags&hasOrigin != 0 {
		o = r.origin(n)
	}
	w := gpflow.NewBuilder(s)
	for i := range n {
		t := gpflow.MinTimestamp
		if i < len(times) {
			t = times[i]
		}
		row := w.Row(t)
		for c := range row {
			row[c] = r.value(0)
			if k := s.Columns[c].Type.Kind; k != gpflow.KindAny && k != row[c].Kind() && !row[c].IsNull() {
				r.fail()
			}
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if r.err != nil || len(r.data) > 0 {
		return nil, errCodec
	}
	b := w.TakeAlways()
	b.Marks, b.Bounds, b.Ops, b.Origin, b.Pinned = marks, bounds, ops, o, len(data)
	return b, nil
}

func (r *reader) marks(rows int) []gpflow.Mark {
	marks := make([]gpflow.Mark, r.count(2))
	last := int64(0)
	for i := range marks {
		row := r.uvarint()
		last += r.varint()
		m := gpflow.Mark{Row: int(row), Time: gpflow.Timestamp(last)}
		if row > uint64(rows) || i > 0 && (m.Row < marks[i-1].Row || m.Time <= marks[i-1].Time) {
			r.fail()
			return nil
		}
		marks[i] = m
	}
	return marks
}

func (r *reader) bounds(rows int) []gpflow.Bound {
	bounds := make([]gpflow.Bound, r.count(2))
	last := int64(0)
	for i := range bounds {
		row := r.uvarint()
		last += r.varint()
		if row > uint64(rows) || i > 0 && int(row) <= bounds[i-1].Row {
			r.fail()
			return nil
		}
		bounds[i] = gpflow.Bound{Row: int(row), Time: gpflow.Timestamp(last)}
	}
	return bounds
}

func (r *reader) times(rows int) []gpflow.Timestamp {
	if rows > len(r.data) {
		r.fail()
		return nil
	}
	times, last := make([]gpflow.Timestamp, rows), int64(0)
	for i := range times {
		last += r.varint()
		times[i] = gpflow.Timestamp(last)
	}
	return times
}

func (r *reader) ops(rows int) []gpflow.Op {
	raw := r.bytes(rows)
	ops := make([]gpflow.Op, len(raw))
	for i, o := range raw {
		if ops[i] = gpflow.Op(o); ops[i] > gpflow.Delete {
			r.fail()
		}
	}
	return ops
}

func (r *reader) origin(rows int) gpflow.Origin {
	o := gpflow.Origin{Split: r.text(), First: r.varint(), Line: r.varint()}
	placed := r.count(2)
	if placed > rows {
		r.fail()
		return o
	}
	o.Rows = make([]gpflow.Delta, placed)
	for i := range o.Rows {
		position, line := r.uvarint(), r.uvarint()
		if position > math.MaxUint32 || line > math.MaxUint32 {
			r.fail()
		}
		o.Rows[i] = gpflow.Delta{Position: uint32(position), Line: uint32(line)}
	}
	return o
}

func (r *reader) value(depth int) gpflow.Value {
	if depth > 64 {
		r.fail()
	}
	switch k := gpflow.Kind(r.byte()); k {
	case gpflow.KindNull:
		return gpflow.Null
	case gpflow.KindBool:
		return gpflow.Bool(r.byte() != 0)
	case gpflow.KindInt:
		return gpflow.Int(r.varint())
	case gpflow.KindTimestamp:
		return gpflow.Time(gpflow.Timestamp(r.varint()))
	case gpflow.KindDuration:
		return gpflow.Span(gpflow.Duration(r.varint()))
	case gpflow.KindFloat:
		if b := r.bytes(8); len(b) == 8 {
			return gpflow.Float(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
	case gpflow.KindString:
		return gpflow.StringOf(r.bytes(r.count(1)))
	case gpflow.KindBytes:
		return gpflow.Bytes(r.bytes(r.count(1)))
	case gpflow.KindList:
		vs := make([]gpflow.Value, r.count(1))
		for i := range vs {
			vs[i] = r.value(depth + 1)
		}
		return gpflow.List(vs)
	case gpflow.KindMap:
		es := make([]gpflow.Entry, r.count(2))
		for i := range es {
			es[i] = gpflow.Entry{Key: r.text(), Value: r.value(depth + 1)}
		}
		return gpflow.Map(es)
	default:
		r.fail()
	}
	return gpflow.Null
}
