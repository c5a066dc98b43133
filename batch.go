package gpflow

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// Op says what a row does to a stream that can be updated.
type Op uint8

// The operations, in the order of a changelog.
const (
	Insert Op = iota
	UpdateBefore
	UpdateAfter
	Delete
)

// Mark is a watermark inside a batch: from row Row on, no row with an event
// time before Time is expected. Rows before Row are not affected. Row is from
// 0 to Batch.N; a mark at N follows every row.
type Mark struct {
	Row  int
	Time Timestamp
}

// Bound says from row Row of a batch on which rows are late: those with an
// event time before Time, which the bound on disorder of their split had ruled
// out. It is decided by the rows before them in their split alone, while marks
// depend on what other splits and channels have come to.
type Bound struct {
	Row  int
	Time Timestamp
}

// Delta is one row's place relative to its batch's Origin.
type Delta struct{ Position, Line uint32 }

// Origin says where the rows of a batch came from: the row i lies at
// First+Rows[i].Position of Split, on line Line+Rows[i].Line (0: the split has
// no lines). It is empty for rows that an operator made. Together with the
// run's lineage, split and position are the row's stable identity.
type Origin struct {
	Split string // a file's path, a partition's name
	First int64
	Line  int64
	Rows  []Delta
}

// Batch is a run of rows of one schema, row-major: row i is
// Slab[i*width:(i+1)*width].
//
// A batch is built by one goroutine and immutable once emitted: any number of
// readers may then share it. Slabs are pooled: whoever has received a batch
// calls Release when done with it, and Retain for every further reader that it
// passes the batch to; rows are not to be touched after Release. The bytes of
// strings are never pooled (see Value), so a Value copied out of a row stays
// valid for as long as it is reachable.
//
// The size of a batch never changes a result: what happens at which row is
// decided by Marks alone.
type Batch struct {
	Schema *Schema
	N      int // rows; a batch of no rows may carry marks
	Slab   []Value
	Times  []Timestamp // event time of each row; nil where Schema.Timeless
	Ops    []Op        // nil: all are inserts
	Marks  []Mark      // ascending in Row and Time
	Bounds []Bound     // ascending in Row; rows before the first are never late
	Origin Origin
	// Pinned is the size in bytes of the arenas that the rows' strings keep
	// alive. It is an upper bound, and can exceed what the rows use.
	Pinned int

	refs atomic.Int32 // readers besides the first
	uses uint32       // how many times it came out of the pool before
}

// Row returns the slots of row i.
func (b *Batch) Row(i int) []Value {
	w := len(b.Schema.Columns)
	return b.Slab[i*w : i*w+w : i*w+w]
}

// Time returns the event time of row i, or MinTimestamp where rows have none.
func (b *Batch) Time(i int) Timestamp {
	if b.Times == nil {
		return MinTimestamp
	}
	return b.Times[i]
}

// Position returns the split and position of row i, and its line, 0 where
// there is none. ok is false for rows that an operator made.
func (b *Batch) Position(i int) (split string, pos, line int64, ok bool) {
	o := &b.Origin
	if o.Split == "" || i >= len(o.Rows) {
		return "", 0, 0, false
	}
	if o.Line > 0 {
		line = o.Line + int64(o.Rows[i].Line)
	}
	return o.Split, o.First + int64(o.Rows[i].Position), line, true
}

// Bytes returns the memory that b holds: its rows and the larger of what they
// point to and what they pin.
func (b *Batch) Bytes() int {
	return max(b.used(), b.Pinned) + len(b.Slab)*16 + len(b.Times)*8 + (len(b.Marks)+len(b.Bounds))*16 + len(b.Origin.Rows)*8
}

// Ends reports whether b has the mark of the end of time, which is its last then.
func (b *Batch) Ends() bool {
	n := len(b.Marks)
	return n > 0 && b.Marks[n-1].Time == MaxTimestamp
}

func (b *Batch) used() int {
	n, w := 0, len(b.Schema.Columns)
	for c := range b.Schema.Columns {
		switch t := b.Schema.Columns[c].Type; {
		case t.Kind == KindString, t.Kind == KindBytes:
			for i := c; i < len(b.Slab); i += w {
				n += int(b.Slab[i].n & lenMask) // 0 of null
			}
		case t.Sized():
			for i := c; i < len(b.Slab); i += w {
				n += b.Slab[i].Size()
			}
		}
	}
	return n
}

// Retain adds a reader, who will call Release.
func (b *Batch) Retain() { b.refs.Add(1) }

// Release ends one reader's use of b. The last one gives the slab back.
func (b *Batch) Release() {
	if b.refs.Add(-1) >= 0 {
		return
	}
	b.refs.Store(0)
	s := b.Schema
	clear(b.Slab)
	*b = Batch{
		Slab: b.Slab[:0], Times: b.Times[:0], Ops: b.Ops[:0], Marks: b.Marks[:0], Bounds: b.Bounds[:0],
		Origin: Origin{Rows: b.Origin.Rows[:0]}, uses: b.uses + 1,
	}
	s.pool.Put(b)
}

// The limits of a batch. A batch is closed when it reaches either; a single
// row may exceed BatchBytes.
const (
	BatchRows  = 1024
	BatchBytes = 256 << 10
)

// Builder builds batches of one schema, a row at a time. It is used by one
// goroutine. The zero Builder is not usable; see NewBuilder.
type Builder struct {
	schema *Schema
	width  int
	cur    *Batch
	last   *Batch // the batch that RowOf counted in cur.Pinned last
	uses   uint32 // of last, when it was counted
	pinned int    // cur.Pinned without that of last
	size   int    // bytes of cur's rows, as far as known
	bound  Timestamp
}

// NewBuilder returns a builder of batches of s.
func NewBuilder(s *Schema) *Builder {
	return &Builder{schema: s, width: len(s.Columns), bound: MinTimestamp}
}

// Len returns the rows built since the last Take.
func (w *Builder) Len() int {
	if w.cur == nil {
		return 0
	}
	return w.cur.N
}

// Empty reports whether there is neither row nor mark to take.
func (w *Builder) Empty() bool { return w.cur == nil || w.cur.N == 0 && len(w.cur.Marks) == 0 }

// Full reports whether the batch has reached its limits, or whether its rows
// come from so many batches that it pins much more than BatchBytes.
func (w *Builder) Full() bool {
	return w.cur != nil && (w.cur.N >= BatchRows || w.size >= BatchBytes || w.pinned >= sparse*BatchBytes)
}

func (w *Builder) batch() *Batch {
	if w.cur == nil {
		b, _ := w.schema.pool.Get().(*Batch)
		if b == nil {
			b = &Batch{Slab: make([]Value, 0, 64*w.width)}
		}
		b.Schema = w.schema
		if w.bound != MinTimestamp {
			b.Bounds = append(b.Bounds, Bound{0, w.bound})
		}
		w.cur, w.size = b, 0
	}
	return w.cur
}

// Row adds a row and returns its slots, all null, for the caller to fill. The
// slice is valid until the next call. t is ignored where the schema is
// timeless.
func (w *Builder) Row(t Timestamp) []Value {
	b := w.batch()
	n := len(b.Slab)
	if n+w.width <= cap(b.Slab) {
		b.Slab = b.Slab[:n+w.width]
	} else {
		b.Slab = append(b.Slab, make([]Value, w.width)...)
	}
	b.N++
	w.size += 16 * w.width
	if !w.schema.Timeless {
		b.Times = append(b.Times, t)
	}
	if len(b.Ops) > 0 {
		b.Ops = append(b.Ops, Insert)
	}
	return b.Slab[n : n+w.width : n+w.width]
}

// RowOf adds a row that comes from row i of in: it takes over its event time,
// operation and origin, and the caller fills the slots, which may share the
// values of in. Behind a row without an origin, the other rows of the batch
// have none either.
func (w *Builder) RowOf(in *Batch, i int) []Value {
	row := w.Row(in.Time(i))
	b := w.cur
	if len(in.Ops) > 0 && (len(b.Ops) > 0 || in.Ops[i] != Insert) {
		for len(b.Ops) < b.N {
			b.Ops = append(b.Ops, Insert)
		}
		b.Ops[b.N-1] = in.Ops[i]
	}
	if in.Origin.Split != "" {
		w.origin(in, i)
	}
	if w.last != in || w.uses != in.uses {
		w.last, w.uses, w.pinned = in, in.uses, b.Pinned
		b.Pinned += in.Pinned
	}
	return row
}

// origin notes where the last row comes from. Fits has made sure that the
// delta can be held.
func (w *Builder) origin(in *Batch, i int) {
	o, b := &in.Origin, w.cur
	if i >= len(o.Rows) || len(b.Origin.Rows) != b.N-1 {
		return
	}
	if b.N == 1 {
		b.Origin.Split, b.Origin.First, b.Origin.Line = o.Split, o.First, o.Line
	}
	d := o.Rows[i]
	b.Origin.Rows = append(b.Origin.Rows, Delta{
		d.Position + uint32(o.First-b.Origin.First), d.Line + uint32(o.Line-b.Origin.Line),
	})
}

// Fits reports whether the rows of in can join the batch being built: they
// come from the same split, near enough. Where they can not, the caller takes
// what is there first.
func (w *Builder) Fits(in *Batch) bool {
	if w.cur == nil || w.cur.N == 0 {
		return true
	}
	a, o := &w.cur.Origin, &in.Origin
	var last Delta // of the row furthest from o.First
	if n := len(o.Rows); n > 0 {
		last = o.Rows[n-1]
	}
	return a.Split == o.Split && o.First >= a.First && o.First-a.First <= math.MaxUint32-int64(last.Position) &&
		o.Line >= a.Line && o.Line-a.Line <= math.MaxUint32-int64(last.Line)
}

// Forget ends the use of the batch that RowOf or AppendFrom were given last,
// which may then be released.
func (w *Builder) Forget() { w.last = nil }

// AppendFrom adds a copy of row i of in. The schemas must have the same
// columns, and Fits(in) must hold.
func (w *Builder) AppendFrom(in *Batch, i int) {
	copy(w.RowOf(in, i), in.Row(i))
}

// Place sets the origin of the row added last: its position, and its line or
// 0. The rows of a batch are of one split and their positions ascend.
func (w *Builder) Place(split string, pos, line int64) {
	b := w.cur
	if b.N == 1 {
		b.Origin.Split, b.Origin.First, b.Origin.Line = split, pos, line
	}
	b.Origin.Rows = append(b.Origin.Rows, Delta{uint32(pos - b.Origin.First), uint32(line - b.Origin.Line)})
}

// Grow counts n more bytes that the rows point to, for Full, and as pinned.
func (w *Builder) Grow(n int) {
	w.size += n
	if w.cur != nil {
		w.cur.Pinned += n
	}
}

// Undo takes back the row added last, behind which no mark has been put.
func (w *Builder) Undo() {
	b := w.cur
	b.N--
	clear(b.Slab[b.N*w.width:])
	b.Slab = b.Slab[:b.N*w.width]
	w.size -= 16 * w.width
	if len(b.Times) > b.N {
		b.Times = b.Times[:b.N]
	}
	if len(b.Ops) > b.N {
		b.Ops = b.Ops[:b.N]
	}
	if len(b.Origin.Rows) > b.N {
		b.Origin.Rows = b.Origin.Rows[:b.N]
	}
	if b.N == 0 {
		b.Origin = Origin{Rows: b.Origin.Rows}
	}
}

// Mark puts a watermark behind the last row. A later mark at the same place
// replaces an earlier one; a mark that does not advance is dropped.
func (w *Builder) Mark(t Timestamp) {
	b := w.batch()
	if n := len(b.Marks); n > 0 {
		if t <= b.Marks[n-1].Time {
			return
		}
		if b.Marks[n-1].Row == b.N {
			b.Marks[n-1].Time = t
			return
		}
	}
	b.Marks = append(b.Marks, Mark{b.N, t})
}

// Bound says which of the rows that follow are late, in this batch and the next
// ones: those before t; MinTimestamp is none. It has no effect where rows have
// no event time.
func (w *Builder) Bound(t Timestamp) {
	if t == w.bound || w.schema.Timeless {
		return
	}
	w.bound = t
	b := w.cur
	if b == nil {
		return
	}
	if n := len(b.Bounds); n > 0 && b.Bounds[n-1].Row == b.N {
		b.Bounds[n-1].Time = t
		return
	}
	b.Bounds = append(b.Bounds, Bound{b.N, t})
}

// sparse is how many times more than its strings a batch may pin before Take
// copies them.
const sparse = 4

// Take returns the batch built so far and starts a new one. It returns nil if
// there is neither row nor mark. The caller owns the batch.
//
// Where the rows use a small part of the arenas that they pin, as behind a
// filter that keeps one row in a thousand, their strings are copied together,
// so that the memory in flight is what Batch.Bytes says.
func (w *Builder) Take() *Batch {
	if w.Empty() {
		return nil
	}
	return w.TakeAlways()
}

// TakeAlways is Take, but for an empty batch where there is nothing.
func (w *Builder) TakeAlways() *Batch {
	b := w.batch()
	w.cur, w.last, w.pinned, w.size = nil, nil, 0, 0
	if len(b.Ops) == 0 {
		b.Ops = nil
	}
	if b.Pinned > BatchBytes/16 {
		if used := b.used(); b.Pinned > sparse*used+BatchBytes/16 {
			compact(b, used)
		}
	}
	return b
}

// compact copies the strings of b into an arena of its own.
func compact(b *Batch, used int) {
	arena := make([]byte, 0, used)
	for i, v := range b.Slab {
		switch v.Kind() {
		case KindString, KindBytes:
			if n := len(arena); v.n&lenMask > 0 {
				arena = append(arena, v.Bytes()...)
				b.Slab[i].p = unsafe.Pointer(&arena[n])
			}
		case KindList, KindMap:
			b.Slab[i] = v.Clone()
		}
	}
	b.Pinned = used
}
