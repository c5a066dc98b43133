//go:build !race

package part_test

import (
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/part"
)

// The race detector makes pools forget, so this is not built with it.

// TestAllocNothing: at a low rate a batch is a row, and what is allocated for a
// batch is so for each record.
func TestAllocNothing(t *testing.T) {
	schema := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	inbox := exchange.NewInbox(func() {})
	r := part.NewReader(part.ReaderConfig{
		Schema: schema, Out: inbox.Open(exchange.DefaultLimit, func() {}), Pace: part.NewPace(0), Most: 1,
		Publish: func(gpflow.Counts, gpflow.Timestamp) {},
	})
	w := part.NewWriter(part.WriterConfig{Inbox: inbox, Publish: func(gpflow.Counts) {}})
	now := time.Unix(1, 0)
	r.Assign(part.Assign{Split: gpflow.Split{ID: "s"}}, now)
	turn := func() {
		if step, _ := r.Next(now); step != part.Poll {
			t.Fatalf("step %d of the reader, and not a poll", step)
		}
		r.Reading.Begin("s")
		r.Reading.Record(0, 0)[0] = gpflow.Int(1)
		if _, _, err := r.Polled(now, gpflow.Progress{}, nil); err != nil {
			t.Fatal(err)
		}
		if step, _ := w.Next(now); step != part.Write {
			t.Fatalf("step %d of the writer, and not a write", step)
		}
		if _, _, err := w.Done(now, gpflow.Prepared{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n >= 1 {
		t.Errorf("a batch of one row allocates %v times", n)
	}
}
