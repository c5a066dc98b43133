package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/storage"
)

// top returns the number of the last entry of the log that there is, or of
// which there is a trace; 0: none.
func (k *Keeper) top(ctx context.Context) (int64, error) {
	current, err := k.highest(ctx, inLineage(k.lineage, "current"))
	if err != nil {
		return 0, err
	}
	sealed, err := k.highest(ctx, inLineage(k.lineage, "sealed"))
	return max(current, sealed), err
}

// entry returns an entry of the log; that of 0 is a fence by nobody. One that
// is not there is *Damaged.
func (k *Keeper) entry(ctx context.Context, seq int64) (note, error) {
	if seq == 0 {
		return note{kind: fenceNote, lineage: k.lineage}, nil
	}
	if n, ok := k.log[seq]; ok {
		return n, nil
	}
	name := currentName(k.lineage, seq)
	n, err := k.getNote(ctx, name)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return n, &Damaged{Object: name, Reason: "it is not there, but what is written after it is", Err: err}
	case err != nil:
		return n, err
	case n.lineage != k.lineage || n.kind != currentNote && n.kind != fenceNote:
		return n, &Damaged{Object: name, Reason: fmt.Sprintf("it is a note of kind %d of the lineage %s", n.kind, n.lineage)}
	}
	if k.log == nil {
		k.log = make(map[int64]note)
	}
	k.log[seq] = n
	return n, nil
}

// lastCurrent returns the last entry up to seq that makes a checkpoint
// current. There being none is a *NoCheckpoint error.
func (k *Keeper) lastCurrent(ctx context.Context, seq int64) (note, error) {
	for ; seq > 0; seq-- {
		n, err := k.entry(ctx, seq)
		if err != nil || n.kind == currentNote {
			return n, err
		}
	}
	return note{}, &NoCheckpoint{"checkpoint in the lineage " + k.lineage}
}

// Current returns the current checkpoint, from which recovery goes on, and
// takes it for the one that later changes are relative to. An error is a
// *NoCheckpoint, a *Damaged, a *Newer, a *KeyHash, or the store's; never does it
// return an older one instead (C9).
//
// After Claim it is the one for this epoch to go on from. Without, it may be
// overtaken at once, and may not last: it is only for looking.
func (k *Keeper) Current(ctx context.Context) (*Manifest, error) {
	if k.lineage == "" {
		return nil, &NoCheckpoint{"checkpoint, and no lineage, in this storage"}
	}
	for {
		seq := k.seq
		if k.epoch == 0 {
			k.log = nil
			var err error
			if seq, err = k.top(ctx); err != nil {
				return nil, err
			}
		}
		n, err := k.lastCurrent(ctx, seq)
		var m *Manifest
		if err == nil {
			m, err = k.manifest(ctx, n)
		}
		if err == nil && k.epoch > 0 {
			err = k.confirm(ctx, n)
		}
		if err == nil {
			k.goOnFrom(m)
			if k.epoch > 0 {
				failpoint.Here("checkpoint-found")
			}
			return m, nil
		}
		var none *NoCheckpoint
		if errors.As(err, &none) {
			k.based = k.epoch > 0
			return nil, err
		}
		if k.epoch > 0 || !isOfObject(err) {
			return nil, k.orOvertaken(ctx, err)
		}
		// Somebody may be running, and have removed it.
		if now, failure := k.top(ctx); failure != nil || now == seq {
			return nil, cmp.Or(failure, err)
		}
	}
}

// Find is Current, or nil where there is none.
func (k *Keeper) Find(ctx context.Context) (*Manifest, error) {
	m, err := k.Current(ctx)
	if none := new(NoCheckpoint); errors.As(err, &none) {
		return nil, nil
	}
	return m, err
}

// orOvertaken returns, in place of the error of an object, that the keeper has
// been overtaken, if it has: the object may then have been removed rightly.
func (k *Keeper) orOvertaken(ctx context.Context, err error) error {
	if k.epoch == 0 || !isOfObject(err) {
		return err
	}
	return cmp.Or(k.check(ctx), err)
}

// confirm makes sure that the current entry is there for good and that it would
// be missed.
func (k *Keeper) confirm(ctx context.Context, n note) error {
	sealed, err := k.getNote(ctx, sealedName(k.lineage, n.number))
	if err == nil && sealed != n {
		return &Damaged{
			Object: currentName(k.lineage, n.number),
			Reason: "it differs from " + sealedName(k.lineage, n.number) + ", which was written as its copy",
		}
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	if err := k.store.Put(ctx, currentName(k.lineage, n.number), n.encode()); err != nil {
		return k.remember(err)
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	return k.remember(k.putOnce(ctx, sealedName(k.lineage, n.number), n.encode()))
}

func (k *Keeper) goOnFrom(m *Manifest) {
	k.last, k.from, k.based = max(k.last, m.ID), m.ID, k.epoch > 0
	k.base = make(map[Part]PartState, len(m.Parts))
	for _, p := range m.Parts {
		k.base[p.Part] = p
	}
}

// manifest reads the manifest that an entry of the log names.
func (k *Keeper) manifest(ctx context.Context, n note) (*Manifest, error) {
	b, err := k.store.Get(ctx, n.object)
	if errors.Is(err, storage.ErrNotFound) {
		err = &Damaged{Object: n.object, Reason: "it is not there, but " + currentName(k.lineage, n.number) + " refers to it", Err: err}
	}
	if err != nil {
		return nil, err
	}
	m, err := Decode(n.object, b)
	if err != nil {
		return nil, err
	}
	if is := SumOf(b); is != n.sum || m.ID != n.id || m.Lineage != k.lineage || int64(len(b)) != n.size {
		return nil, &Damaged{Object: n.object, Reason: fmt.Sprintf(
			"it is sound, but not the one that %s refers to: it is of checkpoint %d of the lineage %s, with the checksum %s, and should be of %d of %s, with %s",
			currentName(k.lineage, n.number), m.ID, m.Lineage, is, n.id, k.lineage, n.sum)}
	}
	return m, nil
}

// Listed is a checkpoint that is retained.
type Listed struct {
	ID       gpflow.CheckpointID
	Epoch    int64
	Object   string    // its manifest
	Manifest *Manifest // nil if Err says why it cannot be read
	Err      error
}

// List returns the checkpoints that are retained, newest first: the first is
// the current one. What is damaged is in the list. The error is the store's.
func (k *Keeper) List(ctx context.Context) ([]Listed, error) {
	entries, err := k.run(ctx)
	if err != nil {
		return nil, err
	}
	var all []Listed
	for _, n := range entries {
		l := Listed{ID: n.note.id, Epoch: n.note.epoch, Object: n.note.object, Err: n.err}
		if n.err != nil {
			l.Object = n.name
		} else if n.note.kind != currentNote || slices.ContainsFunc(all, func(o Listed) bool { return o.Object == l.Object }) {
			continue
		} else {
			l.Manifest, l.Err = k.manifest(ctx, n.note)
		}
		if l.Err != nil && !isOfObject(l.Err) {
			return nil, l.Err
		}
		all = append(all, l)
	}
	return all, nil
}

// Load returns the newest checkpoint of that number, which need not be current,
// nor have been. It is for looking into it, or for Adopt.
func (k *Keeper) Load(ctx context.Context, id gpflow.CheckpointID) (*Manifest, error) {
	entries, err := k.run(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range entries {
		if n.err == nil && n.note.kind == currentNote && n.note.id == id {
			return k.manifest(ctx, n.note)
		}
	}
	manifests := inLineage(k.lineage, "manifests")
	objects, err := k.store.List(ctx, manifests)
	if err != nil {
		return nil, err
	}
	for _, o := range slices.Backward(objects) {
		if at := numbers(manifests, o.Name); at != nil && at[0] == int64(id) {
			b, err := k.store.Get(ctx, o.Name)
			if err != nil {
				return nil, err
			}
			return Decode(o.Name, b)
		}
	}
	return nil, &NoCheckpoint{fmt.Sprintf("checkpoint %d in the lineage %s; the retained ones are listed by number", id, k.lineage)}
}

// logged is an entry of the log, or what is wrong with it.
type logged struct {
	name string
	note note
	err  error // of the object
}

// run returns the entries from the last one of which there is a trace down to
// the first that is retained.
func (k *Keeper) run(ctx context.Context) ([]logged, error) {
	k.log = nil // as it is now
	top, err := k.top(ctx)
	if err != nil {
		return nil, err
	}
	first := top
	for _, folder := range []string{inLineage(k.lineage, "current"), inLineage(k.lineage, "sealed")} {
		objects, err := k.store.List(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if at := numbers(folder, o.Name); at != nil {
				first = min(first, at[0])
			}
		}
	}
	var all []logged
	for seq := top; seq >= max(first, 1); seq-- {
		n, err := k.entry(ctx, seq)
		if err != nil && !isOfObject(err) {
			return nil, err
		}
		all = append(all, logged{currentName(k.lineage, seq), n, err})
	}
	return all, nil
}

// isOfObject reports whether an error is about an object, and not about the
// store.
func isOfObject(err error) bool {
	var damaged *Damaged
	var newer *Newer
	var hash *KeyHash
	return errors.As(err, &damaged) || errors.As(err, &newer) || errors.As(err, &hash)
}
