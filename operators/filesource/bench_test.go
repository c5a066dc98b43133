package filesource

import (
	"context"
	"testing"

	"github.com/gpflow/gpflow"
)

// BenchmarkRead reads a file of JSON lines from the page cache.
func BenchmarkRead(b *testing.B) {
	const records = 200_000
	path := write(b, "a.json", lines(records))
	for _, c := range []struct{ name, keep string }{{"all", ""}, {"ints", "n"}} {
		b.Run(c.name, func(b *testing.B) {
			read := userSchema.Select(func(name string) bool { return c.keep == "" || name == c.keep })
			s := open(b, options{vals: vals{"path": []string{path}, "schema": userSchema}, read: read})
			split := discover(b, s)[0]
			out := gpflow.NewReading(read)
			b.ReportAllocs()
			for b.Loop() {
				r, err := s.Reader(&gpflow.ReaderContext{})
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Assign(split, nil); err != nil {
					b.Fatal(err)
				}
				for done := false; !done; {
					p, err := r.Poll(context.Background(), out)
					if err != nil {
						b.Fatal(err)
					}
					done = p.Ended != ""
					if batch, _, _, _ := out.TakeReading(); batch != nil {
						batch.Release()
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}
