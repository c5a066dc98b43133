package state

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/state/oracle"
)

// TestOpen: what was saved can be looked at by what the segments say.
func TestOpen(t *testing.T) {
	descs := []gpflow.StateDescriptor{{
		Name: "sums", Kind: "panes", Version: 3,
		Key:   gpflow.NewSchema(gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)}),
		Value: gpflow.NewSchema(gpflow.Column{Name: "sum", Type: gpflow.T(gpflow.KindInt)}),
	}, {
		Name: "all", Kind: "panes", Version: 1,
		Value: gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}),
	}}
	m, err := New(16, 0, 16, descs)
	if err != nil {
		t.Fatal(err)
	}
	put := func(state string, pane gpflow.Timestamp, key []byte, n int64) {
		row, _ := m.Panes(state).Upsert(pane, key, gpflow.HashKey(key))
		row[0] = gpflow.Int(n)
	}
	key := func(user string) []byte { return gpflow.AppendKey(nil, gpflow.String(user)) }
	save := func(full bool) []byte {
		f := m.Freeze(full)
		defer f.Release()
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		m.Completed(f)
		return b
	}
	put("sums", 10, key("ann"), 1)
	put("sums", 10, key("bob"), 2)
	put("sums", 20, key("ann"), 3)
	put("all", 0, nil, 7)
	segments := [][]byte{save(true)}
	m.Panes("sums").Drop(20)
	put("sums", 10, key("bob"), 5)
	put("sums", 30, key("cid"), 4)
	segments = append(segments, save(false))

	saved, err := Open(sections(segments...))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range saved.Descriptors() {
		if want := descs[i]; d.Name != want.Name || d.Kind != want.Kind || d.Version != want.Version || !d.Value.Equal(want.Value) ||
			(d.Key == nil) != (want.Key == nil) || d.Key != nil && !d.Key.Equal(want.Key) {
			t.Errorf("state %d is declared as %+v, want %+v", i, d, want)
		}
	}
	var got, counts []string
	err = saved.Entries(nil, func(e SavedEntry) error {
		got = append(got, fmt.Sprintf("%s %d %q %d", e.State.Name, e.Pane, e.Key, e.Row[0].Int()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = saved.Count(func(state gpflow.StateDescriptor, pane gpflow.Timestamp, entries int) {
		counts = append(counts, fmt.Sprintf("%s %d %d", state.Name, pane, entries))
	})
	if want := []string{"sums 10 2", "sums 30 1", "all 0 1"}; err != nil || !slices.Equal(counts, want) {
		t.Errorf("the panes are %q, want %q: %v", counts, want, err)
	}
	enough := errors.New("enough")
	if err := saved.Entries(nil, func(SavedEntry) error { return enough }); err != enough {
		t.Errorf("it is ended with %v", err)
	}
	want := []string{
		fmt.Sprintf("sums 10 %q 1", key("ann")), fmt.Sprintf("sums 10 %q 5", key("bob")), fmt.Sprintf("sums 30 %q 4", key("cid")), `all 0 "" 7`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("it has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// sections returns segments that are in memory as they are read.
func sections(segments ...[]byte) (all []*io.SectionReader) {
	for _, b := range segments {
		all = append(all, inMemory(b))
	}
	return all
}

func TestOpenRefuses(t *testing.T) {
	for _, segments := range [][][]byte{nil, {nil}, {{}}, {[]byte("gpks")}, {[]byte("gpks\x01\x00\xff\xff\xff\xff")}} {
		if s, err := Open(sections(segments...)); err == nil {
			t.Errorf("%q is opened as %v", segments, s.Descriptors())
		}
	}
}

// looked compares what the segments have, looked at, with the oracle: all of it,
// the number of entries, and one key group.
func (w *world) looked() error {
	all, one, counts := make(map[int64][]oracle.Entry), make(map[int64][]oracle.Entry), make(map[int64]int)
	group := w.draw("group", 0, w.groups-1)
	for _, chain := range w.chains {
		s, err := Open(sections(chain...))
		if err != nil {
			return err
		}
		if w.draw("runs", 0, 1) == 1 {
			s.runs = w.draw("runs at a time", 1, 100)
		}
		into := func(m map[int64][]oracle.Entry) func(SavedEntry) error {
			return func(e SavedEntry) error {
				m[int64(e.Pane)] = append(m[int64(e.Pane)], oracle.Entry{Key: string(e.Key), Row: textOf(e.Row)})
				return nil
			}
		}
		err = cmp.Or(s.Entries(nil, into(all)), s.Entries(func(g int) bool { return g == group }, into(one)),
			s.Count(func(_ gpflow.StateDescriptor, pane gpflow.Timestamp, n int) { counts[int64(pane)] += n }))
		if err != nil {
			return err
		}
	}
	for _, at := range w.saved.Panes() {
		want := w.saved.Walk(at, w.group)
		ofGroup := slices.DeleteFunc(slices.Clone(want), func(e oracle.Entry) bool { return w.group(e.Key) != group })
		if !slices.Equal(all[at], want) || counts[at] != len(want) || !slices.Equal(one[at], ofGroup) {
			return fmt.Errorf("pane %d, looked at, has %d entries, counted %d, %d in group %d; want %d and %d, or the entries differ",
				at, len(all[at]), counts[at], len(one[at]), group, len(want), len(ofGroup))
		}
		delete(all, at)
	}
	if len(all) > 0 {
		return fmt.Errorf("looked at, there are %d panes too many", len(all))
	}
	return nil
}
