package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// fillTexts adds keys with texts of 100 bytes to a pane.
func fillTexts(m *Memory, at gpflow.Timestamp, from, to int) {
	for i := from; i < to; i++ {
		key := intKey(nil, uint64(i))
		row, _ := m.Panes("text").Upsert(at, key, gpflow.HashKey(key))
		row[0] = gpflow.String(strings.Repeat(fmt.Sprint(i%10), 100))
	}
}

// What several states hold together, with the texts of their rows and what views
// have of them, stays within the budget, and nothing is lost.
func TestBudget(t *testing.T) {
	const memory, keys = 1 << 20, 20_000
	b := tiny(t)
	b.memory = memory
	var all []*Memory
	for i := range 2 {
		m, err := New(64, 0, 64, []gpflow.StateDescriptor{textDesc()})
		if err != nil {
			t.Fatal(err)
		}
		m.Limit(b)
		all = append(all, m)
		fillTexts(m, 0, 0, i*100) // the second has something from the beginning
	}
	most := int64(0)
	var views []*Frozen
	for from := 0; from < keys; from += 100 {
		for _, m := range all {
			fillTexts(m, gpflow.Timestamp(from%3), from, from+100)
			most = max(most, b.Held())
			if from%2000 == 0 {
				views = append(views, m.Freeze(true))
			}
		}
		if len(views) > 0 && from%2000 == 1500 {
			for i, f := range views {
				f.Release()
				all[i].Aborted(f)
			}
			views = nil
		}
	}
	held, disk := all[0].Held()
	t.Logf("at most %d bytes of %d are held; at the end one has %d in memory and %d on the disk", most, memory, held, disk)
	if most > memory || most < memory/4 || held <= 0 || disk < keys*100/2 {
		t.Error("that is too much or too little")
	}
	for _, m := range all {
		n := 0
		for at := range gpflow.Timestamp(3) {
			n += m.Panes("text").Len(at)
		}
		if n < keys {
			t.Errorf("a state has %d keys", n)
		}
		m.Leave()
	}
	if b.Held() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Held())
	}
}

// brokenDisk is a Disk that fails when it is told to.
type brokenDisk struct {
	Disk
	broken *bool
}

var errBroken = errors.New("no space is left")

func (d brokenDisk) Writer() (DiskWriter, error) {
	if *d.broken {
		return nil, errBroken
	}
	return d.Disk.Writer()
}

func (d brokenDisk) Get(dst, key []byte) ([]byte, bool, error) {
	if *d.broken {
		return nil, false, errBroken
	}
	return d.Disk.Get(dst, key)
}

func (d brokenDisk) Scan(from, to []byte, f func(key, value []byte) bool) error {
	if *d.broken {
		return errBroken
	}
	return d.Disk.Scan(from, to, f)
}

// Where the disk fails, whoever called hears of it, and so does who restores.
func TestDiskFails(t *testing.T) {
	broken := false
	inner := tiny(t)
	b := NewBudget(0, func() (Disk, error) {
		d, err := inner.space()
		return brokenDisk{d, &broken}, err
	})
	fresh := func() *Memory {
		m, err := New(64, 0, 64, []gpflow.StateDescriptor{textDesc()})
		if err != nil {
			t.Fatal(err)
		}
		m.Limit(b)
		return m
	}
	m := fresh()
	fillTexts(m, 0, 0, 1000)
	segment := encoded(t, m.Freeze(true))
	key := intKey(nil, 1)
	broken = true
	for what, f := range map[string]func(){
		"Upsert of a key on the disk": func() { m.Panes("text").Upsert(0, key, gpflow.HashKey(key)) },
		"Upsert without room":         func() { fillTexts(fresh(), 1, 0, 1000) },
		"Next":                        func() { m.Panes("text").Next(0, gpflow.Cursor{}) },
	} {
		func() {
			defer func() {
				if err, ok := recover().(*DiskError); !ok || !errors.Is(err, errBroken) || err.Error() != errBroken.Error() {
					t.Errorf("%s: %v", what, err)
				}
			}()
			f()
		}()
	}
	if err := fresh().Restore([][]byte{segment}); !errors.Is(err, errBroken) {
		t.Errorf("Restore: %v", err)
	}
}

// Rows that grow, without new ones, make room as well.
func TestGrowingRows(t *testing.T) {
	const memory, keys = 256 << 10, 100
	b := tiny(t)
	b.memory = memory
	m, err := New(64, 0, 64, []gpflow.StateDescriptor{textDesc()})
	if err != nil {
		t.Fatal(err)
	}
	m.Limit(b)
	most := 0
	for size := range 50 {
		for k := range keys {
			key := intKey(nil, uint64(k))
			row, _ := m.Panes("text").Upsert(0, key, gpflow.HashKey(key))
			if size > 0 && len(row[0].Bytes()) != (size-1)*100 {
				t.Fatalf("a text has %d bytes, want %d", len(row[0].Bytes()), (size-1)*100)
			}
			row[0] = gpflow.String(strings.Repeat("x", size*100))
		}
		most = max(most, m.Bytes())
	}
	if most > memory || most < memory/8 {
		t.Errorf("%d bytes are held, and there are %d", most, memory)
	}
}

// What is restored keeps within the budget, however large the runs of its groups are.
func TestRestoreKeepsWithinTheBudget(t *testing.T) {
	const memory, keys = 1 << 20, 60_000
	from, err := New(16, 0, 16, []gpflow.StateDescriptor{textDesc()})
	if err != nil {
		t.Fatal(err)
	}
	fillTexts(from, 0, 0, keys)
	var pieces [][]byte
	if err := from.Freeze(true).Pieces(1<<16, headless, func(b []byte) error {
		pieces = append(pieces, bytes.Clone(b))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b := tiny(t)
	b.memory = memory
	m, err := New(16, 0, 16, from.descs)
	if err != nil {
		t.Fatal(err)
	}
	m.Limit(b)
	if err := m.Restore(pieces); err != nil {
		t.Fatal(err)
	}
	if held, _ := m.Held(); held > memory || m.owed > 0 || m.Panes("text").Len(0) != keys {
		t.Errorf("%d bytes are held, and there are %d; %d are to be written; there are %d keys", held, memory, m.owed, m.Panes("text").Len(0))
	}
}
