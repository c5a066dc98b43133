package part_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
)

// skipped is a gpflow.FailurePolicy that leaves out what fails.
type skipped struct{}

func (skipped) Failed(*gpflow.Batch, int, error, *gpflow.Builder) (gpflow.Action, error) {
	return gpflow.ActionSkip, nil
}

// TestAWriteMadeAgainCountsOnce: what a sink has refused of a batch before its call
// failed for the time being is refused again, and counts once.
func TestAWriteMadeAgainCountsOnce(t *testing.T) {
	inbox := exchange.NewInbox(func() {})
	in := inbox.Open(exchange.DefaultLimit, func() {})
	var counts gpflow.Counts
	var told []any
	w := part.NewWriter(part.WriterConfig{
		Name: job.Writer{Sink: "s"}, Inbox: inbox, Failures: skipped{}, Publish: func(c gpflow.Counts) { counts = c },
		Report: part.Report{Send: func(e job.Event) { told = append(told, e) }},
		Retry: part.Retry{
			On:   plan.OnError{Action: gpflow.ActionRetry, Retries: 1, Backoff: gpflow.Second},
			Told: func(int, time.Duration, error) {},
		},
	})
	rows := gpflow.NewBuilder(gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}))
	for i := range 3 {
		rows.Row(0)[0] = gpflow.Int(int64(i))
	}
	in.Send(exchange.Event{Batch: rows.Take()})
	now := time.Unix(1, 0)
	attempt := func(err error) (part.Step, time.Duration) {
		t.Helper()
		if step, _ := w.Next(now); step != part.Write {
			t.Fatalf("step %d, and not a write", step)
		}
		if err := w.Fail(1, errors.New("refused")); err != nil {
			t.Fatal(err)
		}
		step, pause, err := w.Done(now, gpflow.Prepared{}, err)
		if err != nil {
			t.Fatal(err)
		}
		return step, pause
	}
	if step, pause := attempt(&gpflow.Transient{Err: errors.New("passing")}); step != part.Rest || pause != time.Second {
		t.Errorf("step %d, after %s", step, pause)
	}
	if step, pause := w.Next(now.Add(time.Millisecond)); step != part.Rest || pause != 999*time.Millisecond {
		t.Errorf("step %d, after %s, before the pause has passed", step, pause)
	}
	now = now.Add(time.Second)
	attempt(nil)
	if counts.In != 3 || counts.Skipped != 1 || counts.Balance() != 0 {
		t.Errorf("the ledger of 3 rows, of which one was refused: %+v", counts)
	}
	in.Send(exchange.Event{Kind: exchange.End})
	if step, _ := w.Next(now); step != part.Again || len(told) != 1 || told[0] != (job.Ended{Writer: job.Writer{Sink: "s"}}) {
		t.Errorf("step %d, and %v is said, at an end before that of the input", step, told)
	}
}
