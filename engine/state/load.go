package state

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

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
	blocks := ahead{blocks: s.blocks, last: to - 1}
	for g := from; g < to && l.err == nil; g++ {
		b, err := blocks.block(g)
		if err != nil {
			return err
		}
		l.b, l.at = b, 0
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
