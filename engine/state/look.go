package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gpflow/gpflow"
)

// Saved is what one subtask has saved of its keyed state, a full segment and the
// deltas that follow it, for looking at. It is declared as the segments say it
// was. It has what their headers say, and reads the entries when it is asked for
// them, in parts, so that it may be of a state that does not fit the memory.
type Saved struct {
	descs    []gpflow.StateDescriptor
	types    [][]gpflow.Type // of the columns, by state
	segments []*savedSegment
	panes    []savedPane // by state and time
	groups   int
	from, to int
	runs     int // see indexRuns
}

// savedSegment is a segment, with the tables that have entries in it.
type savedSegment struct {
	blocks
	delta   bool
	tables  []savedEntries // ascending
	dropped []paneID       // before its entries are added
}

// paneID is a pane of a state.
type paneID struct {
	state int // in Saved.descs
	at    gpflow.Timestamp
}

// savedEntries is a table of a segment.
type savedEntries struct {
	paneID
	number  int // of the table, in the segment
	pane    int // in Saved.panes; -1: a later segment drops it
	entries int
	found   int // of them, by the scan that is under way
}

// savedPane is a pane, with the entries that the segments have of it; where there
// are deltas, some may be of the same key.
type savedPane struct {
	paneID
	entries int
	runs    int  // in all segments and groups, at most
	changed bool // some of the entries are a delta's
}

// Open reads the headers of segments, in order; those that are nil are left out.
// The segments are read as long as the Saved is used.
func Open(segments []*io.SectionReader) (*Saved, error) {
	s := &Saved{runs: indexRuns}
	var before *segment
	for i, src := range segments {
		if src == nil {
			continue
		}
		p, err := parse(src)
		if err == nil && before == nil {
			err = s.declare(p)
		}
		if err == nil {
			err = p.fits(s.groups, s.descs, before)
		}
		if err != nil {
			return nil, fmt.Errorf("open keyed state, segment %d of %d: %w", i+1, len(segments), err)
		}
		s.add(p)
		before = p
	}
	if before == nil {
		return nil, errors.New("open keyed state: there are no segments")
	}
	s.resolve()
	return s, nil
}

// declare takes the declarations of a segment.
func (s *Saved) declare(p *segment) error {
	for _, st := range p.states {
		d, err := st.descriptor()
		if err != nil {
			return fmt.Errorf("state %q: %w", st.name, err)
		}
		s.descs = append(s.descs, d)
	}
	_, err := New(p.groups, p.from, p.to, s.descs)
	if err != nil {
		return err
	}
	s.types = columnTypes(s.descs)
	s.groups, s.from, s.to = p.groups, p.from, p.to
	return nil
}

// add adds what is needed of a segment.
func (s *Saved) add(p *segment) {
	seg := &savedSegment{blocks: p.blocks, delta: p.delta}
	states := make([]int, len(p.states)) // in s.descs
	for i, st := range p.states {
		states[i] = slices.IndexFunc(s.descs, func(d gpflow.StateDescriptor) bool { return d.Name == st.name })
		for _, at := range st.dropped {
			seg.dropped = append(seg.dropped, paneID{states[i], at})
		}
	}
	for i, t := range p.tables {
		if t.entries > 0 {
			seg.tables = append(seg.tables, savedEntries{paneID: paneID{states[t.state], t.pane}, number: i, entries: t.entries})
		}
	}
	s.segments = append(s.segments, seg)
}

// resolve finds out which panes there are, and which tables are theirs.
func (s *Saved) resolve() {
	dropped, numbers := make(map[paneID]bool), make(map[paneID]int)
	for _, seg := range slices.Backward(s.segments) {
		for i := range seg.tables {
			t := &seg.tables[i]
			if t.pane = -1; dropped[t.paneID] {
				continue
			}
			n, ok := numbers[t.paneID]
			if !ok {
				n = len(s.panes)
				numbers[t.paneID] = n
				s.panes = append(s.panes, savedPane{paneID: t.paneID})
			}
			t.pane = n
			p := &s.panes[n]
			p.entries += t.entries
			p.runs += min(t.entries, s.to-s.from)
			p.changed = p.changed || seg.delta
		}
		for _, id := range seg.dropped {
			dropped[id] = true
		}
		seg.dropped = nil
	}
	slices.SortFunc(s.panes, func(a, b savedPane) int { return cmp.Or(a.state-b.state, cmp.Compare(a.at, b.at)) })
	for i, p := range s.panes {
		numbers[p.paneID] = i
	}
	for _, seg := range s.segments {
		for i := range seg.tables {
			if t := &seg.tables[i]; t.pane >= 0 {
				t.pane = numbers[t.paneID]
			}
		}
	}
}

// descriptor returns the declaration that a state was saved with.
func (s *savedState) descriptor() (gpflow.StateDescriptor, error) {
	d := gpflow.StateDescriptor{Name: s.name, Kind: s.kind, Version: int(s.version)}
	for _, x := range []struct {
		text string
		into **gpflow.Schema
	}{{s.key, &d.Key}, {s.value, &d.Value}} {
		if x.text == "" {
			continue
		}
		*x.into = new(gpflow.Schema)
		if err := json.Unmarshal([]byte(x.text), *x.into); err != nil {
			return d, fmt.Errorf("read its schema: %w", err)
		}
	}
	return d, nil
}

// Descriptors returns what the state is declared as. It must not be changed.
func (s *Saved) Descriptors() []gpflow.StateDescriptor { return s.descs }
