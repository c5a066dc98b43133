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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/state/spill"
	"github.com/gpflow/gpflow/internal/failpoint"
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
	// Restart says what a failure leads to. Where it says nothing, or checkpoints
	// are not kept, the first one ends the job.
	Restart job.Policy
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
	regions regions
	view    atomic.Pointer[view]
	boss    *master
	floor   []byte // see heapFloor
	before  int64  // see Status.Before
	pulse   pulse
	points  points
	fates   restarts
	memory  *state.Budget // nil: the state takes what it needs
	spilled *spill.Store  // what memory has no room for; nil: nothing yet
	done    chan struct{} // closed when the job has ended

	once   sync.Once // of Wait
	report Report
	err    error

	mu      sync.Mutex
	ended   time.Time               // zero: running; guarded by mu
	how     job.Outcome             // guarded by mu
	asked   map[string][]chan Saved // for savepoints, by name; guarded by mu
	waiting []waiter                // for checkpoints; guarded by mu
	sources []namedSource           // guarded by mu
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
	r.divide()
	r.boss = newMaster(r)
	b := newBuild(ctx, r, r.regions.all())
	err = r.budget()
	if err == nil {
		err = b.first()
	}
	if err != nil {
		b.discard()
		cancel()
		return nil, errors.Join(err, r.closeSpilled())
	}
	r.boss.job = job.New(b.config())
	r.boss.take(b)
	o.Log.Debug("start", "pipeline", p.Pipeline, "tasks", len(p.Tasks), "plan", plan.Digest(encoded),
		"in_flight_at_most", Ceiling(p, o.Limit, LongestRecord(o.Registry, p)))
	r.pulse.begin(r.sample(r.ledger()))
	failpoint.Here("state-restored")
	r.boss.archive(encoded)
	r.boss.start(b)
	r.system.Start(r.master, r.boss)
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
	if cerr := errors.Join(r.closeSources(r.regions.all()), r.closeSpilled()); cerr != nil && outcome != job.Failed {
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
	r.unanswered()
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

// namedSource is a source, which lives as long as its region.
type namedSource struct {
	address string
	region  int
	gpflow.Source
}

// closeSources closes the sources of regions, of which nothing lives any more,
// and returns the first failure.
func (r *Run) closeSources(regions []int) error {
	r.mu.Lock()
	var over []namedSource
	for _, s := range r.sources {
		if slices.Contains(regions, s.region) {
			over = append(over, s)
		}
	}
	r.sources = slices.DeleteFunc(r.sources, func(s namedSource) bool { return slices.Contains(regions, s.region) })
	r.mu.Unlock()
	return closeSources(over)
}

// closeSources closes the sources that hold something, and returns the first
// failure.
func closeSources(sources []namedSource) (err error) {
	for _, s := range sources {
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

// now is the time by which checkpoints and restarts are due: it passes as time does,
// also where somebody sets the clock meanwhile.
func (r *Run) now() gpflow.Timestamp {
	return gpflow.Timestamp(r.started.UnixMicro() + time.Since(r.started).Microseconds())
}

func (r *Run) elapsed() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() {
		return time.Since(r.started)
	}
	return r.ended.Sub(r.started)
}
