package sim

import (
	"context"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
)

// commit is a message to a writer.
type commit struct {
	id          gpflow.CheckpointID
	part        checkpoint.Part // that has prepared it
	committable gpflow.Committable
}

// writer does what the engine's writer does.
type writer struct {
	a      *attempt
	node   *node
	id     job.Writer
	inbox  *exchange.Inbox
	link   *link
	sink   gpflow.Sink
	report reporter
	last   gpflow.CheckpointID
	rows   int64 // written in this attempt
}

func (w *writer) receive(m any) error {
	if m, ok := m.(commit); ok {
		w.a.visible(m.part, m.committable)
		if err := w.sink.Commit(context.Background(), m.committable); err != nil {
			return err
		}
		w.report.send(job.Point{CoordinatorEvent: checkpoint.Committed{ID: m.id, Part: m.part}})
	}
	return nil
}

func (w *writer) prepare(id gpflow.CheckpointID, final bool) (checkpoint.Snapshot, error) {
	p, err := w.sink.Prepare(context.Background(), id, final)
	w.last = id
	return checkpoint.Snapshot{Data: resume.Encode(resume.Writer{State: p.State}), Committable: p.Committable}, err
}

func (w *writer) work() (bool, error) {
	_, e, ok := w.inbox.Take()
	if !ok {
		return false, nil
	}
	switch e.Kind {
	case exchange.Data:
		w.rows += int64(e.Batch.N)
		if err := w.sink.Write(context.Background(), e.Batch, nil); err != nil {
			return false, err
		}
		e.Batch.Release()
	case exchange.Barrier:
		if e.Checkpoint <= w.last {
			break
		}
		if want := w.link.ahead(e.Checkpoint); w.rows != want {
			w.a.broken("C1", "%s prepares %d rows for checkpoint %d, and %d precede its barrier", w.node.name, w.rows, e.Checkpoint, want)
		}
		s, err := w.prepare(e.Checkpoint, false)
		if err != nil {
			return false, err
		}
		w.report.acknowledge(e.Checkpoint, s)
	case exchange.End:
		if e.Drained {
			s, err := w.prepare(w.last+1, true)
			if err != nil {
				return false, err
			}
			w.report.gone(s)
		}
		w.report.send(job.Ended{Writer: w.id, Drained: e.Drained})
	}
	return true, nil
}
