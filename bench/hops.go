package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gpflow/gpflow"
)

// The latency job: record i is due i/rate seconds after the start, and its
// latency is counted from then, whenever it really was made. What falls into
// the first warmUp does not count.
const (
	hopsSeconds = 2
	warmUp      = 500 * time.Millisecond
)

// latency is what a run says: in milliseconds.
type latency struct {
	Records int     `json:"records"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
}

// clock says when records are due: the first ones, which fill what is to be
// filled, at once.
type clock struct {
	began       time.Time
	rate        float64 // records per second
	count, fill int64
	key         func(i int64) int64
}

func newClock(args []string) (*clock, error) {
	if len(args) != 1 {
		return nil, errors.New("a rate, in records per second, is wanted")
	}
	rate, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return nil, err
	}
	// Time to build everything before the first record is due.
	return &clock{
		began: time.Now().Add(50 * time.Millisecond), rate: rate, key: hopKey,
		count: int64(rate * (hopsSeconds + warmUp.Seconds())),
	}, nil
}

// hopKey is the key of the first hop.
func hopKey(i int64) int64 { return i % 1009 }

// due returns when a record is due, from c.began.
func (c *clock) due(i int64) time.Duration {
	if i < c.fill {
		return math.MinInt64
	}
	return time.Duration(float64(i-c.fill) / c.rate * 1e9)
}
func (c *clock) now() time.Duration { return time.Since(c.began) }

// sleep blocks the thread: timers of the runtime are late by up to a
// millisecond where a process has nothing else to do.
func (c *clock) sleep(until time.Duration) {
	for left := until - c.now(); left > 0; left = until - c.now() {
		span := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&span, nil) // cut short by a signal: the loop goes on
	}
}

// watch collects latencies, of one goroutine.
type watch struct {
	*clock
	spans []time.Duration // in the order of arrival
}

func newWatch(c *clock) *watch { return &watch{c, make([]time.Duration, 0, c.count)} }

func (w *watch) arrived(due time.Duration) {
	if due >= warmUp {
		w.spans = append(w.spans, w.now()-due)
	}
}

// quantiles returns the latencies that watches have collected, and checks that
// none is missing.
func quantiles(c *clock, ws ...*watch) (l latency, err error) {
	var all []time.Duration
	for _, w := range ws {
		all = append(all, w.spans...)
	}
	counted := int64(0)
	for i := c.count - 1; i >= 0 && c.due(i) >= warmUp; i-- {
		counted++
	}
	if int64(len(all)) != counted {
		return l, errors.New("records are missing, or have come twice")
	}
	slices.Sort(all)
	return latency{len(all), quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1)}, nil
}

// quantile returns a quantile of spans, which are ascending, in milliseconds.
func quantile(spans []time.Duration, q float64) float64 {
	return float64(spans[int(math.Ceil(q*float64(len(spans))))-1]) / 1e6
}

// pipePart is the yardstick "pipe": three goroutines with channels between them,
// a record at a time.
//
//	pipe RATE
func pipePart(args []string) error {
	c, err := newClock(args)
	if err != nil {
		return err
	}
	w := newWatch(c)
	pass := func(from <-chan time.Duration) <-chan time.Duration {
		to := make(chan time.Duration, gpflow.BatchRows)
		go func() {
			defer close(to)
			for due := range from {
				to <- due
			}
		}()
		return to
	}
	first := make(chan time.Duration, gpflow.BatchRows)
	go func() {
		defer close(first)
		for i := range c.count {
			c.sleep(c.due(i))
			first <- c.due(i)
		}
	}()
	for due := range pass(pass(first)) {
		w.arrived(due)
	}
	l, err := quantiles(c, w)
	return errors.Join(err, say(l))
}

// The pipeline of three hops, in parts.
const (
	hopsHead = `
pipeline "hops" { parallelism = 2 }
`
	dueHops = `
source "due" "records" {}
` + threeHops

	// madeHops has the same records as fast as they can be made.
	madeHops = `
source "generate" "records" {
  count  = COUNT
  fields = { due = "i", a = "i % 1009", b = "i % 2003", c = "i % 4001" }
}
` + threeHops

	threeHops = `
hop "a" {
  from   = source.records
  key_by = ["a"]
}
hop "b" {
  from   = hop.a
  key_by = ["b"]
}
hop "c" {
  from   = hop.b
  key_by = ["c"]
}
`
	timeHops = `
sink "latency" "out" { from = hop.c }
`
	dropHops = `
sink "drop" "out" { from = hop.c }
`
)

// hopsPart sends records through three keyed exchanges.
//
//	hops RATE
func hopsPart(args []string) error {
	c, err := newClock(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(memory(), "gpflow-hops-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "hops.gp.hcl")
	if err := spell(file, hopsHead+dueHops+timeHops); err != nil {
		return err
	}
	sink := &latencySink{clock: c}
	c.began = time.Now().Add(100 * time.Millisecond)
	run, err := start(file, dueSource(c), &hop, sink.descriptor())
	if err != nil {
		return err
	}
	if _, err := run.Wait(); err != nil {
		return err
	}
	l, err := quantiles(c, sink.watches...)
	return errors.Join(err, say(l))
}

// latencySink is a sink that looks when records arrive.
type latencySink struct {
	*clock
	mu      sync.Mutex
	watches []*watch // by subtask
}

func (s *latencySink) descriptor() *gpflow.Descriptor {
	d := drop
	d.Kind = "latency"
	d.NewSink = func(*gpflow.SinkContext) (gpflow.Sink, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w := newWatch(s.clock)
		s.watches = append(s.watches, w)
		return &watchSink{watch: w}, nil
	}
	return &d
}

type watchSink struct {
	dropped
	*watch
}

func (s *watchSink) Write(_ context.Context, b *gpflow.Batch, _ func(int, error) error) error {
	for i := range b.N {
		s.arrived(time.Duration(b.Row(i)[0].Int()))
	}
	return nil
}
