package resume

import (
	"context"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// Archive keeps the checkpoints of a job that runs, makes savepoints of them, and
// knows which one is current, so that regions which begin anew go on from it. All
// that it does may block in the keeper's store. One goroutine uses it, and
// nobody else writes by the keeper meanwhile.
type Archive struct {
	keeper *checkpoint.Keeper
	retain int
	who    string
	// current is the checkpoint that is; nil: there is none yet. It is not known
	// after storing one has failed.
	current *checkpoint.Manifest
	named   map[gpflow.CheckpointID]*checkpoint.Manifest // of which savepoints are to be made
	bug     Bug
}

// NewArchive returns the archive of a job that goes on from a checkpoint, nil: from
// the beginning. k has claimed its epoch and looked for that. retain is how many
// completed checkpoints are kept, at least 1; who tells people which process this
// is, where another epoch is claimed.
func NewArchive(k *checkpoint.Keeper, from *checkpoint.Manifest, retain int, who string) *Archive {
	return &Archive{keeper: k, retain: max(1, retain), who: who, current: from, named: make(map[gpflow.CheckpointID]*checkpoint.Manifest)}
}

// Keep makes a checkpoint durable, and the current one. m is its manifest, with
// what neither Complete nor checkpoint.Keeper.Store put into it, and is the
// archive's from now on. What is returned is for the coordinator of checkpoints:
// checkpoint.Stored, or checkpoint.StoreFailed, after which the job can go on, and
// nobody knows whether it is current. An error ends the job.
func (a *Archive) Keep(ctx context.Context, m *checkpoint.Manifest, s job.Store) (checkpoint.CoordinatorEvent, error) {
	err := Complete(m, s)
	if err == nil {
		err = a.keeper.Store(ctx, m, s.Parts)
	}
	switch {
	case err != nil && checkpoint.IsFatal(err):
		return nil, fmt.Errorf("store checkpoint %d: %w", s.ID, err)
	case err != nil:
		return checkpoint.StoreFailed{ID: s.ID, Err: err}, nil
	}
	if a.bug != CurrentForgotten {
		a.current = m
	}
	if s.Name != "" {
		a.named[s.ID] = m
	}
	return checkpoint.Stored{ID: s.ID}, nil
}

// Saved is what has become of a savepoint that was asked for.
type Saved struct {
	Of  *checkpoint.Manifest // the checkpoint that it was to be made of
	Err error                // why it is not made, for whoever has asked; nil: it is
}

// Save makes a savepoint of a checkpoint that Keep has stored under its name, once.
// An error ends the job: it is that of the result, with what was done.
func (a *Archive) Save(ctx context.Context, s job.Save) (Saved, error) {
	m := a.named[s.ID]
	delete(a.named, s.ID)
	if a.bug == SaveCurrent {
		m = a.current
	}
	if m.Outcome == checkpoint.OutcomeFinished {
		return Saved{m, fmt.Errorf("the input had come to its end when the savepoint %s was to be made: there is nothing to go on with", s.Name)}, nil
	}
	err := a.keeper.Savepoint(ctx, s.Name, m)
	if err != nil && checkpoint.IsFatal(err) {
		return Saved{m, err}, fmt.Errorf("make the savepoint %s: %w", s.Name, err)
	}
	return Saved{m, err}, nil
}

// Retain removes what is older than the checkpoints that are kept, unless savepoints
// are still to be made, which may be of those. It is called when a checkpoint has
// been stored, or a savepoint made. An error says what could not be removed; it
// harms nothing, and the next call tries again.
func (a *Archive) Retain(ctx context.Context) error {
	if len(a.named) > 0 && a.bug != RetainAtOnce {
		return nil
	}
	return a.keeper.Retain(ctx, a.retain)
}

// Current returns the checkpoint that regions which begin anew go on from; nil:
// they go on from the beginning. doubt says that it is not known which one that is,
// since storing the last one has failed: then another epoch is claimed, behind
// which nothing that is under way in the store becomes current any more (C6), and
// the store is asked (C9). An error leaves that in doubt.
func (a *Archive) Current(ctx context.Context, doubt bool) (*checkpoint.Manifest, error) {
	if !doubt {
		return a.current, nil
	}
	if err := a.keeper.Claim(ctx, a.who); err != nil {
		return nil, fmt.Errorf("claim the state to go on from it: %w", err)
	}
	m, err := a.keeper.Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the checkpoint to go on from: %w", err)
	}
	if a.bug != FoundIgnored {
		a.current = m
	}
	return a.current, nil
}
