//go:build !race

package engine

import (
	"context"
	"testing"

	"github.com/gpflow/gpflow"
)

// The race detector makes pools forget, so this is not built with it.

// idleSink takes batches and does nothing with them.
type idleSink struct{ gpflow.Sink }

func (idleSink) Write(context.Context, *gpflow.Batch, func(int, error) error) error { return nil }

// TestWritingAllocatesNothing: at a low rate a batch is a row, and what is
// allocated for a batch is so for each record.
func TestWritingAllocatesNothing(t *testing.T) {
	w := &writer{sink: idleSink{}, meter: &meter{}}
	w.failed = w.fail
	rows := gpflow.NewBuilder(gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}))
	write := func() {
		rows.Row(0)[0] = gpflow.Int(1)
		if err := w.write(t.Context(), rows.Take()); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if n := testing.AllocsPerRun(100, write); n >= 1 {
		t.Errorf("writing a batch of one row allocates %v times", n)
	}
}
