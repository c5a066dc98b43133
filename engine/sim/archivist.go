package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
)

// archivist does what the engine's archivist does.
type archivist struct {
	a      *attempt
	node   *node
	retain int
	named  map[gpflow.CheckpointID]*checkpoint.Manifest // that are to be savepoints: nothing is removed meanwhile
	// current is the checkpoint that is; nil: there is none yet. It is not known
	// after storing one has failed.
	current *checkpoint.Manifest
}

func newArchivist(a *attempt) *archivist {
	v := &archivist{a: a, node: a.add("archivist"), retain: 1 + a.rand.IntN(3), named: make(map[gpflow.CheckpointID]*checkpoint.Manifest)}
	v.node.who = v
	return v
}

func (v *archivist) receive(message any) error {
	switch x := message.(type) {
	case job.Store:
		return v.keep(x)
	case job.Save:
		v.save(x)
	case job.Rebuild:
		return v.rebuild(x)
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
	switch {
	case err != nil && checkpoint.IsFatal(err):
		return fmt.Errorf("store checkpoint %d: %w", s.ID, err)
	case err != nil:
		v.a.trace.say("checkpoint %d is not stored: %v", s.ID, err)
		report(checkpoint.StoreFailed{ID: s.ID, Err: err})
		v.a.doubted()
		return nil
	}
	v.current = m
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
		Semantics: 1, Pipeline: "simulated", Time: v.a.began, KeyGroups: v.a.top.keyGroups, Plan: v.a.encoded(),
	}
	if err := resume.Complete(m, s); err != nil {
		v.a.broken("C5", "%v", err)
	}
	return m
}

func (v *archivist) work() (bool, error) { return false, nil }

// rebuild makes regions anew.
func (v *archivist) rebuild(x job.Rebuild) error {
	v.a.trace.say("REBUILD %+v", x)
	b := newBuild(v.a, x.Regions)
	b.at = x.Regions[0]
	err := v.remake(b, x.Claim)
	switch {
	case errors.Is(err, errKilled):
		v.a.die = true
	case err != nil && (checkpoint.IsFatal(err) || !v.a.injected(err)):
		return err
	case err != nil:
		v.a.trace.say("region %d cannot be made anew: %v", b.at, err)
		v.a.send(v.node, v.a.master.node, job.Broken{Region: b.at, Err: err})
	default:
		v.a.send(v.node, v.a.master.node, built{x, b})
	}
	return nil
}

// remake makes what b is of, from the checkpoint that is current.
func (v *archivist) remake(b *build, claim bool) error {
	if claim {
		if err := v.claim(); err != nil {
			return err
		}
	}
	v.a.goesOn(v.current)
	if v.current != nil {
		if err := b.goOn(v.current); err != nil {
			return err
		}
	}
	return b.all()
}

// claim finds out which checkpoint is current, behind the claim of an epoch.
func (v *archivist) claim() error {
	ctx := context.Background()
	v.a.last = nil // it is stored, or never will be
	if err := v.a.keeper.Claim(ctx, "simulated"); err != nil {
		return err
	}
	v.a.stats.Doubts++
	v.a.newCuts()
	m, err := v.a.keeper.Find(ctx)
	if err != nil {
		return err
	}
	v.current = m
	return nil
}
