// Package job is the life of a job as a pure state machine: what happened goes
// in, what has to be done comes out. It knows no clock, goroutine or I/O.
//
// A job finds the splits of its sources and hands them out, and has checkpoints
// taken. What the sinks have prepared for a checkpoint is committed when that is
// durable; the last one is taken when everything has come to its end, and so
// the output of a bounded run appears at its end, whole. A job that keeps no
// checkpoints differs in nothing but that storing them does nothing.
package job

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// Reader names a subtask of a source.
type Reader struct {
	Source  string // address
	Subtask int
}

// Writer names a subtask of a sink.
type Writer struct {
	Sink    string // address
	Subtask int
}

// Config is what a job is made of.
type Config struct {
	Sources []Source
	Sinks   []Writer
	Tasks   []checkpoint.Part // the subtasks of tasks
	// Checkpoints says when they are taken.
	Checkpoints checkpoint.Config
	// Durable says that they are kept, so that there is one to be taken when
	// the job is stopped.
	Durable bool
	// Last is the checkpoint that the job goes on from, 0 for none, and Commit
	// what was prepared for it, which is committed again (C4).
	Last   gpflow.CheckpointID
	Commit []checkpoint.Pending
	// Regions are what fails by itself, each as the addresses of its sources and
	// sinks and the ids of its tasks; Restart says what a failure leads to. A
	// job whose checkpoints are not kept ends with the first one.
	Regions [][]string
	Restart Policy
	// Plant is a bug for tests to find; "": none.
	Plant Bug
}

// Outcome is how a job ended.
type Outcome string

// The outcomes.
const (
	Finished Outcome = "finished" // the input was read to its end, and the output is committed
	Stopped  Outcome = "stopped"  // stopped on request; what was not committed stays staged
	Failed   Outcome = "failed"
)

// Event is something that happened: one of the types below.
type Event interface{ event() }

// The events.
type (
	// Started says that every task runs.
	Started struct{}
	// Discovered says what an enumerator has found.
	Discovered struct {
		Source string
		Splits []gpflow.Split
		Done   bool // there will never be more
	}
	// SplitEnded says that a reader has read a split to its end.
	SplitEnded struct {
		Reader Reader
		Split  string
	}
	// Ended says that a sink has seen the end of its input.
	Ended struct {
		Writer  Writer
		Drained bool
	}
	// Point is an event of the job's checkpoints.
	Point struct{ checkpoint.CoordinatorEvent }
	// StopRequested asks for an end in order. Savepoint is the name of one that is
	// to be made of the last checkpoint; "": none.
	StopRequested struct{ Savepoint string }
	// Drain asks for the end of the input where it has been read to: the job
	// finishes, and what comes behind is never read. After a StopRequested it
	// does nothing.
	Drain struct{}
	// Requested asks for a savepoint.
	Requested struct{ Savepoint string }
	// Failure says that a part of the job has ended with an error that ends the
	// job. See Broken.
	Failure struct{ Err error }
)

func (Started) event()       {}
func (Discovered) event()    {}
func (SplitEnded) event()    {}
func (Ended) event()         {}
func (Point) event()         {}
func (StopRequested) event() {}
func (Drain) event()         {}
func (Requested) event()     {}
func (Failure) event()       {}

// Action is something to do: one of the types below.
type Action interface{ action() }

// The actions.
type (
	// Discover asks an enumerator for splits.
	Discover struct{ Source string }
	// Assign gives splits to a reader; Resume says that they were being read at
	// the checkpoint that the job goes on from.
	Assign struct {
		Reader Reader
		Splits []gpflow.Split
		Resume bool
	}
	// Pending tells a reader whether splits are left that nobody reads.
	Pending struct {
		Reader Reader
		Left   bool
	}
	// Rest tells a reader of an unbounded source that there is no split for it,
	// until one may be found: it holds no watermark.
	Rest struct{ Reader Reader }
	// NoMore tells a reader that it gets no more splits.
	NoMore struct{ Reader Reader }
	// StopReading tells a reader to end, before the end of its input.
	StopReading struct{ Reader Reader }
	// EndInput tells a reader to end as if its input ended where it is.
	EndInput struct{ Reader Reader }
	// Trigger has a reader send the barrier of a checkpoint; behind it, it rests
	// where that is a stop.
	Trigger struct {
		Reader Reader
		ID     gpflow.CheckpointID
		Stop   bool
	}
	// TriggerTasks tells all tasks that a checkpoint has begun, since those whose
	// input has come to its end get no barrier.
	TriggerTasks struct{ ID gpflow.CheckpointID }
	// QuitTasks tells the tasks whose input has come to its end to end where they
	// are, behind the checkpoint of a stop.
	QuitTasks struct{}
	// Store has a checkpoint made durable, with what the sources were when it
	// was triggered.
	Store struct {
		checkpoint.Store
		Sources []checkpoint.SourceState
	}
	// Save has a savepoint made of a checkpoint that is stored, all of whose
	// output is committed.
	Save struct {
		ID   gpflow.CheckpointID
		Name string
	}
	// Do is what else the coordinator of checkpoints has done: Abort, Completed,
	// Commit and WakeAt.
	Do struct{ checkpoint.CoordinatorAction }
	// Finish ends the job: everything that still lives is ended.
	Finish struct {
		Outcome Outcome
		Err     error // of Failed
	}
)

func (Discover) action()     {}
func (Assign) action()       {}
func (Pending) action()      {}
func (Rest) action()         {}
func (NoMore) action()       {}
func (StopReading) action()  {}
func (EndInput) action()     {}
func (Trigger) action()      {}
func (TriggerTasks) action() {}
func (QuitTasks) action()    {}
func (Store) action()        {}
func (Save) action()         {}
func (Do) action()           {}
func (Finish) action()       {}

// Job is the machine.
type Job struct {
	sources  []*source
	sinks    []Writer
	tasks    bool // there are some
	restored []checkpoint.Pending
	points   *checkpoint.Coordinator
	cuts     map[gpflow.CheckpointID][]checkpoint.SourceState // of checkpoints in flight
	saves    []save                                           // savepoints whose output is not yet committed
	durable  bool
	ended    map[Writer]bool // those that have ended, and whether they saw the end of the input
	early    []Event         // what came before Started
	begun    bool
	rested   bool // the checkpoint of a stop is complete
	stopping bool
	draining bool
	over     bool
	end      gpflow.CheckpointID // if draining: those above it began behind the drain
	regions  []*region
	doubt    bool // storing the last checkpoint has failed: it may be current all the same
	whole    bool // all regions are down, to begin anew together
	bug      Bug
}

// New returns the machine of a job that has not started.
func New(c Config) *Job {
	j := &Job{
		sinks: c.Sinks, tasks: len(c.Tasks) > 0, restored: c.Commit, durable: c.Durable, ended: make(map[Writer]bool),
		cuts: make(map[gpflow.CheckpointID][]checkpoint.SourceState), bug: c.Plant,
	}
	var parts []checkpoint.Part
	for _, s := range c.Sources {
		j.sources = append(j.sources, newSource(s))
		for r := range s.Parallelism {
			parts = append(parts, checkpoint.Part{Kind: checkpoint.Reader, Name: s.Address, Subtask: r})
		}
	}
	parts = append(parts, c.Tasks...)
	for _, w := range c.Sinks {
		parts = append(parts, checkpoint.Part{Kind: checkpoint.Writer, Name: w.Sink, Subtask: w.Subtask})
	}
	j.points = checkpoint.NewCoordinator(c.Checkpoints, parts, c.Last)
	for i, names := range c.Regions {
		r := &region{names: names, retries: retries{policy: c.Restart}}
		if c.Restart.Seed != 0 {
			r.retries.policy.Seed += uint64(i)
		}
		j.regions = append(j.regions, r)
	}
	return j
}

// Step takes an event and returns what has to be done, in order. After Finish
// it returns nothing. What comes before Started waits for it: a checkpoint that
// was taken before the splits are handed out again would lose them.
func (j *Job) Step(now gpflow.Timestamp, e Event) []Action {
	if _, ok := e.(Started); !ok && !j.begun {
		j.early = append(j.early, e)
		return nil
	}
	as := j.act(now, e)
	for len(j.early) > 0 {
		e, j.early = j.early[0], j.early[1:]
		as = append(as, j.act(now, e)...)
	}
	return as
}

func (j *Job) act(now gpflow.Timestamp, e Event) []Action {
	as := j.step(now, e)
	return append(as, j.revive(now)...)
}

func (j *Job) step(now gpflow.Timestamp, e Event) []Action {
	if j.over {
		return nil
	}
	switch e := e.(type) {
	case Started:
		j.begun = true
		for _, r := range j.regions {
			r.retries.started(now)
		}
		as := j.start(j.sources)
		if len(j.restored) > 0 {
			as = append(as, j.point(now, checkpoint.Restored{Committables: j.restored})...)
		}
		return append(as, j.point(now, checkpoint.Tick{})...)
	case Discovered:
		return j.discovered(e)
	case SplitEnded:
		return j.splitEnded(e)
	case Ended:
		if j.isDown(e.Writer.Sink) {
			return nil
		}
		j.ended[e.Writer] = e.Drained
		return j.ending()
	case Point:
		return j.point(now, e.CoordinatorEvent)
	case StopRequested:
		return j.stop(now, e.Savepoint)
	case Drain:
		return j.drain()
	case Requested:
		if j.draining {
			return nil // there would be nothing to go on with
		}
		return j.point(now, checkpoint.Requested{Name: e.Savepoint})
	case Failure:
		return j.finish(Failed, e.Err)
	}
	return j.ofRegion(now, e)
}

// start begins with the splits of sources: those that were being read at the
// checkpoint that they go on from are read on.
func (j *Job) start(sources []*source) []Action {
	var as []Action
	for _, s := range sources {
		given := make([][]gpflow.Split, s.Parallelism)
		for _, r := range s.Reading {
			given[r.Subtask] = append(given[r.Subtask], r.Split)
		}
		as = append(as, s.give(given, true)...)
		if s.done {
			as = append(as, j.assign(s)...)
			continue
		}
		as = append(as, Discover{s.Address})
	}
	return as
}

// stop ends reading. Where checkpoints are kept, the readers rest behind the
// barrier of a last one, and are ended when that is complete; else at once. What
// has been read flows through to the sinks. A job whose input is already at its
// end finishes instead.
func (j *Job) stop(now gpflow.Timestamp, savepoint string) []Action {
	if j.stopping {
		if savepoint != "" && !j.draining {
			return j.point(now, checkpoint.Requested{Name: savepoint})
		}
		return nil
	}
	j.stopping = true
	j.hurry()
	if j.durable {
		return j.point(now, checkpoint.Requested{Name: savepoint, Stop: true})
	}
	return j.stopReading()
}

// drain ends the input: every reader ends where it is, with the end of time, and
// no split is handed out any more. From here on checkpoints say that nothing is
// left to read: who goes on from one, after a crash, goes on with the end.
func (j *Job) drain() []Action {
	if j.stopping {
		return nil
	}
	j.stopping, j.draining = true, true
	j.hurry()
	for id := range j.cuts {
		j.end = max(j.end, id)
	}
	return endInput(slices.DeleteFunc(slices.Clone(j.sources), func(s *source) bool { return j.isDown(s.Address) }))
}

// endInput ends the input of sources where their readers are.
func endInput(sources []*source) []Action {
	var as []Action
	for _, s := range sources {
		s.queue, s.done = nil, true
		for r := range s.reading {
			as = append(as, EndInput{Reader{s.Address, r}})
		}
	}
	return as
}

// stopReading ends all readers but those that end by themselves, having nothing
// left to read: behind the barrier of a stop these rest too.
func (j *Job) stopReading() []Action {
	var as []Action
	for _, s := range j.sources {
		for r := range s.reading {
			if j.rested || !s.noMore[r] {
				as = append(as, StopReading{Reader{s.Address, r}})
			}
		}
	}
	return as
}

// ending ends a job that was stopped when every sink has seen the end of its
// input. Others end with their last checkpoint.
func (j *Job) ending() []Action {
	drained := true
	for _, d := range j.ended {
		drained = drained && d
	}
	if len(j.ended) < len(j.sinks) || drained && !j.rested {
		return nil
	}
	return j.finish(Stopped, nil)
}

func (j *Job) finish(o Outcome, err error) []Action {
	j.over = true
	return []Action{Finish{o, err}}
}
