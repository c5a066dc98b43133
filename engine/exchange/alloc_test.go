//go:build !race

package exchange_test

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// The race detector makes pools forget, so this is not built with it.

func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := numbers()
	for name, open := range map[string]func(*receivers) *exchange.Output{
		"forward":   func(r *receivers) *exchange.Output { return exchange.NewForward(s, r.channels[0]) },
		"rebalance": func(r *receivers) *exchange.Output { return exchange.NewRebalance(s, r.channels) },
		"broadcast": func(r *receivers) *exchange.Output { return exchange.NewBroadcast(s, r.channels) },
		"hash":      func(r *receivers) *exchange.Output { return exchange.NewHash(s, r.channels, keyer(t, s), 1024) },
		"computed": func(r *receivers) *exchange.Output {
			return exchange.NewHashComputed(s, r.channels, keyer(t, s).Append, 1024)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(2)
			o := open(r)
			w := gpflow.NewBuilder(s)
			run := func() {
				for range 16 {
					for i := range 300 {
						w.Row(0)[0] = gpflow.Int(int64(i))
					}
					w.Mark(1)
					o.Push(w.Take())
				}
				for _, x := range r.inboxes {
					for {
						_, e, ok := x.Take()
						if !ok {
							break
						}
						e.Batch.Release()
					}
				}
			}
			run()
			if n := testing.AllocsPerRun(50, run); n > 4 {
				t.Errorf("%v allocations for 4800 rows in 16 batches", n)
			}
		})
	}
}
