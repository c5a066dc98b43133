package engine

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
)

// Entry is one of keyed state. It is valid until the function that got it returns.
type Entry struct {
	Subtask int
	Table   gpflow.StateDescriptor
	Pane    gpflow.Timestamp
	Key     []gpflow.Value // by the columns of Table.Key
	Row     []gpflow.Value // by the columns of Table.Value
}

// Entries gives the entries of an operator to f, by subtask, state, pane and
// key group, until f returns an error. keys are canonical bytes of keys: entries of
// other key groups than theirs are not read; nil: all are. Of what it reads it has
// the entries of one key group of one pane in memory.
func (x *Inspection) Entries(address string, keys [][]byte, f func(Entry) error) error {
	groups := make(map[int]bool)
	for _, k := range keys {
		groups[keygroup.Of(gpflow.HashKey(k), x.manifest.KeyGroups)] = true
	}
	var only func(group int) bool
	if keys != nil {
		only = func(group int) bool { return groups[group] }
	}
	former := x.former.Operators(address)
	for i, o := range former {
		if keys != nil && !owns(i, x.manifest.KeyGroups, len(former), groups) {
			continue
		}
		var given error
		err := entries(o, only, Entry{Subtask: i}, func(e Entry) error {
			given = f(e)
			return given
		})
		switch {
		case given != nil:
			return given
		case err != nil:
			return x.failed(address, err)
		}
	}
	return nil
}

// owns reports whether a subtask owns one of some key groups.
func owns(subtask, keyGroups, parallelism int, groups map[int]bool) bool {
	from, to := keygroup.Range(subtask, keyGroups, parallelism)
	for g := range groups {
		if from <= g && g < to {
			return true
		}
	}
	return false
}

// entries gives those of a subtask to f.
func entries(o resume.Operator, only func(group int) bool, e Entry, f func(Entry) error) error {
	segments, err := o.Segments.All()
	if err != nil || len(segments) == 0 {
		return err
	}
	saved, err := state.Open(segments)
	if err != nil {
		return err
	}
	return saved.Entries(only, func(s state.SavedEntry) error {
		columns := 0
		if s.State.Key != nil {
			columns = s.State.Key.Width()
		}
		if e.Key, err = gpflow.DecodeKey(s.Key, columns); err != nil {
			return fmt.Errorf("state %s: %w", s.State.Name, err)
		}
		e.Table, e.Pane, e.Row = s.State, s.Pane, s.Row
		return f(e)
	})
}
