package state

import (
	"fmt"
	"testing"

	"github.com/gpflow/gpflow"
)

type hashed struct {
	key  []byte
	hash uint64
}

// benchKeys returns n keys of one string column.
func benchKeys(n int) []hashed {
	keys := make([]hashed, n)
	for i := range keys {
		k := gpflow.AppendKey(nil, gpflow.String(fmt.Sprint("user-", i)))
		keys[i] = hashed{k, gpflow.HashKey(k)}
	}
	return keys
}

func BenchmarkUpsert(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeys(n)
			p := newPanesOf(b, 1024, 0, 1024, 2)
			for i := range keys {
				row, _ := p.Upsert(0, keys[i].key, keys[i].hash)
				row[0], row[1] = gpflow.Int(0), gpflow.Int(0)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				k := &keys[uint32(i)*2654435761%uint32(n)]
				row, _ := p.Upsert(0, k.key, k.hash)
				row[0] = gpflow.Int(row[0].Int() + 1)
			}
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeys(n)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				p := newPanesOf(b, 1024, 0, 1024, 2)
				for i := range keys {
					p.Upsert(0, keys[i].key, keys[i].hash)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		})
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPanesOf(b, 1024, 0, 1024, 2)
			for _, k := range benchKeys(n) {
				p.Upsert(0, k.key, k.hash)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				p.get(0).order = nil
				var c gpflow.Cursor
				for ok := true; ok; {
					c, _, _, ok = p.Next(0, c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		})
	}
}
