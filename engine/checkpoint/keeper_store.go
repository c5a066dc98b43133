package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow/storage"
)

// Store keeps a checkpoint and makes it current: it writes the segments of the
// states that were handed in, the manifest, and that it is current. When it has
// returned nil, the checkpoint's committables may be committed (C3, C9).
//
// m has everything but what Store completes: Lineage, Epoch, Parts and
// Committables. Parts are those of states, where Gone is taken from the part's
// entry in m.Parts, if it has one; a part that is only in m.Parts is kept as it
// is there. A state that is whole replaces the part's segments; where Delta is
// set, what has changed is appended to its segments of the checkpoint before, and
// no State says that nothing has; a part that hands in neither has none. The
// Committables in m stay, and those in states come to them.
//
// m.ID is above that of the checkpoint before. After *StaleEpoch the process
// stops, because somebody else goes on; after a *storage.SyncError too, and
// every later call returns it. After any other error it is not known whether the
// checkpoint is current. Then Store may be called again with the same
// arguments; or with a later checkpoint, which has the committables of this one
// too (C8), and changes relative to the last that was stored; or the job
// recovers, by Claim and Current.
func (k *Keeper) Store(ctx context.Context, m *Manifest, states map[Part]Snapshot) error {
	if err := k.check(ctx); err != nil {
		return err
	}
	switch {
	case !k.based:
		return fmt.Errorf("store checkpoint %d: this start has not asked for the current one, from which it goes on; this is a bug in gpflow", m.ID)
	case m.ID <= k.from:
		return fmt.Errorf("store checkpoint %d: the one before has the number %d, and numbers ascend; this is a bug in gpflow", m.ID, k.from)
	}
	k.last = max(k.last, m.ID)
	m.Lineage, m.Epoch = k.lineage, k.epoch
	if err := k.complete(m, states); err != nil {
		return err
	}
	if err := k.writeSegments(ctx, m, states); err != nil {
		return k.remember(err)
	}
	return k.remember(k.makeCurrent(ctx, m))
}

// remember returns err, and has check return it from now on if it says that
// what was written may have been lost.
func (k *Keeper) remember(err error) error {
	var lost *storage.SyncError
	if errors.As(err, &lost) {
		k.lost = err
	}
	return err
}

// complete puts what was handed in into m, but for the segments to write.
func (k *Keeper) complete(m *Manifest, states map[Part]Snapshot) error {
	parts := make(map[Part]PartState, len(states))
	for _, p := range m.Parts {
		parts[p.Part] = p
	}
	for p, s := range states {
		parts[p] = PartState{Part: p, Data: s.Data, Gone: parts[p].Gone}
		if s.Committable != nil {
			m.Committables = append(m.Committables, Pending{p, m.ID, s.Committable})
		}
	}
	m.Parts = m.Parts[:0:0]
	for _, p := range parts {
		m.Parts = append(m.Parts, p)
	}
	m.sort()
	for i := range m.Parts {
		p := &m.Parts[i]
		s, ok := states[p.Part]
		if !ok {
			continue
		}
		if s.Delta {
			if err := k.checkBase(p.Part, m); err != nil {
				return err
			}
			p.Segments = slices.Clone(k.base[p.Part].Segments)
		}
	}
	return nil
}

// writeSegments writes the states that were handed in, and has m refer to them.
func (k *Keeper) writeSegments(ctx context.Context, m *Manifest, states map[Part]Snapshot) error {
	count := 0
	k.written = 0
	for i := range m.Parts {
		p := &m.Parts[i]
		put := func(piece []byte) error {
			if len(piece) == 0 {
				return nil
			}
			name := segmentName(k.lineage, m.ID, k.epoch, count)
			count++
			k.written += int64(len(piece))
			p.Segments = append(p.Segments, SegmentRef{name, int64(len(piece)), SumOf(piece)})
			return k.putOnce(ctx, name, piece)
		}
		s := states[p.Part]
		if err := put(s.State); err != nil {
			return err
		}
		if s.Pieces == nil {
			continue
		}
		if err := s.Pieces(put); err != nil {
			return fmt.Errorf("the state of %s: %w", p.Part, err)
		}
	}
	return nil
}

// Written returns the bytes of keyed state that the last call of Store has
// written.
func (k *Keeper) Written() int64 { return k.written }

// checkBase complains if changes of a part have nothing to be relative to. Of
// another number of subtasks each has had other keys.
func (k *Keeper) checkBase(p Part, m *Manifest) error {
	if _, ok := k.base[p]; !ok {
		return &NoBase{p, "it was not in it"}
	}
	before, now := 0, 0
	for o := range k.base {
		if o.Kind == p.Kind && o.Name == p.Name {
			before++
		}
	}
	for _, o := range m.Parts {
		if o.Kind == p.Kind && o.Name == p.Name {
			now++
		}
	}
	if before != now {
		return &NoBase{p, fmt.Sprintf("there were %d subtasks then, and are %d now", before, now)}
	}
	return nil
}

// makeCurrent writes a manifest, and then that it is current. Before each step
// that others can see it makes sure that it has not been overtaken (C6).
func (k *Keeper) makeCurrent(ctx context.Context, m *Manifest) error {
	b, err := m.Encode()
	if err != nil {
		return err
	}
	n := note{
		kind: currentNote, lineage: k.lineage, epoch: k.epoch, who: k.who,
		id: m.ID, object: manifestName(k.lineage, m.ID, k.epoch), size: int64(len(b)), sum: SumOf(b),
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	if err := k.putOnce(ctx, n.object, b); err != nil {
		return err
	}
	if err := k.check(ctx); err != nil {
		return err
	}
	if err := k.appendEntry(ctx, &n); err != nil {
		return err
	}
	if err := k.check(ctx); err != nil { // see Keeper
		return err
	}
	if err := k.putOnce(ctx, sealedName(k.lineage, n.number), n.encode()); err != nil {
		return err
	}
	k.seq, k.done = n.number, m.ID
	if k.log == nil {
		k.log = make(map[int64]note)
	}
	k.log[n.number] = n
	if k.refs == nil {
		k.refs = make(map[string][]segment)
	}
	k.refs[n.object] = m.segments()
	k.goOnFrom(m)
	return nil
}

// appendEntry writes n behind the last entry of the log, and sets its number.
func (k *Keeper) appendEntry(ctx context.Context, n *note) error {
	for n.number = k.seq + 1; ; n.number++ {
		err := k.store.PutIfAbsent(ctx, currentName(k.lineage, n.number), n.encode())
		if !errors.Is(err, storage.ErrExists) {
			return err
		}
		delete(k.log, n.number)
		there, err := k.entry(ctx, n.number)
		switch {
		case err != nil:
			return err
		case there == *n:
			// By an earlier call, which did not know whether it had succeeded.
			return k.store.Put(ctx, currentName(k.lineage, n.number), n.encode())
		case there.epoch > k.epoch:
			return &StaleEpoch{Lineage: k.lineage, Epoch: k.epoch, By: fmt.Sprintf("a later start of the same pipeline has taken over (%s)", there.who)}
		case there.epoch < k.epoch:
			return &Damaged{
				Object: currentName(k.lineage, n.number),
				Reason: fmt.Sprintf("it was written by start %d behind the fence of start %d", there.epoch, k.epoch),
			}
		}
		// An earlier checkpoint of this keeper, which was given up because it
		// was not known that it had become current.
	}
}

// segments returns the names of the segments that m refers to.
func (m *Manifest) segments() (all []segment) {
	for _, p := range m.Parts {
		for _, s := range p.Segments {
			all = append(all, s.Object)
		}
	}
	return all
}

// Adopt makes m, whose segments are in from, the current checkpoint: it copies
// them and writes a manifest of this lineage and epoch with the same number. It
// is how a lineage begins with a savepoint, and how a job goes on from an older
// checkpoint in place of a damaged one. It returns the manifest as it is now.
//
// It is called after Claim or Fresh, before anything is stored.
func (k *Keeper) Adopt(ctx context.Context, from storage.Store, m *Manifest) (*Manifest, error) {
	if err := k.check(ctx); err != nil {
		return nil, err
	}
	if k.done > 0 {
		return nil, fmt.Errorf("go on from checkpoint %d of %s: this start has stored checkpoint %d already; claim a new epoch first", m.ID, m.Lineage, k.done)
	}
	m = m.copy()
	m.Lineage, m.Epoch, m.Outcome, m.Name = k.lineage, k.epoch, OutcomeRunning, ""
	count := 0
	for i := range m.Parts {
		for j := range m.Parts[i].Segments {
			s := &m.Parts[i].Segments[j]
			b, err := readSegment(ctx, from, *s)
			if err != nil {
				return nil, err
			}
			s.Object = segmentName(k.lineage, m.ID, k.epoch, count)
			count++
			if err := k.putOnce(ctx, s.Object, b); err != nil {
				return nil, k.remember(err)
			}
		}
	}
	if err := k.remember(k.makeCurrent(ctx, m)); err != nil {
		return nil, err
	}
	return m, nil
}
