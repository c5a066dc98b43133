// Package job is the life of a job as a pure state machine: what happened goes
// in, what has to be done comes out. It knows no clock, goroutine or I/O.
//
// A job finds the splits of its sources and hands them out; when every sink has
// seen the end of its input it has them prepare, and when all have, commit:
// the output of a run appears at its end, whole.
package job

import (
	"slices"

	"github.com/gpflow/gpflow"
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

// Source is what the machine has to know of a source.
type Source struct {
	Address     string
	Parallelism int
	// Bounded sources hand out one split at a time to a reader, the others all
	// that there are.
	Bounded bool
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
	// Prepared says that a sink has made its output durable.
	Prepared struct {
		Writer      Writer
		Committable gpflow.Committable
	}
	// Committed says that a sink has shown its output.
	Committed struct{ Writer Writer }
	// StopRequested asks for an end in order.
	StopRequested struct{}
	// Failure says that a part of the job has ended with an error.
	Failure struct{ Err error }
)

func (Started) event()       {}
func (Discovered) event()    {}
func (SplitEnded) event()    {}
func (Ended) event()         {}
func (Prepared) event()      {}
func (Committed) event()     {}
func (StopRequested) event() {}
func (Failure) event()       {}

// Action is something to do: one of the types below.
type Action interface{ action() }

// The actions.
type (
	// Discover asks an enumerator for splits.
	Discover struct{ Source string }
	// Assign gives a split to a reader.
	Assign struct {
		Reader Reader
		Split  gpflow.Split
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
	// StopReading tells a reader to end before the end of its input.
	StopReading struct{ Reader Reader }
	// Prepare tells a sink to make its output durable.
	Prepare struct{ Writer Writer }
	// Commit tells a sink to show its output.
	Commit struct {
		Writer      Writer
		Committable gpflow.Committable
	}
	// Finish ends the job: everything that still lives is ended.
	Finish struct {
		Outcome Outcome
		Err     error // of Failed
	}
)

func (Discover) action()    {}
func (Assign) action()      {}
func (Pending) action()     {}
func (Rest) action()        {}
func (NoMore) action()      {}
func (StopReading) action() {}
func (Prepare) action()     {}
func (Commit) action()      {}
func (Finish) action()      {}

// Job is the machine.
type Job struct {
	sources  []*source
	sinks    []Writer
	ended    map[Writer]bool
	drained  bool // every sink that has ended saw the end of the input
	prepared map[Writer]gpflow.Committable
	shown    map[Writer]bool
	stopping bool
	over     bool
}

type source struct {
	Source
	queue   []gpflow.Split // found, and not handed out
	done    bool           // there will be no more
	reading []int          // splits that each reader has
	noMore  []bool         // readers that have been told
	resting []bool         // likewise
	held    bool           // readers have been told that splits are pending
	next    int            // reader of the next split, of an unbounded source
}

// New returns the machine of a job that has not started.
func New(sources []Source, sinks []Writer) *Job {
	j := &Job{
		sinks: sinks, drained: true, ended: make(map[Writer]bool),
		prepared: make(map[Writer]gpflow.Committable), shown: make(map[Writer]bool),
	}
	for _, s := range sources {
		j.sources = append(j.sources, &source{
			Source: s, reading: make([]int, s.Parallelism), noMore: make([]bool, s.Parallelism),
			resting: make([]bool, s.Parallelism), held: true,
		})
	}
	return j
}

// Step takes an event and returns what has to be done, in order. After Finish
// it returns nothing.
func (j *Job) Step(e Event) []Action {
	if j.over {
		return nil
	}
	switch e := e.(type) {
	case Started:
		var as []Action
		for _, s := range j.sources {
			as = append(as, Discover{s.Address})
		}
		return as
	case Discovered:
		return j.discovered(e)
	case SplitEnded:
		s := j.source(e.Reader.Source)
		s.reading[e.Reader.Subtask]--
		return j.assign(s)
	case Ended:
		j.ended[e.Writer] = true
		j.drained = j.drained && e.Drained
		return j.ending()
	case Prepared:
		j.prepared[e.Writer] = e.Committable
		return j.commit()
	case Committed:
		j.shown[e.Writer] = true
		if len(j.shown) == len(j.sinks) {
			return j.finish(Finished, nil)
		}
	case StopRequested:
		return j.stop()
	case Failure:
		return j.finish(Failed, e.Err)
	}
	return nil
}

func (j *Job) source(address string) *source {
	return j.sources[slices.IndexFunc(j.sources, func(s *source) bool { return s.Address == address })]
}

func (j *Job) discovered(e Discovered) []Action {
	s := j.source(e.Source)
	s.queue = append(s.queue, e.Splits...)
	s.done = e.Done
	if j.stopping {
		return nil
	}
	return j.assign(s)
}

// assign hands out splits. What is left comes first: a reader that begins its
// split before it knows would read it under another watermark, depending on
// which message is quicker.
func (j *Job) assign(s *source) []Action {
	if j.stopping {
		return nil
	}
	var splits []Action
	for len(s.queue) > 0 {
		r := s.free()
		if r < 0 {
			break
		}
		s.reading[r]++
		s.resting[r] = false
		splits = append(splits, Assign{Reader{s.Address, r}, s.queue[0]})
		s.queue = s.queue[1:]
	}
	var as []Action
	if left := len(s.queue) > 0 || s.Bounded && !s.done; left != s.held {
		s.held = left
		for r := range s.reading {
			as = append(as, Pending{Reader{s.Address, r}, left})
		}
	}
	as = append(as, splits...)
	return append(as, s.release()...)
}

// release tells the readers that have nothing to read what to expect.
func (s *source) release() []Action {
	var as []Action
	for r, n := range s.reading {
		switch {
		case n > 0 || s.noMore[r]:
		case s.done && len(s.queue) == 0:
			s.noMore[r] = true
			as = append(as, NoMore{Reader{s.Address, r}})
		case !s.Bounded && !s.resting[r]:
			s.resting[r] = true
			as = append(as, Rest{Reader{s.Address, r}})
		}
	}
	return as
}

// free returns the reader that gets the next split, or -1.
func (s *source) free() int {
	if s.Bounded {
		return slices.Index(s.reading, 0)
	}
	r := s.next
	s.next = (s.next + 1) % len(s.reading)
	return r
}

// ending has the sinks prepare when all have seen the end of the input.
func (j *Job) ending() []Action {
	if len(j.ended) < len(j.sinks) {
		return nil
	}
	if !j.drained {
		return j.finish(Stopped, nil)
	}
	var as []Action
	for _, w := range j.sinks {
		as = append(as, Prepare{w})
	}
	return as
}

func (j *Job) commit() []Action {
	if len(j.prepared) < len(j.sinks) {
		return nil
	}
	var as []Action
	for _, w := range j.sinks {
		as = append(as, Commit{w, j.prepared[w]})
	}
	return as
}

// stop ends reading. What has been read flows through to the sinks. A job
// whose input is already at its end finishes instead.
func (j *Job) stop() []Action {
	if j.stopping {
		return nil
	}
	j.stopping = true
	var as []Action
	for _, s := range j.sources {
		for r := range s.reading {
			if !s.noMore[r] {
				as = append(as, StopReading{Reader{s.Address, r}})
			}
		}
	}
	return as
}

func (j *Job) finish(o Outcome, err error) []Action {
	j.over = true
	return []Action{Finish{o, err}}
}
