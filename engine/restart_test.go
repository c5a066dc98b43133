package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/load"
	"github.com/gpflow/gpflow/storage/storagetest"
)

var errPlanted = errors.New("planted")

// faults fails calls of connectors and operators: those of the given numbers,
// counted from 1 over the whole run, by what is called, as "poll source.a".
type faults struct {
	fail  map[string][]int
	err   error // nil: errPlanted
	panic bool

	mu    sync.Mutex
	calls map[string]int
	hits  int
}

func (f *faults) call(what, address string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = make(map[string]int)
	}
	what += " " + address
	f.calls[what]++
	if !slices.Contains(f.fail[what], f.calls[what]) {
		return nil
	}
	f.hits++
	if f.panic {
		panic("planted")
	}
	if f.err != nil {
		return f.err
	}
	return fmt.Errorf("%w: call %d of %s", errPlanted, f.calls[what], what)
}

// descriptors are those of gpflow, whose sources, sinks and filters fail when
// they are told to.
func (f *faults) descriptors() []*gpflow.Descriptor {
	ds := operators.Builtin()
	for i, d := range ds {
		over := *d
		switch {
		case d.IsSource():
			over.NewSource = func(c *gpflow.SourceContext) (gpflow.Source, error) {
				s, err := d.NewSource(c)
				return &brittleSource{s, f, c.Address}, err
			}
		case d.IsSink():
			over.NewSink = func(c *gpflow.SinkContext) (gpflow.Sink, error) {
				if err := f.call("open", c.Address); err != nil {
					return nil, err
				}
				s, err := d.NewSink(c)
				return &brittleSink{s, f, c.Address}, err
			}
		case d.Block == "filter":
			over.NewOperator = func(c *gpflow.OperatorContext) (gpflow.Operator, error) {
				o, err := d.NewOperator(c)
				return &brittleFilter{o, f, c.Address}, err
			}
		}
		ds[i] = &over
	}
	return ds
}

type brittleSource struct {
	gpflow.Source
	*faults
	address string
}

func (s *brittleSource) Enumerator(known []gpflow.Split) (gpflow.Enumerator, error) {
	if err := s.call("enumerate", s.address); err != nil {
		return nil, err
	}
	return s.Source.Enumerator(known)
}

func (s *brittleSource) Reader(c *gpflow.ReaderContext) (gpflow.Reader, error) {
	r, err := s.Source.Reader(c)
	return &brittleReader{r, s}, err
}

type brittleReader struct {
	gpflow.Reader
	source *brittleSource
}

func (r *brittleReader) Poll(ctx context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if err := r.source.call("poll", r.source.address); err != nil {
		return gpflow.Progress{}, err
	}
	return r.Reader.Poll(ctx, out)
}

type brittleFilter struct {
	gpflow.Operator
	*faults
	address string
}

func (o *brittleFilter) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	if err := o.call("process", o.address); err != nil {
		return in.From, err
	}
	return o.Operator.Process(in, out)
}

type brittleSink struct {
	gpflow.Sink
	*faults
	address string
}

func (s *brittleSink) Recover(ctx context.Context, states [][]byte) error {
	if err := s.call("recover", s.address); err != nil {
		return err
	}
	return s.Sink.Recover(ctx, states)
}

func (s *brittleSink) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if err := s.call("write", s.address); err != nil {
		return err
	}
	return s.Sink.Write(ctx, b, fail)
}

func (s *brittleSink) Prepare(ctx context.Context, id gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	if err := s.call("prepare", s.address); err != nil {
		return gpflow.Prepared{}, err
	}
	p, err := s.Sink.Prepare(ctx, id, final)
	return p, errors.Join(err, s.call("prepared", s.address))
}

func (s *brittleSink) Commit(ctx context.Context, c gpflow.Committable) error {
	if err := s.call("commit", s.address); err != nil {
		return err
	}
	return errors.Join(s.Sink.Commit(ctx, c), s.call("committed", s.address))
}

// bench is a run whose state is in memory and whose clock is the bubble's.
type bench struct {
	t     *testing.T
	dir   string // of the output
	store *storagetest.Memory
	log   bytes.Buffer
	*faults
	policy job.Policy
	ends   checkpoint.Config
}

func newBench(t *testing.T, f *faults) *bench {
	return &bench{
		t: t, dir: t.TempDir(), store: storagetest.NewMemory(), faults: f, policy: job.Policy{Attempts: 10, Within: 600 * gpflow.Second},
		ends: checkpoint.Config{Every: 100 * gpflow.Millisecond},
	}
}

// start starts a pipeline; OUT in it is the directory of the output. It goes on
// from what is in the store.
func (b *bench) start(text string) *engine.Run { return b.startIn(b.t.Context(), text) }

// startIn is start for a run that is killed when ctx ends.
func (b *bench) startIn(ctx context.Context, text string) *engine.Run {
	b.t.Helper()
	r, err := gpflow.NewRegistry(b.descriptors()...)
	if err != nil {
		b.t.Fatal(err)
	}
	p, list := load.Parse("test.gp.hcl", []byte(strings.ReplaceAll(text, "OUT", b.dir)), load.Options{Registry: r})
	if p == nil || p.Failed {
		b.t.Fatal(list)
	}
	result, more := compiler.Compile(p, compiler.Options{})
	if more.HasErrors() {
		b.t.Fatal(more)
	}
	encoded, err := plan.Encode(result.Plan)
	if err != nil {
		b.t.Fatal(err)
	}
	k, from := b.keeper()
	run, err := engine.Start(ctx, encoded, engine.Options{
		Registry: r, Log: slog.New(slog.NewTextHandler(&b.log, nil)), Restart: b.policy, PollRows: 50,
		Checkpoints: &engine.Checkpoints{Keeper: k, From: from, Retain: 2, Config: b.ends, Who: "test"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// keeper claims the store, and returns the checkpoint to go on from; nil: there
// is none.
func (b *bench) keeper() (*checkpoint.Keeper, *checkpoint.Manifest) {
	b.t.Helper()
	k, err := checkpoint.Open(b.t.Context(), b.store)
	switch {
	case err != nil:
	case k.Lineage() == "":
		err = k.Fresh(b.t.Context(), "0123456789abcdef", "test")
	default:
		err = k.Claim(b.t.Context(), "test")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	m, err := k.Current(b.t.Context())
	var none *checkpoint.NoCheckpoint
	if err != nil && !errors.As(err, &none) {
		b.t.Fatal(err)
	}
	return k, m
}

// finish waits for a run that is to finish.
func (b *bench) finish(run *engine.Run) engine.Report {
	b.t.Helper()
	r, err := run.Wait()
	if err != nil || r.Outcome != job.Finished {
		b.t.Fatalf("the job %s: %v\n%s", r.Outcome, err, b.log.String())
	}
	return r
}

// lines returns what has been written below a name, sorted.
func (b *bench) lines(name string) (all []string) {
	b.t.Helper()
	err := filepath.WalkDir(filepath.Join(b.dir, name), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") || strings.Contains(path, "staged") {
			b.t.Errorf("%s is left", path)
		}
		data, err := os.ReadFile(path)
		all = append(all, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// restarts returns how often each region was started again.
func restarts(s engine.Status) (n []int64) {
	for _, r := range s.Regions {
		n = append(n, r.Restarts)
	}
	return n
}

// windows is a pipeline of one region, with the two modes of files, keyed state,
// and two subtasks in the middle. It runs for three seconds.
const windows = `
pipeline "p" {}

source "generate" "a" {
  count  = 3000
  rate   = 1000
  fields = {
    i    = "i"
    user = "'u' + string(i % 7)"
    at   = "timestamp('1999-01-01T00:00:00Z') + duration('10ms') * i"
  }
  event_time { field = "at" }
}

filter "some" {
  from  = source.a
  where = "i % 5 != 3"
}

window "tumbling" "w" {
  from        = filter.some
  key_by      = ["user"]
  size        = "1s"
  parallelism = 2
  aggregate   = { n = "count()", total = "sum(i)" }
}

sink "file" "all" {
  from = window.w
  path = "OUT/all.json"
}

sink "file" "rows" {
  from   = filter.some
  path   = "OUT/rows/"
  mode   = "parts"
  format = "json"
}
`

// TestRestartsLeaveNoTrace: whatever fails, and whenever, the output is that of a
// run in which nothing does.
func TestRestartsLeaveNoTrace(t *testing.T) {
	var all, rows []string
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &faults{})
		b.finish(b.start(windows))
		all, rows = b.lines("all.json"), b.lines("rows")
	})
	if len(rows) != 2400 || len(all) != 30*7 {
		t.Fatalf("%d rows and %d windows", len(rows), len(all))
	}
	for name, f := range map[string]*faults{
		"poll":              {fail: map[string][]int{"poll source.a": {7, 300, 301, 700, 2000}}},
		"first poll":        {fail: map[string][]int{"poll source.a": {1}}},
		"process":           {fail: map[string][]int{"process filter.some": {100, 900}}},
		"panic":             {fail: map[string][]int{"process filter.some": {3, 1500}}, panic: true},
		"write":             {fail: map[string][]int{"write sink.rows": {1, 500}, "write sink.all": {1, 8}}},
		"prepare":           {fail: map[string][]int{"prepare sink.rows": {1, 9}, "prepare sink.all": {4}}},
		"behind prepare":    {fail: map[string][]int{"prepared sink.rows": {2, 10}, "prepared sink.all": {5}}},
		"commit":            {fail: map[string][]int{"commit sink.rows": {1, 5}}},
		"behind the commit": {fail: map[string][]int{"committed sink.rows": {1, 6, 7}}},
		"last commit":       {fail: map[string][]int{"commit sink.all": {1}}},
		"behind the last":   {fail: map[string][]int{"committed sink.all": {1, 2}}},
		"while restarting":  {fail: map[string][]int{"poll source.a": {400}, "open sink.rows": {2}, "recover sink.all": {2, 3}, "enumerate source.a": {3}}},
		"panic restarting":  {fail: map[string][]int{"poll source.a": {400}, "recover sink.rows": {2}}, panic: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, f)
				r := b.finish(b.start(windows))
				if got := b.lines("all.json"); !slices.Equal(got, all) {
					t.Errorf("%d windows, and there are %d", len(got), len(all))
				}
				if got := b.lines("rows"); !slices.Equal(got, rows) {
					t.Errorf("%d rows, and there are %d", len(got), len(rows))
				}
				planted := 0
				for _, n := range f.fail {
					planted += len(n)
				}
				if f.hits != planted {
					t.Errorf("of %d faults, %d happened", planted, f.hits)
				}
				if n := restarts(r.Status); len(n) != 1 || n[0] == 0 || r.Regions[0].Failure == "" || !r.Regions[0].Next.IsZero() {
					t.Errorf("the regions are %+v", r.Regions)
				}
				if n := strings.Count(b.log.String(), "is started again"); n != f.hits {
					t.Errorf("%d failures are told as %d:\n%s", f.hits, n, b.log.String())
				}
			})
		})
	}
}

// apart is a pipeline of two regions.
const apart = `
pipeline "p" {}

source "generate" "a" {
  count  = 3000
  rate   = 1000
  fields = { i = "i" }
}
sink "file" "x" {
  from   = source.a
  path   = "OUT/x/"
  mode   = "parts"
  format = "json"
}

source "generate" "b" {
  count  = 4000
  rate   = 1000
  fields = { i = "i" }
}
sink "file" "y" {
  from   = source.b
  path   = "OUT/y/"
  mode   = "parts"
  format = "json"
}
`

// numbers returns the lines of a sink of apart.
func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`{"i":%d}`, i))
	}
	slices.Sort(all)
	return all
}

// TestOtherRegionsGoOn: while a region is down the other one works, and no
// checkpoint is taken; both come out whole.
func TestOtherRegionsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &faults{fail: map[string][]int{"write sink.y": {350}}})
		run := b.start(apart)
		in := func(s engine.Status) (a, b int64) { return s.Nodes[0].In, s.Nodes[2].In }
		var s engine.Status
		for s = run.Status(); s.Regions[1].Failure == ""; s = run.Status() {
			<-time.After(time.Millisecond)
		}
		a1, b1 := in(s)
		points := s.Checkpoints.Completed
		<-time.After(900 * time.Millisecond)
		s = run.Status()
		a2, b2 := in(s)
		if a2 < a1+800 || b2 != b1 {
			t.Errorf("in 900 ms, %d and %d records were read", a2-a1, b2-b1)
		}
		if s.Checkpoints.Completed != points || s.Checkpoints.Failed != 0 || s.Checkpoints.Flight != 0 {
			t.Errorf("there are checkpoints while a region is down: %+v", s.Checkpoints)
		}
		if s.Regions[1].Next.IsZero() || !s.Regions[0].Next.IsZero() || !slices.Equal(s.Regions[1].Nodes, []string{"source.b", "sink.y"}) {
			t.Errorf("the regions are %+v", s.Regions)
		}
		r := b.finish(run)
		if n := restarts(r.Status); !slices.Equal(n, []int64{0, 1}) || r.Nodes[3].Restarts != 1 || r.Nodes[1].Restarts != 0 {
			t.Errorf("%v restarts, %+v", n, r.Nodes)
		}
		if x, y := b.lines("x"), b.lines("y"); !slices.Equal(x, numbers(3000)) || !slices.Equal(y, numbers(4000)) {
			t.Errorf("%d and %d records", len(x), len(y))
		}
		for _, what := range []string{`cause="test.gp.hcl:21,1: sink.y[0]: planted: call 350 of write sink.y"`, `region="source.b, sink.y"`, "in=1s", `attempt="1 of 10 within 10m"`, `from="checkpoint`} {
			if !strings.Contains(b.log.String(), what) {
				t.Errorf("the log does not say %s:\n%s", what, b.log.String())
			}
		}
		if strings.Count(b.log.String(), "call 350 of") != 1 {
			t.Errorf("the cause is not said once:\n%s", b.log.String())
		}
	})
}
