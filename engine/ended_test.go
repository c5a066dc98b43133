package engine

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// pages has windows to close at the end, more than anybody waits for.
type pages struct {
	closed int // windows
	made   int // rows of the next one
}

const (
	manyPages = 1 << 20
	pageRows  = 1500
)

func (p *pages) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	out.Absorb(in.To - in.From)
	return in.To, nil
}

// NextMark implements gpflow.MarkStepper.
func (p *pages) NextMark() gpflow.Timestamp {
	if p.closed == manyPages {
		return gpflow.MaxTimestamp
	}
	return gpflow.Timestamp(1_000_000 + p.closed)
}

func (p *pages) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	for p.closed < manyPages && p.NextMark() <= t {
		for ; p.made < pageRows; p.made++ {
			if out.Full() {
				return false, nil
			}
			row := out.Create(t)
			row[0], row[1], row[2] = gpflow.Int(int64(p.closed)), gpflow.Time(t), gpflow.Int(int64(p.made))
		}
		p.closed, p.made = p.closed+1, 0
	}
	return true, nil
}

// TestEndedInput: checkpoints go on while a task that has come to the end of its
// input has much to emit, and a stop waits for none of it.
func TestEndedInput(t *testing.T) {
	w := newWorld(t, []plan.Task{
		inTask(1, source("source.a", at(0))),
		inTask(2, anOp("op.w", "op", "pages", clicks(), plan.Port{Schema: counts(), Read: true}), below(sink("sink.out", counts()), 0, 0)),
	}, joint("source.a", 0, 0, "op.w", plan.Hash, "k"))
	w.feeds["source.a"].splits["s"] = series(100, 100)
	out := w.stores["sink.out"]
	out.parts, out.wrote = true, make(chan struct{})
	points, look := keeping(t)
	run := w.start(Options{Checkpoints: points})
	go func() { _, _ = run.Wait() }() // its result is looked at below
	live := func(m *checkpoint.Manifest) bool {
		gone := func(kind checkpoint.Kind, name string) bool {
			p := m.Part(checkpoint.Part{Kind: kind, Name: name})
			return p != nil && p.Gone
		}
		return gone(checkpoint.Reader, "source.a") && gone(checkpoint.Task, "source.a") && !gone(checkpoint.Task, "op.w")
	}
	seen := gpflow.CheckpointID(0) // the first of these
	for stopping := false; ; {
		select {
		case <-out.wrote:
		case <-run.Done():
			r, err := run.Wait()
			if err != nil || r.Outcome != job.Stopped || !stopping {
				t.Errorf("the job %s: %v; stopped: %t", r.Outcome, err, stopping)
			}
			return
		}
		m, err := look.Current(t.Context())
		switch {
		case err != nil || !live(m): // none yet
		case seen == 0:
			seen = m.ID
		case m.ID > seen && !stopping:
			stopping = true
			run.Stop()
		}
	}
}
