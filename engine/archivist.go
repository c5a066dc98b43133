package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage"
)

// Checkpoints says how a job is made to survive.
type Checkpoints struct {
	// Keeper has claimed its epoch. The job is the only one to use it while it
	// runs.
	Keeper *checkpoint.Keeper
	// From is the checkpoint to go on from; nil: the job starts fresh.
	From *checkpoint.Manifest
	// Config says when checkpoints are taken.
	Config checkpoint.Config
	// Retain is how many completed checkpoints are kept; at least 1.
	Retain int
	// Semantics is the version of the meaning of expressions.
	Semantics int
}

// archivist is the actor that makes checkpoints durable: it may block in I/O.
type archivist struct {
	Checkpoints
	run    *Run
	master *actor.Ref
	plan   []byte
}

// Receive implements actor.Actor.
func (a *archivist) Receive(ctx context.Context, m any) error {
	switch m := m.(type) {
	case job.Store:
		began := time.Now()
		if err := a.store(ctx, m); err != nil {
			if fatal(err) {
				return fmt.Errorf("store checkpoint %d: %w", m.ID, err)
			}
			a.master.Send(job.Point{CoordinatorEvent: checkpoint.StoreFailed{ID: m.ID, Err: err}})
			return nil
		}
		a.master.Send(job.Point{CoordinatorEvent: checkpoint.Stored{ID: m.ID}})
		a.run.options.Log.Debug("a checkpoint is complete", "checkpoint", m.ID, "stored_in", time.Since(began))
		if err := a.Keeper.Retain(ctx, max(1, a.Retain)); err != nil {
			a.run.options.Log.Warn("old checkpoints could not be removed", "cause", err)
		}
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// fatal reports whether a failure to store a checkpoint ends the job: another
// process has taken over (C6), or the disk may have lost what it was given.
func fatal(err error) bool {
	var stale *checkpoint.StaleEpoch
	var lost *storage.SyncError
	return errors.As(err, &stale) || errors.As(err, &lost)
}

func (a *archivist) store(ctx context.Context, s job.Store) error {
	m := &checkpoint.Manifest{
		Semantics: a.Semantics, Pipeline: a.run.plan.Pipeline, ID: s.ID, Time: now(), KeyGroups: a.run.plan.KeyGroups, Plan: a.plan,
		Sources: s.Sources, Name: s.Name, Committables: s.Committables,
	}
	for _, p := range s.Gone {
		m.Parts = append(m.Parts, checkpoint.PartState{Part: p, Gone: true})
	}
	if s.Final {
		m.Outcome = checkpoint.OutcomeFinished
	}
	ledger, err := json.Marshal(a.run.Status().Nodes)
	if err != nil {
		return err
	}
	m.Ledger = ledger
	return a.Keeper.Store(ctx, m, s.Parts)
}

// Work implements actor.Actor.
func (a *archivist) Work(context.Context) (bool, error) { return false, nil }

// Close implements actor.Actor.
func (a *archivist) Close() error { return nil }

// config says what the job's machine is made of.
func (b *build) config() job.Config {
	c := job.Config{Sources: b.sources, Sinks: b.sinks, Tasks: b.tasks}
	k := b.run.options.Checkpoints
	if k == nil {
		return c
	}
	c.Durable, c.Checkpoints, c.Last = true, k.Config, k.Keeper.NextID()-1
	if k.From != nil {
		c.Commit = k.From.Committables
	}
	return c
}

// archive makes the actor that keeps checkpoints, and reads the one to go on
// from.
func (b *build) archive(encoded []byte) error {
	k := b.run.options.Checkpoints
	if k == nil {
		return nil
	}
	b.master.archivist = b.spawn("checkpoints", func(*actor.Ref) actor.Actor {
		return &archivist{Checkpoints: *k, run: b.run, master: b.run.master, plan: encoded}
	})
	if k.From == nil {
		return nil
	}
	old, err := plan.Decode(k.From.Plan)
	if err != nil {
		return fmt.Errorf("read the plan of checkpoint %d: %w", k.From.ID, err)
	}
	if k.From.Semantics != k.Semantics {
		return fmt.Errorf("checkpoint %d was made by a gpflow whose expressions mean something else (version %d, and this one has %d): go on with that one, or begin anew with --fresh",
			k.From.ID, k.From.Semantics, k.Semantics)
	}
	if err := compatible(b.run.options.Registry, old, b.run.plan); err != nil {
		return err
	}
	b.saved, err = newSaved(k.From, old, b.run.plan, func(p checkpoint.PartState) ([][]byte, error) { return k.Keeper.Segments(b.ctx, p) })
	if err != nil {
		return err
	}
	b.master.resumed = b.saved.resumed
	for _, readers := range b.saved.readers {
		for _, r := range readers {
			b.run.before += r.Counts.In
		}
	}
	return nil
}
