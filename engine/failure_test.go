package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/job"
)

// TestFailed: whatever fails, the job ends, the error says where, nothing has
// been committed, and nothing is left.
func TestFailed(t *testing.T) {
	for name, c := range map[string]struct {
		kind  string
		plant func(f *feed, s *store)
		want  []string
	}{
		"operator":       {"boom", nil, []string{"op.x", "planted"}},
		"panic":          {"panic", nil, []string{"task source.a[0]", "panic: planted", "goroutine"}},
		"record":         {"picky", nil, []string{"test.gp.hcl:1,1: op.x: one, line 1 (offset 0): planted"}},
		"open":           {"pass", func(f *feed, _ *store) { f.assignErr = errPlanted }, []string{"source.a[0]: planted"}},
		"read":           {"pass", func(f *feed, _ *store) { f.readErr = errPlanted }, []string{"source.a[", "planted"}},
		"write":          {"pass", func(_ *feed, s *store) { s.writeErr = errPlanted }, []string{"sink.out[", "planted"}},
		"prepare":        {"pass", func(_ *feed, s *store) { s.prepareErr = errPlanted }, []string{"sink.out[", "prepare the output", "planted"}},
		"refused record": {"pass", func(_ *feed, s *store) { s.refuse = `"k":3` }, []string{"sink.out", "one, line 4 (offset 300)", "does not like it"}},
		"broken record": {"pass", func(f *feed, _ *store) {
			f.splits["one"] = append(f.splits["one"], record{broken: true, text: "{"})
		}, []string{"source.a", "one, line 21 (offset 2000)", `"{" is broken`}},
	} {
		for _, parallelism := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", name, parallelism), func(t *testing.T) {
				w := newWorld(t, straight(parallelism, c.kind))
				w.feeds["source.a"].splits["one"] = series(20, 20)
				if c.plant != nil {
					c.plant(w.feeds["source.a"], w.stores["sink.out"])
				}
				w.fail(c.want...)
			})
		}
	}
}

// TestCommitFails: what is named is the commit.
func TestCommitFails(t *testing.T) {
	w := newWorld(t, straight(1, "pass"))
	w.feeds["source.a"].splits["one"] = series(20, 20)
	w.stores["sink.out"].commitErr = errPlanted
	r, err := w.start(Options{}).Wait()
	if r.Outcome != job.Failed || !strings.Contains(fmt.Sprint(err), "sink.out[0]: commit the output: planted") {
		t.Errorf("the job %s: %v", r.Outcome, err)
	}
	w.closed()
}

// TestCloseFails: a part that cannot be closed has not ended in order.
func TestCloseFails(t *testing.T) {
	w := newWorld(t, straight(1, "pass"))
	w.feeds["source.a"].splits["one"] = series(20, 20)
	w.feeds["source.a"].closeErr = errPlanted
	r, err := w.start(Options{}).Wait()
	if r.Outcome != job.Failed || !strings.Contains(fmt.Sprint(err), "source.a[0]: planted") {
		t.Errorf("the job %s: %v", r.Outcome, err)
	}
	w.closed()
}

// TestOneSinkCannotPrepare: then the other does not commit.
func TestOneSinkCannotPrepare(t *testing.T) {
	w := newWorld(t, []plan.Task{inTask(2, source("source.a", nil), below(sink("sink.out", clicks()), 0, 0), below(sink("sink.too", clicks()), 0, 0))})
	w.feeds["source.a"].splits["one"] = series(20, 20)
	w.stores["sink.too"].prepareErr = errPlanted
	w.fail("sink.too[", "prepare the output", "planted")
}

// TestTheJobsOwnActorFails: then everybody ends all the same.
func TestTheJobsOwnActorFails(t *testing.T) {
	w := newWorld(t, straight(2, "pass"))
	w.feeds["source.a"].open = true
	w.feeds["source.a"].splits["one"] = series(20, 20)
	run := w.start(Options{})
	run.master.Send(job.SplitEnded{Reader: job.Reader{Source: "unknown"}})
	var failure *actor.PanicError
	if r, err := run.Wait(); r.Outcome != job.Failed || !errors.As(err, &failure) {
		t.Errorf("the job %s: %v", r.Outcome, err)
	}
	w.closed()
}

// TestNotStarted: where a part cannot be made nothing starts, and what had been
// made is closed.
func TestNotStarted(t *testing.T) {
	w := newWorld(t, straight(2, "unmade"))
	if _, err := w.tryStart(context.Background(), Options{}); !errors.Is(err, errPlanted) || !strings.Contains(err.Error(), "test.gp.hcl:1,1: op.x") {
		t.Errorf("start: %v", err)
	}
	w.closed()
	w = newWorld(t, straight(2, "pass"))
	w.plan.Tasks[0].Ops[1].Kind = "unknown"
	if _, err := w.tryStart(context.Background(), Options{}); err == nil || !strings.Contains(err.Error(), "op.x: this program knows no op.unknown") {
		t.Errorf("start: %v", err)
	}
	if err := goleak.Find(goleak.IgnoreCurrent()); err != nil {
		t.Error(err)
	}
}

// onError sets what happens to failed records.
func onError(op plan.Op, a gpflow.Action, limit int64) plan.Op {
	op.OnError = plan.OnError{Action: a, Limit: limit}
	if a == gpflow.ActionDivert && len(op.Ports) > 1 {
		op.Ports[1].Read = true
	}
	return op
}

// broken are records of which some cannot be decoded, or have no event time, or
// one too far in the future.
func broken() []record {
	rs := series(20, 20)
	for i := range rs {
		rs[i].at = 1_000_000
	}
	rs[3] = record{broken: true, text: "{"}
	rs[7].noTime = true
	rs[11].at = 4e15 // the year 2096
	return rs
}

func futureLimit() *plan.EventTime {
	e := at(0)
	e.MaxFuture = gpflow.Second
	return e
}

// TestBadRecordsFail: the first one ends the job, and is named.
func TestBadRecordsFail(t *testing.T) {
	for bad, want := range map[int][]string{
		3:  {"source.a: one, line 4 (offset 300): ", "is broken"},
		7:  {"source.a: one, line 8 (offset 700): field at: the event time is null"},
		11: {"source.a: one, line 12 (offset 1100): field at: the event time 2096", "max_future"},
	} {
		w := newWorld(t, straight(1, "pass"))
		w.plan.Tasks[0].Ops[0].EventTime = futureLimit()
		w.feeds["source.a"].splits["one"] = broken()[bad : bad+1]
		want[0] = strings.NewReplacer(fmt.Sprintf("line %d", bad+1), "line 1", fmt.Sprintf("offset %d00", bad), "offset 0").Replace(want[0])
		_, err := w.fail(want...)
		var failure *RecordFailure
		if !errors.As(err, &failure) || failure.Node != "source.a" || failure.Split != "one" || failure.Line != 1 || failure.Limit != -1 {
			t.Errorf("the failure is %+v", failure)
		}
	}
}

// good are the records of broken that are not.
func good() (rs []record) {
	for i, r := range broken() {
		if i != 3 && i != 7 && i != 11 {
			rs = append(rs, r)
		}
	}
	return rs
}

func TestBadRecordsSkip(t *testing.T) {
	w := newWorld(t, straight(1, "pass"))
	w.plan.Tasks[0].Ops[0] = onError(source("source.a", futureLimit()), gpflow.ActionSkip, 3)
	w.feeds["source.a"].splits["one"] = broken()
	r := w.finish(Options{})
	same(t, "sink.out", w.stores["sink.out"].rows(), texts(good()...))
	if c := nodeOf(t, r.Status, "source.a").Counts; c.In != 20 || c.Passed != 17 || c.Skipped != 3 {
		t.Errorf("the ledger says %+v", c)
	}
}

// TestLimit: one more than the limit, over all subtasks, ends the job.
func TestLimit(t *testing.T) {
	w := newWorld(t, straight(3, "picky"))
	w.plan.Tasks[0].Ops[1] = below(onError(operator("op.x", "picky"), gpflow.ActionSkip, 5), 0, 0)
	for i := range 3 {
		w.feeds["source.a"].splits[fmt.Sprint(i)] = series(10, 10) // two failures each
	}
	w.fail("op.x: more than the 5 failed records that on_error allows; the last: ", ", line ", "planted")
	w = newWorld(t, straight(3, "picky"))
	w.plan.Tasks[0].Ops[1] = below(onError(operator("op.x", "picky"), gpflow.ActionSkip, 6), 0, 0)
	for i := range 3 {
		w.feeds["source.a"].splits[fmt.Sprint(i)] = series(10, 10)
	}
	r := w.finish(Options{})
	if c := nodeOf(t, r.Status, "op.x").Counts; c.Skipped != 6 || c.Passed != 24 {
		t.Errorf("the ledger says %+v", c)
	}
}

// TestBadRecordsDivert: what leaves through the errors port says what and where.
func TestBadRecordsDivert(t *testing.T) {
	for _, encode := range []bool{false, true} {
		x := operator("op.x", "picky")
		x.Ports = append(x.Ports, plan.Port{Name: "errors", Schema: gpflow.ErrorSchema()})
		w := newWorld(t, []plan.Task{
			inTask(1, onError(source("source.a", futureLimit()), gpflow.ActionDivert, -1),
				below(onError(x, gpflow.ActionDivert, -1), 0, 0), below(sink("sink.out", clicks()), 1, 0)),
			inTask(1, sink("sink.bad", gpflow.ErrorSchema())),
		}, joint("source.a", 0, 1, "sink.bad", plan.Forward), joint("source.a", 1, 1, "sink.bad", plan.Forward))
		w.feeds["source.a"].splits["one"] = broken()
		r := w.finish(Options{EncodeLinks: encode})
		same(t, "sink.out", w.stores["sink.out"].rows(), texts(slices.DeleteFunc(good(), func(r record) bool { return r.k%5 == 0 })...))
		bad := w.stores["sink.bad"].rows()
		if len(bad) != 7 {
			t.Fatalf("%d errors: %v", len(bad), bad)
		}
		for _, want := range [][]string{
			{`"code":"decode"`, `"message":"\"{\" is broken"`, `"node":"source.a"`, `"file":"one","offset":300,"line":4`, `"time":null`},
			{`"code":"no_event_time"`, `"node":"source.a"`, `"offset":700,"line":8`, `"time":null`},
			{`"code":"future"`, `"node":"source.a"`, `"offset":1100,"line":12`, `"time":"2096`},
			{`"code":"picky"`, `"message":"planted"`, `"node":"op.x"`, `"offset":500,"line":6`, `"time":"1970-01-01T00:00:01Z"`},
		} {
			if !slices.ContainsFunc(bad, func(row string) bool {
				return !slices.ContainsFunc(want, func(s string) bool { return !strings.Contains(row, s) })
			}) {
				t.Errorf("no error says %v:\n%s", want, strings.Join(bad, "\n"))
			}
		}
		if c := nodeOf(t, r.Status, "source.a").Counts; c.Diverted != 3 || c.Passed != 17 {
			t.Errorf("the source's ledger says %+v", c)
		}
		if c := nodeOf(t, r.Status, "op.x").Counts; c.Diverted != 4 || c.Passed != 13 {
			t.Errorf("the operator's ledger says %+v", c)
		}
	}
}

// TestSinkSkips: a record that a sink refuses is counted.
func TestSinkSkips(t *testing.T) {
	w := newWorld(t, straight(1, "pass"))
	w.plan.Tasks[0].Ops[2] = below(onError(sink("sink.out", clicks()), gpflow.ActionSkip, -1), 1, 0)
	w.feeds["source.a"].splits["one"] = series(20, 20)
	w.stores["sink.out"].refuse = `"k":1`
	r := w.finish(Options{})
	if c := nodeOf(t, r.Status, "sink.out").Counts; c.In != 20 || c.Skipped != 11 || c.Passed != 9 {
		t.Errorf("the ledger says %+v", c)
	}
}

// TestLedgerCatchesALoss: an operator that does not account for a row is found.
func TestLedgerCatchesALoss(t *testing.T) {
	w := newWorld(t, straight(2, "lossy"))
	w.feeds["source.a"].splits["one"] = series(20, 20)
	r, err := w.start(Options{}).Wait()
	if r.Outcome != job.Failed || len(r.Imbalances) != 1 || !strings.Contains(r.Imbalances[0], "op.x: of 20 rows in, 1 are not accounted for") ||
		err == nil || !strings.Contains(err.Error(), r.Imbalances[0]) || r.State != string(job.Failed) {
		t.Errorf("the job %s (%s): %v", r.Outcome, r.State, err)
	}
}
