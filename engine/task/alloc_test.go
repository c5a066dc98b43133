//go:build !race

package task_test

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/task"
)

// TestSteadyStateAllocatesNothing: the race detector makes pools forget, so
// that this is not counted under it.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := numbers()
	head, child := link("head", &script{process: passOn}, 0, s), link("child", &script{process: passOn}, 0, s)
	head.Children[0] = []*task.Link{child}
	out := read(child, 0, s, plenty)
	r := newRig(1, head, child)
	r.schema = s
	w := gpflow.NewBuilder(s)
	run := func() {
		for range 1024 {
			w.Row(1)[0] = gpflow.Int(1)
		}
		w.Mark(1)
		r.channels[0].Send(exchange.Event{Batch: w.Take()})
		for {
			if p, err := r.Step(); err != nil || p == task.Idle {
				break
			}
		}
		for {
			_, e, ok := out.inbox.Take()
			if !ok {
				break
			}
			e.Batch.Release()
		}
	}
	for range 10 {
		run()
	}
	if n := testing.AllocsPerRun(100, run); n > 2 {
		t.Errorf("%v allocations for a batch of 1024 rows through two operators", n)
	}
}
