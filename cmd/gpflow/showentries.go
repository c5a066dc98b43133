package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
)

// errEnough ends a walk over entries.
var errEnough = errors.New("enough entries")

// walkEntries gives entries to f, until that returns an error. Called again it
// gives the same.
type walkEntries func(f func(engine.Entry) error) error

// wanted returns a walk over the entries of an operator that are to be shown.
func (f *showFlags) wanted(l *looked, n engine.NodeState) (walkEntries, error) {
	filters := make(map[string]keyFilter)
	var keys [][]byte
	known := f.keys != nil
	for _, t := range n.Tables {
		filter, err := newKeyFilter(t.Key, f.keys)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Address, err)
		}
		filters[t.Name] = filter
		these, ok := filter.candidates()
		keys, known = append(keys, these...), known && ok
	}
	if !known {
		keys = nil
	}
	return func(visit func(engine.Entry) error) error {
		return l.Entries(n.Address, keys, func(e engine.Entry) error {
			if !filters[e.Table.Name].match(e.Key) {
				return nil
			}
			return visit(e)
		})
	}, nil
}

// operator shows the entries of an operator, and its timers.
func (f *showFlags) operator(l *looked, n engine.NodeState, text bool, w io.Writer) error {
	walk, err := f.wanted(l, n)
	if err != nil {
		return err
	}
	if !text {
		return f.lines(walk, w)
	}
	found, err := f.tables(walk, w)
	if err != nil {
		return err
	}
	switch {
	case found == 0 && f.keys != nil:
		fmt.Fprintln(w, "it keeps nothing for that key; the columns of its keys are", keyColumns(n))
	case found == 0:
		fmt.Fprintln(w, "it keeps no entries")
	case f.limit > 0 && found > f.limit:
		fmt.Fprintf(w, "\nand %s more; --limit 0 shows all\n", thousands(int64(found-f.limit)))
	}
	for _, at := range l.Timers(n.Address) {
		fmt.Fprintf(w, "it waits for %s\n", at)
	}
	return nil
}

// lines shows entries as lines of JSON.
func (f *showFlags) lines(walk walkEntries, w io.Writer) error {
	shown := 0
	err := walk(func(e engine.Entry) error {
		if f.limit > 0 && shown == f.limit {
			return errEnough
		}
		shown++
		_, err := w.Write(append(entryJSON(nil, e), '\n'))
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// tables shows entries as tables, one for each state, and returns how many there
// are. It walks twice, the first time for the widths of the columns, so that it
// holds no rows.
func (f *showFlags) tables(walk walkEntries, w io.Writer) (found int, err error) {
	var all []*entryTable
	err = walk(func(e engine.Entry) error {
		if found++; f.limit > 0 && found > f.limit {
			return nil
		}
		if len(all) == 0 || all[len(all)-1].of != e.Table.Name {
			all = append(all, newEntryTable(e.Table))
		}
		all[len(all)-1].measure(entryCells(e))
		return nil
	})
	if err != nil || len(all) == 0 {
		return found, err
	}
	shown := 0
	err = walk(func(e engine.Entry) error {
		if f.limit > 0 && shown == f.limit {
			return errEnough
		}
		if shown++; all[0].of != e.Table.Name {
			all = all[1:]
		}
		return all[0].print(w, entryCells(e))
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// keyColumns returns the names of the columns of an operator's keys.
func keyColumns(n engine.NodeState) string {
	var names []string
	for _, t := range n.Tables {
		if t.Key != nil {
			names = append(names, t.Key.Names()...)
		}
	}
	return strings.Join(names, ", ")
}

// entryTable is a table of entries of one state.
type entryTable struct {
	of     string // the state
	header []string
	width  []int // of the columns
}

func newEntryTable(d gpflow.StateDescriptor) *entryTable {
	t := &entryTable{of: d.Name, header: []string{"pane"}}
	for _, s := range []*gpflow.Schema{d.Key, d.Value} {
		if s != nil {
			t.header = append(t.header, s.Names()...)
		}
	}
	t.width = make([]int, len(t.header))
	t.measure(t.header)
	return t
}

// entryCells returns what a table has of an entry.
func entryCells(e engine.Entry) []string {
	row := []string{e.Pane.String()}
	for _, v := range slices.Concat(e.Key, e.Row) {
		row = append(row, valueText(v))
	}
	return row
}

// measure makes room for a row.
func (t *entryTable) measure(row []string) {
	for i, cell := range row {
		t.width[i] = max(t.width[i], len(cell))
	}
}

// print prints a row, and before the first one what stands above.
func (t *entryTable) print(w io.Writer, row []string) error {
	if t.header != nil {
		if _, err := fmt.Fprintf(w, "\n%s\n", t.of); err != nil {
			return err
		}
		writeRow(w, t.header, t.width)
		t.header = nil
	}
	writeRow(w, row, t.width)
	return nil
}
