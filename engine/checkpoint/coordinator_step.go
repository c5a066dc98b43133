package checkpoint

import (
	"fmt"

	"github.com/gpflow/gpflow"
)

// Coordinator decides when a checkpoint begins, when it is complete, and what
// is committed when. It is a pure state machine: what happened goes in, what
// has to be done comes out, and it knows no clock, goroutine or I/O.
//
// One checkpoint at most is in flight, from its begin until it is stored or has
// failed. A part counts for it with what it acknowledges or, when it is gone
// without having done so, with what it was at its end: messages of a part come
// in order, so that its barrier has not been there, and as a part that is gone
// has nothing behind it, its end is its state before that barrier and every
// later one (C1). What a part acknowledged before it was gone counts for that
// checkpoint, and its end from the next one on.
//
// When all parts are gone, a final checkpoint is taken at once, without
// barriers (C7).
//
// Committables are given out when the checkpoint that lists them is stored (C3,
// C9), and are listed by each checkpoint until they are known to be committed,
// so that a recovery commits them whichever it goes back to (C4). Those of a
// checkpoint that fails are listed by the next one (C8). That is right also
// where the store's answer was lost and the failed one is there: an ID is never
// used again, so nothing takes its place; nothing that it lists has been
// committed for it. If the job recovers from it, what it lists is committed and
// what came later is not, and if from a later one, then that lists the same and
// what came after; each is the effect of exactly the records that lie before the
// positions recovered from.
type Coordinator struct {
	config  Config
	members []*member // in the order given
	index   map[Part]*member
	readers int // those that were given
	reading int // and those that are not gone
	living  int // parts that are not gone

	now   gpflow.Timestamp
	ticks bool             // now is known
	due   gpflow.Timestamp // of the next periodic checkpoint
	rest  gpflow.Timestamp // no periodic checkpoint before
	heal  gpflow.Timestamp // no checkpoint at all before: the last has failed
	wake  gpflow.Timestamp // the Tick asked for; never: none

	last      gpflow.CheckpointID // the newest begun
	completed gpflow.CheckpointID // the newest completed; 0: none
	flight    *flight             // nil: none
	failures  int                 // since the last that was completed

	prepared []Pending // by parts, and in no completed checkpoint
	commits  []commit  // of completed checkpoints, not yet acknowledged

	plain    bool     // requested, by no name
	names    []string // requested, and not completed
	stop     bool     // requested
	stopName string   // of the savepoint that was requested with the stop
	resting  bool     // readers have been told to stop
	ending   bool     // a final checkpoint or one with stop is completed
	finished bool     // the final one
	over     bool

	down map[string]bool // names of parts that are down

	out []CoordinatorAction
}

// never is the time of what does not happen.
const never = gpflow.MaxTimestamp

// member is what the coordinator knows of a part.
type member struct {
	Part
	seen gpflow.CheckpointID // the newest acknowledged, or of another attempt
	gone bool
	end  Snapshot // if gone
}

// flight is a checkpoint in flight.
type flight struct {
	id      gpflow.CheckpointID
	began   gpflow.Timestamp
	name    string
	stop    bool
	plain   bool // it answers a request without name
	acks    map[Part]Snapshot
	storing bool
	final   bool      // if storing
	takes   []Pending // if storing: what it lists that none before has completed
	atEnd   []*member // if storing: those that count with their end
}

// NewCoordinator returns the coordinator of a job of the given parts. Those that
// were gone at the checkpoint that the job goes on from say Gone again. last is the newest checkpoint that anything durable in the
// lineage knows of, 0 at its begin: not only the one that the job goes on from,
// but also what was stored behind it without becoming current, or what Last
// returns of an attempt in the same process. IDs begin at last+1.
func NewCoordinator(c Config, parts []Part, last gpflow.CheckpointID) *Coordinator {
	k := &Coordinator{config: c, index: make(map[Part]*member, len(parts)), down: make(map[string]bool), last: last, wake: never, living: len(parts)}
	for _, p := range parts {
		m := &member{Part: p, seen: last}
		k.members = append(k.members, m)
		k.index[p] = m
		if p.Kind == Reader {
			k.readers++
		}
	}
	k.reading = k.readers
	return k
}

// Last returns the newest ID that was used.
func (c *Coordinator) Last() gpflow.CheckpointID { return c.last }

// Waiting returns the checkpoint in flight, 0 if there is none, and the parts
// that have not acknowledged it, none when it is being stored.
func (c *Coordinator) Waiting() (id gpflow.CheckpointID, parts []Part) {
	if c.flight == nil {
		return 0, nil
	}
	for _, m := range c.members {
		if !c.flight.storing && !c.counts(m) {
			parts = append(parts, m.Part)
		}
	}
	return c.flight.id, parts
}

// Step takes an event and returns what has to be done, in order; the caller owns
// it. now is the time of the event; a time that goes back counts as standing
// still. After Done or Fail it returns nothing.
func (c *Coordinator) Step(now gpflow.Timestamp, e CoordinatorEvent) []CoordinatorAction {
	if c.over {
		return nil
	}
	if !c.ticks {
		c.ticks, c.now, c.due = true, now, now.Add(c.config.Every)
	}
	c.now = max(c.now, now)
	c.out = nil
	c.take(e)
	c.timeout()
	c.begin()
	c.finish()
	c.sleep()
	return c.out
}

func (c *Coordinator) do(a CoordinatorAction) { c.out = append(c.out, a) }

// take handles what has happened.
func (c *Coordinator) take(e CoordinatorEvent) {
	if c.dead(e) {
		return
	}
	switch e := e.(type) {
	case Tick:
		c.wake = never // perhaps a little early: it is asked for again then
	case Restored:
		c.restored(e)
	case Requested:
		c.requested(e)
	case Acknowledged:
		c.acknowledged(e)
	case Declined:
		if c.waits(e.ID) {
			c.fail(fmt.Errorf("%s cannot take part: %w", e.Part, e.Err))
		}
	case Gone:
		c.gone(e)
	case Stored:
		if f := c.flight; f != nil && f.storing && f.id == e.ID {
			c.complete()
		}
	case StoreFailed:
		if f := c.flight; f != nil && f.storing && f.id == e.ID {
			c.fail(fmt.Errorf("storing it: %w", e.Err))
		}
	case Committed:
		c.committed(e)
	case Down:
		c.goDown(e)
	case Up:
		c.goUp(e)
	}
}

// waits reports whether parts are still to acknowledge checkpoint id.
func (c *Coordinator) waits(id gpflow.CheckpointID) bool {
	return c.flight != nil && c.flight.id == id && !c.flight.storing
}

// acknowledged takes what a part has handed in. What it has prepared counts,
// whatever has become of the checkpoint (C8), and the rest only while that is in
// flight.
func (c *Coordinator) acknowledged(e Acknowledged) {
	m := c.index[e.Part]
	switch {
	case m == nil || e.ID > c.last:
		c.stray(fmt.Errorf("checkpoint %d was acknowledged by %s, which was not asked for it", e.ID, e.Part))
		return
	case e.ID <= m.seen:
		return // of another attempt, or said twice
	}
	m.seen = e.ID
	if s := e.Snapshot.Committable; s != nil {
		c.prepared = append(c.prepared, Pending{e.Part, e.ID, s})
	}
	if c.waits(e.ID) && !m.gone {
		c.flight.acks[e.Part] = e.Snapshot
		c.store()
	}
}

// gone takes the end of a part.
func (c *Coordinator) gone(e Gone) {
	m := c.index[e.Part]
	switch {
	case m == nil:
		c.stray(fmt.Errorf("%s is gone, which the job does not have", e.Part))
		return
	case m.gone:
		return
	}
	id := c.last + 1
	if c.waits(c.last) && m.seen < c.last {
		id = c.last
	}
	if s := e.Snapshot.Committable; s != nil {
		c.prepared = append(c.prepared, Pending{e.Part, id, s})
	}
	m.gone, m.end = true, e.Snapshot
	m.end.Committable = nil
	c.living--
	if m.Kind == Reader {
		c.reading--
	}
	c.store()
}

// stray fails the job for a message that cannot be: going on could lose it.
func (c *Coordinator) stray(err error) {
	c.over, c.flight = true, nil
	c.do(Fail{fmt.Errorf("%w; this is an error in gpflow, please report it: the job can be started again and goes on from its last checkpoint", err)})
}
