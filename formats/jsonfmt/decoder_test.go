package jsonfmt_test

import (
	"fmt"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/jsonfmt"
)

func ExampleDecoder() {
	s := gpflow.NewSchema(
		gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "amount", Type: gpflow.T(gpflow.KindInt)},
	)
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		panic(err)
	}
	for _, rec := range []string{
		`{"user": "ada", "amount": 12e2, "note": [1, {}]}`,
		`{"user": "ada", "amount": "12"}`,
		`{"user": "ada", "amount": 1.5}`,
		`{"user": "ada", "amount": 92233720368547758070}`,
		`{"user": "ada"}`,
		`{"user": null, "amount": 1}`,
		`{"user": "ada", "amount": 1`,
		`{"user": "ada", "amount": 1} x`,
	} {
		row := make([]gpflow.Value, 2)
		if err := d.Decode([]byte(rec), row); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(row[0].Str(), row[1].Int())
	}
	// Output:
	// ada 1200
	// column 27: field amount: found the string "12", want a whole number (int)
	// column 27: field amount: found the number 1.5, want a whole number (int)
	// column 27: field amount: the number 92233720368547758070 is beyond the 64 bits of an int; declare float or string
	// field amount: the record does not have it, and it is not optional; want a whole number (int)
	// column 10: field user: found null, want a string; declare it optional if it may be null
	// column 28: a comma or } is wanted; the record ends here
	// column 30: there is something after the end of the record
}

func order() *gpflow.Schema {
	c := func(n string, k gpflow.Kind) gpflow.Column { return gpflow.Column{Name: n, Type: gpflow.T(k)} }
	return gpflow.NewSchema(c("id", gpflow.KindInt), c("user", gpflow.KindString), c("country", gpflow.KindString),
		c("status", gpflow.KindString), c("amount", gpflow.KindFloat), c("qty", gpflow.KindInt),
		c("ts_ms", gpflow.KindInt), c("ts", gpflow.KindTimestamp), c("note", gpflow.KindString))
}

const orderLine = `{"id":123456,"user":"user-000421","country":"DE","status":"ok","amount":123.45,"qty":3,"ts_ms":1700000123456,"ts":"2023-11-14T22:15:23.456Z","note":"lorem ipsum dolor"}`

func benchDecode(b *testing.B, cols ...string) {
	s := order()
	read := s
	if cols != nil {
		read = s.Select(func(n string) bool {
			for _, c := range cols {
				if c == n {
					return true
				}
			}
			return false
		})
	}
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: read})
	if err != nil {
		b.Fatal(err)
	}
	row := make([]gpflow.Value, read.Width())
	rec := []byte(orderLine)
	b.SetBytes(int64(len(rec)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(rec, row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode9(b *testing.B) { benchDecode(b) }
func BenchmarkDecode4(b *testing.B) { benchDecode(b, "id", "status", "amount", "qty") }

func BenchmarkEncode4(b *testing.B) {
	s := order().Select(func(n string) bool { return n == "id" || n == "user" || n == "amount" || n == "ts" })
	e, err := jsonfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		b.Fatal(err)
	}
	row := []gpflow.Value{gpflow.Int(123456), gpflow.String("user-000421"), gpflow.Float(123.45), gpflow.Time(1700000123456000)}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = e.Append(dst[:0], row); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}
