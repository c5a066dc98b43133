package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/sim/oracle"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// world is what outlives processes, and what makes them die.
type world struct {
	scheduler
	config    Config
	top       *topology
	data      map[string][]oracle.Row // by split
	rows      *gpflow.Schema
	windows   *gpflow.Schema
	delay     gpflow.Duration // of holds
	store     *storagetest.Memory
	outside   map[string]*outside
	marks     marks
	cuts      map[int64]map[string]int // rows that were read, by epoch, of splits that are ended before their end, if any are
	completed gpflow.CheckpointID      // the last that was said to be stored
	stats     Stats
	violation *Violation

	faults   int    // that are still to come
	next     int    // step of the next one
	hunt     *phase // in which everything is to be killed; nil: none
	die      bool
	tampered bool
	lost     bool // power, in the last crash: nobody has survived it

	current *attempt
}

func newWorld(seed uint64, c Config) *world {
	r := rand.New(rand.NewPCG(seed, 0x9f10))
	w := &world{
		scheduler: scheduler{rand: r, now: 1_000_000}, config: c, top: drawTopology(r), data: make(map[string][]oracle.Row),
		rows: rowSchema(), windows: windowSchema(), delay: gpflow.Duration(1 + r.IntN(3000)), store: storagetest.NewMemory(),
		outside: map[string]*outside{"main": newOutside(), "late": newOutside()}, marks: make(marks), cuts: make(map[int64]map[string]int),
	}
	if c.Trace {
		w.trace = &trace{}
	}
	for i, s := range w.top.sources {
		for k, split := range s.splits {
			w.data[split.ID] = w.top.Sources[i].Splits[k]
		}
	}
	w.store.SetUnsafe(c.Own == StoreUnsafe)
	if !c.Calm {
		w.faults = r.IntN(9)
	}
	w.trace.say("job %s, keys in %d groups", w.top, w.top.keyGroups)
	return w
}

// run runs the job until it has finished, over as many starts as it takes.
func (w *world) run() error {
	for w.violation == nil {
		if w.steps > maxSteps {
			return &Violation{"progress", fmt.Sprintf("no end after %d steps", w.steps)}
		}
		a, err := w.start()
		if err == nil {
			err = w.drive(a)
		}
		switch {
		case w.violation != nil:
		case err == nil && a.master.outcome == job.Finished:
			w.compare(a)
			if w.violation == nil {
				return nil
			}
		case err != nil && w.tampered && damaged(err):
			w.stats.Refused++
			return nil
		case err != nil && !w.injected(err):
			return &Violation{"failure", err.Error()}
		}
		w.crash(err)
	}
	return w.violation
}

// injected reports whether an error is what was to be expected of the faults.
func (w *world) injected(err error) bool {
	var lost *storage.SyncError
	return errors.Is(err, errKilled) || errors.Is(err, storagetest.ErrInjected) || errors.Is(err, storagetest.ErrFull) || errors.As(err, &lost)
}

// start starts the job from the current checkpoint.
func (w *world) start() (*attempt, error) {
	w.stats.Starts++
	w.steps++
	a, m, err := w.takeOver()
	if err != nil {
		return nil, err
	}
	k := a.keeper
	if m.ID < w.completed {
		w.broken("C9", "the job goes on from checkpoint %d, and %d had been completed", m.ID, w.completed)
	}
	w.completed = m.ID
	if w.rand.IntN(2) == 0 {
		w.stale(k, m)
	}
	if !w.config.SameParallelism && w.rand.IntN(2) == 0 && w.stats.Starts > 1 {
		w.stats.Rescaled++
		w.top.rescale(w.rand)
		if w.rand.IntN(3) == 0 {
			w.top.fuse()
			w.top.rescale(w.rand)
		}
	}
	if m.ID > 0 {
		if err := a.recover(m); err != nil {
			return nil, err
		}
	}
	a.cut = make(map[string]int)
	w.cuts[k.Epoch()] = a.cut
	w.trace.say("START %d from checkpoint %d: %s", k.Epoch(), m.ID, w.top)
	w.current = a
	return a, a.build()
}

// drive lets an attempt run until it ends or dies.
func (w *world) drive(a *attempt) error {
	w.failed = func(n *node, err error) {
		if !errors.Is(err, errFinished) {
			w.send(n, a.master.node, job.Failure{Err: fmt.Errorf("%s: %w", n.name, err)})
		}
	}
	w.plan()
	for a.master.outcome == "" && w.violation == nil {
		if w.steps > maxSteps {
			return nil
		}
		if !w.step() {
			w.broken("progress", "nobody can do anything, and the job has not ended")
			return nil
		}
		if w.faults > 0 && w.steps >= w.next {
			w.fault(a)
		}
		if w.hunt != nil && *w.hunt == a.phase && w.rand.IntN(15) == 0 {
			w.trace.say("FAULT: everything is killed, in phase %d", a.phase)
			w.hunt, w.die = nil, true
		}
		if w.die {
			return errKilled
		}
	}
	w.trace.say("END %s %v", a.master.outcome, a.master.err)
	if a.master.outcome == job.Stopped {
		w.stats.Stops++
	}
	return a.master.err
}

// plan draws when the next fault comes.
func (w *world) plan() { w.next = w.steps + 20 + w.rand.IntN(900) }

// fault has something bad happen.
func (w *world) fault(a *attempt) {
	w.faults--
	w.plan()
	if w.config.Drain && w.rand.IntN(3) == 0 {
		w.trace.say("the input is ended")
		w.send(a.master.node, a.master.node, job.Drain{})
		return
	}
	name := fmt.Sprintf("s%d", w.steps)
	switch x := w.rand.IntN(12); {
	case x < 1:
		w.trace.say("savepoint %s", name)
		w.send(a.master.node, a.master.node, job.Requested{Savepoint: name})
	case x < 2:
		w.trace.say("FAULT: stop, with the savepoint %s", name)
		w.send(a.master.node, a.master.node, job.StopRequested{Savepoint: name})
	case x < 3:
		w.trace.say("FAULT: stop")
		w.send(a.master.node, a.master.node, job.StopRequested{})
	case x < 4:
		w.trace.say("FAULT: everything is killed")
		w.die = true
	case x < 6:
		w.hunt = &[]phase{aligning, storing, committing, committing}[w.rand.IntN(4)]
	case x < 8:
		w.storeFault(storagetest.Fault{Times: 1 + w.rand.IntN(3)})
	case x < 9:
		w.storeFault(storagetest.Fault{Times: 5 + w.rand.IntN(20), Err: storagetest.ErrFull})
	default:
		w.storeFault(storagetest.Fault{Times: -1, Err: errKilled, Match: func(storagetest.Op, string) bool { return true }})
	}
}

func (w *world) storeFault(f storagetest.Fault) {
	w.stats.StoreFaults++
	f.Skip, f.When = w.rand.IntN(8), storagetest.When(w.rand.IntN(3))
	w.trace.say("FAULT: the store fails %s an operation, %d go well before, %d times: %v", f.When, f.Skip, f.Times, f.Err)
	w.store.Fail(f)
}

// crash ends all processes, and takes the faults of the store away.
func (w *world) crash(err error) {
	if a := w.current; a != nil && a.master.outcome == "" {
		w.stats.Died[a.phase]++
	}
	w.stats.Crashes++
	w.die, w.lost = false, true
	w.store.Heal()
	switch w.rand.IntN(4) {
	case 0:
		w.trace.say("CRASH with a loss of power: %v", err)
		w.store.Crash(nil)
	case 1:
		w.trace.say("CRASH with a loss of power, and some luck: %v", err)
		w.store.Crash(func(string) bool { return w.rand.IntN(2) == 0 })
	default:
		w.lost = false
		w.trace.say("CRASH: %v", err)
	}
	if w.config.Tamper && !w.tampered && w.completed > 0 && w.rand.IntN(2) == 0 {
		w.tamper()
	}
	if w.faults > 0 && w.rand.IntN(5) == 0 {
		w.faults--
		w.storeFault(storagetest.Fault{Times: -1, Err: errKilled, Match: func(storagetest.Op, string) bool { return true }})
	}
}

// tamper changes an object of the store.
func (w *world) tamper() {
	objects, err := w.store.List(context.Background(), "")
	if err != nil || len(objects) == 0 {
		return
	}
	o := objects[w.rand.IntN(len(objects))]
	how := w.rand.IntN(3)
	w.trace.say("TAMPER %s: %s", []string{"flip a bit of", "cut", "remove"}[how], o.Name)
	w.tampered = w.store.Tamper(o.Name, func(data []byte) []byte {
		switch at := w.rand.IntN(max(1, len(data))); {
		case how == 0 && len(data) > 0:
			data[at] ^= 1 << w.rand.IntN(8)
		case how == 1:
			return data[:at]
		case how == 2:
			return nil
		}
		return data
	})
}

// damaged reports whether an error says that an object is not what it was.
func damaged(err error) bool {
	var d *checkpoint.Damaged
	var n *checkpoint.Newer
	var k *checkpoint.KeyHash
	return errors.As(err, &d) || errors.As(err, &n) || errors.As(err, &k)
}

// compare compares what is visible with what should be of what was read.
func (w *world) compare(a *attempt) {
	read := w.top.Job
	read.Sources = nil
	for i, s := range w.top.Sources {
		cut := oracle.Source{Ops: s.Ops}
		for k, split := range s.Splits {
			n := a.read[w.top.sources[i].splits[k].ID]
			if n < len(split) {
				w.stats.Drained++
			}
			cut.Splits = append(cut.Splits, split[:n])
		}
		read.Sources = append(read.Sources, cut)
	}
	if w.stats.Drained > 0 && !w.config.Drain {
		w.broken("output", "the job has finished without reading %d splits to their ends", w.stats.Drained)
		return
	}
	for name, want := range read.Output() {
		got := w.outside[name].visible
		if maps.Equal(got, want) {
			continue
		}
		missing, doubled, first := 0, 0, ""
		for _, line := range union(got, want) {
			if d := got[line] - want[line]; d != 0 {
				if first == "" {
					first = fmt.Sprintf("%s is there %d times, and should be %d times", line, got[line], want[line])
				}
				missing, doubled = missing+max(0, -d), doubled+max(0, d)
			}
		}
		w.broken("output", "sink %s: %d lines missing, %d too many; %s", name, missing, doubled, first)
	}
}
