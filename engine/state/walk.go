package state

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// SavedEntry is an entry of a Saved. It is valid until the function that got it
// returns.
type SavedEntry struct {
	State gpflow.StateDescriptor
	Pane  gpflow.Timestamp
	Key   []byte         // as gpflow.Keyer writes it
	Row   []gpflow.Value // by the columns of State.Value
}

// Entries gives the entries to f, by state, pane, key group and order of insertion,
// until f returns an error. only says which key groups are meant; nil: all, and
// then what the headers say of them is compared with them.
//
// What it holds is where runs of entries lie, of a limited number, and the entries
// of one key group of one pane, in all segments.
func (s *Saved) Entries(only func(group int) bool, f func(SavedEntry) error) error {
	m := newMerger(s)
	return s.walk(index{only: only}, func(p *savedPane, group []savedRun) error {
		if err := m.load(p, group); err != nil {
			return err
		}
		e := SavedEntry{State: s.descs[p.state], Pane: p.at}
		for i := range m.rows {
			var err error
			if e.Key, e.Row, err = m.entry(p, i); err != nil {
				return fmt.Errorf("state %q, pane %s: %w", e.State.Name, p.at, err)
			}
			if err := f(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Count gives the number of entries of each pane to f, by state and pane. It reads
// the panes that deltas have changed.
func (s *Saved) Count(f func(state gpflow.StateDescriptor, pane gpflow.Timestamp, entries int)) error {
	m := newMerger(s)
	counts := make(map[paneID]int)
	err := s.walk(index{changed: true}, func(p *savedPane, group []savedRun) error {
		if len(group) == 1 {
			counts[p.paneID] += group[0].entries
			return nil
		}
		if err := m.load(p, group); err != nil {
			return err
		}
		counts[p.paneID] += len(m.rows)
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range s.panes {
		if p.changed {
			p.entries = counts[p.paneID]
		}
		f(s.descs[p.state], p.at, p.entries)
	}
	return nil
}

// savedRun is the entries of one key group in one pane and one segment.
type savedRun struct {
	group, segment int32
	entries        int
	at             int64 // of the first entry, in the segment
	size           int   // bytes
}

// indexRuns is how many runs are known at a time, unless one pane has more: 8 MiB
// of them.
const indexRuns = 1 << 18

// walk gives the runs of a pane and a group to visit, one from each segment that
// has some, in order; by pane, and by group within a pane. x says which.
func (s *Saved) walk(x index, visit func(p *savedPane, group []savedRun) error) error {
	x.saved = s
	for x.next() {
		if err := x.scan(); err != nil {
			return err
		}
		for i, runs := range x.runs {
			for len(runs) > 0 {
				n := 1
				for n < len(runs) && runs[n].group == runs[0].group {
					n++
				}
				if err := visit(&s.panes[x.first+i], runs[:n]); err != nil {
					return err
				}
				runs = runs[n:]
			}
			x.runs[i] = nil
		}
	}
	return nil
}

// index finds where the runs of some panes lie, and then of the next ones.
type index struct {
	saved   *Saved
	only    func(group int) bool // nil: all
	changed bool                 // of panes that deltas have changed only
	first   int                  // the first pane
	runs    [][]savedRun         // of the panes from the first one on
	buf     []byte
}

// wants reports whether the runs of a pane are looked for.
func (x *index) wants(p *savedPane) bool { return p.changed || !x.changed }

// next goes on to the next panes, and reports whether there are some.
func (x *index) next() bool {
	panes := x.saved.panes
	x.first, x.runs = x.first+len(x.runs), x.runs[:0]
	all, some := 0, false
	for i := x.first; i < len(panes); i++ {
		if x.wants(&panes[i]) {
			if all += panes[i].runs; some && all > x.saved.runs {
				break
			}
			some = true
		}
		x.runs = append(x.runs, nil)
	}
	return some
}

// scan reads all blocks, one after the other.
func (x *index) scan() error {
	s := x.saved
	for _, seg := range s.segments {
		for i := range seg.tables {
			seg.tables[i].found = 0
		}
	}
	for g := s.from; g < s.to; g++ {
		if x.only != nil && !x.only(g) {
			continue
		}
		for i := range s.segments {
			if err := x.block(i, g); err != nil {
				return fmt.Errorf("read key group %d in segment %d of %d: %w", g, i+1, len(s.segments), err)
			}
		}
	}
	for i, seg := range s.segments {
		for _, t := range seg.tables {
			if t.found != t.entries && x.only == nil {
				return fmt.Errorf("read segment %d of %d: it has %d entries of a table, and its header says %d", i+1, len(s.segments), t.found, t.entries)
			}
		}
	}
	return nil
}

// block notes the runs in the block of a group.
func (x *index) block(segment, group int) error {
	seg := x.saved.segments[segment]
	at, n := seg.place(group)
	if n == 0 {
		return nil
	}
	x.buf = slices.Grow(x.buf[:0], int(n))[:n]
	if err := readAt(seg.src, x.buf, at); err != nil {
		return err
	}
	r := &reader{b: x.buf}
	for last := -1; r.left() > 0; {
		number, entries := r.uvarint(), r.count()
		i, ok := slices.BinarySearchFunc(seg.tables, number, func(t savedEntries, number uint64) int { return t.number - int(min(number, 1<<31)) })
		if r.err == nil && (!ok || i <= last || entries == 0) {
			r.fail(errors.New("a run of entries is damaged"))
		}
		if r.err != nil {
			break
		}
		last = i
		t, from := &seg.tables[i], r.at
		t.found += entries
		for left := entries; left > 0 && r.err == nil; left-- {
			r.bytes(r.count())
			r.skip(len(x.saved.types[t.state]), 0)
		}
		if p := t.pane - x.first; p >= 0 && p < len(x.runs) && x.wants(&x.saved.panes[t.pane]) {
			x.runs[p] = append(x.runs[p], savedRun{int32(group), int32(segment), entries, at + int64(from), r.at - from})
		}
	}
	return r.err
}

// merger brings the entries of one key group of one pane together.
type merger struct {
	saved *Saved
	keys  *table // without rows: the keys, in order of insertion
	rows  []int  // by key: where its row begins in buf
	buf   []byte // the runs
	row   []gpflow.Value
	own   arena
}

func newMerger(s *Saved) *merger { return &merger{saved: s, keys: newTable(0, true)} }

// load reads runs of one group, those of later segments over those of earlier
// ones.
func (m *merger) load(p *savedPane, runs []savedRun) error {
	m.rows, m.buf = m.rows[:0], m.buf[:0]
	entries := 0
	for _, run := range runs {
		entries += run.entries
	}
	if len(m.keys.index) > 16*max(entries, chunkRows) { // clearing it would take longer than the entries
		m.keys = newTable(0, true)
	}
	m.keys.reset()
	for _, run := range runs {
		seg, from := m.saved.segments[run.segment], len(m.buf)
		m.buf = slices.Grow(m.buf, run.size)[:from+run.size]
		err := readAt(seg.src, m.buf[from:], run.at)
		if err == nil {
			err = m.add(p, run, seg.delta, from)
		}
		if err != nil {
			return fmt.Errorf("read state %q, pane %s, key group %d in segment %d of %d: %w",
				m.saved.descs[p.state].Name, p.at, run.group, run.segment+1, len(m.saved.segments), err)
		}
	}
	return nil
}

// add adds a run, which begins at a place in buf.
func (m *merger) add(p *savedPane, run savedRun, delta bool, from int) error {
	r := &reader{b: m.buf, at: from}
	for n := run.entries; n > 0 && r.err == nil; n-- {
		key := r.bytes(r.count())
		row := r.at
		r.skip(len(m.saved.types[p.state]), 0)
		hash := gpflow.HashKey(key)
		if g := keygroup.Of(hash, m.saved.groups); r.err == nil && g != int(run.group) {
			return fmt.Errorf("a key of group %d is among those of group %d", g, run.group)
		}
		e, ok := m.keys.find(key, hash)
		switch {
		case !ok:
			m.keys.insert(key, hash)
			m.rows = append(m.rows, row)
		case delta:
			m.rows[e] = row
		default:
			return errors.New("a key is in it twice")
		}
	}
	return r.err
}

// entry returns what was loaded of a key.
func (m *merger) entry(p *savedPane, i int) (key []byte, row []gpflow.Value, err error) {
	types := m.saved.types[p.state]
	m.row = slices.Grow(m.row[:0], len(types))[:len(types)]
	r := reader{b: m.buf, at: m.rows[i], own: m.own}
	r.row(m.row, types)
	m.own = r.own
	return m.keys.key(i), m.row, r.err
}
