package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// master is the actor of the job: it feeds the job's machine and performs its
// actions, and is the parent of the regions and of the archivist.
type master struct {
	job       *job.Job
	run       *Run
	ref       *actor.Ref
	refs      part.Parts[*actor.Ref]
	regions   map[int]*actor.Ref  // that live
	archivist *actor.Ref          // nil: checkpoints are not kept
	current   gpflow.CheckpointID // what a region that fails goes on from; 0: there is none yet
	log       *slog.Logger
	tick      waker          // of the coordinator of checkpoints
	waits     map[int]*waker // until regions are started again
	events    []job.Event    // that actions have led to at once
	alive     int
	begun     bool
	failed    chan error  // has room for the one cause
	outcome   job.Outcome // "" while running
	err       error
}

func newMaster(r *Run) *master {
	m := &master{
		run: r, log: r.options.Log, failed: make(chan error, 1), refs: part.NewParts[*actor.Ref](), regions: make(map[int]*actor.Ref),
		waits: make(map[int]*waker),
	}
	r.master = r.system.New("job", nil)
	m.ref = r.master
	m.tick.ring = func() { m.ref.Send(job.Point{CoordinatorEvent: checkpoint.Tick{}}) }
	return m
}

// take makes what was built known, in the place of what was there.
func (m *master) take(b *build) {
	b.claim()
	m.refs.Take(b.refs)
	m.current = 0
	if b.former != nil {
		m.current = b.former.Manifest().ID
	}
	m.run.view.Store(m.run.view.Load().with(b))
	m.run.mu.Lock()
	m.run.sources = append(m.run.sources, b.opened...)
	m.run.mu.Unlock()
}

// start starts what was taken.
func (m *master) start(b *build) {
	for i, r := range b.regions {
		m.regions[i] = r.ref
	}
	m.alive += len(b.regions)
	b.start()
}

// Receive implements actor.Actor.
func (m *master) Receive(_ context.Context, message any) error {
	switch e := message.(type) {
	case job.Event:
		m.step(e)
	case fault:
		m.fault(e)
	case built:
		m.built(e)
	case actor.Exited:
		m.buried(e)
	}
	return nil
}

// buried takes note of the end of a region, or of the archivist.
func (m *master) buried(e actor.Exited) {
	m.alive--
	for i, r := range m.regions {
		if r == e.Ref {
			delete(m.regions, i)
			if e.Err == nil {
				m.step(job.Fallen{Region: i})
			}
		}
	}
	if e.Err != nil {
		m.broken(fmt.Errorf("%s: %w", e.Ref.Name(), e.Err), -1)
	}
}

// fault takes what a part of a region has failed with.
func (m *master) fault(f fault) {
	var p *actor.PanicError
	if errors.As(f.err, &p) {
		m.log.Debug("a panic", "cause", headline(f.err), "stack", string(p.Stack))
	}
	if !restartable(f.err) {
		f.region = -1
	}
	m.broken(f.err, f.region)
}

// broken takes a failure of a region, or of the whole job, which is -1.
func (m *master) broken(err error, region int) {
	switch {
	case m.outcome == "" && region >= 0:
		m.step(job.Broken{Region: region, Err: err})
	case m.outcome == "":
		m.step(job.Failure{Err: err})
	case m.outcome != job.Failed && !errors.Is(err, context.Canceled):
		m.outcome, m.err = job.Failed, err
	}
}

// built starts regions that have been made anew.
func (m *master) built(e built) {
	if !e.build.claim() {
		return
	}
	if m.outcome != "" {
		e.build.discard()
		return
	}
	m.take(e.build)
	m.start(e.build)
	m.run.fates.restarted(e.asked.Regions)
	for _, i := range e.asked.Regions {
		m.log.Info("a part of the pipeline runs again", "region", strings.Join(m.run.regions.names[i], ", "), "from", m.from())
	}
	done := job.Rebuilt{Regions: e.asked.Regions, At: m.current, Sources: e.build.sources}
	if f := e.build.former; f != nil {
		done.Committables = f.Commit()
	}
	m.step(done)
}

// Work implements actor.Actor.
func (m *master) Work(context.Context) (bool, error) {
	if !m.begun {
		m.begun = true
		m.step(job.Started{})
	}
	if m.alive == 0 {
		return false, actor.ErrFinished
	}
	return false, nil
}

func (m *master) step(e job.Event) {
	m.events = append(m.events, e)
	for len(m.events) > 0 {
		e := m.events[0]
		m.events = m.events[1:]
		for _, a := range m.job.Step(m.run.now(), e) {
			m.perform(a)
		}
	}
}

func (m *master) perform(a job.Action) {
	switch a := a.(type) {
	case job.Trigger:
		m.run.points.begin(a.ID)
		m.deliver(a)
	case job.Store:
		if m.archivist == nil {
			m.events = append(m.events, job.Point{CoordinatorEvent: checkpoint.Stored{ID: a.ID}})
			return
		}
		failpoint.Here("all-acknowledged")
		m.run.points.begin(a.ID)
		m.archivist.Send(a)
	case job.Save:
		m.archivist.Send(a)
	case job.Do:
		m.do(a.CoordinatorAction)
	case job.TearDown:
		if r := m.regions[a.Region]; r != nil {
			r.Send(tearDown{})
		} else { // all of it has ended already
			m.events = append(m.events, job.Fallen(a))
		}
	case job.Wait:
		m.wait(a)
	case job.Restarting:
		m.restarting(a)
	case job.Rebuild:
		m.archivist.Send(a)
	case job.Finish:
		m.finish(a)
	default:
		m.deliver(a)
	}
}

// deliver sends an action to the parts that it is for, if it is for some.
func (m *master) deliver(action any) {
	m.refs.Deliver(action, func(to *actor.Ref, message any) { to.Send(message) })
}

// do performs what the coordinator of checkpoints asks for.
func (m *master) do(a checkpoint.CoordinatorAction) {
	switch a := a.(type) {
	case checkpoint.Abort:
		level := slog.LevelWarn
		if a.Down {
			level = slog.LevelDebug // what has failed is said where it has
		}
		m.log.Log(context.Background(), level, "a checkpoint was given up", "checkpoint", a.ID, "cause", a.Err)
		m.run.points.aborted(a)
	case checkpoint.Completed:
		m.current = a.ID
	case checkpoint.WakeAt:
		m.tick.at(a.Time, m.run.now())
	}
	m.deliver(a)
}

// wait has a region started again at a time.
func (m *master) wait(a job.Wait) {
	if m.waits[a.Region] == nil {
		m.waits[a.Region] = &waker{ring: func() { m.ref.Send(job.Due{Region: a.Region}) }}
	}
	m.waits[a.Region].at(a.Time, m.run.now())
}

// from returns what a region that fails goes on from, in words.
func (m *master) from() string {
	if m.current == 0 {
		return "the beginning: there is no checkpoint yet"
	}
	return fmt.Sprintf("checkpoint %d", m.current)
}

// restarting says what has failed, once, and what becomes of it.
func (m *master) restarting(a job.Restarting) {
	p, wait := m.run.options.Restart, time.Duration(a.Wait)*time.Microsecond
	nodes, from := strings.Join(m.run.regions.names[a.Region], ", "), m.from()
	if a.Whole {
		nodes, from = "all nodes", "what the state says is current: storing the last checkpoint had failed"
	}
	m.run.fates.failed(a.Region, headline(a.Err), wait)
	m.log.Warn("a part of the pipeline has failed and is started again", "cause", headline(a.Err), "region", nodes,
		"in", wait.Round(100*time.Millisecond), "attempt", fmt.Sprintf("%d of %d within %s", a.Attempt, p.Attempts, p.Within), "from", from)
}

func (m *master) finish(a job.Finish) {
	m.outcome, m.err = a.Outcome, a.Err
	if a.Outcome == job.Failed {
		m.failed <- a.Err
	}
	for _, w := range m.refs.Writers {
		w.Send(finish{})
	}
	if m.archivist != nil {
		m.archivist.Send(finish{})
	}
	for _, e := range m.refs.Enumerators {
		e.Kill()
	}
	if a.Outcome == job.Failed {
		for _, r := range m.regions {
			r.Send(tearDown{})
		}
		if m.archivist != nil {
			m.archivist.Kill()
		}
	}
}

// Close implements actor.Actor.
func (m *master) Close() error {
	if m.outcome == "" { // the context was cancelled, or the actor has failed
		m.outcome, m.err = job.Failed, context.Canceled
	}
	m.tick.stop()
	for _, t := range m.waits {
		t.stop()
	}
	m.run.cancel() // nobody is left to end the others
	return nil
}

// enumerator is the actor that finds a source's splits.
type enumerator struct {
	source string
	in     gpflow.Enumerator
	master *actor.Ref
	asked  bool
}

// Receive implements actor.Actor.
func (e *enumerator) Receive(context.Context, any) error { e.asked = true; return nil }

// Work implements actor.Actor.
func (e *enumerator) Work(ctx context.Context) (bool, error) {
	if !e.asked {
		return false, nil
	}
	splits, done, err := e.in.Discover(ctx)
	if err != nil {
		return false, err
	}
	e.master.Send(job.Discovered{Source: e.source, Splits: splits, Done: done})
	if done {
		return false, actor.ErrFinished
	}
	return true, nil
}

// Close implements actor.Actor.
func (e *enumerator) Close() error { return e.in.Close() }
