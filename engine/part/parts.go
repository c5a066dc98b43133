package part

import (
	"cmp"
	"maps"
	"slices"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// Former is what knows how far splits had been read; see resume.Former.
type Former interface {
	Split(source, id string) *task.SplitState
}

// Parts are the parts of a job that lives, or of regions of one: how each is
// reached, which is a T.
type Parts[T any] struct {
	Enumerators map[string]T // by source
	Readers     map[job.Reader]T
	Tasks       map[checkpoint.Part]T
	Writers     map[job.Writer]T
	Former      map[string]Former // what each source goes on from
}

// NewParts returns no parts.
func NewParts[T any]() Parts[T] {
	return Parts[T]{make(map[string]T), make(map[job.Reader]T), make(map[checkpoint.Part]T), make(map[job.Writer]T), make(map[string]Former)}
}

// Take puts the parts of o in the place of those that there were.
func (p Parts[T]) Take(o Parts[T]) {
	maps.Copy(p.Enumerators, o.Enumerators)
	maps.Copy(p.Readers, o.Readers)
	maps.Copy(p.Tasks, o.Tasks)
	maps.Copy(p.Writers, o.Writers)
	maps.Copy(p.Former, o.Former)
}

// Deliver sends an action of the job's machine, or of its coordinator of
// checkpoints, to the parts that it is for, in an order that is always the same. It
// returns false where it is for none.
func (p Parts[T]) Deliver(action any, send func(to T, message any)) bool {
	switch a := action.(type) {
	case job.Discover:
		send(p.Enumerators[a.Source], a)
	case job.Assign:
		m := make([]Assign, len(a.Splits))
		for i, s := range a.Splits {
			m[i].Split = s
			if a.Resume {
				m[i].From = p.Former[a.Reader.Source].Split(a.Reader.Source, s.ID)
			}
		}
		send(p.Readers[a.Reader], m)
	case job.Pending:
		send(p.Readers[a.Reader], a)
	case job.Rest:
		send(p.Readers[a.Reader], a)
	case job.NoMore:
		send(p.Readers[a.Reader], a)
	case job.StopReading:
		send(p.Readers[a.Reader], a)
	case job.EndInput:
		send(p.Readers[a.Reader], a)
	case job.Trigger:
		send(p.Readers[a.Reader], a)
	case job.TriggerTasks, job.QuitTasks, checkpoint.Abort, checkpoint.Completed:
		order := func(a, b checkpoint.Part) int { return cmp.Or(cmp.Compare(a.Name, b.Name), a.Subtask-b.Subtask) }
		for _, t := range slices.SortedFunc(maps.Keys(p.Tasks), order) {
			send(p.Tasks[t], a)
		}
	case checkpoint.Commit:
		send(p.home(a.Part), a)
	default:
		return false
	}
	return true
}

// home returns the writer that commits what a part of a sink had prepared: itself, or
// the first one where it is no more.
func (p Parts[T]) home(prepared checkpoint.Part) T {
	w, ok := p.Writers[job.Writer{Sink: prepared.Name, Subtask: prepared.Subtask}]
	if !ok {
		w = p.Writers[job.Writer{Sink: prepared.Name}]
	}
	return w
}
