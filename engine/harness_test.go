package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errPlanted = errors.New("planted")
	errRefused = &gpflow.RecordError{Code: "refused", Err: errors.New("the sink does not like it")}
)

// counts is the schema of what the test window makes.
func counts() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "start", Type: gpflow.T(gpflow.KindTimestamp)},
		gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
	)
}

// rowOperator is an operator that looks at one row after the other.
type rowOperator func(in gpflow.Rows, i int, out *gpflow.Collector) error

func (f rowOperator) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		if err := f(in, i, out); err != nil {
			return i, err
		}
	}
	return in.To, nil
}

func pass(in gpflow.Rows, i int, out *gpflow.Collector) error {
	copy(out.Row(in, i), in.Row(i))
	return nil
}

// windowSize is the size of the test window, in microseconds.
const windowSize = 100

// window counts rows by key in tumbling windows.
type window struct {
	open map[gpflow.Timestamp]map[int64]int64 // by start
	now  gpflow.Timestamp
}

func (w *window) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		start := in.Time(i) - in.Time(i)%windowSize
		if start+windowSize <= w.now {
			out.LateRow(in, i)
			continue
		}
		if w.open[start] == nil {
			w.open[start] = map[int64]int64{}
		}
		w.open[start][in.Row(i)[0].Int()]++
		out.Absorb(1)
	}
	return in.To, nil
}

func (w *window) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	w.now = t
	for start, keys := range w.open {
		if start+windowSize > t {
			continue
		}
		for k, n := range keys {
			row := out.Create(start + windowSize - 1)
			row[0], row[1], row[2] = gpflow.Int(k), gpflow.Time(start), gpflow.Int(n)
		}
		delete(w.open, start)
	}
	return true, nil
}

// alarm asks for a timer with each row, and emits the row when it has come.
type alarm struct {
	timer func(gpflow.Timestamp)
	rows  []int64
}

func (a *alarm) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		a.rows = append(a.rows, in.Row(i)[0].Int())
		a.timer(gpflow.Timestamp(time.Now().UnixMicro()) + gpflow.Timestamp(gpflow.Second))
	}
	out.Absorb(in.To - in.From)
	return in.To, nil
}

func (a *alarm) OnTimer(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	for _, k := range a.rows {
		row := out.Create(now)
		row[0], row[2] = gpflow.Int(k), gpflow.String("alarm")
	}
	a.rows = nil
	return true, nil
}

// operators are the test operators, by kind.
func operators() map[string]func(*gpflow.OperatorContext) (gpflow.Operator, error) {
	row := func(f rowOperator) func(*gpflow.OperatorContext) (gpflow.Operator, error) {
		return func(*gpflow.OperatorContext) (gpflow.Operator, error) { return f, nil }
	}
	return map[string]func(*gpflow.OperatorContext) (gpflow.Operator, error){
		"pass": row(pass),
		"window": func(*gpflow.OperatorContext) (gpflow.Operator, error) {
			return &window{open: map[gpflow.Timestamp]map[int64]int64{}, now: gpflow.MinTimestamp}, nil
		},
		"alarm": func(c *gpflow.OperatorContext) (gpflow.Operator, error) { return &alarm{timer: c.Timer}, nil },
		"picky": row(func(in gpflow.Rows, i int, out *gpflow.Collector) error {
			if in.Row(i)[0].Int()%5 == 0 {
				return out.Fail(in, i, &gpflow.RecordError{Code: "picky", Err: errPlanted})
			}
			return pass(in, i, out)
		}),
		"lossy": row(func(in gpflow.Rows, i int, out *gpflow.Collector) error {
			if in.Row(i)[0].Int() == 7 {
				return nil
			}
			return pass(in, i, out)
		}),
		"boom": row(func(in gpflow.Rows, i int, out *gpflow.Collector) error {
			if in.Row(i)[0].Int() == 7 {
				return errPlanted
			}
			return pass(in, i, out)
		}),
		"panic": row(func(in gpflow.Rows, i int, out *gpflow.Collector) error {
			if in.Row(i)[0].Int() == 7 {
				panic("planted")
			}
			return pass(in, i, out)
		}),
		"pages":  func(*gpflow.OperatorContext) (gpflow.Operator, error) { return &pages{}, nil },
		"unmade": func(*gpflow.OperatorContext) (gpflow.Operator, error) { return nil, errPlanted },
	}
}

// world is a pipeline under test, with its sources and sinks by address.
type world struct {
	t      testing.TB
	feeds  map[string]*feed
	stores map[string]*store
	plan   plan.Plan
}

func newWorld(t testing.TB, tasks []plan.Task, edges ...plan.Edge) *world {
	w := &world{t: t, feeds: map[string]*feed{}, stores: map[string]*store{}}
	w.plan = plan.Plan{Format: plan.Format, Pipeline: "test", KeyGroups: 128, KeyHash: gpflow.KeyHashName, Tasks: tasks, Edges: edges}
	for _, task := range tasks {
		for _, op := range task.Ops {
			switch op.Block {
			case "source":
				w.feeds[op.ID] = &feed{splits: map[string][]record{}}
			case "sink":
				w.stores[op.ID] = &store{writers: task.Parallelism}
			}
		}
	}
	return w
}

func (w *world) registry() *gpflow.Registry {
	infer := func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} }
	ds := []*gpflow.Descriptor{{
		Block: "source", Kind: "feed", Infer: infer, Ports: []gpflow.Port{{Name: "errors"}},
		Traits: gpflow.Traits{Bounded: func(gpflow.Config) bool { return !w.feeds["source.a"].alone }},
		NewSource: func(c *gpflow.SourceContext) (gpflow.Source, error) {
			return w.feeds[c.Address], nil
		},
	}, {
		Block: "sink", Kind: "store", Infer: infer,
		NewSink: func(c *gpflow.SinkContext) (gpflow.Sink, error) {
			return &storeSink{store: w.stores[c.Address], name: fmt.Sprintf("%s[%d]", c.Address, c.Subtask.Index)}, nil
		},
	}}
	for kind, f := range operators() {
		ds = append(ds, &gpflow.Descriptor{Block: "op", Kind: kind, Infer: infer, NewOperator: f})
	}
	r, err := gpflow.NewRegistry(ds...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// start starts the pipeline.
func (w *world) start(o Options) *Run {
	w.t.Helper()
	run, err := w.tryStart(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

func (w *world) tryStart(ctx context.Context, o Options) (*Run, error) {
	data, err := plan.Encode(&w.plan)
	if err != nil {
		w.t.Fatal(err)
	}
	o.Registry = w.registry()
	return Start(ctx, data, o)
}

// finish runs the pipeline to its end, which is to be in order.
func (w *world) finish(o Options) Report {
	w.t.Helper()
	r, err := w.start(o).Wait()
	if err != nil || r.Outcome != job.Finished || r.Imbalances != nil {
		w.t.Fatalf("the job %s: %v %v", r.Outcome, err, r.Imbalances)
	}
	w.closed()
	return r
}

// fail runs the pipeline, which is to fail with an error that says all of what.
// Nothing may be committed.
func (w *world) fail(what ...string) (Report, error) {
	w.t.Helper()
	r, err := w.start(Options{}).Wait()
	if err == nil || r.Outcome != job.Failed {
		w.t.Fatalf("the job %s: %v", r.Outcome, err)
	}
	for _, s := range what {
		if !strings.Contains(err.Error(), s) {
			w.t.Errorf("the error does not say %q: %v", s, err)
		}
	}
	w.nothing()
	w.closed()
	return r, err
}

// nothing complains about committed output.
func (w *world) nothing() {
	w.t.Helper()
	for id, s := range w.stores {
		if n := len(s.rows()); n > 0 {
			w.t.Errorf("%s has committed %d rows", id, n)
		}
	}
}

// closed complains if something of the job was not closed, or twice.
func (w *world) closed() {
	w.t.Helper()
	for _, task := range w.plan.Tasks {
		for _, op := range task.Ops {
			if f := w.feeds[op.ID]; f != nil {
				if f.closed != task.Parallelism+2 {
					w.t.Errorf("%s: of %d readers, an enumerator and the source, %d were closed", op.ID, task.Parallelism, f.closed)
				}
			}
			if s := w.stores[op.ID]; s != nil && s.closed != task.Parallelism {
				w.t.Errorf("%s: %d of %d were closed", op.ID, s.closed, task.Parallelism)
			}
		}
	}
	if err := goleak.Find(goleak.IgnoreCurrent()); err != nil {
		w.t.Error(err)
	}
}

// nodeOf returns the ledger of a node.
func nodeOf(t testing.TB, s Status, address string) Node {
	t.Helper()
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.Address == address })
	if i < 0 {
		t.Fatalf("no node %s", address)
	}
	return s.Nodes[i]
}
