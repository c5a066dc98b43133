package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
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
	named  map[gpflow.CheckpointID]*checkpoint.Manifest // of which savepoints are to be made
}

// Receive implements actor.Actor.
func (a *archivist) Receive(ctx context.Context, m any) error {
	switch m := m.(type) {
	case job.Store:
		if err := a.keep(ctx, m); err != nil {
			return err
		}
		a.retain(ctx)
	case job.Save:
		if err := a.save(ctx, m); err != nil {
			return err
		}
		a.retain(ctx)
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// keep makes a checkpoint durable, and says whether it is. An error ends the job.
func (a *archivist) keep(ctx context.Context, s job.Store) error {
	began := time.Now()
	if err := a.store(ctx, s); err != nil {
		if fatal(err) {
			return fmt.Errorf("store checkpoint %d: %w", s.ID, err)
		}
		a.master.Send(job.Point{CoordinatorEvent: checkpoint.StoreFailed{ID: s.ID, Err: err}})
		return nil
	}
	bytes := a.Keeper.Written()
	for _, p := range s.Parts {
		bytes += int64(len(p.Data))
	}
	a.run.points.completed(s.ID, bytes)
	a.master.Send(job.Point{CoordinatorEvent: checkpoint.Stored{ID: s.ID}})
	a.run.options.Log.Debug("a checkpoint is complete", "checkpoint", s.ID, "stored_in", time.Since(began))
	return nil
}

// retain removes old checkpoints, unless savepoints are still to be made.
func (a *archivist) retain(ctx context.Context) {
	if len(a.named) > 0 {
		return
	}
	if err := a.Keeper.Retain(ctx, max(1, a.Checkpoints.Retain)); err != nil {
		a.run.options.Log.Warn("old checkpoints could not be removed", "cause", err)
	}
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
	ledger, err := json.Marshal(a.run.ledger())
	if err != nil {
		return err
	}
	m.Ledger = ledger
	if err := a.Keeper.Store(ctx, m, s.Parts); err != nil {
		return err
	}
	if s.Name != "" {
		a.named[s.ID] = m
	}
	return nil
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
		return &archivist{Checkpoints: *k, run: b.run, master: b.run.master, plan: encoded, named: make(map[gpflow.CheckpointID]*checkpoint.Manifest)}
	})
	if k.From == nil {
		return nil
	}
	old, err := goesOn(b.run.options.Registry, k.From, b.run.plan, k.Semantics)
	if err != nil {
		return err
	}
	b.saved, err = newSaved(k.From, old, b.run.plan, func(s checkpoint.SegmentRef) ([]byte, error) { return k.Keeper.Segment(b.ctx, s) })
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
