package state

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

func intKey(dst []byte, n uint64) []byte { return gpflow.AppendKey(dst, gpflow.Int(int64(n))) }

// TestTouch: it changes nothing, whatever it is asked for and however large the
// pane is.
func TestTouch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(0, 2).Draw(t, "width")
		p := newPanesOf(t, 8, 0, 8, width)
		n := rapid.SampledFrom([]int{0, 1, touchLen - 1, touchLen, 2 * touchLen}).Draw(t, "keys")
		hashes := make([]uint64, rapid.IntRange(0, 3*touchRows).Draw(t, "touched"))
		for i := range hashes {
			k := intKey(nil, uint64(rapid.IntRange(0, 2*n).Draw(t, "key")))
			hashes[i] = gpflow.HashKey(k)
		}
		for i := range n {
			if i%4096 == 0 {
				p.Touch(0, hashes)
			}
			k := intKey(nil, uint64(i))
			row, fresh := p.Upsert(0, k, gpflow.HashKey(k))
			if !fresh {
				t.Fatalf("the key %d is there already", i)
			}
			if width > 0 {
				row[0] = gpflow.Int(int64(i))
			}
		}
		p.Touch(0, hashes)
		p.Touch(7, hashes)
		for i := range n {
			k := intKey(nil, uint64(i))
			row, fresh := p.Upsert(0, k, gpflow.HashKey(k))
			if fresh || width > 0 && row[0].Int() != int64(i) {
				t.Fatalf("the row of %d is %v", i, row)
			}
		}
		if p.Len(0) != n || p.Len(7) != 0 {
			t.Fatalf("%d and %d keys", p.Len(0), p.Len(7))
		}
	})
}

// BenchmarkTouch is the update of keys that come in no order, with and without
// Touch before every 64 of them.
func BenchmarkTouch(b *testing.B) {
	for _, n := range []uint64{10_000, 100_000, 1_000_000} {
		for _, touch := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/%t", n, touch), func(b *testing.B) {
				p := newPanesOf(b, 1024, 0, 1024, 2)
				var keys [touchRows][]byte
				var hashes [touchRows]uint64
				x := uint64(1)
				run := func() {
					for i := range keys {
						x = x*6364136223846793005 + 1442695040888963407
						keys[i] = intKey(keys[i][:0], x>>20%n)
						hashes[i] = gpflow.HashKey(keys[i])
					}
					if touch {
						p.Touch(0, hashes[:])
					}
					for i := range keys {
						row, _ := p.Upsert(0, keys[i], hashes[i])
						row[0] = gpflow.Int(row[0].Int() + 1)
					}
				}
				for range 8 * n / touchRows {
					run()
				}
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/touchRows, "ns/key")
			})
		}
	}
}
