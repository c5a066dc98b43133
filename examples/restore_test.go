package examples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/storage/local"
)

// tap lets the sources of a job read a part of each split.
type tap struct {
	mu      sync.Mutex
	rows    map[string]map[string]int // read of each split, by source; guarded by mu
	until   map[string]map[string]int // how many are to be; nil: all. Guarded by mu
	readers int                       // of each source, that read one split at a time
	dry     chan struct{}             // closed when no reader may read on; guarded by mu
}

// open lets the sources read so many rows of each split, and returns a channel
// that is closed when they have.
func (p *tap) open(until map[string]map[string]int) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until, p.dry = until, make(chan struct{})
	return p.dry
}

// read takes note of rows that were read of a split, and reports whether more may
// be.
func (p *tap) read(source, split string, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows[source] == nil {
		p.rows[source] = make(map[string]int)
	}
	p.rows[source][split] += n
	if p.until == nil || p.rows[source][split] < p.until[source][split] {
		return true
	}
	for source, until := range p.until {
		full := 0
		for split, n := range until {
			if p.rows[source][split] >= n {
				full++
			}
		}
		if full < min(p.readers, len(until)) {
			return false
		}
	}
	select {
	case <-p.dry:
	default:
		close(p.dry)
	}
	return false
}

// part returns some tenths of the rows of each split.
func (p *tap) part(tenths int) map[string]map[string]int {
	part := make(map[string]map[string]int)
	for source, splits := range p.rows {
		part[source] = make(map[string]int)
		for split, n := range splits {
			part[source][split] = n * tenths / 10
		}
	}
	return part
}

// tapped is a source behind a tap.
type tapped struct {
	gpflow.Source
	tap     *tap
	address string
}

// Reader implements gpflow.Source.
func (s tapped) Reader(c *gpflow.ReaderContext) (gpflow.Reader, error) {
	r, err := s.Source.Reader(c)
	return &tappedReader{Reader: r, source: s}, err
}

// Close implements gpflow.Closer.
func (s tapped) Close() error {
	if c, ok := s.Source.(gpflow.Closer); ok {
		return c.Close()
	}
	return nil
}

// tappedReader reads one split at a time.
type tappedReader struct {
	gpflow.Reader
	source tapped
	split  string
}

// Assign implements gpflow.Reader.
func (r *tappedReader) Assign(s gpflow.Split, from gpflow.Position) error {
	r.split = s.ID
	return r.Reader.Assign(s, from)
}

// Poll implements gpflow.Reader. A reader that may not read is not idle, which
// would say something about time.
func (r *tappedReader) Poll(ctx context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if !r.source.tap.read(r.source.address, r.split, 0) {
		runtime.Gosched()
		return gpflow.Progress{}, nil
	}
	p, err := r.Reader.Poll(ctx, out)
	r.source.tap.read(r.source.address, r.split, out.Len())
	return p, err
}

// behind returns the registry of o with a tap before every source.
func (p *tap) behind(t *testing.T, r *gpflow.Registry) *gpflow.Registry {
	t.Helper()
	var ds []*gpflow.Descriptor
	for _, d := range r.All() {
		if d.NewSource != nil {
			made := d.NewSource
			changed := *d
			changed.NewSource = func(c *gpflow.SourceContext) (gpflow.Source, error) {
				s, err := made(c)
				return tapped{s, p, c.Address}, err
			}
			d = &changed
		}
		ds = append(ds, d)
	}
	r, err := gpflow.NewRegistry(ds...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// job is a pipeline that is run more than once in one directory.
type job struct {
	*testing.T
	files  []string
	screen bytes.Buffer
	tap    *tap
}

func newJob(t *testing.T, files []string) *job {
	return &job{T: t, files: files, tap: &tap{rows: make(map[string]map[string]int)}}
}

// stateDir is where its checkpoints are.
const stateDir = "state"

// options are those that all starts have: what is read and sent at once is
// little, so that there is a middle.
func (j *job) options() engine.Options {
	o := engine.Options{PollRows: 200, Limit: exchange.Limit{Rows: 1000, Bytes: 1 << 20}}
	o.Registry = j.tap.behind(j.T, registry(j.T, &j.screen, &o))
	return o
}

// start starts the pipeline, from its last checkpoint if there is one.
func (j *job) start(ctx context.Context, parallelism int) (*engine.Run, *checkpoint.Keeper) {
	j.Helper()
	store, err := local.Open(stateDir)
	if err != nil {
		j.Fatal(err)
	}
	j.Cleanup(func() { _ = store.Close() }) // the test is over
	k, err := checkpoint.Open(ctx, store)
	if err == nil && k.Lineage() == "" {
		err = k.Fresh(ctx, "0123456789abcdef", "test")
	} else if err == nil {
		err = k.Claim(ctx, "test")
	}
	if err != nil {
		j.Fatal(err)
	}
	o := j.options()
	o.Checkpoints = &engine.Checkpoints{Keeper: k, Retain: 1}
	o.Checkpoints.From, err = k.Current(ctx)
	var none *checkpoint.NoCheckpoint
	if err != nil && !errors.As(err, &none) {
		j.Fatal(err)
	}
	_, encoded := compile(j.T, j.files, o.Registry, parallelism, compiler.Options{})
	run, err := engine.Start(ctx, encoded, o)
	if err != nil {
		j.Fatal(err)
	}
	return run, k
}

// middle is what there was to go on from when a job was killed.
type middle struct {
	splits, reading int // found, and being read
	panes           int // open windows
	entries         int64
}

// killed runs the pipeline until its sources have read so many tenths of what
// whole has, takes a checkpoint, lets them read another tenth, and kills it.
func (j *job) killed(parallelism, tenths int, whole *tap) middle {
	j.Helper()
	ctx, cancel := context.WithCancel(j.Context())
	defer cancel()
	j.tap.readers = parallelism
	dry := j.tap.open(whole.part(tenths))
	run, k := j.start(ctx, parallelism)
	wait := func() {
		select {
		case <-dry:
		case err := <-run.Failed():
			j.Fatal(err)
		}
	}
	wait()
	if saved := <-run.Savepoint("middle"); saved.Err != nil {
		j.Fatal(saved.Err)
	}
	dry = j.tap.open(whole.part(tenths + 1))
	wait()
	cancel()
	if _, err := run.Wait(); !errors.Is(err, context.Canceled) {
		j.Fatalf("the job was killed, and says %v", err)
	}
	return j.look(k)
}

// look returns what a checkpoint has.
func (j *job) look(k *checkpoint.Keeper) middle {
	j.Helper()
	m, err := k.Current(j.Context())
	if err != nil {
		j.Fatal(err)
	}
	x, err := engine.Inspect(m, func(s checkpoint.SegmentRef) (*io.SectionReader, error) { return k.OpenSegment(j.Context(), s) })
	if err != nil {
		j.Fatal(err)
	}
	nodes, err := x.Nodes()
	if err != nil {
		j.Fatal(err)
	}
	var at middle
	for _, s := range m.Sources {
		at.splits += len(s.Found)
	}
	for _, n := range nodes {
		at.reading += n.Splits
		for _, table := range n.Tables {
			at.panes += table.Panes
			at.entries += table.Entries
		}
	}
	return at
}

// finish runs the pipeline from its last checkpoint to its end.
func (j *job) finish(parallelism int) output {
	j.Helper()
	j.tap.open(nil)
	run, _ := j.start(j.Context(), parallelism)
	report, err := run.Wait()
	if err != nil || report.Outcome != "finished" {
		j.Fatalf("the run is %s: %v", report.Outcome, err)
	}
	return written(j.T, &j.screen, false)
}

// TestKilledInTheMiddle: every example puts out what it does in one go when it is
// killed behind a checkpoint in its middle, and goes on from that with the same or
// another parallelism.
func TestKilledInTheMiddle(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	full := 0 // with four splits being read, keyed state and open windows
	for name, files := range pipelines(t) {
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			want := run(t, root, files, compiler.Options{}, engine.Options{}).settled()
			for _, c := range []struct{ first, then, tenths int }{{4, 4, 3}, {4, 3, 5}, {1, 4, 8}} {
				t.Run(fmt.Sprintf("%d to %d at %d of 10", c.first, c.then, c.tenths), func(t *testing.T) {
					enter(t, root)
					whole := newJob(t, files)
					want.compare(t, "in one go", whole.finish(c.first).settled())
					enter(t, root)
					j := newJob(t, files)
					at := j.killed(c.first, c.tenths, whole.tap)
					if at.entries == 0 {
						t.Errorf("the checkpoint is not of the middle: %+v", at)
					}
					if at.reading >= 4 && at.entries > 0 && at.panes > 0 {
						full++
					}
					want.compare(t, "killed and gone on", j.finish(c.then).settled())
				})
			}
		})
	}
	if full < 4 {
		t.Errorf("%d jobs were killed with four splits being read, keyed state and open windows", full)
	}
}

// settled leaves out the state, and what a screen shows twice: nobody can take
// that back.
func (o output) settled() output {
	o.ordered = false
	for name := range o.files {
		if strings.HasPrefix(name, stateDir+string(filepath.Separator)) {
			delete(o.files, name)
		}
	}
	if shown, ok := o.files[onScreen]; ok {
		o.files[onScreen] = strings.Join(slices.Compact(slices.Sorted(strings.Lines(shown))), "")
	}
	return o
}
