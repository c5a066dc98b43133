package sim

import (
	"iter"
	"slices"

	"github.com/gpflow/gpflow"
)

// coding is what a subtask has done aside, from one rest to the next: a snapshot is
// encoded while its task goes on, and perhaps while the next one is encoded too.
type coding struct {
	rest func(struct{}) bool
	next func() (struct{}, bool)
	stop func()
	left int              // rests until the long one; below 1: there is none
	at   gpflow.Timestamp // it does not go on before
}

// aside has something done piece by piece, when the scheduler likes. Others go on with it
// that have had no turn for long.
func (s *subtask) aside(do func()) {
	c := &coding{}
	if !s.a.config.Calm && s.a.rand.IntN(5) == 0 {
		c.left = 1 + s.a.rand.IntN(6)
	}
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if p := recover(); p != nil && p != any(errTornDown) {
				panic(p)
			}
		}()
		c.rest = yield
		do()
	})
	if len(s.coding) > 0 {
		s.a.stats.Overlapped++
	}
	for _, o := range s.coding {
		o.at = 0
	}
	s.coding = append(s.coding, c)
}

// rest is where an encoder leaves the processor, perhaps for others. Some get no
// turn for long: meanwhile their checkpoint may be given up, and the next one begun.
func (s *subtask) rest() {
	c := s.thinks
	if c == nil || s.a.rand.IntN(3) > 0 {
		return
	}
	if c.left--; c.left == 0 {
		c.at = s.a.now.Add(gpflow.Duration(s.a.rand.IntN(500_000)))
	}
	if !c.rest(struct{}{}) {
		panic(errTornDown)
	}
}

// due implements background.
func (s *subtask) due() gpflow.Timestamp {
	due := gpflow.MaxTimestamp
	for _, c := range s.coding {
		due = min(due, c.at)
	}
	return due
}

// think implements background.
func (s *subtask) think() {
	i := s.a.rand.IntN(len(s.coding))
	if s.coding[i].at > s.a.now {
		i = slices.IndexFunc(s.coding, func(c *coding) bool { return c.at <= s.due() })
	}
	s.thinks = s.coding[i]
	if _, more := s.thinks.next(); !more {
		s.coding = slices.Delete(s.coding, i, i+1)
	}
	s.thinks = nil
}

// settle has all of it done.
func (s *subtask) settle() {
	for len(s.coding) > 0 {
		s.think()
	}
}

// drop implements background.
func (s *subtask) drop() {
	for _, c := range s.coding {
		c.stop()
	}
	s.coding = nil
}
