package gpflow_test

import (
	"testing"

	"github.com/gpflow/gpflow"
)

// BenchmarkBuilder is a row built and copied into another batch, as an
// exchange does it.
func BenchmarkBuilder(b *testing.B) {
	s := batchSchema()
	w, out := gpflow.NewBuilder(s), gpflow.NewBuilder(s)
	text := gpflow.String("some text")
	b.ReportAllocs()
	for n := 0; n < b.N; n += gpflow.BatchRows {
		for i := range gpflow.BatchRows {
			row := w.Row(gpflow.Timestamp(i))
			row[0], row[1] = gpflow.Int(int64(i)), text
			w.Place("file", int64(i), 0)
		}
		in := w.Take()
		for i := range in.N {
			out.AppendFrom(in, i)
		}
		in.Release()
		out.Take().Release()
	}
}

// BenchmarkKey is the key of a row written and hashed.
func BenchmarkKey(b *testing.B) {
	s := batchSchema()
	k, err := gpflow.NewKeyer(s, []string{"s", "n"})
	if err != nil {
		b.Fatal(err)
	}
	row := []gpflow.Value{gpflow.Int(7), gpflow.String("a user's name"), gpflow.Null}
	var key []byte
	var sum uint64
	b.ReportAllocs()
	for b.Loop() {
		key = k.Append(key[:0], row)
		sum += gpflow.HashKey(key)
	}
	if sum == 0 {
		b.Fatal("no hash")
	}
}
