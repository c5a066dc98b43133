// Package engine runs a physical plan in this process: it builds the actors of
// a job, joins them by channels, and performs what the job's machine decides.
//
// It sees only the serial form of a plan and a registry to build from, and
// makes no use of the sender and the receiver of a channel being in one
// process.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/state/spill"
)

// Options says how to run a plan. The zero Options but for the Registry are
// useful.
type Options struct {
	Registry *gpflow.Registry
	Log      *slog.Logger   // nil: nothing is logged
	Limit    exchange.Limit // of each channel; zero: exchange.DefaultLimit
	// PollRows is how many records a reader reads at once; 0: a batch. No
	// number changes a result.
	PollRows int
	// EncodeLinks makes every channel encode and decode what it carries, as
	// between processes.
	EncodeLinks bool
	// Checkpoints makes the job survive; nil: it is lost with the process.
	Checkpoints *Checkpoints
	// Spill bounds the memory of the job's state.
	Spill Spill
}

// Run is a job that has been started.
type Run struct {
	plan    *plan.Plan
	options Options
	started time.Time
	system  *actor.System
	cancel  context.CancelFunc
	master  *actor.Ref
	nodes   []*node
	edges   []*edge
	boss    *master
	floor   []byte // see heapFloor
	sources []namedSource
	before  int64 // see Status.Before
	pulse   pulse
	points  points
	memory  *state.Budget // nil: the state takes what it needs
	spilled *spill.Store  // what memory has no room for; nil: nothing yet
	done    chan struct{} // closed when the job has ended

	once   sync.Once // of Wait
	report Report
	err    error

	mu    sync.Mutex
	ended time.Time               // zero: running; guarded by mu
	how   job.Outcome             // guarded by mu
	asked map[string][]chan Saved // for savepoints, by name; guarded by mu
}

// heapFloor is the size in bytes of a block that every run keeps and never
// touches, so that it takes no memory. It counts for the garbage collector,
// which so runs when that much has been allocated and not after every few
// batches, which is all that is alive in a run with little state.
const heapFloor = 16 << 20

// Start builds the job of an encoded plan and starts it. An error says that
// nothing was started. Cancelling ctx kills the job.
func Start(ctx context.Context, encoded []byte, o Options) (*Run, error) {
	p, err := plan.Decode(encoded)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Limit == (exchange.Limit{}) {
		o.Limit = exchange.DefaultLimit
	}
	if o.PollRows <= 0 || o.PollRows > gpflow.BatchRows {
		o.PollRows = gpflow.BatchRows
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Run{
		floor: make([]byte, heapFloor), plan: p, options: o, cancel: cancel, system: actor.NewSystem(ctx), started: time.Now(),
		done: make(chan struct{}), asked: make(map[string][]chan Saved),
	}
	b := newBuild(ctx, r)
	err = r.budget()
	if err == nil {
		err = b.archive(encoded)
	}
	if err == nil {
		err = b.all()
	}
	if err != nil {
		b.discard()
		cancel()
		return nil, errors.Join(err, r.closeSpilled())
	}
	o.Log.Debug("start", "pipeline", p.Pipeline, "tasks", len(p.Tasks), "plan", plan.Digest(encoded),
		"in_flight_at_most", Ceiling(p, o.Limit, gpflow.BatchBytes))
	r.pulse.begin(r.sample(r.ledger()))
	b.start()
	return r, nil
}

// Stop asks for an end in order: reading stops, what has been read flows
// through, no window closes early, and what has not been committed stays
// staged. It may be called at any time, also repeatedly.
func (r *Run) Stop() { r.master.Send(job.StopRequested{}) }

// Drain ends the input where it has been read to: windows close, everything is
// committed, and the job finishes. What comes behind is never read.
func (r *Run) Drain() { r.master.Send(job.Drain{}) }

// Done returns a channel that is closed when the job has ended, and somebody has
// called Wait: what that returns is known then.
func (r *Run) Done() <-chan struct{} { return r.done }

// Wait returns when the job has ended and every part of it is gone. The error
// is what made it fail.
func (r *Run) Wait() (Report, error) {
	r.once.Do(r.wait)
	return r.report, r.err
}

func (r *Run) wait() {
	defer close(r.done)
	r.system.Wait()
	r.cancel()
	outcome, err := r.boss.outcome, r.boss.err
	if cause := r.master.Err(); cause != nil && !errors.Is(cause, context.Canceled) {
		outcome, err = job.Failed, fmt.Errorf("run the job: %w", cause)
	}
	if cerr := errors.Join(r.closeSources(), r.closeSpilled()); cerr != nil && outcome != job.Failed {
		outcome, err = job.Failed, cerr
	}
	var bad []string
	if outcome != job.Failed {
		if bad = r.check(r.status(r.ledger())); bad != nil {
			outcome, err = job.Failed, fmt.Errorf("the ledger does not add up, which is a bug in gpflow: %s", strings.Join(bad, "; "))
		}
	}
	r.mu.Lock()
	r.ended, r.how = time.Now(), outcome
	for name, cs := range r.asked {
		for _, c := range cs {
			c <- Saved{Err: errEnded(name)} // it has room
		}
	}
	r.asked = nil
	r.mu.Unlock()
	r.report, r.err = Report{Status: r.Status(), Outcome: outcome, Imbalances: bad}, err
	if err != nil {
		r.report.Error = err.Error()
	}
}

// Failed returns a channel that gets the cause when the job has failed, which
// may be long before Wait returns: a sink that is blocked in writing cannot be
// ended.
func (r *Run) Failed() <-chan error { return r.boss.failed }

// namedSource is a source, which lives as long as its job.
type namedSource struct {
	address string
	gpflow.Source
}

// closeSources closes the sources that hold something, and returns the first
// failure.
func (r *Run) closeSources() (err error) {
	for _, s := range r.sources {
		if c, ok := s.Source.(gpflow.Closer); ok {
			if cerr := c.Close(); cerr != nil && err == nil {
				err = fmt.Errorf("%s: close: %w", s.address, cerr)
			}
		}
	}
	return err
}

// running is the state of a job that has not ended.
const running = "running"

func (r *Run) state() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() {
		return running
	}
	return string(r.how)
}

func (r *Run) elapsed() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() {
		return time.Since(r.started)
	}
	return r.ended.Sub(r.started)
}

// master is the actor of the job: it feeds the job's machine and performs its
// actions, and is the parent of every other actor.
type master struct {
	job         *job.Job
	ref         *actor.Ref
	cancel      context.CancelFunc // of everything
	enumerators map[string]*actor.Ref
	readers     map[job.Reader]*actor.Ref
	tasks       []*actor.Ref
	writers     map[job.Writer]*actor.Ref
	archivist   *actor.Ref                       // nil: checkpoints are not kept
	resumed     map[string]map[string]*splitData // see saved
	points      *points
	log         *slog.Logger
	timer       *time.Timer
	events      []job.Event // that actions have led to at once
	children    []*actor.Ref
	alive       int
	begun       bool
	failed      chan error  // has room for the one cause
	outcome     job.Outcome // "" while running
	err         error
}

// Receive implements actor.Actor.
func (m *master) Receive(_ context.Context, message any) error {
	switch e := message.(type) {
	case job.Event:
		m.step(e)
	case actor.Exited:
		m.alive--
		m.buried(e)
	}
	return nil
}

// buried takes note of an actor's end.
func (m *master) buried(e actor.Exited) {
	if e.Err == nil {
		return
	}
	err := fmt.Errorf("%s: %w", e.Ref.Name(), e.Err)
	var failure *RecordFailure
	if errors.As(e.Err, &failure) {
		err = failure // it names the node itself
	}
	switch {
	case m.outcome == "":
		m.step(job.Failure{Err: err})
	case m.outcome != job.Failed && !errors.Is(e.Err, context.Canceled):
		m.outcome, m.err = job.Failed, err
	}
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
		for _, a := range m.job.Step(now(), e) {
			m.perform(a)
		}
	}
}

func (m *master) perform(a job.Action) {
	switch a := a.(type) {
	case job.Discover:
		m.enumerators[a.Source].Send(a)
	case job.Assign:
		msg := assign{split: a.Split}
		if a.Resume {
			msg.from = m.resumed[a.Reader.Source][a.Split.ID]
		}
		m.readers[a.Reader].Send(msg)
	case job.Pending:
		m.readers[a.Reader].Send(pending{a.Left})
	case job.Rest:
		m.readers[a.Reader].Send(rest{})
	case job.NoMore:
		m.readers[a.Reader].Send(noMore{})
	case job.StopReading:
		m.readers[a.Reader].Send(stopReading{})
	case job.EndInput:
		m.readers[a.Reader].Send(endInput{})
	case job.Trigger:
		m.points.begin(a.ID)
		m.readers[a.Reader].Send(trigger{a.ID, a.Stop})
	case job.Store:
		if m.archivist == nil {
			m.events = append(m.events, job.Point{CoordinatorEvent: checkpoint.Stored{ID: a.ID}})
			return
		}
		m.points.begin(a.ID)
		m.archivist.Send(a)
	case job.Save:
		m.archivist.Send(a)
	case job.Do:
		m.do(a.CoordinatorAction)
	case job.Finish:
		m.finish(a)
	}
}

// do performs what the coordinator of checkpoints asks for.
func (m *master) do(a checkpoint.CoordinatorAction) {
	switch a := a.(type) {
	case checkpoint.Abort:
		m.log.Warn("a checkpoint was given up", "checkpoint", a.ID, "cause", a.Err)
		m.points.failed(a.Err)
		for _, t := range m.tasks {
			t.Send(abort{a.ID})
		}
	case checkpoint.Completed:
		for _, t := range m.tasks {
			t.Send(completed{a.ID})
		}
	case checkpoint.Commit:
		w, ok := m.writers[job.Writer{Sink: a.Part.Name, Subtask: a.Part.Subtask}]
		if !ok { // of an earlier start, which had more subtasks
			w = m.writers[job.Writer{Sink: a.Part.Name}]
		}
		w.Send(commit{checkpoint.Pending{Part: a.Part, ID: a.ID, Committable: a.Committable}})
	case checkpoint.WakeAt:
		m.wakeAt(a.Time)
	}
}

func (m *master) wakeAt(at gpflow.Timestamp) {
	span := time.Duration(at-now()) * time.Microsecond
	if m.timer == nil {
		m.timer = time.AfterFunc(span, func() { m.ref.Send(job.Point{CoordinatorEvent: checkpoint.Tick{}}) })
		return
	}
	m.timer.Reset(span)
}

func (m *master) finish(a job.Finish) {
	m.outcome, m.err = a.Outcome, a.Err
	if a.Outcome == job.Failed {
		m.failed <- a.Err
	}
	for _, w := range m.writers {
		w.Send(finish{})
	}
	if m.archivist != nil {
		m.archivist.Send(finish{})
	}
	for _, e := range m.enumerators {
		e.Kill()
	}
	if a.Outcome == job.Failed {
		for _, c := range m.children {
			c.Kill()
		}
	}
}

// Close implements actor.Actor.
func (m *master) Close() error {
	if m.outcome == "" { // the context was cancelled, or the actor has failed
		m.outcome, m.err = job.Failed, context.Canceled
	}
	if m.timer != nil {
		m.timer.Stop()
	}
	m.cancel() // nobody is left to end the others
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
