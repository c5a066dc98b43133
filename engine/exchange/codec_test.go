package exchange_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// everything is a schema with a column of every kind.
func everything() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "b", Type: gpflow.T(gpflow.KindBool).Opt()},
		gpflow.Column{Name: "i", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "f", Type: gpflow.T(gpflow.KindFloat)},
		gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString).Opt()},
		gpflow.Column{Name: "y", Type: gpflow.T(gpflow.KindBytes)},
		gpflow.Column{Name: "t", Type: gpflow.T(gpflow.KindTimestamp)},
		gpflow.Column{Name: "d", Type: gpflow.T(gpflow.KindDuration)},
		gpflow.Column{Name: "l", Type: gpflow.ListOf(gpflow.T(gpflow.KindInt))},
		gpflow.Column{Name: "m", Type: gpflow.MapOf(gpflow.T(gpflow.KindString))},
		gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindAny).Opt()},
	)
}

// values draws a value of any kind.
func values(depth int) *rapid.Generator[gpflow.Value] {
	gens := []*rapid.Generator[gpflow.Value]{
		rapid.Just(gpflow.Null),
		rapid.Map(rapid.Bool(), gpflow.Bool),
		rapid.Map(rapid.Int64(), gpflow.Int),
		rapid.Map(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(-1), math.Copysign(0, -1)})), gpflow.Float),
		rapid.Map(rapid.String(), gpflow.String),
		rapid.Map(rapid.SliceOf(rapid.Byte()), gpflow.Bytes),
		rapid.Map(rapid.Int64(), func(i int64) gpflow.Value { return gpflow.Time(gpflow.Timestamp(i)) }),
		rapid.Map(rapid.Int64(), func(i int64) gpflow.Value { return gpflow.Span(gpflow.Duration(i)) }),
	}
	if depth > 0 {
		gens = append(gens,
			rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), gpflow.List),
			rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) gpflow.Entry {
				return gpflow.Entry{Key: rapid.String().Draw(t, "key"), Value: values(depth-1).Draw(t, "value")}
			}), 0, 4), gpflow.Map))
	}
	return rapid.OneOf(gens...)
}

var instants = rapid.Map(rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})),
	func(i int64) gpflow.Timestamp { return gpflow.Timestamp(i) })

// batches draws a batch of s with whatever a batch can have.
func batches(s *gpflow.Schema) *rapid.Generator[*gpflow.Batch] {
	return rapid.Custom(func(t *rapid.T) *gpflow.Batch {
		w := gpflow.NewBuilder(s)
		n := rapid.IntRange(0, 12).Draw(t, "rows")
		// Behind a row without an origin, the others have none either.
		placed := rapid.IntRange(0, n).Draw(t, "placed")
		pos := rapid.Int64Range(0, 1<<40).Draw(t, "first")
		line := rapid.SampledFrom([]int64{0, 1, 1 << 33}).Draw(t, "line")
		value := values(2)
		typed := make([]*rapid.Generator[gpflow.Value], s.Width())
		for c := range typed {
			kind := s.Columns[c].Type.Kind
			typed[c] = value.Filter(func(v gpflow.Value) bool {
				return kind == gpflow.KindAny || v.IsNull() || v.Kind() == kind
			})
		}
		for i := range n {
			row := w.Row(instants.Draw(t, "time"))
			for c := range row {
				row[c] = typed[c].Draw(t, "value")
			}
			if i < placed {
				w.Place("dir/file.json", pos, line)
				pos += rapid.Int64Range(1, 1<<20).Draw(t, "length")
			}
			if rapid.IntRange(0, 3).Draw(t, "mark") == 0 {
				w.Mark(instants.Draw(t, "mark time"))
			}
		}
		b := w.TakeAlways()
		if n > 0 && rapid.Bool().Draw(t, "ops") {
			for range n {
				b.Ops = append(b.Ops, gpflow.Op(rapid.IntRange(0, 3).Draw(t, "op")))
			}
		}
		return b
	})
}

func checkEqual(t interface{ Fatalf(string, ...any) }, got, want *gpflow.Batch) {
	if got.N != want.N || len(got.Slab) != len(want.Slab) {
		t.Fatalf("%d rows and %d values came out, of %d and %d", got.N, len(got.Slab), want.N, len(want.Slab))
	}
	for i, v := range want.Slab {
		g := got.Slab[i]
		if g.Kind() != v.Kind() || !gpflow.Equal(g, v) ||
			v.Kind() == gpflow.KindFloat && math.Float64bits(g.Float()) != math.Float64bits(v.Float()) {
			t.Fatalf("value %d: %v came out, of %v", i, g, v)
		}
	}
	for i := range want.N {
		if got.Time(i) != want.Time(i) {
			t.Fatalf("row %d has the time %d, not %d", i, got.Time(i), want.Time(i))
		}
		s1, p1, l1, ok1 := got.Position(i)
		s2, p2, l2, ok2 := want.Position(i)
		if s1 != s2 || p1 != p2 || l1 != l2 || ok1 != ok2 {
			t.Fatalf("row %d is at %s %d %d %t, not at %s %d %d %t", i, s1, p1, l1, ok1, s2, p2, l2, ok2)
		}
	}
	if !slices.Equal(got.Marks, want.Marks) || !slices.Equal(got.Ops, want.Ops) {
		t.Fatalf("marks %v and ops %v came out, of %v and %v", got.Marks, got.Ops, want.Marks, want.Ops)
	}
	if (got.Times == nil) != (want.Times == nil) && want.N > 0 {
		t.Fatalf("times %v came out, of %v", got.Times, want.Times)
	}
}

func TestCodecRoundTrip(t *testing.T) {
	timeless, empty, nothing := everything(), gpflow.NewSchema(), gpflow.NewSchema()
	timeless.Timeless, nothing.Timeless = true, true
	for name, s := range map[string]*gpflow.Schema{"all": everything(), "timeless": timeless, "no columns": empty, "only rows": nothing} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				b := batches(s).Draw(t, "batch")
				data := exchange.AppendBatch(nil, b)
				got, err := exchange.DecodeBatch(data, s)
				if err != nil {
					t.Fatalf("decode: %v", err)
				}
				checkEqual(t, got, b)
				if got.Pinned < got.Bytes()-len(got.Slab)*16-len(got.Times)*8-len(got.Marks)*16-len(got.Origin.Rows)*8 && got.N > 0 && s.Width() > 0 && !hasAny(b) {
					t.Fatalf("it pins %d bytes of %d", got.Pinned, len(data))
				}
			})
		})
	}
}

// hasAny reports whether b holds lists or maps, which are not in the arena.
func hasAny(b *gpflow.Batch) bool {
	return slices.ContainsFunc(b.Slab, func(v gpflow.Value) bool {
		return v.Kind() == gpflow.KindList || v.Kind() == gpflow.KindMap
	})
}

// TestCodecDepth: as deep as the readers of formats go.
func TestCodecDepth(t *testing.T) {
	s := gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindAny)})
	v := gpflow.Int(7)
	for range 64 {
		v = gpflow.List([]gpflow.Value{v})
	}
	w := gpflow.NewBuilder(s)
	w.Row(0)[0] = v
	b := w.Take()
	got, err := exchange.DecodeBatch(exchange.AppendBatch(nil, b), s)
	if err != nil {
		t.Fatal(err)
	}
	checkEqual(t, got, b)
}

// checkSound complains about a batch that no builder would have made.
func checkSound(t interface{ Fatalf(string, ...any) }, b *gpflow.Batch, s *gpflow.Schema) {
	if b.N < 0 || len(b.Slab) != b.N*s.Width() || len(b.Ops) != 0 && len(b.Ops) != b.N || len(b.Origin.Rows) > b.N {
		t.Fatalf("%d rows of %d values, %d ops and %d origins", b.N, len(b.Slab), len(b.Ops), len(b.Origin.Rows))
	}
	for i, m := range b.Marks {
		if m.Row < 0 || m.Row > b.N || i > 0 && (m.Row < b.Marks[i-1].Row || m.Time <= b.Marks[i-1].Time) {
			t.Fatalf("marks %v of %d rows", b.Marks, b.N)
		}
	}
	for _, o := range b.Ops {
		if o > gpflow.Delete {
			t.Fatalf("the operation %d", o)
		}
	}
}

// TestCodecDamage: whatever the bytes, there is an error or a sound batch.
func TestCodecDamage(t *testing.T) {
	s := everything()
	rapid.Check(t, func(t *rapid.T) {
		data := exchange.AppendBatch(nil, batches(s).Draw(t, "batch"))
		switch at := rapid.IntRange(0, len(data)-1).Draw(t, "at"); rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			data = data[:at]
		case 1:
			data[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		case 2:
			data = append(data[:at:at], rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "tail")...)
		}
		if b, err := exchange.DecodeBatch(data, s); err == nil {
			checkSound(t, b, s)
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	gen := batches(everything())
	for i := range 20 {
		f.Add(exchange.AppendBatch(nil, gen.Example(i)), byte(i%4))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0}, byte(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0}, byte(2))
	f.Add([]byte{1, 0, 1, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, byte(0))
	schemas := []*gpflow.Schema{everything(), everything(), gpflow.NewSchema(), gpflow.NewSchema()}
	schemas[1].Timeless, schemas[3].Timeless = true, true
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		s := schemas[which%4]
		b, err := exchange.DecodeBatch(data, s)
		if err != nil {
			return
		}
		checkSound(t, b, s)
		again, err := exchange.DecodeBatch(exchange.AppendBatch(nil, b), s)
		if err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
		checkEqual(t, again, b)
	})
}
