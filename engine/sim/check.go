package sim

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// point is a checkpoint, or the end of subtasks: the checkpoint 0.
type point struct {
	epoch int64
	id    gpflow.CheckpointID
}

// marks are the watermarks that subtasks had come to.
type marks map[point]map[checkpoint.Part]gpflow.Timestamp

func (m marks) note(at point, p checkpoint.Part, t gpflow.Timestamp) {
	if m[at] == nil {
		m[at] = make(map[checkpoint.Part]gpflow.Timestamp)
	}
	m[at][p] = t
}

// reached returns the watermark from which a subtask has to go on, in a job that
// is wired as it was or not: if not, it is what all subtasks had come to.
func (m marks) reached(at point, who checkpoint.Part, same bool) gpflow.Timestamp {
	if same {
		return m[at][who]
	}
	low := gpflow.MaxTimestamp
	for p, t := range m[at] {
		if p.Name == who.Name {
			low = min(low, t)
		}
	}
	return low
}

// mark notes the watermark that a subtask has come to at a checkpoint, or at its
// end.
func (a *attempt) mark(id gpflow.CheckpointID, p checkpoint.Part, t gpflow.Timestamp) {
	a.marks.note(point{a.keeper.Epoch(), id}, p, t)
}

// complete looks at a checkpoint that is to be stored: all parts are in it (C5).
func (a *attempt) complete(s job.Store) {
	a.last, a.began = &s, a.now
	for _, p := range s.Gone {
		if p.Kind == checkpoint.Task {
			a.mark(s.ID, p, a.marks[point{a.keeper.Epoch(), 0}][p])
		}
	}
	parts := slices.Clone(a.job.Tasks)
	for _, src := range a.job.Sources {
		for i := range src.Parallelism {
			parts = append(parts, checkpoint.Part{Kind: checkpoint.Reader, Name: src.Address, Subtask: i})
		}
	}
	for _, w := range a.job.Sinks {
		parts = append(parts, checkpoint.Part{Kind: checkpoint.Writer, Name: w.Sink, Subtask: w.Subtask})
	}
	if len(parts) != len(s.Parts) {
		a.broken("C5", "checkpoint %d has %d parts, and the job %d", s.ID, len(s.Parts), len(parts))
	}
	for _, p := range parts {
		if s.Parts[p].Data == nil {
			a.broken("C5", "checkpoint %d is to be stored without what %s was", s.ID, p)
		}
	}
}

// stored looks at a checkpoint that is said to be stored: it has survived a loss
// of power, and is the current one (C9).
func (a *attempt) stored(s job.Store) {
	a.completed = s.ID
	a.stats.Checkpoints++
	if a.config.OutputOnly {
		return
	}
	if m, err := a.durable(); err != nil {
		a.broken("C9", "checkpoint %d is said to be current, and behind a loss of power: %v", s.ID, err)
	} else if m.ID != s.ID {
		a.broken("C9", "checkpoint %d is said to be current, and behind a loss of power it is %d", s.ID, m.ID)
	}
}

// goesOn looks at the checkpoint that regions go on from: it is the current one
// (C9). nil: the beginning.
func (a *attempt) goesOn(m *checkpoint.Manifest) {
	id := gpflow.CheckpointID(0)
	if m != nil {
		id = m.ID
	}
	if id < a.completed {
		a.broken("C9", "a region goes on from checkpoint %d, and %d had been completed", id, a.completed)
	}
	a.completed = id
	if a.config.OutputOnly {
		return
	}
	now, err := a.durable()
	var none *checkpoint.NoCheckpoint
	switch {
	case errors.As(err, &none) && id == 0:
	case err != nil:
		a.broken("C9", "a region goes on from checkpoint %d, and behind a loss of power: %v", id, err)
	case now.ID != id:
		a.broken("C9", "a region goes on from checkpoint %d, and behind a loss of power %d is current", id, now.ID)
	}
}

// durable returns the checkpoint that would be current behind a loss of power.
func (w *world) durable() (*checkpoint.Manifest, error) {
	store := w.store.Clone()
	store.Crash(nil)
	k, err := checkpoint.Open(context.Background(), store)
	if err != nil {
		return nil, err
	}
	return k.Current(context.Background())
}

// visible looks at a commit: the current checkpoint has it (C3, C9).
func (a *attempt) visible(p checkpoint.Part, c gpflow.Committable) {
	if a.config.OutputOnly {
		return
	}
	m, err := a.durable()
	if err != nil {
		a.broken("C3", "%s commits %q, and behind a loss of power: %v", p, c, err)
		return
	}
	for _, x := range m.Committables {
		if bytes.Equal(x.Committable, c) && x.Part == p {
			return
		}
	}
	a.broken("C3", "%s commits %q, and checkpoint %d, which is the current one, does not list it", p, c, m.ID)
}

// savepoint looks at a savepoint that was made: it is that of the checkpoint which
// was asked for, has all that it needs, and nothing that lies before it is still to
// be committed.
func (a *attempt) savepoint(s job.Save, of *checkpoint.Manifest) {
	name := s.Name
	a.stats.Savepoints++
	for _, p := range of.Committables {
		if !a.outside[p.Part.Name].committed[string(p.Committable)] {
			a.broken("savepoint", "%s is made while %q of %s is not committed", name, p.Committable, p.Part)
		}
	}
	if a.config.OutputOnly {
		return
	}
	ctx := context.Background()
	store := a.world.store.Clone()
	store.Crash(nil)
	k, err := checkpoint.Open(ctx, store)
	if err != nil {
		a.broken("savepoint", "%s, behind a loss of power: %v", name, err)
		return
	}
	m, err := k.LoadSavepoint(ctx, name)
	if err != nil {
		a.broken("savepoint", "%s, behind a loss of power: %v", name, err)
		return
	}
	if m.ID != s.ID {
		a.broken("savepoint", "%s is that of checkpoint %d, and was to be made of %d", name, m.ID, s.ID)
	}
	for _, p := range m.Parts {
		if _, err := k.Segments(ctx, p); err != nil {
			a.broken("savepoint", "%s, behind a loss of power: %s: %v", name, p.Part, err)
		}
	}
}

// handed is what the keyed state of a subtask was when it was handed in for a
// checkpoint, so that it can be seen not to change before it is stored: it is not
// copied on its way.
type handed struct {
	id  gpflow.CheckpointID
	sum checkpoint.Sum
}

// note takes note of what is handed in, unless that is late.
func (h *handed) note(ack checkpoint.Acknowledged) {
	if ack.ID > h.id {
		*h = handed{ack.ID, checkpoint.SumOf(ack.Snapshot.State)}
	}
}

// unchanged looks at the keyed states of a checkpoint that is about to be stored:
// they are as they were handed in (C5).
func (a *attempt) unchanged(s job.Store) {
	for _, p := range a.job.Tasks {
		was := a.master.Tasks[p].who.(*subtask).handed
		if was.id == s.ID && was.sum != checkpoint.SumOf(s.Parts[p].State) {
			a.broken("C5", "the state of %s has changed since it was handed in for checkpoint %d", p, s.ID)
		}
	}
}

// union returns the lines of a and b, sorted.
func union(a, b map[string]int) []string {
	all := maps.Clone(a)
	for line := range b {
		all[line] = 0
	}
	return slices.Sorted(maps.Keys(all))
}
