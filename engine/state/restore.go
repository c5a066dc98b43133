package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
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
	return m.RestoreFrom(len(segments), func(i int) ([]byte, error) { return segments[i], nil })
}

// RestoreFrom is Restore for segments that may not fit the memory together: segment
// i of n is what segment returns, nil where there is none in its place. It holds
// one at a time, and asks for some twice.
func (m *Memory) RestoreFrom(n int, segment func(i int) ([]byte, error)) error {
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
	segment func(i int) ([]byte, error)
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
		b, err := r.segment(i)
		if err != nil {
			return fmt.Errorf("restore keyed state: %w", err)
		}
		if b == nil {
			continue
		}
		s, err := parse(b)
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
	b, err := r.segment(i)
	if err != nil || b == nil {
		return err
	}
	s, err := parse(b)
	if err != nil {
		return err
	}
	if err := r.m.fits(s, r.last); err != nil {
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
	switch size := int64(len(b)); {
	case s.delta:
		r.chain.rest += size
		if !s.more {
			r.chain.deltas++
		}
	default:
		r.chain.begun = true
		r.chain.full += size
	}
	s.blocks = nil
	r.last = s
	return nil
}

// Rebase makes the checkpoints to come full ones, until one has completed. It is
// called where the segments that were restored are not those which a delta would
// follow, as when the number of subtasks has changed.
func (m *Memory) Rebase() { m.chain = chain{} }

// fits compares a segment with what is declared, and with the one before it, if
// there is one.
func (m *Memory) fits(s, before *segment) error {
	if s.groups != m.groups {
		return fmt.Errorf("it was saved with %d key groups, and the pipeline has %d now; the number of key groups cannot change", s.groups, m.groups)
	}
	if !s.more && s.delta != (before != nil) || s.more && (before == nil || s.delta != before.delta) {
		return fmt.Errorf("a full segment comes first, and deltas follow it, each with its further pieces")
	}
	if b := before; b != nil && (b.from != s.from || b.to != s.to || s.more != (b.number == s.number) || b.number > s.number) {
		return fmt.Errorf("it does not follow the one before it: it is number %d of the key groups %d to %d, and that is number %d of %d to %d",
			s.number, s.from, s.to-1, b.number, b.from, b.to-1)
	}
	for _, st := range s.states {
		i := slices.IndexFunc(m.descs, func(d gpflow.StateDescriptor) bool { return d.Name == st.name })
		if i < 0 {
			return fmt.Errorf("state %q was saved, %s, and is not declared now", st.name, &st)
		}
		if !st.is(m.descs[i]) {
			return fmt.Errorf("state %q was saved %s, and is declared %s now", st.name, &st, describe(m.descs[i]))
		}
	}
	for _, d := range m.descs {
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

// loader adds the entries of a segment to the tables.
type loader struct {
	*reader
	s      *segment
	panes  []*Panes // by saved state
	types  [][]gpflow.Type
	tables []loading
}

// loading is a table of a segment that is being loaded.
type loading struct {
	into    *table         // nil until there is an entry
	dropped bool           // by a later segment
	entries int            // found
	row     []gpflow.Value // for what is not kept
}

// load adds the entries of s in the groups that m owns, but for those in panes
// that later segments drop.
func (m *Memory) load(s *segment, dropped map[drop]bool) error {
	from, to := max(s.from, m.from), min(s.to, m.to)
	if m.bug == RestoreTwice {
		to = min(s.to, m.to+1)
	}
	if from >= to {
		return nil
	}
	l := m.loader(s, dropped)
	for g := from; g < to && l.err == nil; g++ {
		l.b, l.at = s.blocks[g-s.from], 0
		for last := -1; l.left() > 0; {
			last = l.run(g, last, to-from)
		}
	}
	for i, t := range s.tables {
		if got := l.tables[i].entries; l.err == nil && (got > t.entries || to-from == s.to-s.from && got != t.entries) {
			l.fail(fmt.Errorf("it has %d entries of a table, and its header says %d", got, t.entries))
		}
	}
	return l.err
}

func (m *Memory) loader(s *segment, dropped map[drop]bool) *loader {
	l := &loader{reader: &reader{}, s: s, tables: make([]loading, len(s.tables))}
	types := columnTypes(m.descs)
	for _, st := range s.states {
		i := slices.IndexFunc(m.descs, func(d gpflow.StateDescriptor) bool { return d.Name == st.name })
		l.panes = append(l.panes, m.panes[i])
		l.types = append(l.types, types[i])
	}
	for i, t := range s.tables {
		l.tables[i].dropped = dropped[drop{s.states[t.state].name, t.pane}]
	}
	return l
}

// run loads the entries of group g in one table, which is behind the table last
// of the segment, and returns the table. groups is how many groups are loaded.
func (l *loader) run(g, last, groups int) int {
	i, n := l.uvarint(), l.count()
	if l.err == nil && (i >= uint64(len(l.tables)) || int(i) <= last || n == 0) {
		l.fail(errors.New("a run of entries is damaged"))
	}
	if l.err != nil {
		return last
	}
	saved, t := &l.s.tables[i], &l.tables[i]
	p := l.panes[saved.state]
	if t.into == nil {
		l.begin(t, p, saved, groups)
	}
	t.entries += n
	first := t.into.len()
	for ; n > 0 && l.err == nil; n-- {
		key := l.bytes(l.count())
		hash := gpflow.HashKey(key)
		if l.err == nil && keygroup.Of(hash, l.s.groups) != g {
			l.fail(fmt.Errorf("a key of group %d is among those of group %d", keygroup.Of(hash, l.s.groups), g))
		}
		l.entry(p, t, key, hash, l.types[saved.state])
	}
	if !l.s.delta && !t.dropped && !t.into.placeFrom(first) {
		l.fail(errors.New("a key is in it twice"))
	}
	if p.left < 0 && l.err == nil {
		if err := p.owner.settleAll(); err != nil {
			l.fail(err)
		}
	}
	return int(i)
}

// entry reads a row into the entry of its key.
func (l *loader) entry(p *Panes, t *loading, key []byte, hash uint64, types []gpflow.Type) {
	before := t.into.len()
	row := l.place(p, t, key, hash)
	size := 0
	if p.sized != nil {
		size = p.measure(row)
	}
	l.row(row, types)
	if p.sized != nil {
		grown := p.measure(row) - size
		t.into.values += grown
		p.left -= grown
	}
	if t.into.len() > before {
		p.left -= p.width*valueSize + rowOverhead + len(key)
	}
}

// place returns the row that the entry of a key is to be read into. The keys of
// a full segment are new and are not looked for.
func (l *loader) place(p *Panes, t *loading, key []byte, hash uint64) []gpflow.Value {
	if t.dropped || l.err != nil {
		return t.row
	}
	if !l.s.delta {
		return t.into.row(t.into.append(key, hash))
	}
	e, ok := t.into.find(key, hash)
	if !ok {
		var err error
		if e, _, err = p.locate(t.into, key, hash); err != nil {
			l.fail(err)
			return t.row
		}
	}
	return t.into.row(e)
}

// begin finds or makes the table that t goes into, with room for its entries.
func (l *loader) begin(t *loading, p *Panes, saved *savedTable, groups int) {
	t.row = make([]gpflow.Value, p.width)
	if t.dropped {
		t.into = &table{}
		return
	}
	if t.into = p.get(saved.pane); t.into == nil {
		t.into = p.add(saved.pane)
		t.into.saved = true
	}
	if all := l.s.to - l.s.from; !l.s.delta {
		t.into.reserve(saved.entries/all*groups+saved.entries%all*groups/all, saved.keys/all*groups+saved.keys%all*groups/all)
	}
}
