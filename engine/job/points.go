package job

import (
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// save is a savepoint to be: a checkpoint that was asked for by name.
type save struct {
	Save
	stored bool                 // the checkpoint is
	left   []checkpoint.Pending // what is not committed of what it lists
}

// point gives an event to the coordinator of checkpoints.
func (j *Job) point(now gpflow.Timestamp, e checkpoint.CoordinatorEvent) []Action {
	var as []Action
	switch e := e.(type) {
	case checkpoint.Committed:
		as = j.shown(e)
	case checkpoint.Stored:
		j.doubt = false
	case checkpoint.StoreFailed:
		j.doubt = true
	}
	for _, a := range j.points.Step(now, e) {
		switch a := a.(type) {
		case checkpoint.Trigger:
			as = append(as, j.trigger(a)...)
		case checkpoint.Store:
			as = append(as, j.store(a))
		case checkpoint.Done:
			as = append(as, j.settled(a)...)
		case checkpoint.Fail:
			as = append(as, j.finish(Failed, a.Err)...)
		case checkpoint.Abort:
			delete(j.cuts, a.ID)
			j.saves = slices.DeleteFunc(j.saves, func(s save) bool { return s.ID == a.ID })
			as = append(as, Do{a})
		case checkpoint.Completed:
			as = append(append(as, Do{a}), j.complete(a.ID)...)
		default:
			as = append(as, Do{a})
		}
	}
	return as
}

// trigger notes what the sources are, has the readers send barriers, and tells the
// tasks: what
// was assigned before comes before the barrier, since messages to a reader keep
// their order.
func (j *Job) trigger(t checkpoint.Trigger) []Action {
	var as []Action
	for _, s := range j.sources {
		j.cuts[t.ID] = append(j.cuts[t.ID], s.state())
		for r := range s.reading {
			as = append(as, Trigger{Reader{s.Address, r}, t.ID, t.Stop})
		}
	}
	if j.tasks {
		as = append(as, TriggerTasks{t.ID})
	}
	return as
}

func (j *Job) store(s checkpoint.Store) Action {
	cut, ok := j.cuts[s.ID]
	if !ok { // without barriers
		for _, src := range j.sources {
			cut = append(cut, src.state())
		}
	}
	delete(j.cuts, s.ID)
	if j.draining && s.ID > j.end {
		s.Name = "" // there will be no savepoint, which somebody would wait for
	}
	if s.Name != "" {
		j.saves = append(j.saves, save{Save: Save{s.ID, s.Name}, left: slices.Clone(s.Committables)})
	}
	return Store{s, cut}
}

// settled ends the job behind its last checkpoint.
func (j *Job) settled(d checkpoint.Done) []Action {
	if d.Final {
		return j.finish(Finished, nil)
	}
	j.rested = true
	as := j.stopReading()
	if j.tasks {
		as = append(as, QuitTasks{})
	}
	return append(as, j.ending()...)
}

// complete takes note that a checkpoint is stored.
func (j *Job) complete(id gpflow.CheckpointID) []Action {
	for i := range j.saves {
		j.saves[i].stored = j.saves[i].stored || j.saves[i].ID == id
	}
	return j.save()
}

// shown takes note of what is committed.
func (j *Job) shown(e checkpoint.Committed) []Action {
	for i := range j.saves {
		s := &j.saves[i]
		s.left = slices.DeleteFunc(s.left, func(p checkpoint.Pending) bool { return p.Part == e.Part && p.ID == e.ID })
	}
	return j.save()
}

// save has the savepoints made that can be: nothing that lies before one is
// still to be committed, since a job that goes on from it does not.
func (j *Job) save() []Action {
	var as []Action
	j.saves = slices.DeleteFunc(j.saves, func(s save) bool {
		ready := s.stored && len(s.left) == 0
		if ready {
			as = append(as, s.Save)
		}
		return ready
	})
	return as
}
