package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/state/spill"
)

// metered is a file that counts what is read of it.
type metered struct {
	*os.File
	reads *reads
}

// reads is what was read of some files.
type reads struct {
	largest int
	bytes   int64
}

func (c metered) ReadAt(p []byte, off int64) (int, error) {
	c.reads.largest, c.reads.bytes = max(c.reads.largest, len(p)), c.reads.bytes+int64(len(p))
	return c.File.ReadAt(p, off)
}

// onDisk is state of 128 key groups, saved in pieces that lie in files: a full
// segment, and a delta of every 16th key and as many new ones.
type onDisk struct {
	descs    []gpflow.StateDescriptor
	segments []*io.SectionReader
	size     int64
	entries  int
	reads    reads
}

const littleRow = 1000

// saveOnDisk saves so many bytes of state, and what comes with the delta.
func saveOnDisk(t *testing.T, bytes int) *onDisk {
	t.Helper()
	d := &onDisk{descs: []gpflow.StateDescriptor{{
		Name: "s", Kind: "panes", Version: 1, Key: gpflow.NewSchema(gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)}),
		Value: gpflow.NewSchema(gpflow.Column{Name: "v", Type: gpflow.T(gpflow.KindString)}),
	}}}
	m, err := New(128, 0, 128, d.descs)
	if err != nil {
		t.Fatal(err)
	}
	full := bytes / littleRow
	put := func(k int, text string) {
		key := gpflow.AppendKey(nil, gpflow.Int(int64(k)))
		row, fresh := m.Panes("s").Upsert(gpflow.Timestamp(k%2), key, gpflow.HashKey(key))
		if row[0] = gpflow.String(text); fresh {
			d.entries++
		}
	}
	for k := range full {
		put(k, fmt.Sprintf("%0*d", littleRow, k))
	}
	d.save(t, m)
	for k := 0; k < 2*full; k += 16 {
		put(k, fmt.Sprintf("%*d", littleRow, k))
	}
	d.save(t, m)
	return d
}

// save adds what m saves to the segments.
func (d *onDisk) save(t *testing.T, m *Memory) {
	t.Helper()
	f := m.Freeze(false)
	defer f.Release()
	err := f.Pieces(PieceBytes, headless, func(piece []byte) error {
		file, err := os.Create(filepath.Join(t.TempDir(), "piece"))
		if err != nil {
			return err
		}
		t.Cleanup(func() { file.Close() })
		d.segments = append(d.segments, io.NewSectionReader(metered{file, &d.reads}, 0, int64(len(piece))))
		d.size += int64(len(piece))
		_, err = file.Write(piece)
		return err
	})
	m.Completed(f)
	if err != nil {
		t.Fatal(err)
	}
}

// live returns the bytes of what is in use.
func live() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// TestLookHoldsLittle: to look at a state takes a small part of its memory, and
// to look at one key group reads no other's entries.
func TestLookHoldsLittle(t *testing.T) {
	d := saveOnDisk(t, 64<<20)
	if len(d.segments) < 9 || d.size < 64<<20 {
		t.Fatalf("%d bytes lie in %d pieces", d.size, len(d.segments))
	}
	before := live()
	most := int64(0)
	s, err := Open(d.segments)
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	err = s.Entries(nil, func(e SavedEntry) error {
		if k, err := gpflow.DecodeKey(e.Key, 1); err != nil || strings.TrimLeft(e.Row[0].Str(), " 0") != strings.TrimLeft(fmt.Sprint(k[0].Int()), "0") ||
			(k[0].Int()%16 == 0) == strings.HasPrefix(e.Row[0].Str(), "0") {
			return fmt.Errorf("key %v has %q: %v", k, e.Row[0].Str(), err)
		}
		if entries++; entries%(1<<15) == 0 {
			most = max(most, live()-before)
		}
		return nil
	})
	if err != nil || entries != d.entries {
		t.Fatalf("%d entries of %d are seen: %v", entries, d.entries, err)
	}
	t.Logf("of %d bytes of state, at most %d are in memory, %d by one read", d.size, most, d.reads.largest)
	if most > PieceBytes/2 || d.reads.largest > PieceBytes/8 {
		t.Errorf("of %d bytes of state, %d are in memory, %d by one read", d.size, most, d.reads.largest)
	}
	counted := 0
	if err := s.Count(func(_ gpflow.StateDescriptor, _ gpflow.Timestamp, n int) { counted += n }); err != nil || counted != d.entries {
		t.Errorf("%d entries of %d are counted: %v", counted, d.entries, err)
	}
	d.reads = reads{}
	found := 0
	err = s.Entries(func(g int) bool { return g == 77 }, func(e SavedEntry) error {
		if g := keygroup.Of(gpflow.HashKey(e.Key), 128); g != 77 {
			return fmt.Errorf("a key of group %d", g)
		}
		found++
		return nil
	})
	if err != nil || found < d.entries/256 || d.reads.bytes > d.size/20 {
		t.Errorf("%d entries of one group are seen, and %d bytes of %d read: %v", found, d.reads.bytes, d.size, err)
	}
}

// TestRescaleReadsOwn: a subtask reads the key groups that it owns of what others
// have saved, a small part at a time, and keeps what its budget allows in memory.
func TestRescaleReadsOwn(t *testing.T) {
	d := saveOnDisk(t, 16<<20)
	entries := 0
	for i := range 3 {
		from, to := keygroup.Range(i, 128, 3)
		m, err := New(128, from, to, d.descs)
		if err != nil {
			t.Fatal(err)
		}
		disk, err := spill.InMemory()
		if err != nil {
			t.Fatal(err)
		}
		b := NewBudget(2<<20, func() (Disk, error) { return testDisk{disk}, nil })
		m.Limit(b)
		d.reads = reads{}
		held := int64(0)
		err = m.RestoreFrom(len(d.segments), func(i int) (*io.SectionReader, error) {
			held = max(held, b.Held())
			return d.segments[i], nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for at := range gpflow.Timestamp(2) {
			entries += m.Panes("s").Len(at)
		}
		if memory, onDisk := m.Held(); memory > 2<<20 || held > 2<<20 || onDisk < 4<<20 {
			t.Errorf("subtask %d has %d bytes in memory, had %d, and %d on the disk", i, memory, held, onDisk)
		}
		if d.reads.bytes > d.size*2/5 || d.reads.largest > aheadBytes {
			t.Errorf("subtask %d reads %d bytes of %d, %d at once", i, d.reads.bytes, d.size, d.reads.largest)
		}
		m.Leave()
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	}
	if entries != d.entries {
		t.Errorf("%d entries of %d are restored", entries, d.entries)
	}
}

// TestReadFails: where a segment cannot be read, that is the error, whatever is
// done.
func TestReadFails(t *testing.T) {
	_, chain := sample(t)
	broken := errors.New("the disk is broken")
	for n := range 8 {
		left := n
		var all []*io.SectionReader
		for _, b := range chain {
			all = append(all, io.NewSectionReader(failing{inMemory(b), &left, broken}, 0, int64(len(b))))
		}
		s, err := Open(all)
		if err == nil {
			err = s.Entries(nil, func(SavedEntry) error { return nil })
		}
		if !errors.Is(err, broken) {
			t.Errorf("looked at, when read %d fails: %v", n, err)
		}
		left = min(n, 5)
		m, _ := New(16, 0, 16, []gpflow.StateDescriptor{everyKind(), desc(0)})
		if err := m.RestoreFrom(len(all), func(i int) (*io.SectionReader, error) { return all[i], nil }); !errors.Is(err, broken) {
			t.Errorf("restored, when read %d fails: %v", n, err)
		}
	}
}

// failing fails after some reads.
type failing struct {
	io.ReaderAt
	left *int
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if *f.left--; *f.left < 0 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}
