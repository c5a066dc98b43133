package part_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/task"
)

// TestRestBehindWhatWasReached: a reader that goes on from a checkpoint, and has no
// split, says how far time had come, and then that it holds it no longer: whether it
// has had its first turn when it is told to rest, or not.
func TestRestBehindWhatWasReached(t *testing.T) {
	for _, early := range []bool{false, true} {
		inbox := exchange.NewInbox(func() {})
		r := part.NewReader(part.ReaderConfig{
			Schema: gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}),
			Out:    inbox.Open(exchange.DefaultLimit, func() {}), Pace: part.NewPace(0), Most: 1,
			Publish: func(gpflow.Counts, gpflow.Timestamp) {},
		})
		r.Resume(task.ReaderState{Watermark: 7})
		turns := func() {
			for step := part.Again; step == part.Again; {
				step, _ = r.Next(time.Unix(1, 0))
			}
		}
		if !early {
			turns()
		}
		r.Tell(job.Pending{})
		r.Tell(job.Rest{})
		turns()
		var said []string
		for _, e, ok := inbox.Take(); ok; _, e, ok = inbox.Take() {
			if e.Kind == exchange.Idle {
				said = append(said, "idle")
				continue
			}
			said = append(said, fmt.Sprint(e.Batch.Marks[0].Time))
		}
		if want := []string{fmt.Sprint(gpflow.Timestamp(7)), "idle"}; !slices.Equal(said, want) {
			t.Errorf("told to rest before its first turn: %t; it says %v, and not %v", early, said, want)
		}
	}
}
