package sim

import (
	"context"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// plan draws when the next fault comes.
func (w *world) plan() { w.next = w.steps + 20 + w.rand.IntN(900) }

// soon has the next fault come soon, perhaps: in the midst of what goes on now.
func (w *world) soon() {
	if w.rand.IntN(3) == 0 {
		w.next = w.steps + w.rand.IntN(120)
	}
}

// hunt is a fault that waits for a phase.
type hunt struct {
	phase    phase
	patience int // one in so many steps of the phase is the one
	hit      func(*attempt)
}

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
	switch x := w.rand.IntN(24); {
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
		w.hunt = &hunt{w.somePhase(), 15, func(*attempt) { w.die = true }}
	case x < 8:
		w.storeFault(storagetest.Fault{Times: 1 + w.rand.IntN(3)})
	case x < 9:
		w.storeFault(storagetest.Fault{Times: 5 + w.rand.IntN(20), Err: storagetest.ErrFull})
	case x < 12:
		w.storeFault(storagetest.Fault{Times: -1, Err: errKilled, Match: func(storagetest.Op, string) bool { return true }})
	case x < 14:
		a.isolate()
	case x < 16:
		a.loseWorker()
	default:
		w.breakage(a)
	}
}

func (w *world) somePhase() phase {
	return []phase{aligning, storing, committing, committing}[w.rand.IntN(4)]
}

// breakage has a part of a region fail, perhaps together with something else.
func (w *world) breakage(a *attempt) {
	w.soon()
	switch w.rand.IntN(6) {
	case 0:
		a.shatter()
	case 1, 2:
		w.hunt = &hunt{w.somePhase(), 15, (*attempt).shatter}
	case 3:
		w.storeFault(storagetest.Fault{Times: 1 + w.rand.IntN(2)})
		a.shatter()
	case 4:
		w.loseAnswer()
		w.slow = w.rand.IntN(2) == 0
		w.hunt = &hunt{storing, 4, (*attempt).shatter}
	case 5:
		a.spoiled = 1 + w.rand.IntN(3)
		a.shatter()
	}
}

// loseAnswer has the store fail when it has made a checkpoint current.
func (w *world) loseAnswer() {
	w.stats.StoreFaults++
	w.trace.say("FAULT: the store makes a checkpoint current, and fails")
	w.store.Fail(storagetest.Fault{When: storagetest.After, Match: func(op storagetest.Op, name string) bool {
		return op == storagetest.PutIfAbsent && strings.Contains(name, "/current/")
	}})
}

// doubted has a part fail, perhaps, where it is not known which checkpoint is
// current.
func (a *attempt) doubted() {
	if a.faults > 0 && a.rand.IntN(2) == 0 {
		a.faults--
		a.shatter()
	}
}

func (w *world) storeFault(f storagetest.Fault) {
	w.stats.StoreFaults++
	f.Skip, f.When = w.rand.IntN(8), storagetest.When(w.rand.IntN(3))
	w.trace.say("FAULT: the store fails %s an operation, %d go well before, %d times: %v", f.When, f.Skip, f.Times, f.Err)
	w.store.Fail(f)
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
