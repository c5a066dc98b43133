// Package oracle is keyed state in Go maps, which the tables of package state
// are compared with. It imports nothing of the module.
package oracle

import (
	"maps"
	"slices"
)

// Store is pane -> key -> row. Rows and keys are texts.
type Store struct{ panes map[int64]*pane }

type pane struct {
	keys []string // in order of insertion
	rows map[string]string
}

// New returns an empty store.
func New() *Store { return &Store{panes: map[int64]*pane{}} }

// Get returns the row of a key, or false.
func (s *Store) Get(at int64, key string) (row string, ok bool) {
	if p := s.panes[at]; p != nil {
		row, ok = p.rows[key]
	}
	return row, ok
}

// Set sets the row of a key.
func (s *Store) Set(at int64, key, row string) {
	p := s.panes[at]
	if p == nil {
		p = &pane{rows: map[string]string{}}
		s.panes[at] = p
	}
	if _, ok := p.rows[key]; !ok {
		p.keys = append(p.keys, key)
	}
	p.rows[key] = row
}

// Drop forgets a pane.
func (s *Store) Drop(at int64) { delete(s.panes, at) }

// Clone returns a copy that shares nothing with s.
func (s *Store) Clone() *Store {
	c := New()
	for at, p := range s.panes {
		c.panes[at] = &pane{keys: slices.Clone(p.keys), rows: maps.Clone(p.rows)}
	}
	return c
}

// Entry is a key and its row.
type Entry struct{ Key, Row string }

// Panes returns the panes, ascending.
func (s *Store) Panes() []int64 { return slices.Sorted(maps.Keys(s.panes)) }

// Walk returns the entries of a pane in order of the groups of their keys, and
// in order of insertion within a group.
func (s *Store) Walk(at int64, group func(key string) int) []Entry {
	p := s.panes[at]
	if p == nil {
		return nil
	}
	var all []Entry
	for _, k := range p.keys {
		all = append(all, Entry{k, p.rows[k]})
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return group(a.Key) - group(b.Key) })
	return all
}
