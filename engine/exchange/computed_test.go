package exchange_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// TestComputedKeys: rows whose computed keys are alike go to one channel, and it is
// the one that columns with those bytes lead to.
func TestComputedKeys(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		all, says := stream(t, s, false)
		n, groups := rapid.IntRange(1, 4).Draw(t, "channels"), rapid.SampledFrom([]int{4, 128, 1024}).Draw(t, "groups")
		r := receive(n)
		last := func(dst []byte, row []gpflow.Value) []byte { return gpflow.AppendKey(dst, gpflow.Int(row[0].Int()%10)) }
		channels := push(t, exchange.NewHashComputed(s, r.channels, last, groups), r, all)
		owner := func(row string) int {
			key := gpflow.AppendKey(nil, gpflow.Int(int64(row[len(row)-1]-'0')))
			return keygroup.Owner(keygroup.Of(gpflow.HashKey(key), groups), groups, n)
		}
		for i, got := range channels {
			checkMarks(t, i, says, got, func(row string) bool { return owner(row) == i })
		}
	})
}

// BenchmarkHash spreads rows over 3 channels by an int.
func BenchmarkHash(b *testing.B) {
	s := numbers()
	k := keyer(b, s)
	for name, open := range map[string]func(*receivers) *exchange.Output{
		"columns":  func(r *receivers) *exchange.Output { return exchange.NewHash(s, r.channels, k, 1024) },
		"computed": func(r *receivers) *exchange.Output { return exchange.NewHashComputed(s, r.channels, k.Append, 1024) },
	} {
		b.Run(name, func(b *testing.B) {
			r := receive(3)
			o := open(r)
			batch := count(s, 0, 1000)
			b.ReportAllocs()
			for i := 0; i < b.N; i += batch.N {
				batch.Retain()
				o.Push(batch)
				for _, x := range r.inboxes {
					for _, e, ok := x.Take(); ok; _, e, ok = x.Take() {
						e.Batch.Release()
					}
				}
			}
		})
	}
}
