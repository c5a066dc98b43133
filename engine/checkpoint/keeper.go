package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/storage"
)

// Keeper writes checkpoints into a store and finds them again. It belongs to
// one goroutine. Several keepers, of several processes, may use one store: what
// keeps them apart is written here.
//
// A lineage is a history of checkpoints; the newest head names the one that
// runs. Within it, current/1, current/2 and so on, each made with PutIfAbsent,
// are a log: an entry makes a manifest current, or is a fence, which a start
// writes to go before all that is older. The last checkpoint in the log is the
// current one, whatever its number.
//
// Only one of all keepers can write the entry behind the one it knows, and a
// keeper knows the last entry: from Claim, which has put its fence there, or
// because it has written it. So checkpoints form one line: each that becomes
// current was made by who went on from the one that was current before. A keeper
// that has been overtaken finds the next entry taken. Retain removes entries, so
// that an overtaken keeper that has slept for long could find it free again;
// therefore it makes sure, after it has written an entry and before it believes
// in it, that the next epoch has not been claimed. Epochs are not removed while
// their lineage is the newest, and behind it there is the next head; whoever could
// have written and removed that entry has claimed one.
//
// After the entry, the same is written as sealed/n, and only then may something
// be committed. So where any one object is lost that a commit relies on, another
// one says that it should be there (C9). Who recovers and finds an entry that is
// not sealed, whose writer cannot have known that it is there for good, writes
// both once more before it goes on from it.
type Keeper struct {
	store   storage.Store
	head    int64  // the number of the lineage; 0: there is none
	lineage string // "": none

	epoch   int64 // 0: not claimed
	who     string
	seq     int64                // the last entry of the log, when claimed
	done    gpflow.CheckpointID  // the last that was made current since Claim; 0: none
	last    gpflow.CheckpointID  // the highest number seen
	based   bool                 // it is known what the next checkpoint comes from:
	from    gpflow.CheckpointID  // this one; 0: none
	base    map[Part]PartState   // and its parts
	written int64                // bytes of keyed state, by the last call of Store
	lost    error                // after which nothing is written; nil: none
	refs    map[string][]segment // what manifests refer to, by their names, for Retain
	log     map[int64]note       // entries that have been read, for Retain
}

// segment is the name of a segment's object.
type segment = string

// Open returns a keeper for the newest lineage in a store, which it only reads
// until Claim or Fresh. It is a *Damaged error if there are lineages that no
// head names.
func Open(ctx context.Context, store storage.Store) (*Keeper, error) {
	k := &Keeper{store: store}
	heads, err := k.heads(ctx)
	if err != nil {
		return nil, err
	}
	for n, lineage := range heads {
		k.head, k.lineage = int64(n)+1, lineage
	}
	objects, err := store.List(ctx, "lineages/")
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		lineage, _, within := strings.Cut(strings.TrimPrefix(o.Name, "lineages/"), "/")
		if within && checkLineage(lineage) == nil && !slices.Contains(heads, lineage) {
			return nil, &Damaged{Object: headName(k.head + 1), Reason: "it is not there, but the lineage " + lineage + " is, which it should name"}
		}
	}
	return k, nil
}

// heads returns all lineages, oldest first.
func (k *Keeper) heads(ctx context.Context) ([]string, error) {
	top, err := k.highest(ctx, "head/")
	if err != nil {
		return nil, err
	}
	var all []string
	for i := int64(1); i <= top; i++ {
		n, err := k.getNote(ctx, headName(i))
		if errors.Is(err, storage.ErrNotFound) {
			err = &Damaged{Object: headName(i), Reason: "it is not there, but a later one is", Err: err}
		}
		if err != nil {
			return nil, err
		}
		if n.kind != headNote || checkLineage(n.lineage) != nil {
			return nil, &Damaged{Object: headName(i), Reason: fmt.Sprintf("it names the lineage %q, and is of kind %d", n.lineage, n.kind)}
		}
		all = append(all, n.lineage)
	}
	return all, nil
}

// Lineage returns the lineage, "" if there is none yet.
func (k *Keeper) Lineage() string { return k.lineage }

// Lineages returns all lineages, from the oldest to the newest.
func (k *Keeper) Lineages(ctx context.Context) ([]string, error) { return k.heads(ctx) }

// Epoch returns the epoch that was claimed, 0 before.
func (k *Keeper) Epoch() int64 { return k.epoch }

// NextID returns a number for the next checkpoint, above all that have been
// used since the oldest that is retained. It is valid after Claim or Fresh.
func (k *Keeper) NextID() gpflow.CheckpointID { return k.last + 1 }

// Claim claims the next epoch of the lineage for who, a text that tells people
// which process it is, and fences off all older ones. It is called before each
// recovery, also when a process recovers by itself: what an earlier attempt has
// left under way cannot become current after. Where there is no lineage, it is a
// *NoCheckpoint error, and Fresh begins one.
func (k *Keeper) Claim(ctx context.Context, who string) error {
	if k.lineage == "" {
		return &NoCheckpoint{"lineage in this storage to go on with; begin one"}
	}
	if k.lost == nil {
		// Nobody removes heads: it does not matter who has overtaken whom, which
		// may be this keeper itself by a claim that has failed.
		if err := (&Keeper{store: k.store}).settle(ctx, headName(k.head)); err != nil {
			return k.remember(err)
		}
	}
	return k.remember(k.claim(ctx, who))
}

// Fresh begins a new lineage, which is of 1 to 64 hex digits that nobody has had
// before, and claims its first epoch. The old one stays where it is, and whoever
// runs it is fenced off.
func (k *Keeper) Fresh(ctx context.Context, lineage, who string) error {
	if err := checkLineage(lineage); err != nil {
		return err
	}
	heads, err := k.heads(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(heads, lineage) {
		return fmt.Errorf("begin the lineage %s: there is one already; a new one needs a new name", lineage)
	}
	if n := int64(len(heads)); n > 0 {
		if err := k.settle(ctx, headName(n)); err != nil {
			return err
		}
	}
	next := &Keeper{store: k.store, head: int64(len(heads)) + 1, lineage: lineage}
	err = k.store.PutIfAbsent(ctx, headName(next.head), note{kind: headNote, lineage: lineage, number: next.head, who: who}.encode())
	if errors.Is(err, storage.ErrExists) {
		return &StaleEpoch{Lineage: lineage, By: "another process has begun a lineage at the same moment"}
	}
	if err != nil {
		return err
	}
	if len(heads) > 0 {
		// Whoever runs the old one finds the head and stops; the fence is for
		// what it has under way, and whoever overtakes it finds the head too.
		old := &Keeper{store: k.store, head: next.head, lineage: heads[len(heads)-1]}
		var stale *StaleEpoch
		if err := old.claim(ctx, who+", to begin the lineage "+lineage); err != nil && !errors.As(err, &stale) {
			return err
		}
	}
	if err := next.claim(ctx, who); err != nil {
		return err
	}
	*k = *next
	return nil
}

func (k *Keeper) claim(ctx context.Context, who string) error {
	if k.lost != nil {
		return k.lost
	}
	c := &Keeper{store: k.store, head: k.head, lineage: k.lineage, who: who, refs: k.refs}
	if err := c.takeEpoch(ctx); err != nil {
		return err
	}
	if err := c.fence(ctx); err != nil {
		return err
	}
	last, err := c.highest(ctx, inLineage(c.lineage, "manifests"))
	if err != nil {
		return err
	}
	c.last = gpflow.CheckpointID(last)
	if err := c.check(ctx); err != nil {
		return err
	}
	failpoint.Here("epoch-claimed")
	*k = *c
	return nil
}

// takeEpoch claims the epoch behind all those that have left a trace.
func (k *Keeper) takeEpoch(ctx context.Context) error {
	newest, err := k.highest(ctx, inLineage(k.lineage, "epochs"))
	if err != nil {
		return err
	}
	for {
		k.epoch = newest + 1
		n := note{kind: epochNote, lineage: k.lineage, number: k.epoch, epoch: k.epoch, who: k.who}
		switch err := k.store.PutIfAbsent(ctx, epochName(k.lineage, k.epoch), n.encode()); {
		case errors.Is(err, storage.ErrExists):
			newest++
			continue
		case err != nil:
			return err
		}
		// Only now does the end of the log stay where it can be found: whoever
		// ran before writes one more entry at most, and removes none behind.
		if k.seq, err = k.top(ctx); err != nil {
			return err
		}
		n, err := k.entry(ctx, k.seq)
		var damaged *Damaged
		if err != nil && !errors.As(err, &damaged) {
			return err
		}
		if n.epoch < k.epoch {
			return nil
		}
		newest = n.epoch // its object has been lost
	}
}

// fence writes a fence at the end of the log, which lasts up to there.
func (k *Keeper) fence(ctx context.Context) error {
	for {
		if k.seq > 0 {
			if err := k.settle(ctx, currentName(k.lineage, k.seq)); err != nil {
				return err
			}
		}
		n := note{kind: fenceNote, lineage: k.lineage, number: k.seq + 1, epoch: k.epoch, who: k.who}
		err := k.store.PutIfAbsent(ctx, currentName(k.lineage, n.number), n.encode())
		if err != nil && !errors.Is(err, storage.ErrExists) {
			return err
		}
		k.seq++
		if err == nil {
			return nil
		}
		if n, err = k.entry(ctx, k.seq); err == nil && n.epoch > k.epoch {
			return &StaleEpoch{Lineage: k.lineage, Epoch: k.epoch, By: fmt.Sprintf("start %d has begun (%s)", n.epoch, n.who)}
		}
		var damaged *Damaged
		if err != nil && !errors.As(err, &damaged) {
			return err
		}
	}
}

// check complains if somebody has begun a later epoch, or a later lineage (C6).
func (k *Keeper) check(ctx context.Context) error {
	if k.epoch == 0 {
		return errors.New("keep a checkpoint: no epoch has been claimed, which is a bug in gpflow")
	}
	if k.lost != nil {
		return k.lost
	}
	for _, later := range []struct{ name, what string }{
		{epochName(k.lineage, k.epoch+1), "a later start of the same pipeline"},
		{headName(k.head + 1), "a fresh start of the same pipeline"},
	} {
		n, err := k.getNote(ctx, later.name)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		var damaged *Damaged
		if err != nil && !errors.As(err, &damaged) {
			return err
		}
		if damaged != nil {
			n.who = "whose note is damaged"
		}
		return &StaleEpoch{Lineage: k.lineage, Epoch: k.epoch, By: fmt.Sprintf("%s has taken over (%s)", later.what, n.who)}
	}
	return nil
}
