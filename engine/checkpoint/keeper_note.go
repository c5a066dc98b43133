package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/storage"
)

// noteVersion is the version of the format of notes.
const noteVersion = 1

// The kinds of notes.
const (
	headNote    = iota + 1 // head/n: the n-th lineage
	epochNote              // epochs/n: the n-th start of a lineage
	fenceNote              // current/n: a start; what was current stays so
	currentNote            // current/n, sealed/n: a manifest is current
)

// note is a small object: everything but manifests and segments.
type note struct {
	kind    byte
	lineage string
	number  int64 // in its own name, so that an object under another's name is noticed
	epoch   int64 // of who wrote it; 0 in a head
	who     string
	// Of a currentNote, the checkpoint and its manifest.
	id     gpflow.CheckpointID
	object string
	size   int64
	sum    Sum
}

func (n note) encode() []byte {
	w := writer{b: header(noteMagic, noteVersion)}
	w.u8(n.kind)
	w.string(n.lineage)
	w.i64(n.number)
	w.i64(n.epoch)
	w.string(n.who)
	w.i64(int64(n.id))
	w.string(n.object)
	w.i64(n.size)
	w.sum(n.sum)
	return seal(w.b)
}

func decodeNote(object string, b []byte) (note, error) {
	body, _, err := open(object, noteMagic, "a note about checkpoints", noteVersion, b)
	if err != nil {
		return note{}, err
	}
	r := reader{b: body}
	n := note{
		kind: r.u8(), lineage: r.string(), number: r.i64(), epoch: r.i64(), who: r.string(),
		id: gpflow.CheckpointID(r.i64()), object: r.string(), size: r.i64(), sum: r.sum(),
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	if at := numbers(path.Dir(object)+"/", object); r.err == nil && (at == nil || at[0] != n.number) {
		r.fail("it says that it is number %d", n.number)
	}
	if r.err == nil && (n.kind < headNote || n.kind > currentNote) {
		r.fail("it is of a kind %d, which this version does not know", n.kind)
	}
	if r.err != nil {
		return note{}, &Damaged{Object: object, Reason: "its checksum is right, but it does not make sense: " + r.err.Error()}
	}
	return n, nil
}

// getNote reads a note. That there is none is storage.ErrNotFound.
func (k *Keeper) getNote(ctx context.Context, name string) (note, error) {
	b, err := k.store.Get(ctx, name)
	if err != nil {
		return note{}, err
	}
	return decodeNote(name, b)
}

// putOnce writes an object whose name nobody else uses. It may be called again
// with the same data where it is not known what became of the first call: an
// object that is there need not be there for good before a call has returned nil.
func (k *Keeper) putOnce(ctx context.Context, name string, data []byte) error {
	err := k.store.PutIfAbsent(ctx, name, data)
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	there, err := k.store.Get(ctx, name)
	if err != nil {
		return err
	}
	if !bytes.Equal(there, data) {
		return fmt.Errorf("write %s: it is there already, with other content, by an attempt that failed; a checkpoint that is made anew needs a new number: %w",
			name, storage.ErrExists)
	}
	return k.store.Put(ctx, name, data)
}

// settle has a note last that somebody has written: who died before the store had
// answered leaves one that is seen, and may be lost. It comes before anything that
// would miss it. That there is none is no error here. Behind the claim of an epoch
// it is nothing that whoever has overtaken this start may have removed (C6).
func (k *Keeper) settle(ctx context.Context, name string) error {
	b, err := k.store.Get(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if k.epoch > 0 {
		if err := k.check(ctx); err != nil {
			return err
		}
	}
	return k.store.Put(ctx, name, b)
}

// highest returns the highest number of the objects under a prefix, 0 if there
// are none.
func (k *Keeper) highest(ctx context.Context, folder string) (int64, error) {
	objects, err := k.store.List(ctx, folder)
	if err != nil {
		return 0, err
	}
	var top int64
	for _, o := range objects {
		if n := numbers(folder, o.Name); n != nil {
			top = max(top, n[0])
		}
	}
	return top, nil
}
