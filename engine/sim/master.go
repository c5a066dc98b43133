package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/storage"
)

// master does what the engine's master does: it feeds the job's machine and
// performs its actions.
type master struct {
	a           *attempt
	node        *node
	job         *job.Job
	enumerators map[string]*node
	readers     map[job.Reader]*node
	tasks       []*node
	writers     map[job.Writer]*node
	archivist   *node
	begun       bool
	outcome     job.Outcome
	err         error
	committing  map[checkpoint.Part]gpflow.CheckpointID
}

// tick is a message of the master to itself.
type tick struct{}

func (m *master) receive(message any) error {
	switch e := message.(type) {
	case job.Event:
		if p, ok := e.(job.Point); ok {
			if c, ok := p.CoordinatorEvent.(checkpoint.Committed); ok {
				delete(m.committing, c.Part)
				m.settle(committing)
			}
		}
		m.step(e)
	case tick:
		m.step(job.Point{CoordinatorEvent: checkpoint.Tick{}})
	}
	return nil
}

func (m *master) work() (bool, error) {
	if !m.begun {
		m.begun = true
		m.step(job.Started{})
	}
	return false, nil
}

func (m *master) step(e job.Event) {
	for _, action := range m.job.Step(m.a.now, e) {
		m.perform(action)
	}
}

func (m *master) perform(action job.Action) {
	send := func(to *node, message any) { m.a.send(m.node, to, message) }
	switch x := action.(type) {
	case job.Discover:
		send(m.enumerators[x.Source], x)
	case job.Assign:
		message := assign{split: x.Split}
		if x.Resume {
			message.from = m.a.former.Split(x.Reader.Source, x.Split.ID)
		}
		send(m.readers[x.Reader], message)
	case job.Pending:
		send(m.readers[x.Reader], pending{x.Left})
	case job.Rest:
		send(m.readers[x.Reader], rest{})
	case job.NoMore:
		send(m.readers[x.Reader], noMore{})
	case job.StopReading:
		send(m.readers[x.Reader], stopReading{})
	case job.EndInput:
		send(m.readers[x.Reader], endInput{})
	case job.Trigger:
		m.a.phase = aligning
		send(m.readers[x.Reader], trigger{x.ID, x.Stop})
	case job.TriggerTasks:
		m.tell(trigger{id: x.ID})
	case job.QuitTasks:
		m.tell(quit{})
	case job.Store:
		m.a.phase = storing
		m.a.complete(x)
		send(m.archivist, x)
	case job.Save:
		send(m.archivist, x)
	case job.Do:
		m.do(x.CoordinatorAction)
	case job.Finish:
		m.outcome, m.err = x.Outcome, x.Err
	default:
		m.a.broken("simulation", "it does not know the action %T", action)
	}
}

// tell sends a message to every task.
func (m *master) tell(message any) {
	for _, t := range m.tasks {
		m.a.send(m.node, t, message)
	}
}

func (m *master) do(action checkpoint.CoordinatorAction) {
	switch x := action.(type) {
	case checkpoint.Abort:
		m.a.stats.Aborted++
		m.settle(m.a.phase)
		m.a.trace.say("abort %d: %v", x.ID, x.Err)
		m.tell(abort{x.ID})
	case checkpoint.Completed:
		m.settle(m.a.phase)
		m.tell(completed{x.ID})
	case checkpoint.Commit:
		if id, ok := m.committing[x.Part]; ok {
			m.a.broken("commits in order", "%s is to commit what it prepared for %d before that of %d has been committed", x.Part, x.ID, id)
		}
		m.committing[x.Part] = x.ID
		m.settle(m.a.phase)
		m.a.post(m.node, m.writers[m.a.home(x.Part)], commit{x.ID, x.Part, x.Committable}, 8000)
	case checkpoint.WakeAt:
		m.node.alarm, m.node.ring = max(x.Time, m.a.now+1), func() { m.a.send(m.node, m.node, tick{}) }
	}
}

// settle takes note that something is over that went on in a phase.
func (m *master) settle(over phase) {
	switch {
	case m.a.phase != over && m.a.phase != quiet:
	case len(m.committing) > 0:
		m.a.phase = committing
	default:
		m.a.phase = quiet
	}
}

// archivist does what the engine's archivist does.
type archivist struct {
	a      *attempt
	node   *node
	retain int
	named  map[gpflow.CheckpointID]*checkpoint.Manifest // that are to be savepoints: nothing is removed meanwhile
}

func (v *archivist) receive(message any) error {
	switch x := message.(type) {
	case job.Store:
		return v.keep(x)
	case job.Save:
		v.save(x)
	}
	return nil
}

// save makes a savepoint.
func (v *archivist) save(s job.Save) {
	m := v.named[s.ID]
	delete(v.named, s.ID)
	err := v.a.keeper.Savepoint(context.Background(), s.Name, m)
	v.a.trace.say("savepoint %s of checkpoint %d: %v", s.Name, s.ID, err)
	v.a.die = v.a.die || errors.Is(err, errKilled)
	if err == nil {
		v.a.savepoint(s.Name, m)
	}
}

// keep makes a checkpoint durable, and says whether it is.
func (v *archivist) keep(s job.Store) error {
	m := v.manifest(s)
	err := v.a.keeper.Store(context.Background(), m, s.Parts)
	if errors.Is(err, errKilled) {
		v.a.die = true
		return nil
	}
	report := func(e checkpoint.CoordinatorEvent) { v.a.send(v.node, v.a.master.node, job.Point{CoordinatorEvent: e}) }
	var stale *checkpoint.StaleEpoch
	var lost *storage.SyncError
	switch {
	case errors.As(err, &stale) || errors.As(err, &lost):
		return fmt.Errorf("store checkpoint %d: %w", s.ID, err)
	case err != nil:
		v.a.trace.say("checkpoint %d is not stored: %v", s.ID, err)
		report(checkpoint.StoreFailed{ID: s.ID, Err: err})
		return nil
	}
	v.a.stored(s)
	report(checkpoint.Stored{ID: s.ID})
	if s.Name != "" {
		v.named[s.ID] = m
	}
	if len(v.named) > 0 {
		return nil
	}
	if err := v.a.keeper.Retain(context.Background(), v.retain); err != nil {
		v.a.die = errors.Is(err, errKilled)
	}
	return nil
}

// store is keep by a process that nobody listens to.
func (v *archivist) store(s job.Store) error {
	return v.a.keeper.Store(context.Background(), v.manifest(s), s.Parts)
}

func (v *archivist) manifest(s job.Store) *checkpoint.Manifest {
	m := &checkpoint.Manifest{
		Semantics: 1, Pipeline: "simulated", ID: s.ID, Time: v.a.began, KeyGroups: v.a.top.keyGroups, Plan: v.a.encoded(),
		Sources: s.Sources, Name: s.Name, Committables: s.Committables,
	}
	for _, p := range s.Gone {
		m.Parts = append(m.Parts, checkpoint.PartState{Part: p, Gone: true})
	}
	if err := resume.Ended(m.Sources, s.Parts); err != nil {
		v.a.broken("C5", "%v", err)
	}
	if s.Final {
		m.Outcome = checkpoint.OutcomeFinished
	}
	return m
}

func (v *archivist) work() (bool, error) { return false, nil }
