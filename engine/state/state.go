// Package state keeps the state of operators in memory.
//
// # Layout
//
// Keyed state is pane -> key -> row. A pane has one table for all the key
// groups that the subtask owns, made when the first key comes and given back
// whole when the pane is dropped; a thousand groups with few keys cost no more
// than the keys. A table is
//
//	index  open addressing with linear probing: half of the hash, and the entry
//	meta   by entry: the hash, and where the key ends in the arena
//	arena  the keys' bytes, appended
//	rows   slabs of values, in chunks that never move once they are full size
//
// Nothing but the rows holds pointers, so that a million keys cost the garbage
// collector their rows alone.
//
// The key group of an entry is a function of its hash and is not stored. The
// order by group is made when somebody iterates, by one counting sort of the
// entries, and kept until a key is added. So a snapshot or a hand-over of one
// group starts at Cursor{Group: g} and reads one run, while updates, which are
// a million times as frequent, pay nothing for it.
//
// Entries are never removed one by one: expiry is dropping a pane.
//
// # Checkpoints
//
// Freeze takes a view of everything in the time that it takes to copy the lists
// of chunks. What a view holds does not change: meta and arena are only appended
// to, and a chunk that a view holds is copied before one of its rows is written.
// So another goroutine encodes the view while the subtask goes on. Once the views
// that may hold it have been released, the chunk's memory takes the next copy.
//
// A table has a bit for each row that was written since the last freeze. The
// bits say what a delta has to hold, and, being clear, that a row about to be
// written may lie in a chunk that a view holds: Upsert looks at one bit for
// both. A freeze takes the bits along and leaves clear ones; they are forgotten
// when the checkpoint has completed, and come back when it has been aborted.
//
// # Beyond the memory
//
// The states of a process share a Budget. They look at it whenever they have
// grown by a fixed number of bytes. Where tables hold too much, whole tables are
// evicted, the largest first. What such a table has in memory becomes its leaving
// part, and the table begins anew, empty: that takes no time. The leaving part is
// written to the disk in steps, each of some hundred rows, with the keys that are
// added: for each byte that is added, four bytes leave, so that it is on the disk when
// the rest has grown by a quarter of it. So no Upsert writes more than a step, however much memory there is, and
// what is done depends on the calls alone, not on time.
//
// The rows lie on the disk by hash, so by key group, in runs that follow one
// another. A leaving part does not change. Upsert looks for a key in the table, then
// in the leaving part, and then on the disk, and the row that it finds moves into
// the table. So what is in the table goes before what is leaving, and that before
// what is on the disk; a row that has moved is not written, as the table has it, and
// every row of the table is written when that is evicted again. A part that has been
// written is looked up, and not read from the disk, until its memory is needed.
//
// Which keys are on the disk a filter in memory says, but for one in fifty that are
// not: a new key is not looked for there. It takes 12 to 24 bits for each key on the
// disk, and no more than an eighth of the budget; beyond that it lets more through.
//
// A table that has been evicted numbers its entries, also those on the disk. With
// the numbers, the order of insertion within a group is found again, and what is
// in memory is matched with what is on the disk: a walk, and a snapshot, bring
// together one group after the other, and hold no more than that of it.
//
// With the bits of a leaving part would be lost what a delta has to hold. So those of
// its rows that no completed checkpoint had when the eviction began are written a
// second time, to a log that is named after the freeze before. A delta holds the
// logs since the freeze that it follows, and what memory has, also what is leaving;
// when a checkpoint has completed, the logs before its freeze are removed. That is
// why aborting needs nothing.
//
// A view of a table that has been evicted is one of what is in memory, as ever, one
// of what is leaving, and one of the disk, which is taken in microseconds too.
//
// The disk is scratch space. It is not part of a checkpoint, and begins empty: what
// is restored and does not fit the memory is evicted on the way. A failure of the
// disk ends the subtask, and what has been written since the last checkpoint is
// computed again.
package state

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/gpflow/gpflow"
)

// Memory is the state of one operator in one subtask. It implements
// gpflow.State. It belongs to the subtask's goroutine.
type Memory struct {
	groups, from, to int
	descs            []gpflow.StateDescriptor
	panes            []*Panes
	rest             func() // see Rest
	every            uint32 // likewise
	bug              Bug

	freezes  uint64    // number of the last freeze
	pending  []*Frozen // neither completed nor aborted, in order
	held     []*Frozen // those that may not have been released
	base     uint64    // number of the last one completed
	chain    chain
	restored []bool // by group, from m.from; nil: nothing was restored

	budget        *Budget // nil: there is no limit
	evictor       evictor
	look          int          // bytes that a state may add before m looks at the budget
	grown         int64        // bytes added since m has told the budget
	owed          int64        // bytes to be written
	pace          int64        // bytes to be written for each that is added
	filters       int          // bytes of what says which keys are on the disk
	kept          bool         // there may be parts that have been written and are looked up
	tables, views int64        // bytes that the budget has been told of
	inMemory      atomic.Int64 // bytes, as of then
	onDisk        atomic.Int64 // likewise
}

// New returns the empty state of a subtask that owns the key groups from up to,
// but not including, to, of a pipeline of the given number of groups. descs
// are what the operator's descriptor declares.
func New(groups, from, to int, descs []gpflow.StateDescriptor) (*Memory, error) {
	if groups < 1 || from < 0 || to > groups || from >= to {
		return nil, fmt.Errorf("make state: key groups [%d, %d) of %d are not a range", from, to, groups)
	}
	m := &Memory{groups: groups, from: from, to: to, descs: slices.Clone(descs)}
	for i, d := range descs {
		if d.Kind != "panes" {
			return nil, fmt.Errorf("make state %q: its kind is %q, and this version keeps \"panes\" only", d.Name, d.Kind)
		}
		if d.Value == nil {
			return nil, fmt.Errorf("make state %q: it has no schema of values", d.Name)
		}
		if slices.ContainsFunc(descs[:i], func(e gpflow.StateDescriptor) bool { return e.Name == d.Name }) {
			return nil, fmt.Errorf("make state %q: it is declared twice", d.Name)
		}
		m.panes = append(m.panes, newPanes(m, d.Value))
	}
	m.every, m.evictor.m, m.evictor.limits = YieldEvery, m, usual
	return m, nil
}

// Rest has whoever encodes what m freezes from now on call rest every now and
// then, from its own goroutine. rest leaves the processor for a moment: then it may
// take over what waits for another one, which one that always has something to run
// does not. An encoder lets others run every so many entries, a power of two, of
// which YieldEvery is a good one.
func (m *Memory) Rest(every uint32, rest func()) { m.every, m.rest = every, rest }

// Panes returns the state declared under name. Asking for one that is not
// declared is a mistake in the operator, and panics.
func (m *Memory) Panes(name string) gpflow.Panes {
	for i := range m.descs {
		if m.descs[i].Name == name {
			return m.panes[i]
		}
	}
	panic(fmt.Sprintf("state %q is not declared by the operator's descriptor", name))
}

// Bytes returns the memory that the tables hold, with those kept for reuse and
// with what is there for frozen views alone. What strings, bytes, lists and maps
// in the rows point to is counted where m has a budget. The cost is that of
// visiting each pane, and, while a view is held, each chunk.
func (m *Memory) Bytes() int {
	n := m.heldBytes()
	for _, p := range m.panes {
		n += p.Bytes()
	}
	return n
}
