// Package sim runs whole jobs on one goroutine, from one seed, with faults, and
// compares what they have put out with what they should have.
//
// What is at work is what ships: the machine of a job with its coordinator of
// checkpoints, the machines of its readers, writers and tasks, exchange, keyed
// state, for some seeds within a budget, and the keeper over a store in memory.
// What sim brings is what these are driven by: actors in a scheduler that picks
// who goes next and which message arrives next (those of one sender to one
// receiver in order, others in any), workers that these are spread over, and that
// are lost and cut off from each other, encoders of snapshots that go on from rest
// to rest beside their tasks, time that passes as the scheduler likes,
// connectors and sinks that can be looked at, and a world in which processes die
// and stores fail.
//
// The actors of parts drive the machines of package part as those of package
// engine do. Master and regions do what those of the engine do, with
// what is left out that is about files, clocks and messages to people. A part that
// fails takes its region down, which begins anew by itself; the loss of everything
// ends the attempt, and the next start goes on. Which faults are met when, what a
// job looks like and what it reads is drawn from the seed alone: a seed that has
// failed fails again, and Config.Trace says how.
package sim

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// Bug is a mistake of the simulated sources, sinks and stores, for tests to
// find. Those of the product's own code are in its packages.
type Bug string

// The bugs.
const (
	// CommitNotIdempotent has sinks show again what they have shown, against C4.
	CommitNotIdempotent Bug = "commit not idempotent"
	// KeepStaged has sinks keep what was staged behind the checkpoint that they go
	// on from.
	KeepStaged Bug = "keep staged"
	// StoreUnsafe has the store call lasting what is not, against C9.
	StoreUnsafe Bug = "store unsafe"
	// ClaimNothing has a start go on with the epoch of the one before, against C6.
	ClaimNothing Bug = "claim nothing"
)

// Config says what is simulated. The zero Config has faults and no bugs.
type Config struct {
	// Calm leaves out all faults.
	Calm bool
	// SameParallelism leaves every task as it is in all starts.
	SameParallelism bool
	// OutputOnly looks at nothing but the output, at the end.
	OutputOnly bool
	// Drain ends the input somewhere, with faults before and behind.
	Drain bool
	// Tamper has an object in the store changed behind everybody's back, once,
	// between two starts.
	Tamper bool
	// Trace keeps the story of the run.
	Trace bool
	// What is planted; zero: nothing.
	Exchange    exchange.Bug
	Task        task.Bug
	Coordinator checkpoint.Bug
	State       state.Bug
	Resume      resume.Bug
	Part        part.Bug
	Job         job.Bug
	Own         Bug
}

// Result is how a run went.
type Result struct {
	Err   error    // what is wrong; nil: nothing
	Story []string // of Config.Trace
	Stats Stats
}

// Stats counts what a run, or several, have met.
type Stats struct {
	Steps, Rows, Starts, Crashes, Stops, Rescaled int
	Checkpoints, Aborted, Savepoints, StoreFaults int
	Drained                                       int    // splits that were ended before their end
	Refused                                       int    // starts that found a damaged store, and did not go on
	Halfway                                       int    // snapshots of subtasks on their way to the end of time
	Stale, Overtaken                              int    // processes that were thought to be dead, and went on
	Broken, Rebuilt, Doubts                       int    // parts that failed, regions made anew, epochs that were claimed for that
	Cut, LostWorkers                              int    // connections between workers that were cut, workers that were lost
	Exhausted                                     int    // jobs that had failed too often
	Overlapped                                    int    // snapshots that were encoded while an earlier one was
	Spilled                                       int    // snapshots of states that did not fit the memory
	Retried                                       int    // calls that failed for the time being
	Died                                          [4]int // crashes by what went on: nothing, barriers, storing, committing
}

// Add adds o to s.
func (s *Stats) Add(o Stats) {
	s.Steps += o.Steps
	s.Rows += o.Rows
	s.Starts += o.Starts
	s.Crashes += o.Crashes
	s.Stops += o.Stops
	s.Rescaled += o.Rescaled
	s.Checkpoints += o.Checkpoints
	s.Aborted += o.Aborted
	s.StoreFaults += o.StoreFaults
	s.Savepoints += o.Savepoints
	s.Drained += o.Drained
	s.Refused += o.Refused
	s.Halfway += o.Halfway
	s.Stale += o.Stale
	s.Overtaken += o.Overtaken
	s.Broken += o.Broken
	s.Rebuilt += o.Rebuilt
	s.Doubts += o.Doubts
	s.Cut += o.Cut
	s.LostWorkers += o.LostWorkers
	s.Exhausted += o.Exhausted
	s.Retried += o.Retried
	s.Spilled += o.Spilled
	s.Overlapped += o.Overlapped
	for i := range s.Died {
		s.Died[i] += o.Died[i]
	}
}

// phase is what goes on with checkpoints, the index of Stats.Died.
type phase int

const (
	quiet phase = iota
	aligning
	storing
	committing
)

// maxSteps is how many steps a run may take: none takes a tenth of that.
const maxSteps = 2_000_000

// Violation is a promise that was broken.
type Violation struct {
	Promise string // "C1" to "C9", "output", or a word for another one
	What    string
}

// Error says which promise was broken, and how.
func (v *Violation) Error() string { return v.Promise + ": " + v.What }

// Run simulates the job of a seed to its end.
func Run(seed uint64, c Config) (r Result) {
	w := newWorld(seed, c)
	defer func() {
		if p := recover(); p != nil {
			r.Err = &Violation{"panic", fmt.Sprint(p)}
		}
		r.Stats = w.stats
		r.Stats.Steps = w.steps
		if w.trace != nil {
			r.Story = w.trace.lines
		}
	}()
	return Result{Err: w.run()}
}

// broken stops the run because of a broken promise.
func (w *world) broken(promise, format string, args ...any) {
	if w.violation == nil && (!w.config.OutputOnly || promise == "output") {
		w.violation = &Violation{promise, fmt.Sprintf(format, args...)}
		w.trace.say("BROKEN %v", w.violation)
	}
}

// errKilled is that of a store whose process has died.
var errKilled = errors.New("the process has died")
