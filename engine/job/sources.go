package job

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// Source is what the machine has to know of a source.
type Source struct {
	Address     string
	Parallelism int
	// Bounded sources hand out one split at a time to a reader, the others all
	// that there are.
	Bounded bool
	// Until says that the input ends as its splits do: when all that have been
	// found have ended, and some were, there are no more.
	Until bool
	// What the source was at the checkpoint that the job goes on from.
	Found   []gpflow.Split // all splits found so far
	Queue   []gpflow.Split // those of them that had not been handed out
	Done    bool           // there will never be more
	Reading []Reading
}

// Reading is a split that was being read, and the subtask that did.
type Reading struct {
	Split   gpflow.Split
	Subtask int
}

type source struct {
	Source
	found   []gpflow.Split // all so far
	queue   []gpflow.Split // found, and not handed out
	done    bool           // there will be no more
	reading []int          // splits that each reader has
	noMore  []bool         // readers that have been told
	resting []bool         // likewise
	held    bool           // readers have been told that splits are pending
	next    int            // reader of the next split, of an unbounded source
}

func newSource(s Source) *source {
	n := s.Parallelism
	x := &source{
		Source: s, found: s.Found, queue: s.Queue, done: s.Done, reading: make([]int, n),
		noMore: make([]bool, n), resting: make([]bool, n), held: true,
	}
	for _, r := range s.Reading {
		x.reading[r.Subtask]++
	}
	return x
}

// state returns what a checkpoint keeps of the source: which of the splits that
// were found have been handed out, the readers know.
func (s *source) state() checkpoint.SourceState {
	return checkpoint.SourceState{Address: s.Address, Found: slices.Clone(s.found), Queue: slices.Clone(s.queue), Done: s.done}
}

func (j *Job) source(address string) *source {
	return j.sources[slices.IndexFunc(j.sources, func(s *source) bool { return s.Address == address })]
}

func (j *Job) discovered(e Discovered) []Action {
	if j.draining || j.isDown(e.Source) {
		return nil
	}
	s := j.source(e.Source)
	if s.Until && s.done {
		return nil // they come behind the end
	}
	s.found = append(s.found, e.Splits...)
	s.queue = append(s.queue, e.Splits...)
	s.done = e.Done
	if j.stopping {
		return nil
	}
	return j.assign(s)
}

func (j *Job) splitEnded(e SplitEnded) []Action {
	if j.isDown(e.Reader.Source) {
		return nil
	}
	s := j.source(e.Reader.Source)
	s.reading[e.Reader.Subtask]--
	return j.assign(s)
}

// assign hands out splits. A reader of a bounded source hears first what is left:
// one that begins its split before it knows would read it under another
// watermark, depending on which message is quicker. One of an unbounded source
// gets all its splits first: they hold the watermark as soon as none is pending.
func (j *Job) assign(s *source) []Action {
	if j.stopping {
		return nil
	}
	given := make([][]gpflow.Split, len(s.reading))
	for len(s.queue) > 0 {
		r := s.free()
		if r < 0 {
			break
		}
		s.reading[r]++
		s.resting[r] = false
		given[r] = append(given[r], s.queue[0])
		s.queue = s.queue[1:]
	}
	splits := s.give(given, false)
	var as []Action
	if left := len(s.queue) > 0 || s.Bounded && !s.done; left != s.held {
		s.held = left
		for r := range s.reading {
			as = append(as, Pending{Reader{s.Address, r}, left})
		}
	}
	if s.Bounded {
		as = append(as, splits...)
	} else {
		as = append(splits, as...)
	}
	return append(as, s.release()...)
}

// give hands splits to the readers, in one piece to each: they may be more than a
// mailbox has room for.
func (s *source) give(splits [][]gpflow.Split, resume bool) []Action {
	var as []Action
	for r, given := range splits {
		if len(given) > 0 {
			as = append(as, Assign{Reader{s.Address, r}, given, resume})
		}
	}
	return as
}

// release tells the readers that have nothing to read what to expect.
func (s *source) release() []Action {
	var as []Action
	if s.Until && len(s.found) > 0 && len(s.queue) == 0 && slices.Max(s.reading) == 0 {
		s.done = true
	}
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

// free returns the reader that gets the next split, or -1: one of a bounded source
// that has none, one of an unbounded source that has fewest, each in turn.
func (s *source) free() int {
	if s.Bounded {
		return slices.Index(s.reading, 0)
	}
	r := s.next
	for i := range s.reading {
		if o := (s.next + i) % len(s.reading); s.reading[o] < s.reading[r] {
			r = o
		}
	}
	s.next = (r + 1) % len(s.reading)
	return r
}
