package sim

import (
	"math/rand/v2"
	"slices"

	"github.com/gpflow/gpflow"
)

// actor is what the scheduler drives. Its methods are those of actor.Actor.
type actor interface {
	// receive takes a message.
	receive(m any) error
	// work does one piece of work, and reports whether there may be more; if not,
	// it is called again after a message or a wake.
	work() (more bool, err error)
}

// background is an actor that has work for other goroutines.
type background interface {
	due() gpflow.Timestamp // when it can go on; gpflow.MaxTimestamp: there is none
	think()                // goes on with it, for a while
	drop()                 // gives it up
}

// node is an actor in the scheduler, with its mailbox: a queue for each sender.
type node struct {
	name    string
	who     actor
	awake   bool
	dead    bool
	doom    doom
	region  *region          // nil: it is no part of one
	worker  int              // that it is on
	to      int              // of a link: that of its receiver; else worker
	weight  int              // how often it is picked, against others
	stalled gpflow.Timestamp // it does nothing before
	alarm   gpflow.Timestamp // when ring is called; 0: never
	ring    func()
	mail    []*pair
}

// wake has work called again.
func (n *node) wake() { n.awake = true }

// pair is what one actor has sent to another, in order.
type pair struct {
	from *node
	mail []letter
}

type letter struct {
	what any
	at   gpflow.Timestamp // it does not arrive before
}

// scheduler runs actors on one goroutine, in an order that comes from a seed.
type scheduler struct {
	rand    *rand.Rand
	now     gpflow.Timestamp
	steps   int
	nodes   []*node
	workers workers
	choices []choice
	failed  func(n *node, err error)
	trace   *trace
}

// choice is something that could happen next.
type choice struct {
	node *node
	pair *pair // to be delivered; nil: work
	back bool  // work in the background
}

// fresh returns an actor that does not run yet. who is set later.
func (s *scheduler) fresh(name string) *node {
	n := &node{name: name, awake: true, weight: 1 + s.rand.IntN(8)}
	if s.rand.IntN(6) == 0 {
		n.weight = 40 // the others are slow
	}
	return n
}

// add has an actor run. who is set before it has its turn.
func (s *scheduler) add(name string) *node {
	n := s.fresh(name)
	s.nodes = append(s.nodes, n)
	return n
}

// drop gives up what is done in the background.
func (s *scheduler) drop() {
	for _, n := range s.nodes {
		if b, ok := n.who.(background); ok {
			b.drop()
		}
	}
}

// forget takes the actors of a region out, which have ended.
func (s *scheduler) forget(r *region) {
	s.nodes = slices.DeleteFunc(s.nodes, func(n *node) bool { return n.region == r })
}

// send puts a message into an actor's mailbox. It arrives after all that the
// sender has sent there before.
func (s *scheduler) send(from, to *node, m any) { s.post(from, to, m, 400) }

// post is send with a longest delay, in microseconds.
func (s *scheduler) post(from, to *node, m any, longest int) {
	if to.dead {
		return
	}
	delay := 0
	if s.rand.IntN(4) == 0 {
		delay = s.rand.IntN(longest)
	}
	l := letter{m, s.now.Add(gpflow.Duration(delay))}
	for _, p := range to.mail {
		if p.from == from {
			p.mail = append(p.mail, l)
			return
		}
	}
	to.mail = append(to.mail, &pair{from, []letter{l}})
}

// step has one thing happen. It returns false where nothing can, ever.
func (s *scheduler) step() bool {
	s.steps++
	s.now += gpflow.Timestamp(s.rand.IntN(8))
	s.chime()
	for !s.choose() {
		if !s.skip() {
			return false
		}
	}
	total := 0
	for _, c := range s.choices {
		total += c.node.weight
	}
	at := s.rand.IntN(total)
	for _, c := range s.choices {
		if at -= c.node.weight; at < 0 {
			s.perform(c)
			break
		}
	}
	return true
}

func (s *scheduler) perform(c choice) {
	n := c.node
	if s.rand.IntN(300) == 0 {
		n.stalled = s.now.Add(gpflow.Duration(s.rand.IntN(3000)))
		s.trace.say("%s: silent until %d", n.name, n.stalled)
		return
	}
	var err error
	switch {
	case c.back:
		n.who.(background).think()
	case n.doom == killed && s.told(n) <= s.now:
		err = errTornDown
	case n.doom == before:
		err = errBroken
	case c.pair != nil:
		m := c.pair.mail[0].what
		c.pair.mail = c.pair.mail[1:]
		s.trace.say("%s -> %s: %T%+v", c.pair.from.name, n.name, m, brief{m})
		n.awake = true
		err = n.who.receive(m)
	default:
		n.awake = false // a wake meanwhile counts
		var more bool
		more, err = n.who.work()
		n.awake = n.awake || more
	}
	if err == nil && n.doom == behind && !c.back {
		err = errBroken
	}
	if err != nil {
		n.dead, n.mail = true, nil
		s.failed(n, err)
	}
}

// choose lists what could happen now.
func (s *scheduler) choose() bool {
	s.choices = s.choices[:0]
	for _, n := range s.nodes {
		if n.dead {
			continue
		}
		if b, ok := n.who.(background); ok && b.due() <= s.now {
			s.choices = append(s.choices, choice{node: n, back: true})
		}
		if n.stalled > s.now {
			continue
		}
		if s.ready(n) <= s.now {
			s.choices = append(s.choices, choice{node: n})
		}
		for _, p := range n.mail {
			if len(p.mail) > 0 && s.arrives(p, n) <= s.now {
				s.choices = append(s.choices, choice{node: n, pair: p})
			}
		}
	}
	return len(s.choices) > 0
}

// ready returns from when on an actor has work: a link none while it is cut.
func (s *scheduler) ready(n *node) gpflow.Timestamp {
	switch {
	case n.awake:
		return s.workers.clear(n.worker, n.to)
	case n.doom == killed:
		return s.told(n)
	}
	return gpflow.MaxTimestamp
}

// told returns from when on the first worker can tell an actor to end.
func (s *scheduler) told(n *node) gpflow.Timestamp { return s.workers.clear(0, n.worker) }

// arrives returns from when on the first letter of p, whose receiver is n, can be
// there.
func (s *scheduler) arrives(p *pair, n *node) gpflow.Timestamp {
	return max(p.mail[0].at, s.workers.clear(p.from.worker, n.worker))
}

// chime rings the alarms that are due.
func (s *scheduler) chime() {
	for _, n := range s.nodes {
		if n.alarm != 0 && n.alarm <= s.now && !n.dead {
			n.alarm = 0
			n.ring()
		}
	}
}

// skip goes to the next time at which something can happen.
func (s *scheduler) skip() bool {
	next := gpflow.MaxTimestamp
	for _, n := range s.nodes {
		if n.dead {
			continue
		}
		if n.alarm != 0 {
			next = min(next, n.alarm)
		}
		if b, ok := n.who.(background); ok {
			next = min(next, b.due())
		}
		if t := s.ready(n); t != gpflow.MaxTimestamp {
			next = min(next, max(n.stalled, t))
		}
		for _, p := range n.mail {
			if len(p.mail) > 0 {
				next = min(next, max(n.stalled, s.arrives(p, n)))
			}
		}
	}
	if next == gpflow.MaxTimestamp {
		return false
	}
	s.now = max(s.now, next)
	s.chime()
	return true
}
