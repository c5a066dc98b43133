package state

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

var update = flag.Bool("update", false, "write the golden segments anew")

// sample is a chain of a full segment and a delta: keys are changed and added,
// and a pane is dropped and begun again.
func sample(t testing.TB) (*Memory, [][]byte) {
	m, err := New(16, 0, 16, []gpflow.StateDescriptor{everyKind(), desc(0)})
	if err != nil {
		t.Fatal(err)
	}
	p := m.Panes("every")
	upsert := func(at gpflow.Timestamp, k, n int) {
		key := intKey(nil, uint64(k))
		row, _ := p.Upsert(at, key, gpflow.HashKey(key))
		copy(row, valuesOf(n))
		m.Panes("p").Upsert(at, key, gpflow.HashKey(key))
	}
	for k := range 15 {
		upsert(gpflow.Timestamp(k%3-1)*1e12, k, k)
	}
	f := m.Freeze(false)
	chain := [][]byte{encoded(t, f)}
	m.Completed(f)
	p.Drop(0)
	for k := range 2 {
		upsert(0, 50+k, k)
		upsert(1e12, 3*k+2, 100+k)
	}
	f = m.Freeze(false)
	if !f.Delta() {
		t.Fatal("the second segment is no delta")
	}
	return m, append(chain, encoded(t, f))
}

func contents(m *Memory) string {
	var b []byte
	for _, p := range m.panes {
		for _, e := range p.panes {
			var c gpflow.Cursor
			for {
				next, key, row, ok := p.Next(e.at, c)
				if !ok {
					break
				}
				b = appendText(appendText(appendSigned(b, int64(e.at)), string(key)), textOf(row))
				c = next
			}
		}
	}
	return string(b)
}

// contentsOf is contents of what segments have.
func contentsOf(chain [][]byte) (string, error) {
	s, err := Open(sections(chain...))
	if err != nil {
		return "", err
	}
	var b []byte
	err = s.Entries(nil, func(e SavedEntry) error {
		b = appendText(appendText(appendSigned(b, int64(e.Pane)), string(e.Key)), textOf(e.Row))
		return nil
	})
	return string(b), err
}

// Segments that an earlier build has written are restored by every later one.
func TestGoldenSegments(t *testing.T) {
	m, chain := sample(t)
	var golden [][]byte
	for i, name := range []string{"full-1.segment", "delta-1.segment"} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, chain[i], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, chain[i]) {
			t.Errorf("%s: the segment written now is another one; a new form needs a new version", name)
		}
		golden = append(golden, b)
	}
	r, _ := New(16, 0, 16, m.descs)
	if err := r.Restore(golden); err != nil {
		t.Fatal(err)
	}
	if contents(r) != contents(m) {
		t.Error("what is restored is not what was saved")
	}
	if f := r.Freeze(false); !f.Delta() || len(*f.views.Load()) > 0 {
		t.Error("what is restored does not count as saved")
	}
}

func TestRestoreRefuses(t *testing.T) {
	m, chain := sample(t)
	other := func(change func(ds []gpflow.StateDescriptor) []gpflow.StateDescriptor) []gpflow.StateDescriptor {
		return change(append([]gpflow.StateDescriptor(nil), m.descs...))
	}
	for _, c := range []struct {
		groups int
		descs  []gpflow.StateDescriptor
		chain  [][]byte
		want   string
	}{
		{32, m.descs, chain, "saved with 16 key groups, and the pipeline has 32"},
		{16, m.descs, chain[1:], "a full segment comes first"},
		{16, m.descs, [][]byte{chain[0], chain[0]}, "a full segment comes first"},
		{16, m.descs, [][]byte{chain[0], chain[1], chain[1]}, "does not follow"},
		{16, m.descs[:1], chain, `state "p" was saved`},
		{16, append([]gpflow.StateDescriptor{textDesc()}, m.descs...), chain, `state "text" is declared now`},
		{16, other(func(d []gpflow.StateDescriptor) []gpflow.StateDescriptor { d[0].Version = 4; return d }), chain, "version 3, and is declared as panes"},
		{16, other(func(d []gpflow.StateDescriptor) []gpflow.StateDescriptor { d[0].Key = nil; return d }), chain, `state "every" was saved as panes by key (k int)`},
		{16, other(func(d []gpflow.StateDescriptor) []gpflow.StateDescriptor { d[1].Value = textDesc().Value; return d }), chain, "is declared as panes by key () of (t string)"},
		{16, m.descs, [][]byte{[]byte("GIF89a....")}, "not a segment"},
		{16, m.descs, [][]byte{append([]byte("gpks\x09"), chain[0][5:]...)}, "version 9"},
	} {
		r, err := New(c.groups, 0, c.groups, c.descs)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Restore(c.chain); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Restore = %v, want %q", err, c.want)
		}
	}
	r, _ := New(16, 4, 8, m.descs)
	if err := r.Restore(chain); err != nil {
		t.Fatal(err)
	}
	if r.Freeze(false).Delta() {
		t.Error("a delta after the restore of a part of the groups")
	}
	if err := r.Restore(chain); err == nil || !strings.Contains(err.Error(), "key group 4 is in the segments of two subtasks") {
		t.Errorf("groups are restored twice: %v", err)
	}
}

// TestLayout: columns that differ in how they are written elsewhere only are the
// same to state.
func TestLayout(t *testing.T) {
	column := func(layout string) []gpflow.StateDescriptor {
		typ := gpflow.Type{Kind: gpflow.KindTimestamp, Layout: layout}
		return []gpflow.StateDescriptor{{Name: "s", Kind: "panes", Value: gpflow.NewSchema(gpflow.Column{Name: "t", Type: typ})}}
	}
	m, _ := New(4, 0, 4, column("unix"))
	s := encoded(t, m.Freeze(true))
	r, _ := New(4, 0, 4, column("%Y"))
	if err := r.Restore([][]byte{s}); err != nil {
		t.Error(err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	deep := gpflow.Null
	for range maxDepth + 1 {
		deep = gpflow.List([]gpflow.Value{deep})
	}
	for name, c := range map[string]struct {
		slot  int
		value gpflow.Value
		want  string
	}{
		"another kind":    {0, gpflow.String("x"), `encode state "every", pane 7: a value is string where optional(int) was declared`},
		"another element": {7, gpflow.List([]gpflow.Value{gpflow.Int(1)}), "a value is int where string was declared"},
		"too deep":        {9, deep, "inside one another"},
	} {
		m, _ := New(4, 0, 4, []gpflow.StateDescriptor{everyKind()})
		row, _ := m.Panes("every").Upsert(7, []byte("k"), gpflow.HashKey([]byte("k")))
		row[c.slot] = c.value
		if _, err := m.Freeze(true).Encode(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Encode = %v, want %q", name, err, c.want)
		}
	}
}

// restoreAny restores what may be damaged. It must not panic, and what it takes
// can be used.
func restoreAny(t testing.TB, chain ...[]byte) error {
	_, _ = contentsOf(chain)
	for _, groups := range [][2]int{{0, 16}, {5, 9}} {
		m, _ := New(16, groups[0], groups[1], []gpflow.StateDescriptor{everyKind(), desc(0)})
		if err := m.Restore(chain); err != nil {
			return err
		}
		before := contents(m)
		if looked, err := contentsOf(chain); groups[1] == 16 && (err != nil || looked != before) {
			t.Fatalf("what was restored is not what is seen: %v", err)
		}
		f := m.Freeze(true)
		r, _ := New(16, groups[0], groups[1], m.descs)
		if err := r.Restore([][]byte{encoded(t, f)}); err != nil || contents(r) != before {
			t.Fatalf("what was restored cannot be saved: %v", err)
		}
	}
	return nil
}

// Every truncation is found, and a flipped bit does no harm.
func TestDamage(t *testing.T) {
	_, chain := sample(t)
	for i := range chain {
		damaged := [][]byte{chain[0], chain[1]}
		for n := range chain[i] {
			damaged[i] = chain[i][:n]
			if restoreAny(t, damaged...) == nil {
				t.Fatalf("segment %d is restored when cut at %d", i, n)
			}
			b := bytes.Clone(chain[i])
			b[n] ^= 1 << (n % 8)
			damaged[i] = b
			_ = restoreAny(t, damaged...)
		}
	}
}

func FuzzRestore(f *testing.F) {
	_, chain := sample(f)
	f.Add(chain[0], chain[1])
	f.Add(chain[0], []byte{})
	f.Fuzz(func(t *testing.T, full, delta []byte) {
		if len(delta) == 0 {
			_ = restoreAny(t, full)
			return
		}
		_ = restoreAny(t, full, delta)
	})
}
