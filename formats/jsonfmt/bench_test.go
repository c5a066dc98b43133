package jsonfmt_test

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/jsonfmt"
)

const orderLine = `{"id":123456,"user":"user-000421","country":"DE","status":"ok","amount":123.45,"qty":3,"ts_ms":1700000123456,"ts":"2023-11-14T22:15:23.456Z","note":"lorem ipsum dolor"}`

func order() *gpflow.Schema {
	return gpflow.NewSchema(col("id", gpflow.KindInt), col("user", gpflow.KindString), col("country", gpflow.KindString),
		col("status", gpflow.KindString), col("amount", gpflow.KindFloat), col("qty", gpflow.KindInt),
		col("ts_ms", gpflow.KindInt), col("ts", gpflow.KindTimestamp), col("note", gpflow.KindString))
}

// decode returns what decodes rec of schema s, the named columns or all.
func decode(tb testing.TB, s *gpflow.Schema, rec string, names ...string) (step func()) {
	read := s.Select(func(n string) bool { return names == nil || slices.Contains(names, n) })
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: read})
	if err != nil {
		tb.Fatal(err)
	}
	row := make([]gpflow.Value, read.Width())
	data := []byte(rec)
	return func() {
		if err := d.Decode(data, row); err != nil {
			tb.Fatal(err)
		}
	}
}

// encode returns what writes row, and the bytes of it.
func encode(tb testing.TB, s *gpflow.Schema, row ...gpflow.Value) (step func(), size int) {
	e, err := jsonfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		tb.Fatal(err)
	}
	dst, err := e.Append(nil, row)
	if err != nil {
		tb.Fatal(err)
	}
	return func() {
		if dst, err = e.Append(dst[:0], row); err != nil {
			tb.Fatal(err)
		}
	}, len(dst)
}

func encodeOrder(tb testing.TB) (step func(), size int) {
	s := order().Select(func(n string) bool { return slices.Contains([]string{"id", "user", "amount", "ts"}, n) })
	return encode(tb, s, gpflow.Int(123456), gpflow.String("user-000421"), gpflow.Float(123.45), gpflow.Time(1700000123456000))
}

func bench(b *testing.B, step func(), size int) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

func BenchmarkDecode9(b *testing.B) { bench(b, decode(b, order(), orderLine), len(orderLine)) }

func BenchmarkDecode4(b *testing.B) {
	bench(b, decode(b, order(), orderLine, "id", "status", "amount", "qty"), len(orderLine))
}

// BenchmarkDecode0 passes over every value.
func BenchmarkDecode0(b *testing.B) { bench(b, decode(b, order(), orderLine, ""), len(orderLine)) }

func BenchmarkEncode4(b *testing.B) {
	step, size := encodeOrder(b)
	bench(b, step, size)
}

// rich returns a schema of the types that orders do not have.
func rich() *gpflow.Schema {
	text := gpflow.T(gpflow.KindString)
	return gpflow.NewSchema(
		gpflow.Column{Name: "s", Type: text},
		gpflow.Column{Name: "tags", Type: gpflow.ListOf(text)},
		gpflow.Column{Name: "m", Type: gpflow.MapOf(gpflow.T(gpflow.KindInt))},
		gpflow.Column{Name: "any", Type: gpflow.T(gpflow.KindAny)},
		gpflow.Column{Name: "b", Type: gpflow.T(gpflow.KindBytes)},
		gpflow.Column{Name: "o.at", Type: gpflow.Type{Kind: gpflow.KindTimestamp, Layout: "%Y/%m/%d %H:%M"}},
	)
}

const richLine = `{"x":[1,{"y":null}],"s":"a\nb\u00e9","tags":["a","b"],"m":{"b":1,"a":2},"any":{"k":[1,2.5,null]},"b":"aGVsbG8=","o":{"at":"2001/01/14 21:55"}}`

func TestAllocations(t *testing.T) {
	richRow := []gpflow.Value{
		gpflow.String("a\nb"), gpflow.List([]gpflow.Value{gpflow.String("x")}), gpflow.Map([]gpflow.Entry{{Key: "k", Value: gpflow.Int(1)}}),
		gpflow.Span(90 * gpflow.Minute), gpflow.Bytes([]byte("hello")), gpflow.Time(0),
	}
	encodeOrder, _ := encodeOrder(t)
	encodeRich, _ := encode(t, rich(), richRow...)
	for name, tc := range map[string]struct {
		step func()
		most float64
	}{
		"decode all":                  {decode(t, order(), orderLine), 0},
		"decode some":                 {decode(t, order(), orderLine, "id", "ts"), 0},
		"encode":                      {encodeOrder, 0},
		"encode rich":                 {encodeRich, 0},
		"decode escapes, lists, maps": {decode(t, rich(), richLine), 0.05},
	} {
		tc.step()
		if n := testing.AllocsPerRun(20000, tc.step); n > tc.most {
			t.Errorf("%s: %v allocations a record", name, n)
		}
	}
}
