package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// Open returns what one subtask has saved, a full segment and the deltas that
// follow it, for looking at: it is declared as the segments say it was.
func Open(segments [][]byte) (*Memory, error) {
	if len(segments) == 0 {
		return nil, errors.New("open keyed state: there are no segments")
	}
	s, err := parse(segments[0])
	if err != nil {
		return nil, fmt.Errorf("open keyed state: %w", err)
	}
	descs := make([]gpflow.StateDescriptor, len(s.states))
	for i, st := range s.states {
		if descs[i], err = st.descriptor(); err != nil {
			return nil, fmt.Errorf("open keyed state %q: %w", st.name, err)
		}
	}
	m, err := New(s.groups, s.from, s.to, descs)
	if err != nil {
		return nil, err
	}
	return m, m.Restore(segments)
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
func (m *Memory) Descriptors() []gpflow.StateDescriptor { return m.descs }

// Times returns the panes of the state of that name, in order. Asking for one
// that is not declared panics.
func (m *Memory) Times(name string) []gpflow.Timestamp {
	i := slices.IndexFunc(m.descs, func(d gpflow.StateDescriptor) bool { return d.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("state %q is not declared", name))
	}
	var all []gpflow.Timestamp
	for _, p := range m.panes[i].panes {
		all = append(all, p.at)
	}
	return all
}
