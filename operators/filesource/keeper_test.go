package filesource

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// TestValuesStay: what has been read does not change as reading goes on,
// whether strings are a small part of their records, or most of them, or stand
// in lists.
func TestValuesStay(t *testing.T) {
	text, list := gpflow.T(gpflow.KindString), gpflow.ListOf(gpflow.T(gpflow.KindString))
	for name, typ := range map[string]gpflow.Type{"text": text, "list": list} {
		t.Run(name, func(t *testing.T) {
			schema := gpflow.NewSchema(
				gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
				gpflow.Column{Name: "s", Type: typ},
				gpflow.Column{Name: "b", Type: gpflow.T(gpflow.KindBytes).Opt()},
				gpflow.Column{Name: "rest", Type: text},
			)
			const records = 20_000
			value := func(i int) string { return strings.Repeat(fmt.Sprint("v", i, " "), 1+i%7*(i%5)) }
			var file strings.Builder
			for i := range records {
				s := fmt.Sprintf("%q", value(i))
				if name == "list" {
					s = "[" + s + "]"
				}
				fmt.Fprintf(&file, `{"n":%d,"s":%s,"b":"AAEC","rest":"%s"}`+"\n", i, s, strings.Repeat("-", i%150))
			}
			path := write(t, "a.json", []byte(file.String()))
			read := schema.Select(func(column string) bool { return column != "rest" })
			s := open(t, options{vals: vals{"path": []string{path}, "schema": schema}, read: read})
			r, err := s.Reader(&gpflow.ReaderContext{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Assign(discover(t, s)[0], nil); err != nil {
				t.Fatal(err)
			}
			var all []*gpflow.Batch
			out := gpflow.NewReading(read)
			for done := false; !done; {
				p, err := r.Poll(context.Background(), out)
				if err != nil {
					t.Fatal(err)
				}
				done = p.Ended != ""
				if b, _, _, _ := out.TakeReading(); b != nil {
					all = append(all, b)
				}
			}
			i := 0
			for _, b := range all {
				for k := range b.N {
					row := b.Row(k)
					got := row[1]
					if name == "list" {
						got = got.List()[0]
					}
					if row[0].Int() != int64(i) || got.Str() != value(i) || string(row[2].Bytes()) != "\x00\x01\x02" {
						t.Fatalf("row %d is %s", i, gpflow.RowJSON(nil, read, row))
					}
					i++
				}
			}
			if i != records {
				t.Fatalf("%d rows, want %d", i, records)
			}
		})
	}
}
