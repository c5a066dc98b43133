package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
)

// TestMemoryIsBounded: with a stopped sink, what is in flight stays under the
// computed ceiling, whatever the backlog: 3 readers, 3 subtasks, rows of 1 MB.
func TestMemoryIsBounded(t *testing.T) {
	const row = 1 << 20
	for _, encode := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []plan.Task{
				inTask(3, source("source.a", at(0))),
				inTask(3, operator("op.x", "pass"), below(sink("sink.out", clicks()), 0, 0)),
			}, joint("source.a", 0, 0, "op.x", plan.Hash, "k"))
			text := strings.Repeat("x", row)
			rs := series(25, 100)
			for i := range rs {
				rs[i].text = text
			}
			for _, s := range []string{"a", "b", "c"} {
				w.feeds["source.a"].splits[s] = rs
			}
			gate := make(chan struct{})
			w.stores["sink.out"].gate = gate
			limit := exchange.Limit{Rows: 1000, Bytes: 1 << 20}
			run := w.start(Options{Limit: limit, EncodeLinks: encode})
			synctest.Wait() // everybody waits for the sink
			channels := 0
			total := int64(0)
			for _, p := range inboxes(run) {
				_, bytes := p.InFlight()
				// The limit, the batch that overdraws it, and nothing more.
				if most := limit.Bytes + gpflow.BatchBytes + row + 1<<16; bytes > most {
					t.Errorf("%d bytes are in flight on a channel, and %d may be", bytes, most)
				}
				channels++
				total += bytes
			}
			ceiling := Ceiling(&w.plan, limit, row)
			if total == 0 || channels != 3*3+3 || total > ceiling {
				t.Errorf("%d bytes are in flight on %d channels, and %d may be", total, channels, ceiling)
			}
			if in := nodeOf(t, run.Status(), "source.a").In; in == 0 || in*row > ceiling {
				t.Errorf("%d rows of 1 MB were read, and %d bytes may be in flight", in, ceiling)
			}
			close(gate)
			r, err := run.Wait()
			if err != nil || nodeOf(t, r.Status, "sink.out").Passed != 75 {
				t.Errorf("the job %s: %v", r.Outcome, err)
			}
		})
	}
}

// TestEndedInputBoundsTheOther: that one of the inputs of a stopped sink has come to
// the end of time lets no more of the other through.
func TestEndedInputBoundsTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []plan.Task{
			inTask(1, source("source.a", at(0))),
			inTask(1, source("source.b", at(0))),
			inTask(1, sink("sink.out", clicks())),
		}, joint("source.a", 0, 0, "sink.out", plan.Rebalance), joint("source.b", 0, 0, "sink.out", plan.Rebalance))
		w.feeds["source.a"].splits["a"] = series(20*gpflow.BatchRows, 100)
		w.feeds["source.b"].splits["b"] = series(1, 100)
		gate := make(chan struct{})
		w.stores["sink.out"].gate = gate
		limit := exchange.Limit{Rows: 1000, Bytes: 1 << 40}
		run := w.start(Options{Limit: limit, PollRows: 1})
		synctest.Wait() // everybody waits for the sink
		// On each of three channels the limit, and a batch for who is before and behind.
		if in, most := nodeOf(t, run.Status(), "source.a").In, 3*(limit.Rows+2*gpflow.BatchRows); in > most {
			t.Errorf("%d rows were read, and %d may be on their way", in, most)
		}
		close(gate)
		if r, err := run.Wait(); err != nil {
			t.Errorf("the job %s: %v", r.Outcome, err)
		}
	})
}

// TestLongestRecord: the sources say how long records get, and short ones fill
// a batch.
func TestLongestRecord(t *testing.T) {
	infer := func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} }
	r, err := gpflow.NewRegistry(&gpflow.Descriptor{
		Block: "source", Kind: "s", Doc: "It reads.", Infer: infer,
		Fields:    []gpflow.Field{{Name: "most", Kind: gpflow.FieldInt}},
		Traits:    func(c gpflow.Config) gpflow.Traits { return gpflow.Traits{MaxRecord: c.Int("most")} },
		NewSource: func(*gpflow.SourceContext) (gpflow.Source, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	op := func(block, config string) plan.Op {
		return plan.Op{Block: block, Kind: "s", Config: json.RawMessage(config)}
	}
	for _, c := range []struct {
		ops  []plan.Op
		want int64
	}{
		{[]plan.Op{op("source", `{"most":5000000}`), op("sink", "{}"), op("source", `{"most":4000000}`)}, 5_000_000},
		{[]plan.Op{op("source", `{"most":5}`)}, gpflow.BatchBytes},
		{[]plan.Op{op("source", `{"most":"?"}`)}, gpflow.BatchBytes},
	} {
		if got := LongestRecord(r, &plan.Plan{Tasks: []plan.Task{{Ops: c.ops}}}); got != c.want {
			t.Errorf("the longest record of %+v is %d, want %d", c.ops, got, c.want)
		}
	}
}

// inboxes returns the channels of the run that the ledger knows: those between
// tasks, and those to sinks.
func inboxes(r *Run) (cs []*exchange.Channel) {
	for _, e := range r.view.Load().edges {
		cs = append(cs, e.channels...)
	}
	return cs
}

// TestSlowSinkHoldsTheSource: the source is not read further than what fits.
func TestSlowSinkHoldsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, straight(1, "pass"))
		w.feeds["source.a"].splits["one"] = series(30000, 3)
		gate := make(chan struct{})
		w.stores["sink.out"].gate = gate
		run := w.start(Options{Limit: exchange.Limit{Rows: 100, Bytes: 1 << 20}})
		synctest.Wait()
		if in := nodeOf(t, run.Status(), "source.a").In; in > 2*(100+2*gpflow.BatchRows)+gpflow.BatchRows {
			t.Errorf("%d rows were read before a stopped sink", in)
		}
		polls := w.feeds["source.a"].polls
		synctest.Wait()
		if w.feeds["source.a"].polls != polls {
			t.Error("the source is polled while there is no room")
		}
		close(gate)
		if r, err := run.Wait(); err != nil || nodeOf(t, r.Status, "sink.out").Passed != 30000 {
			t.Errorf("the job %s: %v", r.Outcome, err)
		}
	})
}
