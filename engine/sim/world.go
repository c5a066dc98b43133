package sim

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

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
	memory    int64           // for the state of a process; 0: what it needs
	store     *storagetest.Memory
	outside   map[string]*outside
	marks     marks
	cuts      map[int64]map[string]int // rows that were read, by epoch, of splits that are ended before their end, if any are
	completed gpflow.CheckpointID      // the last that was said to be stored
	stats     Stats
	violation *Violation

	faults   int   // that are still to come
	next     int   // step of the next one
	hunt     *hunt // nil: none
	leap     int   // step at which the clock leaps; 0: none
	builds   int
	slow     bool // the next checkpoint takes long to be stored
	die      bool
	tampered bool
	lost     bool // power, in the last crash: nobody has survived it

	current *attempt
}

func newWorld(seed uint64, c Config) *world {
	r := rand.New(rand.NewPCG(seed, 0x9f10))
	w := &world{
		scheduler: scheduler{rand: r, now: 1_000_000, workers: workers{1 + r.IntN(4), make(map[route]gpflow.Timestamp)}}, config: c, top: drawTopology(r), data: make(map[string][]oracle.Row),
		rows: rowSchema(), windows: windowSchema(), delay: gpflow.Duration(1 + r.IntN(3000)), store: storagetest.NewMemory(),
		outside: make(map[string]*outside), marks: make(marks), cuts: make(map[int64]map[string]int),
	}
	if c.Trace {
		w.trace = &trace{}
	}
	for _, s := range w.top.sources {
		for k, split := range s.splits {
			w.data[split.ID] = s.flow.Sources[s.at].Splits[k]
		}
	}
	for _, f := range w.top.flows {
		for _, name := range []string{"main", "late"} {
			w.outside[name+f.name] = newOutside()
		}
	}
	if r.IntN(3) == 0 {
		w.memory = int64(4<<10 + r.IntN(60<<10))
	}
	w.store.SetUnsafe(c.Own == StoreUnsafe)
	if !c.Calm {
		w.faults = r.IntN(12)
	}
	w.trace.say("job %s, keys in %d groups", w.top, w.top.keyGroups)
	return w
}

// run runs the job until it has finished, over as many starts as it takes.
func (w *world) run() error {
	defer w.drop()
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
	return errors.Is(err, errKilled) || errors.Is(err, errBroken) || errors.Is(err, storagetest.ErrInjected) || errors.Is(err, storagetest.ErrFull) || errors.As(err, &lost)
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
			w.top.fuse(w.top.flows[w.rand.IntN(len(w.top.flows))])
			w.top.rescale(w.rand)
		}
	}
	w.trace.say("START %d from checkpoint %d: %s", k.Epoch(), m.ID, w.top)
	w.current = a
	return a, a.begin(m)
}

// drive lets an attempt run until it ends or dies.
func (w *world) drive(a *attempt) error {
	w.failed = a.ended
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
		if w.hunt != nil && w.hunt.phase == a.phase && w.rand.IntN(w.hunt.patience) == 0 {
			w.trace.say("FAULT: in phase %d", a.phase)
			hit := w.hunt.hit
			w.hunt = nil
			hit(a)
		}
		if w.leap > 0 && w.steps >= w.leap {
			a.master.leaps()
		}
		if w.die {
			return errKilled
		}
	}
	w.trace.say("END %s %v", a.master.outcome, a.master.err)
	switch {
	case a.master.outcome == job.Stopped:
		w.stats.Stops++
	case errors.Is(a.master.err, errBroken):
		w.stats.Exhausted++
	}
	return a.master.err
}

// crash ends all processes, and takes the faults of the store away.
func (w *world) crash(err error) {
	if a := w.current; a != nil && a.master.outcome == "" {
		w.stats.Died[a.phase]++
	}
	w.stats.Crashes++
	w.drop()
	w.die, w.lost, w.leap, w.slow = false, true, 0, false
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

// damaged reports whether an error says that an object is not what it was.
func damaged(err error) bool {
	var d *checkpoint.Damaged
	var n *checkpoint.Newer
	var k *checkpoint.KeyHash
	return errors.As(err, &d) || errors.As(err, &n) || errors.As(err, &k)
}

// compare compares what is visible with what should be of what was read.
func (w *world) compare(a *attempt) {
	want := make(map[string]map[string]int)
	for _, f := range w.top.flows {
		for name, lines := range w.read(a, f).Output() {
			want[name+f.name] = lines
		}
	}
	if w.stats.Drained > 0 && !w.config.Drain {
		w.broken("output", "the job has finished without reading %d splits to their ends", w.stats.Drained)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, want := w.outside[name].visible, want[name]
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
	w.account(a)
}

// read returns a flow whose input is what was read of it.
func (w *world) read(a *attempt, f *flow) oracle.Job {
	read := f.Job
	read.Sources = nil
	for _, s := range w.top.sources {
		if s.flow != f {
			continue
		}
		whole := f.Sources[s.at]
		cut := oracle.Source{Ops: whole.Ops}
		for k, split := range whole.Splits {
			n := a.read[s.splits[k].ID]
			if n < len(split) {
				w.stats.Drained++
			}
			cut.Splits = append(cut.Splits, split[:n])
		}
		read.Sources = append(read.Sources, cut)
	}
	return read
}

// account compares the ledger of the job, over all its starts, with what was read
// and is visible.
func (w *world) account(a *attempt) {
	passed := make(map[string]int64)
	for p, n := range a.ledger {
		passed[p.Name] += n
	}
	for _, s := range w.top.sources {
		for _, split := range s.splits {
			passed[s.address] -= int64(a.read[split.ID])
		}
	}
	for name, o := range w.outside {
		for _, n := range o.visible {
			passed[name] -= int64(n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(passed)) {
		if n := passed[name]; n != 0 {
			w.broken("ledger", "%s has %d records more than there were", name, n)
		}
	}
}
