package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/internal/failpoint"
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
	// AllowLoss has the job go on where state of From is lost, because the
	// pipeline was changed. Else that is a *resume.LossError.
	AllowLoss bool
	// Who tells people which process this is, where the job claims another epoch.
	Who string
}

// Fits returns why a job of an encoded plan cannot go on from a checkpoint, or
// nil.
func (k *Checkpoints) Fits(r *gpflow.Registry, m *checkpoint.Manifest, encoded []byte) error {
	now, err := plan.Decode(encoded)
	if err != nil {
		return err
	}
	_, _, err = k.changes(r, m, now)
	return err
}

// changes returns the plan of a checkpoint, and what has become of it.
func (k *Checkpoints) changes(r *gpflow.Registry, m *checkpoint.Manifest, now *plan.Plan) (then *plan.Plan, c resume.Changes, err error) {
	if then, err = plan.Decode(m.Plan); err != nil {
		return nil, c, fmt.Errorf("read the plan of checkpoint %d: %w", m.ID, err)
	}
	if m.Semantics != k.Semantics {
		return nil, c, fmt.Errorf("checkpoint %d was made by a gpflow whose expressions mean something else (version %d, and this one has %d): go on with that one, or begin anew with --fresh",
			m.ID, m.Semantics, k.Semantics)
	}
	if c = resume.Compare(r, m, then, now); len(c.Lost) > 0 && !k.AllowLoss {
		return nil, c, &resume.LossError{Losses: c.Lost}
	}
	return then, c, nil
}

// archivist is the actor that makes checkpoints durable: it may block in I/O.
type archivist struct {
	archive *resume.Archive
	keep    *Checkpoints
	run     *Run
	master  *actor.Ref
	plan    []byte
	made    *build // regions that the job may not have taken
}

// Receive implements actor.Actor.
func (a *archivist) Receive(ctx context.Context, m any) error {
	switch m := m.(type) {
	case job.Store:
		return a.store(ctx, m)
	case job.Save:
		return a.save(ctx, m)
	case job.Rebuild:
		a.rebuild(ctx, m)
	case finish:
		return actor.ErrFinished
	}
	return nil
}

// store makes a checkpoint durable, and says whether it is. An error ends the job.
func (a *archivist) store(ctx context.Context, s job.Store) error {
	began := time.Now()
	ledger, err := json.Marshal(a.run.ledger())
	if err != nil {
		return fmt.Errorf("store checkpoint %d: write the ledger: %w", s.ID, err)
	}
	done, err := a.archive.Keep(ctx, &checkpoint.Manifest{
		Semantics: a.keep.Semantics, Pipeline: a.run.plan.Pipeline, Time: now(), KeyGroups: a.run.plan.KeyGroups, Plan: a.plan, Ledger: ledger,
	}, s)
	if err != nil {
		return err
	}
	if _, ok := done.(checkpoint.Stored); !ok {
		a.master.Send(job.Point{CoordinatorEvent: done})
		return nil
	}
	bytes := a.keep.Keeper.Written()
	for _, p := range s.Parts {
		bytes += int64(len(p.Data))
	}
	failpoint.Here("checkpoint-stored")
	a.run.points.completed(s.ID, bytes)
	a.run.checkpointed(s.ID)
	a.master.Send(job.Point{CoordinatorEvent: done})
	a.run.options.Log.Debug("a checkpoint is complete", "checkpoint", s.ID, "stored_in", time.Since(began))
	a.lag()
	a.retain(ctx)
	return nil
}

// lag warns where checkpoints come less often than they are to.
func (a *archivist) lag() {
	every := time.Duration(a.keep.Config.Every) * time.Microsecond
	if took, slow := a.run.points.lag(every); slow {
		a.run.options.Log.Warn("checkpoints take longer than every, so that output appears later: raise every, or give the state more memory",
			"every", every, "the_last_took", took.Round(100*time.Millisecond))
	}
}

// retain removes old checkpoints.
func (a *archivist) retain(ctx context.Context) {
	if err := a.archive.Retain(ctx); err != nil && ctx.Err() == nil {
		a.run.options.Log.Warn("old checkpoints could not be removed", "cause", err)
	}
}

// Work implements actor.Actor.
func (a *archivist) Work(context.Context) (bool, error) { return false, nil }

// Close implements actor.Actor.
func (a *archivist) Close() error {
	if a.made != nil && a.made.claim() {
		a.made.discard()
	}
	return nil
}

// archive makes the actor that keeps checkpoints, if there is to be one.
func (m *master) archive(encoded []byte) {
	k := m.run.options.Checkpoints
	if k == nil {
		return
	}
	a := &archivist{archive: resume.NewArchive(k.Keeper, k.From, k.Retain, k.Who), keep: k, run: m.run, master: m.ref, plan: encoded}
	m.archivist = m.run.system.New("checkpoints", m.ref)
	m.alive++
	m.run.system.Start(m.archivist, a)
}

// config says what the job's machine is made of.
func (b *build) config() job.Config {
	c := job.Config{Sources: b.sources, Sinks: b.sinks, Tasks: b.tasks, Regions: b.run.regions.names, Restart: b.run.options.Restart}
	k := b.run.options.Checkpoints
	if k == nil {
		return c
	}
	c.Durable, c.Checkpoints, c.Last = true, k.Config, k.Keeper.NextID()-1
	c.Checkpoints.Plant = plantedInCoordinator()
	if b.former != nil {
		c.Commit = b.former.Commit()
	}
	return c
}

// first makes the whole job, as it starts.
func (b *build) first() error {
	if k := b.run.options.Checkpoints; k != nil && k.From != nil {
		if err := b.goOn(k, k.From); err != nil {
			return err
		}
		b.run.before = b.former.Read()
	}
	return b.all()
}

// goOn reads what m has of what is made.
func (b *build) goOn(k *Checkpoints, m *checkpoint.Manifest) error {
	then, changes, err := k.changes(b.run.options.Registry, m, b.run.plan)
	if err != nil {
		return err
	}
	mine := resume.Of(m, then, func(node string) bool {
		i, ok := b.run.regions.of[node]
		return ok && b.regions[i] != nil
	})
	b.former, err = resume.New(mine, then, b.run.plan, func(s checkpoint.SegmentRef) (*io.SectionReader, error) { return k.Keeper.OpenSegment(b.ctx, s) })
	if err != nil {
		return err
	}
	b.former.Forget(changes)
	for _, l := range changes.Lost {
		b.run.options.Log.Warn("state is given up", "node", l.Address, "lost", l.What, "cause", l.Why)
	}
	return nil
}

// built tells the job that regions have been made anew.
type built struct {
	asked job.Rebuild
	build *build
}

// rebuild makes regions anew, all of whose actors have ended. What goes wrong is
// a fault of the one that was being made.
func (a *archivist) rebuild(ctx context.Context, m job.Rebuild) {
	if err := a.run.closeSources(m.Regions); err != nil {
		a.run.options.Log.Warn("a source that has failed could not be closed", "cause", err)
	}
	a.made = nil
	b := newBuild(ctx, a.run, m.Regions)
	b.at = m.Regions[0]
	err := actor.Guard(func() error { return a.remake(ctx, b, m.Claim) })
	if err != nil {
		b.discard()
		a.master.Send(fault{b.at, err})
		return
	}
	a.made = b
	a.master.Send(built{m, b})
}

// remake makes what b is of. doubt says that it is not known which checkpoint is
// current.
func (a *archivist) remake(ctx context.Context, b *build, doubt bool) error {
	m, err := a.archive.Current(ctx, doubt)
	if err != nil {
		return err
	}
	if m != nil {
		if err := b.goOn(a.keep, m); err != nil {
			return err
		}
	}
	return b.all()
}
