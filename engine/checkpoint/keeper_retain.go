package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/storage"
)

// Retain removes what the n newest checkpoints, of which there is always one,
// do not need: older entries of the log, other manifests, and the segments that
// no retained manifest refers to. It touches nothing but these, of this lineage,
// and nothing that a later epoch has written; savepoints, epochs, other
// lineages, and whatever has a name that the keeper does not give, stay. It may be ended at any point and called again.
//
// Where a retained checkpoint is damaged, it is not known what belongs to it.
// Retain then keeps every segment and returns the *Damaged error.
//
// What an overtaken keeper removes harms nobody. It removes only what it, or one
// before it, has written, and keeps what its current checkpoint refers to; that
// is the one that its successor goes on from, which refers to nothing else but
// what it writes itself.
func (k *Keeper) Retain(ctx context.Context, n int) error {
	if err := k.check(ctx); err != nil {
		return err
	}
	first, manifests, err := k.retained(ctx, max(n, 1))
	if err != nil {
		return k.orOvertaken(ctx, err)
	}
	keep := make(map[string]bool)
	var unknown error
	for _, m := range manifests {
		keep[m.object] = true
		refs, err := k.references(ctx, m)
		if err != nil && !isOfObject(err) {
			return err
		}
		if err != nil && unknown == nil {
			unknown = err
		}
		for _, s := range refs {
			keep[s] = true
		}
	}
	old := func(at []int64) bool { return at[0] < first }
	done := func(at []int64) bool { return k.over(gpflow.CheckpointID(at[0]), at[1]) }
	for _, step := range []struct {
		folder string
		remove func(at []int64) bool
	}{{"sealed", old}, {"current", old}, {"manifests", done}, {"segments", done}} {
		if step.folder == "segments" && unknown != nil {
			return k.orOvertaken(ctx, unknown)
		}
		folder := inLineage(k.lineage, step.folder)
		unneeded := func(name string) bool {
			at := numbers(folder, name)
			return at != nil && !keep[name] && step.remove(at)
		}
		if err := k.sweep(ctx, folder, unneeded); err != nil {
			return k.remember(err)
		}
	}
	failpoint.Here("retained")
	k.forget(first, keep)
	return nil
}

// retained returns the first entry of the log that n checkpoints need, and
// theirs.
func (k *Keeper) retained(ctx context.Context, n int) (first int64, entries []note, err error) {
	seen := make(map[string]bool)
	low, err := k.lowest(ctx)
	if err != nil {
		return 0, nil, err
	}
	for first = k.seq; ; first-- {
		e, err := k.entry(ctx, first)
		if err != nil {
			return 0, nil, err
		}
		if e.kind == currentNote && !seen[e.object] {
			seen[e.object] = true
			entries = append(entries, e)
		}
		if len(entries) == n || first <= low {
			return first, entries, nil
		}
	}
}

// lowest returns the number of the first entry of the log that there is.
func (k *Keeper) lowest(ctx context.Context) (int64, error) {
	folder := inLineage(k.lineage, "current")
	objects, err := k.store.List(ctx, folder)
	if err != nil {
		return 0, err
	}
	low := k.seq
	for _, o := range objects {
		if at := numbers(folder, o.Name); at != nil {
			low = min(low, at[0])
		}
	}
	return low, nil
}

// references returns the segments of a retained manifest.
func (k *Keeper) references(ctx context.Context, n note) ([]segment, error) {
	if refs, ok := k.refs[n.object]; ok {
		return refs, nil
	}
	m, err := k.manifest(ctx, n)
	if err != nil {
		return nil, err
	}
	if k.refs == nil {
		k.refs = make(map[string][]segment)
	}
	k.refs[n.object] = m.segments()
	return k.refs[n.object], nil
}

// over reports whether nothing more can come of what a checkpoint has left
// unless it is retained: an earlier epoch's, which is fenced off, or one of
// this, up to the last that was made current.
func (k *Keeper) over(id gpflow.CheckpointID, epoch int64) bool {
	return epoch < k.epoch || epoch == k.epoch && id <= k.done
}

// sweep removes objects of a folder.
func (k *Keeper) sweep(ctx context.Context, folder string, unneeded func(name string) bool) error {
	objects, err := k.store.List(ctx, folder)
	if err != nil {
		return err
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	for _, o := range objects {
		if !unneeded(o.Name) {
			continue
		}
		if err := k.store.Remove(ctx, o.Name); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		failpoint.Here("old-removed")
	}
	return nil
}

// forget drops what is remembered of what is no more.
func (k *Keeper) forget(first int64, keep map[string]bool) {
	for seq := range k.log {
		if seq < first {
			delete(k.log, seq)
		}
	}
	for object := range k.refs {
		if !keep[object] {
			delete(k.refs, object)
		}
	}
}

// Discard removes what an older lineage has: its log, epochs, manifests and
// segments. Nothing can go on from it any more. Its head stays, so that whoever
// ran it finds that it was overtaken, and so does whatever has a name that the
// keeper does not give. It may be ended at any point and called again.
func (k *Keeper) Discard(ctx context.Context, lineage string) error {
	if err := checkLineage(lineage); err != nil {
		return err
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	if lineage == k.lineage {
		return fmt.Errorf("remove the lineage %s: it is the one that runs", lineage)
	}
	for _, name := range []string{"sealed", "current", "manifests", "segments", "epochs"} {
		folder := inLineage(lineage, name)
		if err := k.sweep(ctx, folder, func(name string) bool { return numbers(folder, name) != nil }); err != nil {
			return err
		}
	}
	return nil
}
