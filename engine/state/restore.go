package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/gpflow/gpflow"
)

// Restore adds what one subtask of an earlier run has saved: a full segment, and
// the deltas that follow it, in order. Of their key groups it takes those that m
// owns. Where the number of subtasks was another one, it is called for each of
// them. m is new: nothing has been put into it but by Restore.
//
// Segments of states that are not what the operator declares, that are damaged,
// or that bring a key group which has been restored before, are errors, after
// which m is not to be used. The segments are not needed any longer afterwards.
//
// Where a subtask of the same key groups saved the segments, what they hold
// counts as saved, and the next Freeze can be a delta that follows them; else it
// is a full one.
func (m *Memory) Restore(segments [][]byte) error {
	return m.RestoreFrom(len(segments), func(i int) (*io.SectionReader, error) { return inMemory(segments[i]), nil })
}

// inMemory returns a segment that is in memory as one to be read; nil: there is
// none.
func inMemory(b []byte) *io.SectionReader {
	if b == nil {
		return nil
	}
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// RestoreFrom is Restore for segments that may not fit the memory: segment i of n
// is what segment returns, nil where there is none in its place. It asks for some
// twice, reads of each the header and the key groups that m owns, in order, and
// holds one of these, or a mebibyte of them.
func (m *Memory) RestoreFrom(n int, segment func(i int) (*io.SectionReader, error)) error {
	r := &restoring{m: m, segment: segment, drops: make([][]drop, n)}
	err := r.findDrops(n)
	for i := 0; i < n && err == nil; i++ {
		if err = r.load(i); err != nil {
			err = fmt.Errorf("restore keyed state from segment %d of %d: %w", i+1, n, err)
		}
	}
	if err != nil || r.last == nil {
		return err
	}
	m.freezes = max(m.freezes, r.last.number)
	if r.last.from == m.from && r.last.to == m.to {
		m.chain, m.base = r.chain, m.freezes
	}
	return m.settleAll()
}

// restoring is a Restore that goes on.
type restoring struct {
	m       *Memory
	segment func(i int) (*io.SectionReader, error)
	drops   [][]drop // by segment
	last    *segment // without its blocks
	chain   chain
}

// drop is a pane that a delta drops.
type drop struct {
	state string
	at    gpflow.Timestamp
}

// findDrops finds what the deltas drop. They come last.
func (r *restoring) findDrops(n int) error {
	for i := n - 1; i > 0; i-- {
		src, err := r.segment(i)
		if err != nil {
			return fmt.Errorf("restore keyed state: %w", err)
		}
		if src == nil {
			continue
		}
		s, err := parse(src)
		if err != nil {
			return fmt.Errorf("restore keyed state from segment %d of %d: %w", i+1, n, err)
		}
		if !s.delta {
			return nil
		}
		for _, st := range s.states {
			for _, at := range st.dropped {
				r.drops[i] = append(r.drops[i], drop{st.name, at})
			}
		}
	}
	return nil
}

// load loads a segment.
func (r *restoring) load(i int) error {
	src, err := r.segment(i)
	if err != nil || src == nil {
		return err
	}
	s, err := parse(src)
	if err != nil {
		return err
	}
	if err := s.fits(r.m.groups, r.m.descs, r.last); err != nil {
		return err
	}
	if r.last == nil {
		if err := r.m.claim(s); err != nil {
			return err
		}
	}
	dropped := make(map[drop]bool)
	for _, later := range r.drops[i+1:] {
		for _, d := range later {
			dropped[d] = true
		}
	}
	if err := r.m.load(s, dropped); err != nil {
		return err
	}
	switch size := src.Size(); {
	case s.delta:
		r.chain.rest += size
		if !s.more {
			r.chain.deltas++
		}
	default:
		r.chain.begun = true
		r.chain.full += size
	}
	s.blocks = blocks{}
	r.last = s
	return nil
}

// Rebase makes the checkpoints to come full ones, until one has completed. It is
// called where the segments that were restored are not those which a delta would
// follow, as when the number of subtasks has changed.
func (m *Memory) Rebase() { m.chain = chain{} }

// fits compares a segment with the number of key groups and what is declared, and
// with the segment before it, if there is one.
func (s *segment) fits(groups int, descs []gpflow.StateDescriptor, before *segment) error {
	if s.groups != groups {
		return fmt.Errorf("it was saved with %d key groups, and the pipeline has %d now; the number of key groups cannot change", s.groups, groups)
	}
	if !s.more && s.delta != (before != nil) || s.more && (before == nil || s.delta != before.delta) {
		return fmt.Errorf("a full segment comes first, and deltas follow it, each with its further pieces")
	}
	if b := before; b != nil && (b.from != s.from || b.to != s.to || s.more != (b.number == s.number) || b.number > s.number) {
		return fmt.Errorf("it does not follow the one before it: it is number %d of the key groups %d to %d, and that is number %d of %d to %d",
			s.number, s.from, s.to-1, b.number, b.from, b.to-1)
	}
	for _, st := range s.states {
		i := slices.IndexFunc(descs, func(d gpflow.StateDescriptor) bool { return d.Name == st.name })
		if i < 0 {
			return fmt.Errorf("state %q was saved, %s, and is not declared now", st.name, &st)
		}
		if !st.is(descs[i]) {
			return fmt.Errorf("state %q was saved %s, and is declared %s now", st.name, &st, describe(descs[i]))
		}
	}
	for _, d := range descs {
		if !slices.ContainsFunc(s.states, func(st savedState) bool { return st.name == d.Name }) {
			return fmt.Errorf("state %q is declared now, %s, and was not saved", d.Name, describe(d))
		}
	}
	return nil
}

// is reports whether what was saved can be used as what is declared.
func (s *savedState) is(d gpflow.StateDescriptor) bool {
	key, value, err := schemaTexts(d)
	return err == nil && s.kind == d.Kind && s.version == int64(d.Version) &&
		sameSchema(s.key, key, d.Key) && sameSchema(s.value, value, d.Value)
}

// sameSchema compares a saved schema with a declared one, whose text is given.
func sameSchema(saved, text string, declared *gpflow.Schema) bool {
	if saved == text || declared == nil || saved == "" {
		return saved == text
	}
	var s gpflow.Schema
	return json.Unmarshal([]byte(saved), &s) == nil && s.Equal(declared)
}

// String says what was saved.
func (s *savedState) String() string {
	return describeState(s.kind, s.key, s.value, s.version)
}

func describe(d gpflow.StateDescriptor) string {
	key, value, err := schemaTexts(d)
	if err != nil {
		return err.Error()
	}
	return describeState(d.Kind, key, value, int64(d.Version))
}

func describeState(kind, key, value string, version int64) string {
	columns := func(text string) string {
		var s gpflow.Schema
		if text == "" || json.Unmarshal([]byte(text), &s) != nil {
			return text
		}
		return s.String()
	}
	return fmt.Sprintf("as %s by key (%s) of (%s), version %d", kind, columns(key), columns(value), version)
}

// claim notes that the groups of s which m owns are restored.
func (m *Memory) claim(s *segment) error {
	if m.restored == nil {
		m.restored = make([]bool, m.to-m.from)
	}
	for g := max(s.from, m.from); g < min(s.to, m.to); g++ {
		if m.restored[g-m.from] {
			return fmt.Errorf("key group %d is in the segments of two subtasks; each group has one owner, so they are not of one checkpoint", g)
		}
		m.restored[g-m.from] = true
	}
	return nil
}
