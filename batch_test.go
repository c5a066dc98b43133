package gpflow_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// batchSchema returns columns of a scalar, a string and a list.
func batchSchema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "l", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))},
	)
}

// modelRow is what a row of a batch has to be.
type modelRow struct {
	n         int64
	s         string
	at        gpflow.Timestamp
	op        gpflow.Op
	split     string // "": no origin
	pos, line int64
}

// builderModel drives a builder and notes what it has to hold.
type builderModel struct {
	schema *gpflow.Schema
	w      *gpflow.Builder
	rows   []modelRow
	marks  []gpflow.Mark
	next   int64 // the content of the next row
	bare   bool  // a row without origin is among rows
}

func (m *builderModel) fill(row []gpflow.Value, r modelRow) {
	row[0], row[1] = gpflow.Int(r.n), gpflow.String(r.s)
	row[2] = gpflow.List([]gpflow.Value{gpflow.String(r.s)})
}

func (m *builderModel) fresh(t *rapid.T) modelRow {
	m.next++
	return modelRow{n: m.next, s: strings.Repeat("x", rapid.IntRange(0, 3).Draw(t, "length")) + fmt.Sprint(m.next), at: gpflow.Timestamp(m.next)}
}

// input returns a batch of rows of one split, and the rows.
func (m *builderModel) input(t *rapid.T) (*gpflow.Batch, []modelRow) {
	w := gpflow.NewBuilder(m.schema)
	split := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "split")
	pos, line := rapid.Int64Range(0, 1<<33).Draw(t, "first"), int64(0)
	if split == "a" { // has lines; b has none
		line = rapid.Int64Range(1, 10).Draw(t, "line")
	}
	var rows []modelRow
	for range rapid.IntRange(1, 4).Draw(t, "rows") {
		r := m.fresh(t)
		m.fill(w.Row(r.at), r)
		if split != "" {
			r.split, r.pos, r.line = split, pos, line
			w.Place(split, pos, line)
			pos += rapid.Int64Range(1, 1<<30).Draw(t, "step")
			if line > 0 {
				line++
			}
		}
		w.Grow(len(r.s))
		rows = append(rows, r)
	}
	b := w.Take()
	if rapid.Bool().Draw(t, "updates") {
		for i := range rows {
			rows[i].op = gpflow.Op(rapid.IntRange(0, 3).Draw(t, "op"))
			b.Ops = append(b.Ops, rows[i].op)
		}
	}
	return b, rows
}

// check compares a batch with what has been noted, and starts anew.
func (m *builderModel) check(t *rapid.T, b *gpflow.Batch) {
	if len(m.rows) == 0 && len(m.marks) == 0 {
		if b != nil {
			t.Fatal("an empty builder gave a batch")
		}
		return
	}
	if b.N != len(m.rows) || !slices.Equal(b.Marks, m.marks) {
		t.Fatalf("%d rows, marks %v; want %d, %v", b.N, b.Marks, len(m.rows), m.marks)
	}
	for i, want := range m.rows {
		row := b.Row(i)
		got := modelRow{n: row[0].Int(), s: row[1].Str(), at: b.Time(i)}
		got.split, got.pos, got.line, _ = b.Position(i)
		if b.Ops != nil {
			got.op = b.Ops[i]
		}
		if l := row[2].List(); got != want || len(l) != 1 || l[0].Str() != want.s {
			t.Fatalf("row %d is %+v, want %+v", i, got, want)
		}
	}
	if rapid.Bool().Draw(t, "release") {
		b.Release()
	}
	m.rows, m.marks, m.bare = nil, nil, false
}

func (m *builderModel) take(t *rapid.T) { m.check(t, m.w.Take()) }

func (m *builderModel) note(r modelRow) {
	m.bare = m.bare || r.split == ""
	if m.bare {
		r.split, r.pos, r.line = "", 0, 0
	}
	m.rows = append(m.rows, r)
}

func (m *builderModel) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"row": func(t *rapid.T) {
			r := m.fresh(t)
			row := m.w.Row(r.at)
			for _, v := range row {
				if !v.IsNull() {
					t.Fatal("a new row does not hold nulls")
				}
			}
			m.fill(row, r)
			m.note(r)
		},
		"append": func(t *rapid.T) {
			in, rows := m.input(t)
			if !m.w.Fits(in) {
				m.take(t)
			}
			for i, r := range rows {
				switch rapid.IntRange(0, 2).Draw(t, "how") {
				case 0:
					m.w.AppendFrom(in, i)
					m.note(r)
				case 1:
					row := m.w.RowOf(in, i)
					r.s += "!"
					m.fill(row, r)
					m.w.Grow(len(r.s))
					m.note(r)
				}
			}
			in.Release()
		},
		"undo": func(t *rapid.T) {
			if n := len(m.marks); len(m.rows) == 0 || n > 0 && m.marks[n-1].Row == len(m.rows) {
				t.Skip("nothing to take back")
			}
			m.w.Undo()
			m.rows = m.rows[:len(m.rows)-1]
			m.bare = slices.ContainsFunc(m.rows, func(r modelRow) bool { return r.split == "" })
		},
		"mark": func(t *rapid.T) {
			at := gpflow.Timestamp(rapid.IntRange(0, 20).Draw(t, "at"))
			m.w.Mark(at)
			n := len(m.marks)
			switch {
			case n > 0 && at <= m.marks[n-1].Time:
			case n > 0 && m.marks[n-1].Row == len(m.rows):
				m.marks[n-1].Time = at
			default:
				m.marks = append(m.marks, gpflow.Mark{Row: len(m.rows), Time: at})
			}
		},
		"take": m.take,
		"": func(t *rapid.T) {
			if m.w.Len() != len(m.rows) || m.w.Empty() != (len(m.rows)+len(m.marks) == 0) {
				t.Fatalf("%d rows, empty %t; want %d", m.w.Len(), m.w.Empty(), len(m.rows))
			}
		},
	}
}

// TestBuilder against a model: rows of its own, of other batches, taken back,
// with marks between them, in batches that are used again.
func TestBuilder(t *testing.T) {
	schema := batchSchema()
	rapid.Check(t, func(t *rapid.T) {
		m := &builderModel{schema: schema, w: gpflow.NewBuilder(schema)}
		t.Repeat(m.actions())
		m.take(t)
	})
}

func TestBatchesOfATimelessSchema(t *testing.T) {
	s := batchSchema()
	s.Timeless = true
	w := gpflow.NewBuilder(s)
	w.Row(7)
	if b := w.Take(); b.Times != nil || b.Time(0) != gpflow.MinTimestamp {
		t.Errorf("a timeless row has the time %s", b.Time(0))
	}
}

func TestFitsHoldsTheDeltas(t *testing.T) {
	s := batchSchema()
	batch := func(split string, positions ...int64) *gpflow.Batch {
		w := gpflow.NewBuilder(s)
		for _, p := range positions {
			w.Row(0)
			w.Place(split, p, p/100+1)
		}
		return w.Take()
	}
	const far = math.MaxUint32
	for _, c := range []struct {
		name string
		in   *gpflow.Batch
		fits bool
	}{
		{"behind", batch("a", 2000), true},
		{"before", batch("a", 5), false},
		{"another split", batch("b", 2000), false},
		{"as far as can be", batch("a", 1000+far), true},
		{"too far", batch("a", 1000+far+1), false},
		{"begins near, ends as far as can be", batch("a", 1000+10, 1000+far), true},
		{"begins near, ends too far", batch("a", 1000+10, 1000+far+1), false},
	} {
		w := gpflow.NewBuilder(s)
		if !w.Fits(c.in) {
			t.Errorf("%s: does not fit an empty builder", c.name)
		}
		w.AppendFrom(batch("a", 1000), 0)
		if got := w.Fits(c.in); got != c.fits {
			t.Errorf("%s: fits is %t", c.name, got)
		}
		if !c.fits {
			continue
		}
		for i := range c.in.N {
			w.AppendFrom(c.in, i)
		}
		b := w.Take()
		for i := range c.in.N {
			_, pos, line, _ := b.Position(i + 1)
			if _, wantPos, wantLine, _ := c.in.Position(i); pos != wantPos || line != wantLine {
				t.Errorf("%s: row %d is at %d, line %d; want %d, line %d", c.name, i, pos, line, wantPos, wantLine)
			}
		}
	}
}

// pinning returns a batch of n rows whose short strings lie in one arena of
// the given size.
func pinning(s *gpflow.Schema, n, arena int) *gpflow.Batch {
	w := gpflow.NewBuilder(s)
	bytes := strings.Repeat("x", arena)
	for i := range n {
		row := w.Row(0)
		row[1] = gpflow.String(bytes[i*10 : i*10+10])
		row[2] = gpflow.List([]gpflow.Value{row[1]})
	}
	b := w.Take()
	b.Pinned = arena
	return b
}

func TestTakeCopiesWhatPinsTooMuch(t *testing.T) {
	s := batchSchema()
	for _, c := range []struct {
		name   string
		arena  int
		copied bool
	}{{"sparse", 64 << 10, true}, {"dense", 8 << 10, false}} {
		in := pinning(s, 100, c.arena)
		w := gpflow.NewBuilder(s)
		for i := range 50 {
			w.AppendFrom(in, i*2)
		}
		out := w.Take()
		shared := memories(nil, in.Row(0)[1])[0] == memories(nil, out.Row(0)[1])[0]
		if shared == c.copied {
			t.Errorf("%s: the strings are shared: %t", c.name, shared)
		}
		used := 50 * (10 + 16 + 10)
		want := c.arena
		if c.copied {
			want = used
		}
		if out.Pinned != want {
			t.Errorf("%s: pins %d bytes, want %d", c.name, out.Pinned, want)
		}
		if least := want + 50*(3*16+8); out.Bytes() != least {
			t.Errorf("%s: holds %d bytes, want %d", c.name, out.Bytes(), least)
		}
		for i := range 50 {
			if r := out.Row(i); r[1].Str() != "xxxxxxxxxx" || r[2].List()[0].Str() != "xxxxxxxxxx" {
				t.Errorf("%s: row %d has been changed by copying", c.name, i)
			}
		}
	}
}

// TestPinnedCountsABatchThatIsUsedAgain: the memory of two batches is counted
// also where the second lives in the first one's place.
func TestPinnedCountsABatchThatIsUsedAgain(t *testing.T) {
	s := batchSchema()
	w := gpflow.NewBuilder(s)
	const rounds, arena = 20, 4 << 10
	for range rounds {
		in := pinning(s, 100, arena)
		for i := range in.N {
			w.AppendFrom(in, i)
		}
		in.Release()
	}
	if b := w.Take(); b.Pinned != rounds*arena {
		t.Errorf("%d bytes are pinned, want %d", b.Pinned, rounds*arena)
	}
}

func TestFull(t *testing.T) {
	s := batchSchema()
	w := gpflow.NewBuilder(s)
	if w.Full() {
		t.Error("an empty builder is full")
	}
	for range gpflow.BatchRows {
		if w.Full() {
			t.Fatalf("full at %d rows", w.Len())
		}
		w.Row(0)
	}
	if !w.Full() {
		t.Error("not full at the limit of rows")
	}
	w.Take()
	w.Row(0)
	w.Grow(gpflow.BatchBytes)
	if !w.Full() {
		t.Error("not full at the limit of bytes")
	}
	w.Take()
	for range 5 {
		if w.Full() {
			t.Error("full before it pins too much")
		}
		w.AppendFrom(pinning(s, 1, gpflow.BatchBytes), 0)
	}
	if !w.Full() {
		t.Error("not full where few rows pin a lot of memory")
	}
	w.Take()
	in := pinning(s, 2, 100*gpflow.BatchBytes)
	w.AppendFrom(in, 0)
	if w.Full() {
		t.Error("the rows of one batch that pins a lot go out one by one")
	}
}

func TestRetainKeepsTheRows(t *testing.T) {
	s := batchSchema()
	w := gpflow.NewBuilder(s)
	w.Row(0)[0] = gpflow.Int(7)
	b := w.Take()
	b.Retain()
	b.Release()
	for range 100 {
		w.Row(0)[0] = gpflow.Int(8)
		w.Take().Release()
	}
	if b.N != 1 || b.Row(0)[0].Int() != 7 {
		t.Error("a batch was used again while somebody read it")
	}
	b.Release()
}
