package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow/storage"
)

// Verified is what Verify has found.
type Verified struct {
	Checkpoints, Savepoints, Segments int   // that were read
	Bytes                             int64 // of manifests and segments
	Faults                            []error
}

// Verify reads all that is retained, checkpoints of this lineage and savepoints,
// and compares it with its checksums. Each of Faults is of one object: a
// *Damaged, *Newer or *KeyHash. The error is the store's. It changes nothing.
func (k *Keeper) Verify(ctx context.Context) (Verified, error) {
	v := verifier{ctx: ctx, k: &Keeper{store: k.store, head: k.head, lineage: k.lineage}, seen: make(map[string]bool)}
	err := v.all()
	return v.found, err
}

// verifier is a Verify that is under way.
type verifier struct {
	ctx   context.Context
	k     *Keeper
	found Verified
	seen  map[string]bool // what has been read
}

// note takes the fault of an object down, and returns any other error.
func (v *verifier) note(err error) error {
	if err != nil && isOfObject(err) {
		v.found.Faults = append(v.found.Faults, err)
		return nil
	}
	return err
}

func (v *verifier) all() error {
	if _, err := v.k.heads(v.ctx); v.note(err) != nil {
		return err
	}
	if v.k.lineage != "" {
		if err := v.lineage(); err != nil {
			return err
		}
	}
	saved, err := v.k.Savepoints(v.ctx)
	if err != nil {
		return err
	}
	for _, s := range saved {
		if err := v.note(s.Err); err != nil {
			return err
		}
		if s.Manifest == nil {
			continue
		}
		v.found.Savepoints++
		if err := v.manifest(s.Manifest); err != nil {
			return err
		}
	}
	return nil
}

// lineage verifies the log and what it refers to.
func (v *verifier) lineage() error {
	entries, err := v.k.run(v.ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.err == nil {
			e.err = v.sealed(e.note)
		}
		if err := v.note(e.err); err != nil {
			return err
		}
		if e.err != nil || e.note.kind != currentNote || v.seen[e.note.object] {
			continue
		}
		v.seen[e.note.object] = true
		m, err := v.k.manifest(v.ctx, e.note)
		if err := v.note(err); err != nil {
			return err
		}
		if err != nil {
			continue
		}
		v.found.Checkpoints++
		v.found.Bytes += e.note.size
		if err := v.manifest(m); err != nil {
			return err
		}
	}
	return v.epochs()
}

// sealed compares an entry with what was written after it, if it was.
func (v *verifier) sealed(n note) error {
	name := sealedName(v.k.lineage, n.number)
	s, err := v.k.getNote(v.ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil && s != n {
		err = &Damaged{Object: currentName(v.k.lineage, n.number), Reason: "it differs from " + name + ", which was written as its copy"}
	}
	return err
}

func (v *verifier) epochs() error {
	folder := inLineage(v.k.lineage, "epochs")
	objects, err := v.k.store.List(v.ctx, folder)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if numbers(folder, o.Name) == nil {
			continue
		}
		n, err := v.k.getNote(v.ctx, o.Name)
		if err == nil && (n.kind != epochNote || n.lineage != v.k.lineage) {
			err = &Damaged{Object: o.Name, Reason: fmt.Sprintf("it is a note of kind %d of the lineage %s", n.kind, n.lineage)}
		}
		if err := v.note(err); err != nil {
			return err
		}
	}
	return nil
}

// manifest verifies the segments of a manifest, each once.
func (v *verifier) manifest(m *Manifest) error {
	for _, p := range m.Parts {
		for _, s := range p.Segments {
			if v.seen[s.Object] {
				continue
			}
			v.seen[s.Object] = true
			_, err := OpenSegment(v.ctx, v.k.store, s)
			if err := v.note(err); err != nil {
				return err
			}
			if err == nil {
				v.found.Segments++
				v.found.Bytes += s.Size
			}
		}
	}
	return nil
}
