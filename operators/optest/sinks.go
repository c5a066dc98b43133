package optest

import (
	"context"
	"errors"
	"slices"

	"github.com/gpflow/gpflow"
)

// SinkCase is a sink that RunSink writes items to, the numbers from 0 on.
type SinkCase struct {
	Schema *gpflow.Schema
	// Row fills the row of an item, whose columns are null.
	Row func(item int, row []gpflow.Value)
	// Open makes the sink of a subtask.
	Open func(lineage string, epoch int64, s gpflow.Subtask) (gpflow.Sink, error)
	// Kill does what the system does for a process that dies: it closes files and
	// ends locks. It writes nothing. nil: there is nothing to be done.
	Kill func(gpflow.Sink)
	// Visible returns the items that a reader sees at this moment, in any order.
	Visible func() ([]int, error)
	// Appears says when items are visible.
	Appears Appearance
	// Items is the number of items; 0: 1,000.
	Items int
	// Parallelism are the numbers of subtasks that a start may have; nil: 1.
	Parallelism []int
	// Choose makes the schedule. It returns a number from 0 to n-1, and always 0
	// makes a run in which nothing happens. Label says what is chosen.
	Choose func(label string, n int) int
}

// Appearance says when the output of a sink is visible.
type Appearance int

// The appearances.
const (
	AtCommit Appearance = iota // each item with the checkpoint behind it
	Later                      // each with that checkpoint or a later one, at the end all
	AtEnd                      // none before the end, and then all
	// AtOnce is of a sink that is at-least-once: each is visible with the Write that
	// has it, and again where a start writes it again.
	AtOnce
	Never // there is nothing to be seen: Visible is not called
)

// ErrKilled ends an attempt where a method of a sink returns it: the process has
// died in the middle of the call. A case injects it.
var ErrKilled = errors.New("killed")

// RunSink writes items to a sink, with a checkpoint every few items, and with
// restarts at random moments: in order or by force, in the same process or
// another, with another number of subtasks, between any two calls and, by
// ErrKilled, within them. Checkpoints are completed, aborted or lost; what they
// prepared is committed at once, later, repeatedly, or by the next start.
//
// A call that fails with a gpflow.Transient is made again, as the engine does, or
// the process dies before that. Now and then the context of a call has ended: then
// it does what it is to do all the same, or says so, and the sink is closed. A batch
// is overwritten as soon as Write has returned.
//
// At every moment no item is visible twice, none that lies behind the last
// completed checkpoint, and none that was visible is gone. At the end each item
// is visible once. Of a sink that is at-least-once, items are visible twice only
// where a restart wrote them again, and all are that have been written.
func RunSink(t TB, c SinkCase) {
	t.Helper()
	if c.Items == 0 {
		c.Items = 1000
	}
	if c.Parallelism == nil {
		c.Parallelism = []int{1}
	}
	r := &sinkRun{SinkCase: c, t: t, lineage: "0badc0de", seen: make([]bool, c.Items), again: make([]bool, c.Items)}
	for range 2 { // what is finished stays so
		for !r.attempt() {
		}
	}
	r.check("at the end", true)
}

// sinkRun drives the sinks of one job.
type sinkRun struct {
	SinkCase
	t       TB
	lineage string
	epoch   int64
	id      gpflow.CheckpointID
	sinks   []gpflow.Sink
	last    []gpflow.Prepared // by subtask, of its final Prepare
	ended   []bool            // by subtask: it had its final Prepare
	fed     int               // items written
	most    int               // items ever written
	again   []bool            // items that have been written by several starts
	done    cut               // the last completed checkpoint
	owed    []cut             // completed, and not committed yet
	seen    []bool            // items that were visible once
}

// cut is a completed checkpoint.
type cut struct {
	items    int // those before it
	prepared []gpflow.Prepared
	final    bool
}

func (r *sinkRun) kill() {
	for _, s := range r.sinks {
		if r.Kill != nil && s != nil {
			r.Kill(s)
		}
	}
	r.sinks = nil
	r.check("after a forced restart", false)
}

// attempt starts the sinks and goes on until they have ended for some reason. It
// reports whether everything has been committed.
func (r *sinkRun) attempt() bool {
	r.t.Helper()
	if !r.start() {
		return false
	}
	for r.fed < r.Items {
		var alive bool
		switch r.Choose("step", 4) {
		default:
			alive = r.write()
		case 2:
			alive = r.checkpoint(false)
		case 3:
			alive = r.commit()
		}
		r.check("in the middle", false)
		if !alive {
			return false
		}
		switch r.Choose("restart", 30) {
		case 28:
			r.kill()
			return false
		case 29:
			r.close()
			return false
		}
	}
	for !r.done.final {
		if !r.checkpoint(true) {
			return false
		}
	}
	return r.commit() && r.close()
}

func (r *sinkRun) close() bool {
	for _, s := range r.sinks {
		if !r.ok("Close", s.Close()) {
			return false
		}
	}
	r.sinks = nil
	r.check("after Close", false)
	return true
}

// start opens the sinks and has them go on from the last completed checkpoint.
func (r *sinkRun) start() bool {
	if r.epoch == 0 || !r.chance("start in the same process", 3) {
		r.epoch++
	}
	p := r.Parallelism[r.Choose("parallelism", len(r.Parallelism))]
	r.sinks, r.ended, r.last = make([]gpflow.Sink, p), make([]bool, p), make([]gpflow.Prepared, p)
	for i := r.done.items; i < r.most; i++ {
		r.again[i] = true
	}
	r.fed, r.owed = r.done.items, nil
	for i := range r.sinks {
		s, err := r.Open(r.lineage, r.epoch, gpflow.Subtask{Index: i, Parallelism: p})
		if !r.ok("open", err) {
			return false
		}
		r.sinks[i] = s
	}
	var states [][]byte
	for _, p := range r.done.prepared {
		states = append(states, p.State)
	}
	first := r.Choose("first to recover", p)
	for i := range p {
		if !r.ok("Recover", r.sinks[(first+i)%p].Recover(context.Background(), slices.Clone(states))) {
			return false
		}
		if r.chance("die in recovery", 40) {
			r.kill()
			return false
		}
	}
	r.owed = append(r.owed, r.done)
	return r.commit()
}

// write gives a few items to the subtasks.
func (r *sinkRun) write() bool {
	var live []int
	for i, ended := range r.ended {
		if !ended {
			live = append(live, i)
		}
	}
	n := min(1+r.Choose("items", 7), r.Items-r.fed)
	batches := make([]*gpflow.Builder, len(live))
	for range n {
		at := r.fed * 7 % 11 % len(live)
		if batches[at] == nil {
			batches[at] = gpflow.NewBuilder(r.Schema)
		}
		r.Row(r.fed, batches[at].Row(gpflow.MinTimestamp))
		r.fed++
		r.most = max(r.most, r.fed)
	}
	for at, b := range batches {
		if b == nil {
			continue
		}
		batch := b.Take()
		alive := r.call("Write", func(ctx context.Context) error {
			return r.sinks[live[at]].Write(ctx, batch, func(_ int, err error) error { return err })
		})
		for i := range batch.Slab {
			batch.Slab[i] = gpflow.String("poison: a value of a released batch")
		}
		batch.Release()
		if !alive {
			return false
		}
	}
	return true
}

// checkpoint prepares all subtasks. The checkpoint may be lost, by dying or by
// being aborted.
func (r *sinkRun) checkpoint(final bool) bool {
	r.id++
	c := cut{items: r.fed, final: final, prepared: make([]gpflow.Prepared, len(r.sinks))}
	live := 0
	for _, ended := range r.ended {
		if !ended {
			live++
		}
	}
	for i, s := range r.sinks {
		if !r.ended[i] {
			end := final || live > 1 && r.chance("a subtask ends", 60)
			var p gpflow.Prepared
			if !r.call("Prepare", func(ctx context.Context) (err error) { p, err = s.Prepare(ctx, r.id, end); return err }) {
				return false
			}
			if end {
				live--
				r.ended[i] = true
			}
			r.last[i] = clonePrepared(p)
		}
		c.prepared[i] = r.last[i]
		if r.chance("die between two Prepares", 60) {
			r.kill()
			return false
		}
	}
	switch r.Choose("the checkpoint", 12) {
	case 10: // aborted
		return true
	case 11: // died before the manifest was durable
		r.kill()
		return false
	}
	r.done = c
	r.owed = append(r.owed, c)
	if r.chance("die before Commit", 12) {
		r.kill()
		return false
	}
	if r.chance("commit later", 4) {
		return true
	}
	return r.commit()
}

// commit commits what is owed, in order.
func (r *sinkRun) commit() bool {
	for _, c := range r.owed {
		for i, p := range c.prepared {
			if p.Committable == nil {
				continue
			}
			for range 1 + r.Choose("commit again", 2) {
				s := r.sinks[i%len(r.sinks)]
				if !r.call("Commit", func(ctx context.Context) error { return s.Commit(ctx, slices.Clone(p.Committable)) }) {
					return false
				}
			}
			if r.chance("die between two Commits", 30) {
				r.kill()
				return false
			}
		}
	}
	r.owed = nil
	r.check("after Commit", r.Appears == AtCommit || r.done.final)
	return true
}

func clonePrepared(p gpflow.Prepared) gpflow.Prepared {
	return gpflow.Prepared{Committable: slices.Clone(p.Committable), State: slices.Clone(p.State)}
}

// check looks at what is visible; whole says that it has to be all of what the
// last completed checkpoint covers.
func (r *sinkRun) check(when string, whole bool) {
	r.t.Helper()
	if r.Appears == Never {
		return
	}
	items, err := r.Visible()
	if err != nil {
		r.t.Fatalf("%s: look at the output: %v", when, err)
	}
	now := make([]bool, r.Items)
	atOnce := r.Appears == AtOnce
	for _, i := range items {
		switch {
		case i < 0 || i >= r.most:
			r.t.Fatalf("%s: the item %d is visible, which was never written", when, i)
		case now[i] && !(atOnce && r.again[i]):
			r.t.Fatalf("%s: the item %d is visible twice", when, i)
		case i >= r.done.items && !atOnce:
			r.t.Fatalf("%s: the item %d is visible, and the last completed checkpoint is before item %d", when, i, r.done.items)
		case r.Appears == AtEnd && !r.done.final:
			r.t.Fatalf("%s: the item %d is visible before the end", when, i)
		}
		now[i] = true
	}
	for i, was := range r.seen {
		if was && !now[i] {
			r.t.Fatalf("%s: the item %d was visible, and is gone", when, i)
		}
	}
	if missing := slices.Index(now[:r.done.items], false); atOnce && missing >= 0 {
		r.t.Fatalf("%s: the item %d is not visible, and a completed checkpoint is behind it", when, missing)
	}
	if whole && !atOnce && len(items) != r.done.items {
		r.t.Fatalf("%s: %d items are visible of the %d before the last completed checkpoint; the first that is missing is %d",
			when, len(items), r.done.items, slices.Index(now, false))
	}
	r.seen = now
}
