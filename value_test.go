package gpflow_test

import (
	"math"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// scalarValue draws a value without parts, null among them.
func scalarValue(t *rapid.T) gpflow.Value {
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return gpflow.Null
	case 1:
		return gpflow.Bool(rapid.Bool().Draw(t, "bool"))
	case 2:
		return gpflow.Int(rapid.Int64().Draw(t, "int"))
	case 3:
		return gpflow.Float(rapid.OneOf(
			rapid.Float64(),
			rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)}),
		).Draw(t, "float"))
	case 4:
		return gpflow.String(rapid.String().Draw(t, "string"))
	case 5:
		return gpflow.Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case 6:
		return gpflow.Time(gpflow.Timestamp(rapid.Int64().Draw(t, "time")))
	}
	return gpflow.Span(gpflow.Duration(rapid.Int64().Draw(t, "span")))
}

// anyValue draws a value of at most the given depth.
func anyValue(depth int) *rapid.Generator[gpflow.Value] {
	return rapid.Custom(func(t *rapid.T) gpflow.Value {
		shape := 0
		if depth > 0 {
			shape = rapid.IntRange(0, 5).Draw(t, "shape")
		}
		switch shape {
		case 4:
			return gpflow.List(rapid.SliceOfN(anyValue(depth-1), 0, 4).Draw(t, "list"))
		case 5:
			var es []gpflow.Entry
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				es = append(es, gpflow.Entry{
					Key:   rapid.StringN(0, 3, -1).Draw(t, "key"),
					Value: anyValue(depth-1).Draw(t, "value"),
				})
			}
			return gpflow.Map(es)
		}
		return scalarValue(t)
	})
}

func TestValueGivesBackWhatItWasMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Int64().Draw(t, "int")
		f := rapid.Float64().Draw(t, "float")
		s := rapid.String().Draw(t, "string")
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		for _, c := range []struct {
			kind gpflow.Kind
			v    gpflow.Value
			same bool
		}{
			{gpflow.KindInt, gpflow.Int(i), gpflow.Int(i).Int() == i},
			{gpflow.KindTimestamp, gpflow.Time(gpflow.Timestamp(i)), gpflow.Time(gpflow.Timestamp(i)).Time() == gpflow.Timestamp(i)},
			{gpflow.KindDuration, gpflow.Span(gpflow.Duration(i)), gpflow.Span(gpflow.Duration(i)).Span() == gpflow.Duration(i)},
			{gpflow.KindFloat, gpflow.Float(f), math.Float64bits(gpflow.Float(f).Float()) == math.Float64bits(f)},
			{gpflow.KindString, gpflow.String(s), gpflow.String(s).Str() == s},
			{gpflow.KindBytes, gpflow.Bytes(b), slices.Equal(gpflow.Bytes(b).Bytes(), b)},
			{gpflow.KindBool, gpflow.Bool(i > 0), gpflow.Bool(i > 0).Bool() == (i > 0)},
		} {
			if c.v.Kind() != c.kind || c.v.IsNull() || !c.same {
				t.Fatalf("a %s of %d, %g, %q came back otherwise (kind %s)", c.kind, i, f, s, c.v.Kind())
			}
		}
	})
}

func TestEmptyValuesAreNotNull(t *testing.T) {
	for _, v := range []gpflow.Value{gpflow.String(""), gpflow.Bytes(nil), gpflow.List(nil), gpflow.Map(nil)} {
		for _, v := range []gpflow.Value{v, v.Clone()} {
			if v.IsNull() || v.Kind() == gpflow.KindNull || v.Size() != 0 {
				t.Errorf("an empty value is %s of %d bytes", v.Kind(), v.Size())
			}
			if gpflow.Equal(v, gpflow.Null) {
				t.Errorf("an empty %s equals null", v.Kind())
			}
		}
	}
	if zero := (gpflow.Value{}); !zero.IsNull() || zero.Kind() != gpflow.KindNull {
		t.Error("the zero Value is not null")
	}
}

func TestListAndMapKeepTheirParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(anyValue(1), 0, 5).Draw(t, "parts")
		if got := gpflow.List(vs).List(); !slices.EqualFunc(got, vs, gpflow.Equal) {
			t.Fatalf("a list of %d values has %d others", len(vs), len(got))
		}
		last := make(map[string]gpflow.Value)
		var es []gpflow.Entry
		for _, v := range vs {
			key := rapid.StringN(0, 2, -1).Draw(t, "key")
			es = append(es, gpflow.Entry{Key: key, Value: v})
			last[key] = v
		}
		got := gpflow.Map(es).Map()
		if len(got) != len(last) || !slices.IsSortedFunc(got, func(a, b gpflow.Entry) int {
			if a.Key < b.Key {
				return -1
			}
			return 1
		}) {
			t.Fatalf("a map of %d keys has %d entries, or is not sorted", len(last), len(got))
		}
		for _, e := range got {
			if !gpflow.Equal(e.Value, last[e.Key]) {
				t.Fatalf("the entry %q is not the last one given", e.Key)
			}
		}
	})
}

func TestCompareIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyValue(2).Draw(t, "a"), anyValue(2).Draw(t, "b"), anyValue(2).Draw(t, "c")
		if gpflow.Compare(a, a) != 0 {
			t.Fatal("a value is not equal to itself")
		}
		if gpflow.Compare(a, b) != -gpflow.Compare(b, a) {
			t.Fatal("the order depends on the side")
		}
		if gpflow.Compare(a, b) <= 0 && gpflow.Compare(b, c) <= 0 && gpflow.Compare(a, c) > 0 {
			t.Fatal("the order is not transitive")
		}
		if gpflow.Equal(a, b) != (gpflow.Compare(a, b) == 0) {
			t.Fatal("Equal and Compare disagree")
		}
		if !a.IsNull() && gpflow.Compare(gpflow.Null, a) >= 0 {
			t.Fatal("null does not come first")
		}
	})
}

func TestCompareFloats(t *testing.T) {
	nan := gpflow.Float(math.NaN())
	if !gpflow.Equal(nan, gpflow.Float(math.NaN())) {
		t.Error("NaN differs from NaN")
	}
	if gpflow.Compare(nan, gpflow.Float(math.Inf(-1))) >= 0 {
		t.Error("NaN does not come before the numbers")
	}
	if !gpflow.Equal(gpflow.Float(0), gpflow.Float(math.Copysign(0, -1))) {
		t.Error("0.0 differs from -0.0")
	}
}

// memory is a piece of memory that a value points to.
type memory struct{ from, to uintptr }

// memories appends the memory of v and of its parts.
func memories(dst []memory, v gpflow.Value) []memory {
	add := func(p unsafe.Pointer, n int) {
		if n > 0 {
			dst = append(dst, memory{uintptr(p), uintptr(p) + uintptr(n)})
		}
	}
	switch v.Kind() {
	case gpflow.KindString, gpflow.KindBytes:
		add(unsafe.Pointer(unsafe.SliceData(v.Bytes())), len(v.Bytes()))
	case gpflow.KindList:
		add(unsafe.Pointer(unsafe.SliceData(v.List())), 16*len(v.List()))
		for _, e := range v.List() {
			dst = memories(dst, e)
		}
	case gpflow.KindMap:
		add(unsafe.Pointer(unsafe.SliceData(v.Map())), 32*len(v.Map()))
		for _, e := range v.Map() {
			add(unsafe.Pointer(unsafe.StringData(e.Key)), len(e.Key))
			dst = memories(dst, e.Value)
		}
	}
	return dst
}

func TestCloneSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		c := v.Clone()
		if !gpflow.Equal(v, c) || v.Kind() != c.Kind() || v.Size() != c.Size() {
			t.Fatalf("the clone of a %s is another value", v.Kind())
		}
		for _, a := range memories(nil, v) {
			for _, b := range memories(nil, c) {
				if a.from < b.to && b.from < a.to {
					t.Fatal("the clone shares memory with the value")
				}
			}
		}
	})
}

func TestTimestampAddStaysWithinTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := gpflow.Timestamp(rapid.Int64().Draw(t, "at"))
		d := gpflow.Duration(rapid.Int64().Draw(t, "d"))
		got := at.Add(d)
		if d >= 0 && got < at || d <= 0 && got > at {
			t.Fatalf("%d + %d = %d: wrapped", at, d, got)
		}
		if got != gpflow.MaxTimestamp && got != gpflow.MinTimestamp && int64(got)-int64(d) != int64(at) {
			t.Fatalf("%d + %d = %d", at, d, got)
		}
	})
}

func TestMakeScalars(t *testing.T) {
	if got := gpflow.MakeScalars(0); len(got) != 0 {
		t.Errorf("there are %d", len(got))
	}
	row := gpflow.MakeScalars(6)
	for i, v := range row {
		if !v.IsNull() {
			t.Errorf("value %d is %v at first", i, v)
		}
	}
	want := []gpflow.Value{gpflow.Int(-1), gpflow.Float(2.5), gpflow.Bool(true), gpflow.Time(3), gpflow.Span(-4), gpflow.Null}
	copy(row, want)
	runtime.GC()
	for i, v := range want {
		if row[i].Kind() != v.Kind() || gpflow.Compare(row[i], v) != 0 {
			t.Errorf("value %d is %v, want %v", i, row[i], v)
		}
	}
}
