package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
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
	resumed     map[string]*splitData
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
			message.from = m.resumed[x.Split.ID]
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
	case job.Trigger:
		send(m.readers[x.Reader], trigger{x.ID, x.Stop})
	case job.Store:
		m.a.complete(x)
		send(m.archivist, x)
	case job.Do:
		m.do(x.CoordinatorAction)
	case job.Finish:
		m.outcome, m.err = x.Outcome, x.Err
	default:
		m.a.broken("simulation", "it does not know the action %T", action)
	}
}

func (m *master) do(action checkpoint.CoordinatorAction) {
	switch x := action.(type) {
	case checkpoint.Abort:
		m.a.stats.Aborted++
		m.a.trace.say("abort %d: %v", x.ID, x.Err)
		for _, t := range m.tasks {
			m.a.send(m.node, t, abort{x.ID})
		}
	case checkpoint.Completed:
		for _, t := range m.tasks {
			m.a.send(m.node, t, completed{x.ID})
		}
	case checkpoint.Commit:
		if id, ok := m.committing[x.Part]; ok {
			m.a.broken("commits in order", "%s is to commit what it prepared for %d before that of %d has been committed", x.Part, x.ID, id)
		}
		m.committing[x.Part] = x.ID
		m.a.post(m.node, m.writers[m.a.home(x.Part)], commit{x.ID, x.Part, x.Committable}, 8000)
	case checkpoint.WakeAt:
		m.node.alarm, m.node.ring = max(x.Time, m.a.now+1), func() { m.a.send(m.node, m.node, tick{}) }
	}
}

// archivist does what the engine's archivist does.
type archivist struct {
	a      *attempt
	node   *node
	retain int
}

func (v *archivist) receive(message any) error {
	s := message.(job.Store)
	err := v.store(s)
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
	if err := v.a.keeper.Retain(context.Background(), v.retain); err != nil {
		v.a.die = errors.Is(err, errKilled)
	}
	return nil
}

func (v *archivist) store(s job.Store) error {
	return v.a.keeper.Store(context.Background(), v.manifest(s), s.Parts)
}

func (v *archivist) manifest(s job.Store) *checkpoint.Manifest {
	m := &checkpoint.Manifest{
		Semantics: 1, Pipeline: "simulated", ID: s.ID, Time: v.a.now, KeyGroups: v.a.top.keyGroups, Plan: v.a.top.encoded(),
		Sources: s.Sources, Name: s.Name, Committables: s.Committables,
	}
	for _, p := range s.Gone {
		m.Parts = append(m.Parts, checkpoint.PartState{Part: p, Gone: true})
	}
	if s.Final {
		m.Outcome = checkpoint.OutcomeFinished
	}
	return m
}

func (v *archivist) work() (bool, error) { return false, nil }
