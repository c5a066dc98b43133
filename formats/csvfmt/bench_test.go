package csvfmt_test

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/csvfmt"
)

const orderHeader = "id,user,country,status,amount,qty,ts_ms,ts,note\n"

const orderRecord = `123456,user-000421,DE,ok,123.45,3,1700000123456,2023-11-14T22:15:23.456Z,lorem ipsum dolor` + "\n"

func order() *gpflow.Schema {
	return gpflow.NewSchema(col("id", gpflow.KindInt), col("user", gpflow.KindString), col("country", gpflow.KindString),
		col("status", gpflow.KindString), col("amount", gpflow.KindFloat), col("qty", gpflow.KindInt),
		col("ts_ms", gpflow.KindInt), col("ts", gpflow.KindTimestamp), col("note", gpflow.KindString))
}

// orders returns what frames and decodes one order, of the named columns or of
// all.
func orders(tb testing.TB, record string, names ...string) (step func()) {
	s := order()
	read := s.Select(func(n string) bool { return names == nil || slices.Contains(names, n) })
	d := decoder(tb, formats.DecoderOptions{Declared: s, Read: read})
	if _, _, _, err := d.Frame([]byte(orderHeader), false); err != nil {
		tb.Fatal(err)
	}
	row := make([]gpflow.Value, read.Width())
	data := []byte(record)
	return func() {
		n, rec, _, err := d.Frame(data, false)
		if n != len(data) || err != nil {
			tb.Fatal(n, err)
		}
		if err := d.Decode(rec, row); err != nil {
			tb.Fatal(err)
		}
	}
}

func bench(b *testing.B, step func(), size int) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

func BenchmarkDecode9(b *testing.B) { bench(b, orders(b, orderRecord), len(orderRecord)) }

func BenchmarkDecode4(b *testing.B) {
	bench(b, orders(b, orderRecord, "id", "status", "amount", "qty"), len(orderRecord))
}

// encode returns what writes one row of four columns.
func encode(tb testing.TB) (step func(), size int) {
	s := order().Select(func(n string) bool { return slices.Contains([]string{"id", "user", "amount", "ts"}, n) })
	e, err := csvfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		tb.Fatal(err)
	}
	row := []gpflow.Value{gpflow.Int(123456), gpflow.String("user-000421"), gpflow.Float(123.45), gpflow.Time(1700000123456000)}
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

func BenchmarkEncode4(b *testing.B) {
	step, size := encode(b)
	bench(b, step, size)
}

func TestAllocations(t *testing.T) {
	step, _ := encode(t)
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Append: %v allocations a row", n)
	}
	if n := testing.AllocsPerRun(1000, orders(t, orderRecord)); n != 0 {
		t.Errorf("Decode: %v allocations a record", n)
	}
	quotes := `1,"a ""b"" c",DE,"x, y",1,3,5,"2023-11-14T22:15:23Z","n"` + "\n"
	if n := testing.AllocsPerRun(1000, orders(t, quotes)); n > 0.01 {
		t.Errorf("Decode of fields in quotes: %v allocations a record", n)
	}
}
