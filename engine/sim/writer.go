package sim

import (
	"context"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/part"
)

// writer drives the machine of a writer.
type writer struct {
	*part.Writer
	a    *attempt
	node *node
	link *link
	sink gpflow.Sink
	rows int64 // written in this attempt
}

func (w *writer) receive(m any) error {
	if m, ok := m.(checkpoint.Commit); ok {
		w.Commit(m)
	}
	return nil
}

func (w *writer) work() (bool, error) {
	step, pause := w.Next(w.a.clock())
	var err error
	if step != part.Rest && step != part.Again {
		p, failed := w.call(step)
		step, pause, err = w.Done(w.a.clock(), p, failed)
	}
	w.a.after(w.node, pause)
	return step == part.Again, err
}

// call makes a call of the sink, and looks at what it is for.
func (w *writer) call(step part.Step) (p gpflow.Prepared, err error) {
	ctx := context.Background()
	if w.a.passes() {
		return p, errPassing
	}
	switch step {
	case part.Write:
		w.rows += int64(w.Batch().N)
		return p, w.sink.Write(ctx, w.Batch(), w.Fail)
	case part.Prepare:
		id, final := w.Point()
		if want := w.link.ahead(id); !final && w.rows != want {
			w.a.broken("C1", "%s prepares %d rows for checkpoint %d, and %d precede its barrier", w.node.name, w.rows, id, want)
		}
		return w.sink.Prepare(ctx, id, final)
	default:
		c := w.Committable()
		w.a.visible(c.Part, c.Committable)
		return p, w.sink.Commit(ctx, c.Committable)
	}
}
