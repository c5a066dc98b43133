package checkpoint_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// world is everything around a coordinator: parts with mailboxes, a store that
// fails, time, requests and crashes. What happens next is picked by chance.
type world struct {
	pick    func(n int) int // one of 0, ..., n-1
	config  checkpoint.Config
	c       *checkpoint.Coordinator
	ledger  *ledger
	now     gpflow.Timestamp
	wake    gpflow.Timestamp
	parts   []*worker
	storing *checkpoint.Store
	current int // ID of the checkpoint to go on from; 0: none
	durable int // the newest ID that the store has
	calm    bool
	ended   bool // finished, for good
	trace   []string
	broken  error
}

// worker is a part, with messages on their way to it and from it.
type worker struct {
	checkpoint.Part
	total    int // rows of its input
	rows     int // worked on
	prepared int
	gone     bool
	resting  bool
	in       []checkpoint.CoordinatorAction
	out      []checkpoint.CoordinatorEvent
}

func (p *worker) name() string { return fmt.Sprintf("%s/%d", p.Name, p.Subtask) }

func newWorld(plant checkpoint.Bug, pick func(n int) int) *world {
	w := &world{pick: pick, ledger: newLedger()}
	w.config = checkpoint.Config{
		Every: gpflow.Duration(pick(3)) * gpflow.Second, Timeout: gpflow.Duration(pick(3)) * gpflow.Second,
		MinPause: gpflow.Duration(pick(2)) * gpflow.Second, MaxFailures: pick(4), Plant: plant,
	}
	for i, kind := range []checkpoint.Kind{checkpoint.Reader, checkpoint.Task, checkpoint.Writer, checkpoint.Writer} {
		p := &worker{Part: checkpoint.Part{Kind: kind, Name: string(kind), Subtask: i}, total: pick(8)}
		w.parts = append(w.parts, p)
		w.ledger.add(p.name(), kind == checkpoint.Writer)
	}
	w.ledger.saved[0] = page{at: make(map[string]int)}
	w.attempt()
	return w
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%s: ", gpflow.Duration(w.now))+fmt.Sprintf(format, args...))
}

func (w *world) check(err error) {
	if w.broken == nil {
		w.broken = err
	}
}

// attempt starts the job, from the current checkpoint.
func (w *world) attempt() {
	w.note("goes on from %d", w.current)
	from := w.ledger.saved[w.current]
	w.wake, w.storing = gpflow.MaxTimestamp, nil
	w.check(w.ledger.attempt(from, w.durable))
	var parts []checkpoint.Part
	for _, p := range w.parts {
		p.rows = from.at[p.name()]
		p.prepared, p.gone, p.resting, p.in, p.out = p.rows, false, false, nil, nil
		parts = append(parts, p.Part)
	}
	w.c = checkpoint.NewCoordinator(w.config, parts, gpflow.CheckpointID(w.durable))
	var list []checkpoint.Pending
	for n, i := range from.list {
		list = append(list, checkpoint.Pending{Part: w.part(i.part).Part, ID: gpflow.CheckpointID(n), Committable: committable(i.rows)})
	}
	w.step(checkpoint.Restored{Committables: list})
}

func (w *world) part(name string) *worker {
	for _, p := range w.parts {
		if p.name() == name {
			return p
		}
	}
	panic("no part " + name)
}

func committable(s span) gpflow.Committable { return fmt.Appendf(nil, "%d %d", s.from, s.to) }

func spanOf(c gpflow.Committable) (s span) {
	if _, err := fmt.Sscan(string(c), &s.from, &s.to); err != nil {
		panic(err)
	}
	return s
}

// step tells the coordinator, and the ledger, and does what it answers.
func (w *world) step(e checkpoint.CoordinatorEvent) {
	w.note("%T %+v", e, e)
	switch e := e.(type) {
	case checkpoint.Acknowledged:
		w.ledger.ack(nameOf(e.Part), int(e.ID), rowsOf(e.Snapshot))
	case checkpoint.Gone:
		w.ledger.end(nameOf(e.Part), rowsOf(e.Snapshot))
	case checkpoint.Stored:
		w.ledger.stored(int(e.ID))
	}
	over := false
	for _, a := range w.c.Step(w.now, e) {
		w.note("  -> %T %+v", a, a)
		w.check(w.ledger.anything())
		over = w.obey(a) || over
	}
	if over && w.broken == nil {
		w.after()
	}
}

// after has things come to a coordinator that is done, and starts the job again.
func (w *world) after() {
	id := w.c.Last()
	for _, e := range []checkpoint.CoordinatorEvent{
		checkpoint.Tick{},
		checkpoint.Requested{Name: "more"},
		checkpoint.Gone{Part: w.parts[0].Part},
		checkpoint.Stored{ID: id},
		checkpoint.Acknowledged{ID: id, Part: w.parts[1].Part},
		checkpoint.Acknowledged{ID: id + 1},
	} {
		if as := w.c.Step(w.now.Add(gpflow.Minute), e); len(as) > 0 {
			w.check(fmt.Errorf("after the end, %T is answered by %+v", e, as))
		}
	}
	if !w.ended {
		w.attempt()
	}
}

func nameOf(p checkpoint.Part) string { return fmt.Sprintf("%s/%d", p.Name, p.Subtask) }

func rowsOf(s checkpoint.Snapshot) int {
	n, err := strconv.Atoi(string(s.Data))
	if err != nil {
		panic(err)
	}
	return n
}

// obey does what the coordinator says, and reports whether the attempt is over.
func (w *world) obey(a checkpoint.CoordinatorAction) (over bool) {
	switch a := a.(type) {
	case checkpoint.Trigger:
		w.check(w.ledger.begin(int(a.ID)))
		w.tell(a)
	case checkpoint.Abort:
		w.check(w.ledger.abort(int(a.ID)))
	case checkpoint.Store:
		w.check(w.ledger.store(int(a.ID), pageOf(a)))
		w.storing = &a
	case checkpoint.Commit:
		p := w.part(nameOf(a.Part))
		w.check(w.ledger.commit(p.name(), spanOf(a.Committable)))
		p.in = append(p.in, a)
	case checkpoint.Done:
		w.check(w.ledger.done(int(a.ID), a.Final))
		w.ended = a.Final
		return true
	case checkpoint.Fail:
		w.ledger.now.over = true
		return true
	case checkpoint.WakeAt:
		w.wake = a.Time
	}
	return false
}

func pageOf(a checkpoint.Store) page {
	p := page{at: make(map[string]int), final: a.Final}
	for _, part := range a.Gone {
		p.gone = append(p.gone, nameOf(part))
	}
	for part, s := range a.Parts {
		if s.Data != nil { // it has said something
			p.at[nameOf(part)] = rowsOf(s)
		}
	}
	for _, c := range a.Committables {
		p.list = append(p.list, item{nameOf(c.Part), spanOf(c.Committable)})
	}
	return p
}

func (w *world) tell(a checkpoint.CoordinatorAction) {
	for _, p := range w.parts {
		p.in = append(p.in, a)
	}
}

// ---- what can happen

// happen has one thing happen, if it can, and reports whether it could.
func (w *world) happen(what int) bool {
	p := w.parts[w.pick(len(w.parts))]
	switch {
	case what < 8:
		return w.work(p)
	case what < 20:
		return w.handle(p)
	case what < 32:
		return w.deliver(p)
	case what < 35:
		return w.answer()
	case what < 38:
		w.now = w.now.Add(gpflow.Duration(w.pick(8)) * 100 * gpflow.Millisecond)
		w.step(checkpoint.Tick{})
	case what < 39:
		e := []checkpoint.Requested{{}, {}, {Name: "one"}, {Name: "two"}, {Stop: true}, {Name: "end", Stop: true}}
		w.step(e[w.pick(len(e))])
	case w.pick(8) == 0: // a crash
		if w.storing != nil && w.pick(2) == 0 {
			w.write(w.pick(2) == 0)
		}
		w.attempt()
	}
	return true
}

// kinds is the number of things that happen can be asked for.
const kinds = 40

// work has a part work on a row, or come to its end.
func (w *world) work(p *worker) bool {
	switch {
	case p.gone || p.resting:
		return false
	case p.rows < p.total:
		p.rows++
	default:
		p.gone = true
		p.out = append(p.out, checkpoint.Gone{Part: p.Part, Snapshot: p.snapshot()})
	}
	return true
}

// snapshot prepares what has been worked on.
func (p *worker) snapshot() checkpoint.Snapshot {
	s := checkpoint.Snapshot{Data: strconv.AppendInt(nil, int64(p.rows), 10)}
	if p.Kind == checkpoint.Writer && p.prepared < p.rows {
		s.Committable = committable(span{p.prepared, p.rows})
		p.prepared = p.rows
	}
	return s
}

// handle has a part take its next message.
func (w *world) handle(p *worker) bool {
	if len(p.in) == 0 {
		return false
	}
	a := p.in[0]
	p.in = p.in[1:]
	switch a := a.(type) {
	case checkpoint.Trigger:
		switch {
		case p.gone:
		case !w.calm && w.pick(10) == 0:
			p.out = append(p.out, checkpoint.Declined{ID: a.ID, Part: p.Part, Err: errors.New("not now")})
		default:
			p.out = append(p.out, checkpoint.Acknowledged{ID: a.ID, Part: p.Part, Snapshot: p.snapshot()})
		}
		p.resting = p.resting || a.Stop
	case checkpoint.Commit:
		w.check(w.ledger.show(p.name(), spanOf(a.Committable)))
		p.out = append(p.out, shown{checkpoint.Committed{ID: a.ID, Part: a.Part}, spanOf(a.Committable)})
	}
	return true
}

// shown is a Committed on its way, with the rows that it means.
type shown struct {
	checkpoint.Committed
	rows span
}

// deliver brings a part's next message to the coordinator.
func (w *world) deliver(p *worker) bool {
	if len(p.out) == 0 {
		return false
	}
	e := p.out[0]
	p.out = p.out[1:]
	if s, ok := e.(shown); ok {
		w.ledger.told(p.name(), s.rows)
		e = s.Committed
	}
	w.step(e)
	return true
}

// answer has the store do what it was asked, or not, and say so, or not.
func (w *world) answer() bool {
	if w.storing == nil {
		return false
	}
	id := w.storing.ID
	outcome := w.pick(10)
	if w.calm || outcome < 6 {
		w.write(true)
		w.storing = nil
		w.step(checkpoint.Stored{ID: id})
		return true
	}
	if outcome < 8 { // it is there, perhaps as the current one
		w.write(outcome == 6)
	}
	w.storing = nil
	w.step(checkpoint.StoreFailed{ID: id, Err: errors.New("the store is away")})
	return true
}

func (w *world) write(current bool) {
	w.durable = int(w.storing.ID)
	if current {
		w.current = w.durable
	}
}

// run lets things happen, and then has all come to its end. It returns what went
// wrong, or nil.
func (w *world) run(steps int) error {
	for ; steps > 0 && !w.ended && w.broken == nil; steps-- {
		w.happen(w.pick(kinds))
	}
	w.calm = true
	for round := 0; !w.ended && w.broken == nil; round++ {
		if round > 1000 {
			return errors.New("the job does not come to its end")
		}
		moved := w.answer()
		for _, p := range w.parts {
			for w.handle(p) || w.deliver(p) || w.work(p) {
				moved = true
			}
		}
		if !moved && w.wake != gpflow.MaxTimestamp {
			w.now, w.wake = max(w.now, w.wake), gpflow.MaxTimestamp
			w.step(checkpoint.Tick{})
		}
	}
	return w.broken
}
