package resume

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// Resume has subtask i of t, which is machine and has not begun, go on from what was:
// all but its keyed state, which Restore has given to states, by address.
func (f *Former) Resume(t *plan.Task, i int, machine *task.Task, states map[string]*state.Memory) error {
	snapshot := make(task.Snapshot)
	for _, op := range t.Ops {
		if o, ok := f.operator(op.ID, i, t.Parallelism); ok {
			snapshot[op.ID] = o
		}
	}
	if !f.same(t) {
		for _, m := range states {
			m.Rebase()
		}
	}
	if err := machine.Restore(snapshot); err != nil {
		return fmt.Errorf("restore %w", err)
	}
	return nil
}

// operator returns what subtask i of n of an operator goes on from, but for its
// keyed state; false: there was no such operator. Where the number of subtasks
// has changed, here or anywhere before, time is what all of them had come to:
// rows that another subtask had still to get may come to this one now. Where it
// has changed here, the first subtask has the ledger of all.
func (f *Former) operator(address string, i, n int) (task.OperatorState, bool) {
	former := f.operators[address]
	switch {
	case len(former) == 0:
		return task.OperatorState{}, false
	case len(former) == n && (f.unchanged || f.bug == MarksOfNamesakes):
		return former[i].OperatorState, true
	}
	o := task.OperatorState{Mark: gpflow.MaxTimestamp, Emitted: make([]int64, len(former[0].Emitted))}
	for was, x := range former {
		o.Mark = min(o.Mark, x.Mark)
		if f.bug != TimersToOne || was%n == i {
			o.Timers = append(o.Timers, x.Timers...) // whoever has the keys now needs them
		}
		if i == 0 {
			o.Counts.Add(x.Counts)
			o.Taken += x.Taken
			for p, e := range x.Emitted {
				o.Emitted[p] += e
			}
		}
	}
	return o, true
}

// Restore gives subtask i of n of an operator its keyed state: its own, or the
// key groups that it owns out of that of all former subtasks. They are read piece
// by piece, and what m has no room for goes to its disk on the way.
func (f *Former) Restore(m *state.Memory, address string, i, n int) error {
	former := f.operators[address]
	if len(former) == n {
		former = former[i : i+1]
	}
	for _, x := range former {
		if err := m.RestoreFrom(len(x.Segments.part.Segments), x.Segments.at); err != nil {
			return err
		}
	}
	return nil
}

// Reader returns what subtask i of n of a source goes on from, but for its
// splits; false: there was no such source.
func (f *Former) Reader(address string, i, n int) (r task.ReaderState, ok bool) {
	former := f.readers[address]
	switch {
	case len(former) == 0:
		return task.ReaderState{}, false
	case len(former) == n:
		return former[i], true
	}
	r.Watermark = gpflow.MaxTimestamp
	for _, x := range former {
		r.Watermark = min(r.Watermark, x.Watermark)
		if i == 0 {
			r.Counts.Add(x.Counts)
		}
	}
	return r, true
}

// Source tells the job's machine what a source was. Splits stay where they were
// read, but for those that shares has leave; these go to the readers that have
// fewest.
func (f *Former) Source(j *job.Source) {
	i := slices.IndexFunc(f.manifest.Sources, func(x checkpoint.SourceState) bool { return x.Address == j.Address })
	if i < 0 || f.forgotten[j.Address] {
		return
	}
	x := f.manifest.Sources[i]
	j.Found, j.Queue, j.Done = x.Found, x.Queue, x.Done
	load, share := make([]int, j.Parallelism), shares(f.readers[j.Address], j.Parallelism)
	var homeless []gpflow.Split
	for r, d := range f.readers[j.Address] {
		for _, split := range d.Splits {
			p := gpflow.Split{ID: split.ID, Data: split.Data}
			if r >= j.Parallelism || load[r] == share[r] {
				homeless = append(homeless, p)
				continue
			}
			load[r]++
			j.Reading = append(j.Reading, job.Reading{Split: p, Subtask: r})
		}
	}
	if f.bug == LastSplitLost && len(homeless) > 0 {
		homeless = homeless[:len(homeless)-1]
	}
	for _, p := range homeless {
		r := slices.Index(load, slices.Min(load))
		load[r]++
		j.Reading = append(j.Reading, job.Reading{Split: p, Subtask: r})
	}
}

// shares returns how many of its splits each of n readers keeps at most: all where
// their number is what it was. Else they are shared out evenly, and who had most
// has one more than others, so that the fewest move.
func shares(former []task.ReaderState, n int) []int {
	shares, order, total := make([]int, n), make([]int, n), 0
	for r, d := range former {
		total += len(d.Splits)
		if r < n {
			shares[r] = len(d.Splits)
		}
	}
	if len(former) == n {
		return shares
	}
	for r := range order {
		order[r] = r
	}
	slices.SortStableFunc(order, func(a, b int) int { return shares[b] - shares[a] })
	for i, r := range order {
		shares[r] = (total + n - 1 - i) / n
	}
	return shares
}

// Writer returns what a sink's subtask i of n goes on from: the states of all
// former subtasks, and its ledger, or for the first one that of all where their
// number has changed.
func (f *Former) Writer(address string, i, n int) (states [][]byte, counts gpflow.Counts) {
	former := f.writers[address]
	for was, x := range former {
		states = append(states, x.State)
		if was == i && len(former) == n || i == 0 && len(former) != n {
			counts.Add(x.Counts)
		}
	}
	return states, counts
}

// Commit returns what is to be committed again (C4).
func (f *Former) Commit() []checkpoint.Pending {
	return slices.DeleteFunc(slices.Clone(f.manifest.Committables), func(p checkpoint.Pending) bool {
		return f.forgotten[p.Part.Name] || f.bug == DropHomeless && p.Part.Subtask >= f.subtasks(p.Part.Name)
	})
}

// subtasks returns how many a node has now.
func (f *Former) subtasks(address string) int {
	for _, t := range f.now.Tasks {
		if slices.ContainsFunc(t.Ops, func(o plan.Op) bool { return o.ID == address }) {
			return t.Parallelism
		}
	}
	return 0
}

// Emitted returns the rows that had left a port of a node.
func (f *Former) Emitted(address string, port int) (n int64) {
	for _, x := range f.operators[address] {
		if port < len(x.Emitted) {
			n += x.Emitted[port]
		}
	}
	return n
}

// Counts returns the ledger of a node over all its former subtasks.
func (f *Former) Counts(address string) (c gpflow.Counts) {
	readers, writers := f.readers[address], f.writers[address]
	switch {
	case readers != nil:
		for i := range readers {
			c.Add(readers[i].Counts)
		}
	case writers != nil:
		for i := range writers {
			c.Add(writers[i].Counts)
		}
	default:
		for _, o := range f.operators[address] {
			c.Add(o.Counts)
		}
	}
	return c
}

// Sent returns how many of the rows that had left a port of a node went to another
// one, where both go on: those that left while there was that edge. name is that
// of the port.
func (f *Former) Sent(from string, port int, name, to string) int64 {
	if !f.joined(from, port, to) {
		return 0
	}
	return f.Emitted(from, port) - f.missed[to][Output(from, name)]
}

// Output names a port of a node as the ledger does.
func Output(address, port string) string {
	if port == "" {
		return address
	}
	return address + "." + port
}

// joined reports whether the rows of a port of a node went to another one, and
// both go on.
func (f *Former) joined(from string, port int, to string) bool {
	if f.forgotten[from] || f.forgotten[to] {
		return false
	}
	for _, t := range f.then.Tasks {
		for i, o := range t.Ops {
			if o.ID == to && i > 0 && t.Ops[o.Parent].ID == from && o.ParentPort == port {
				return true
			}
		}
	}
	return slices.ContainsFunc(f.then.Edges, func(e plan.Edge) bool {
		return f.then.Task(e.From).Ops[e.FromOp].ID == from && e.FromPort == port && f.then.Task(e.To).Ops[0].ID == to
	})
}

// same reports whether t has the operators and the parallelism that it had, so
// that what changes in its state can be told relative to what was saved.
func (f *Former) same(t *plan.Task) bool {
	former := 0
	for _, p := range f.manifest.Parts {
		if p.Kind == checkpoint.Task && p.Name == t.ID {
			former++
		}
	}
	then := f.then.Task(t.ID)
	return then != nil && former == t.Parallelism && slices.EqualFunc(t.Ops, then.Ops, func(a, b plan.Op) bool { return a.ID == b.ID })
}
