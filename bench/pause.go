package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/spec/expr"
	"github.com/gpflow/gpflow/storage/local"
)

// The pause job: records that are due at a rate pass a count by key of
// manyKeys, 1 % of which are touched from one checkpoint to the next. Those that
// make the keys come first, and have pauseFill to do so.
const (
	pauseEvery   = 250 * time.Millisecond
	pauseRate    = 40_000
	pauseSeconds = 20
	pauseFill    = 4 * time.Second
)

const pausePipeline = `
pipeline "pause" { parallelism = 1 }
source "due" "records" {}
tally "keys" {
  from   = source.records
  key_by = ["a"]
}
sink "latency" "out" { from = tally.keys }
`

// paused is what a run of the pause job says: latencies in milliseconds.
type paused struct {
	latency
	Checkpoints int `json:"checkpoints"`
	// Longest is the longest latency between one checkpoint's begin and the
	// next's, at the 99th percentile of checkpoints.
	Longest float64 `json:"longest"`
}

// pauses measures how long records are held up by checkpoints.
func (l *lab) pauses() ([]figure, error) {
	if !l.jobs.MatchString("pause") {
		return nil, nil
	}
	check := func(stdout, _ []byte) (any, error) { return said[paused](stdout) }
	trials := []*trial{
		{name: "with", argv: []string{l.self, "pause", pauseEvery.String()}, check: check},
		{name: "without", argv: []string{l.self, "pause", "0s"}, check: check},
	}
	samples := make(map[string][]sample)
	if err := rounds(trials, l.runs, samples); err != nil {
		return nil, err
	}
	all := func(trial string, of func(paused) float64) []float64 {
		return each(l.runs, func(i int) float64 { return of(samples[trial][i].got.(paused)) })
	}
	p99, longest := func(p paused) float64 { return p.P99 }, func(p paused) float64 { return p.Longest }
	bare := newFigure("", "", "ms", all("without", p99))
	latency := newFigure("pause-p99", "checkpoints of 1 M keys: latency of a record, p99", "ms", all("with", p99)).atMost(2)
	latency.Note = fmt.Sprintf("without checkpoints: %s, %s - %s", number(bare.Median), number(bare.Min), number(bare.Max))
	with, without := all("with", longest), all("without", longest)
	more := newFigure("pause-longest", "  the longest around a checkpoint, p99 of them, more than without", "ms",
		each(l.runs, func(i int) float64 { return with[i] - without[i] })).atMost(2)
	more.Note = fmt.Sprintf("%d checkpoints a run; %s with, and %s without", samples["with"][0].got.(paused).Checkpoints, number(median(with)), number(median(without)))
	return []figure{latency, more}, nil
}

// pausePart runs the pause job.
//
//	pause EVERY
func pausePart(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: pause EVERY")
	}
	every, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(memory(), "gpflow-pause-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "pause.gp.hcl")
	if err := spell(file, pausePipeline); err != nil {
		return err
	}
	kept, store, err := keep(filepath.Join(dir, "state"), every)
	if err != nil {
		return err
	}
	defer store.Close()
	c := &clock{rate: pauseRate, fill: manyKeys, count: manyKeys + pauseRate*pauseSeconds, key: func(i int64) int64 {
		if i < manyKeys {
			return i
		}
		return hashInt(i) % manyKeys
	}}
	sink, seen := &latencySink{clock: c}, new(completions)
	c.began = time.Now().Add(pauseFill)
	run, err := startWith(engine.Options{Checkpoints: kept, Log: slog.New(seen)}, file, dueSource(c), &tally, sink.descriptor())
	if err != nil {
		return err
	}
	if _, err := run.Wait(); err != nil {
		return err
	}
	l, err := quantiles(c, sink.watches...)
	if err != nil {
		return err
	}
	n := int(seen.Load())
	if wanted := pauseSeconds * int(time.Second/pauseEvery) / 2; every > 0 && n < wanted {
		return fmt.Errorf("only %d checkpoints were completed", n)
	}
	return say(paused{l, n, longest(sink.watches[0].spans)})
}

// longest returns the 99th percentile of the longest latencies of records that
// are due in one pauseEvery.
func longest(spans []time.Duration) float64 {
	var most []time.Duration
	for part := range slices.Chunk(spans, int(pauseRate*pauseEvery.Seconds())) {
		most = append(most, slices.Max(part))
	}
	slices.Sort(most)
	return quantile(most, 0.99)
}

// keep has a job keep checkpoints in a new directory.
func keep(dir string, every time.Duration) (*engine.Checkpoints, *local.Store, error) {
	store, err := local.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	k, err := checkpoint.Open(context.Background(), store)
	if err == nil {
		err = k.Fresh(context.Background(), "be9c", "bench")
	}
	if err == nil {
		_, err = k.Current(context.Background()) // there is none yet, and it must have been asked for
		if none := new(checkpoint.NoCheckpoint); errors.As(err, &none) {
			err = nil
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return &engine.Checkpoints{
		Keeper: k, Retain: 5, Semantics: expr.Semantics,
		Config: checkpoint.Config{Every: gpflow.Duration(every / time.Microsecond)},
	}, store, nil
}

// completions counts the checkpoints that a job logs.
type completions struct{ atomic.Int64 }

// Enabled implements slog.Handler.
func (c *completions) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (c *completions) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "a checkpoint is complete" {
		c.Add(1)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (c *completions) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler.
func (c *completions) WithGroup(string) slog.Handler { return c }

// tally counts records by key, and passes each on.
var tally = gpflow.Descriptor{
	Block: "tally", Summary: "Counts records by key, and passes each on.",
	Fields: []gpflow.Field{{Name: "key_by", Kind: gpflow.FieldColumns, Required: true}},
	Traits: func(c gpflow.Config) gpflow.Traits {
		return gpflow.Traits{KeyField: "key_by", Key: c.Strings("key_by")}
	},
	Infer: hop.Infer,
	State: func(c gpflow.Config, in []*gpflow.Schema, _ gpflow.Constants) []gpflow.StateDescriptor {
		return []gpflow.StateDescriptor{tallyState(in[0].Select(func(name string) bool { return slices.Contains(c.Strings("key_by"), name) }))}
	},
	NewOperator: func(c *gpflow.OperatorContext) (gpflow.Operator, error) {
		k, err := gpflow.NewKeyer(c.In[0], c.Config.Strings("key_by"))
		return &tallying{panes: c.State.Panes("counts"), keyer: k}, err
	},
}

// tallyState is the state of tally: two numbers by key.
func tallyState(key *gpflow.Schema) gpflow.StateDescriptor {
	return gpflow.StateDescriptor{
		Name: "counts", Kind: "panes", Version: 1, Key: key,
		Value: gpflow.NewSchema(
			gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
			gpflow.Column{Name: "sum", Type: gpflow.T(gpflow.KindInt)},
		),
	}
}

type tallying struct {
	passing
	panes gpflow.Panes
	keyer gpflow.Keyer
	key   []byte
}

func (t *tallying) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		t.key = t.keyer.Append(t.key[:0], in.Row(i))
		acc, fresh := t.panes.Upsert(0, t.key, gpflow.HashKey(t.key))
		if fresh {
			acc[0], acc[1] = gpflow.Int(0), gpflow.Int(0)
		}
		acc[0], acc[1] = gpflow.Int(acc[0].Int()+1), gpflow.Int(acc[1].Int()+in.Row(i)[0].Int())
	}
	return t.passing.Process(in, out)
}
