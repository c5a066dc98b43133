package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/cmd/gpflow/oracle"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/spec/load"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

// fuse is a store that cancels after a number of operations, before or after the
// operation: whoever uses it is killed there.
type fuse struct {
	storage.Store
	left   atomic.Int64
	before bool
	blow   context.CancelFunc
}

var errBlown = errors.New("the process is dead")

func (f *fuse) use(op func() error) error {
	n := f.left.Add(-1)
	if n < 0 || n == 0 && f.before {
		f.blow()
		return errBlown
	}
	err := op()
	if n == 0 {
		f.blow()
		return errBlown
	}
	return err
}

func (f *fuse) Put(ctx context.Context, name string, data []byte) error {
	return f.use(func() error { return f.Store.Put(ctx, name, data) })
}

func (f *fuse) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return f.use(func() error { return f.Store.PutIfAbsent(ctx, name, data) })
}

func (f *fuse) Remove(ctx context.Context, name string) error {
	return f.use(func() error { return f.Store.Remove(ctx, name) })
}

// attempt runs a plan on the state in a directory until it has finished, has been
// stopped, or has been killed by the fuse. It reports whether it has finished.
func attempt(t fataler, encoded []byte, dir string, o engine.Options, operations int64, before, stop bool) bool {
	disk, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := &fuse{Store: disk, before: before, blow: cancel}
	f.left.Store(operations)
	state, err := resumed(ctx, f)
	if errors.Is(err, errBlown) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if state.From != nil {
		resumes.Add(1)
		for _, p := range state.From.Parts {
			if len(p.Segments) > 0 {
				stateful.Add(1)
				break
			}
		}
	}
	o.Checkpoints = state
	run, err := engine.Start(ctx, encoded, o)
	if errors.Is(err, errBlown) || errors.Is(err, context.Canceled) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if stop {
		run.Stop()
	}
	report, err := run.Wait()
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		t.Fatal(err)
	}
	arrivals(t, report.Status)
	return report.Outcome == "finished"
}

// arrivals checks that no more rows came on the edges of a node, over all the
// attempts that had the edge, than it has taken.
func arrivals(t fataler, s engine.Status) {
	came := make(map[string]int64)
	for _, e := range s.Edges {
		came[e.To] += e.Received
	}
	for _, n := range s.Nodes {
		if came[n.Address] > n.In {
			t.Fatalf("%d rows came to %s, and it has taken %d", came[n.Address], n.Address, n.In)
		}
	}
}

// resumed claims the state in a store, and finds what there is to go on from.
func resumed(ctx context.Context, s storage.Store) (*engine.Checkpoints, error) {
	c := &engine.Checkpoints{Retain: 2, Config: checkpoint.Config{Every: gpflow.Millisecond, MaxFailures: 3}}
	var err error
	if c.Keeper, err = checkpoint.Open(ctx, s); err != nil {
		return nil, err
	}
	if c.Keeper.Lineage() == "" {
		err = c.Keeper.Fresh(ctx, "0123456789abcdef0123456789abcdef", "test")
	} else {
		err = c.Keeper.Claim(ctx, "test")
	}
	if err != nil {
		return nil, err
	}
	c.From, err = c.Keeper.Current(ctx)
	var none *checkpoint.NoCheckpoint
	if errors.As(err, &none) {
		err = nil
	}
	return c, err
}

// resumes counts the attempts that went on from a checkpoint, and stateful those
// of them that had keyed state.
var resumes, stateful atomic.Int64

// spills counts the attempts whose state did not fit the memory, by what they log.
var spills spillLog

type spillLog struct{ atomic.Int64 }

func (l *spillLog) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("state goes to the disk")) {
		l.Add(1)
	}
	return len(b), nil
}

// compiled returns the encoded plan of a specification.
func compiled(t fataler, text string) []byte { return compiledWith(t, text, compiler.Options{}) }

// compiledWith is compiled with options.
func compiledWith(t fataler, text string, o compiler.Options) []byte {
	r, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	p, list := load.Parse("test.hcl", []byte(text), load.Options{Registry: r})
	if p == nil || list.HasErrors() {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	result, list := compiler.Compile(p, o)
	if result.Plan == nil {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	encoded, err := plan.Encode(result.Plan)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// TestWindowsSurvive: the windows of random input are those of a batch however
// often the job is killed, at whatever operation on its state, stopped, and gone
// on with at another parallelism.
func TestWindowsSurvive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		dir, err := os.MkdirTemp("", "survive")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		r, err := registry()
		if err != nil {
			rt.Fatal(err)
		}
		finished := false
		for i := 0; !finished; i++ {
			c.parallelism = rapid.IntRange(1, 3).Draw(rt, "parallelism now")
			operations, before, stop := int64(1<<40), false, false
			if i < 6 {
				operations = rapid.Int64Range(1, 40).Draw(rt, "operations")
				before = rapid.Bool().Draw(rt, "before")
				stop = rapid.IntRange(0, 3).Draw(rt, "stop") == 0
			}
			o := engine.Options{Registry: r, PollRows: c.poll, Limit: c.limit, EncodeLinks: c.encode}
			if !raced && rapid.Bool().Draw(rt, "small") { // no table stays in memory for long
				o.Spill = engine.Spill{Memory: 1, Dir: filepath.Join(dir, "spill")}
				o.Log = slog.New(slog.NewTextHandler(&spills, nil))
			}
			finished = attempt(rt, compiled(rt, c.text(rt, dir)), filepath.Join(dir, "state"), o, operations, before, stop)
		}
		c.check(rt, dir)
	})
	t.Logf("%d attempts went on from a checkpoint, %d of them with keyed state", resumes.Load(), stateful.Load())
	t.Logf("%d attempts had state on the disk", spills.Load())
	if resumes.Load() == 0 || stateful.Load() == 0 || !raced && spills.Load() == 0 {
		t.Error("nothing was survived")
	}
}

// check compares what the pipeline has put out with the windows of a batch.
func (c windowCase) check(t *rapid.T, dir string) {
	late := make(map[int64]bool)
	var ids []string
	for _, r := range readRows[oracle.Row](t, filepath.Join(dir, "late.jsonl")) {
		late[r.ID] = true
		ids = append(ids, fmt.Sprint(r.ID))
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != len(ids) {
		t.Fatalf("a late row is there twice")
	}
	var kept []oracle.Place
	for _, split := range c.splits {
		want := oracle.Late(split, c.size, c.offset, c.disorder)
		for _, r := range split {
			if !late[r.ID] {
				kept = append(kept, r)
			}
			if late[r.ID] != want[r.ID] {
				t.Fatalf("that row %d of split %d is late is %t", r.Index, r.Split, late[r.ID])
			}
		}
	}
	compareAll(t, readRows[windowRow](t, filepath.Join(dir, "out.jsonl")), oracle.Windows(kept, c.size, c.offset, c.keyed))
}
