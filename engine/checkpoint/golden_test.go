package checkpoint

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

var rewriteGolden = flag.Bool("rewrite", false, "write the golden checkpoint of a new format version; those of old ones stay")

// goldenStore makes what lies in testdata/golden: a lineage of two starts with
// whole states and changes, a part that is gone, output to commit, and a
// savepoint.
func goldenStore(t *testing.T) *memStore {
	store := newMemStore()
	var k *Keeper
	start := func(who string) {
		var err error
		k, err = Open(t.Context(), memView{memStore: store})
		must(t, err)
		if k.Lineage() == "" {
			must(t, k.Fresh(t.Context(), "0123456789abcdef", who))
		} else {
			must(t, k.Claim(t.Context(), who))
		}
		_, _ = k.Current(t.Context())
	}
	keep := func(m *Manifest, states map[Part]Snapshot) {
		m.Semantics, m.Pipeline, m.KeyGroups, m.Plan, m.Ledger = 1, "clicks", 128, []byte(`{"format":1}`), []byte(`{"in":12}`)
		m.ID, m.Time = k.NextID(), gpflow.Timestamp(978307200000000+int64(k.NextID())*10e6)
		m.Sources = []SourceState{
			{Address: "source.clicks", Found: []gpflow.Split{{ID: "a.json"}, {ID: "b.json", Data: []byte{0, 1}}}, Ended: []string{"a.json"}, Queue: []gpflow.Split{{ID: "b.json", Data: []byte{0, 1}}}},
			{Address: "source.other", Done: true},
		}
		must(t, k.Store(t.Context(), m, states))
	}
	reader, a, b, writer := Part{Reader, "source.clicks", 0}, Part{Task, "1", 0}, Part{Task, "1", 1}, Part{Writer, "sink.out", 0}
	start("host a, process 1")
	keep(&Manifest{}, map[Part]Snapshot{
		reader: {Data: []byte("a.json at 5")}, a: {Data: []byte("watermark 1"), State: []byte("state of a, whole")},
		b: {State: []byte("state of b, whole")}, writer: {Committable: gpflow.Committable("part-1")},
	})
	keep(&Manifest{}, map[Part]Snapshot{
		reader: {Data: []byte("a.json at its end")}, a: {Data: []byte("watermark 2"), State: []byte("changes of a"), Delta: true},
		b: {Delta: true}, writer: {State: []byte{}, Committable: gpflow.Committable("part-2")},
	})
	start("host b, process 2")
	keep(&Manifest{
		Parts: []PartState{{Part: reader, Gone: true}}, Outcome: OutcomeStopped,
		Committables: []Pending{{writer, 2, gpflow.Committable("part-2")}},
	}, map[Part]Snapshot{
		reader: {Data: []byte("at the end")}, a: {Data: []byte("watermark 3"), State: []byte("more changes of a"), Delta: true},
		b: {State: []byte("state of b, whole again")}, writer: {Data: []byte("sequence 3"), Committable: gpflow.Committable("part-3")},
	})
	m, err := k.Current(t.Context())
	must(t, err)
	must(t, k.Savepoint(t.Context(), "before-upgrade", m))
	must(t, k.Retain(t.Context(), 2))
	start("host b, process 3")
	return store
}

// tell writes down what a manifest holds, and what its segments do.
func tell(t *testing.T, k *Keeper, m *Manifest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "checkpoint %d of %s, epoch %d, savepoint %q: semantics %d, pipeline %q, time %d, outcome %q, %d key groups, plan %s, ledger %s\n",
		m.ID, m.Lineage, m.Epoch, m.Name, m.Semantics, m.Pipeline, m.Time, m.Outcome, m.KeyGroups, m.Plan, m.Ledger)
	for _, s := range m.Sources {
		fmt.Fprintf(&b, "  %s found %q ended %q queue %q done %v\n", s.Address, s.Found, s.Ended, s.Queue, s.Done)
	}
	for _, p := range m.Parts {
		segments, err := k.Segments(t.Context(), p)
		must(t, err)
		fmt.Fprintf(&b, "  %s data %q gone %v state %q\n", p.Part, p.Data, p.Gone, segments)
	}
	for _, c := range m.Committables {
		fmt.Fprintf(&b, "  %s prepared %q for checkpoint %d\n", c.Part, c.Committable, c.ID)
	}
	return b.String()
}

// tellAll writes down all that a store holds, the current checkpoint first.
func tellAll(t *testing.T, store *memStore) string {
	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	text := tell(t, k, mustCurrent(t, k))
	all, err := k.List(t.Context())
	must(t, err)
	for _, l := range all {
		must(t, l.Err)
		text += tell(t, k, l.Manifest)
	}
	saved, err := k.Savepoints(t.Context())
	must(t, err)
	for _, s := range saved {
		must(t, s.Err)
		text += tell(t, k, s.Manifest)
	}
	return text
}

// Every golden checkpoint, of each version of the format, is restored by this
// build, which also goes on from it.
func TestGoldenCheckpoints(t *testing.T) {
	if *rewriteGolden {
		writeGolden(t, filepath.Join("testdata", "golden", strconv.Itoa(FormatVersion)))
	}
	for version := 1; version <= FormatVersion; version++ {
		dir := filepath.Join("testdata", "golden", strconv.Itoa(version))
		want, err := os.ReadFile(filepath.Join(dir, "want.txt"))
		must(t, err)
		store := readGolden(t, filepath.Join(dir, "store"))
		if got := tellAll(t, store); got != string(want) {
			t.Errorf("version %d is restored as\n%s\nwant\n%s", version, got, want)
		}
		for name, b := range store.objects {
			if m, err := Decode(name, b); err == nil && version == FormatVersion {
				if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
					t.Errorf("%s is written otherwise than it was, %v: that is a new version of the format", name, err)
				}
			}
		}
		k, err := Open(t.Context(), memView{memStore: store})
		must(t, err)
		if v, err := k.Verify(t.Context()); err != nil || len(v.Faults) > 0 || v.Checkpoints != 2 || v.Savepoints != 1 {
			t.Errorf("version %d: %+v, %v", version, v, err)
		}
		must(t, k.Claim(t.Context(), "a later gpflow"))
		m := mustCurrent(t, k)
		must(t, k.Store(t.Context(), &Manifest{ID: k.NextID(), KeyGroups: m.KeyGroups}, map[Part]Snapshot{
			{Task, "1", 0}: {State: []byte("x"), Delta: true}, {Task, "1", 1}: {Delta: true},
		}))
		must(t, k.Retain(t.Context(), 1))
		if got, err := k.Segments(t.Context(), *mustCurrent(t, k).Part(Part{Task, "1", 0})); err != nil || len(got) != 4 {
			t.Errorf("version %d: went on with the segments %q, %v", version, got, err)
		}
	}
}

// This build writes what lies in the golden directory, to the byte.
func TestGoldenIsWhatIsWritten(t *testing.T) {
	want := readGolden(t, filepath.Join("testdata", "golden", strconv.Itoa(FormatVersion), "store"))
	got := goldenStore(t)
	for name, b := range got.objects {
		if !bytes.Equal(b, want.objects[name]) {
			t.Errorf("%s is written otherwise", name)
		}
	}
	if len(got.objects) != len(want.objects) {
		t.Errorf("%d objects are written, want %d", len(got.objects), len(want.objects))
	}
}

func readGolden(t *testing.T, dir string) *memStore {
	store := newMemStore()
	must(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		store.objects[filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	}))
	return store
}

func writeGolden(t *testing.T, dir string) {
	if _, err := os.Stat(dir); err == nil {
		t.Fatalf("%s is there; what a version of the format has written stays readable, so another format is another FormatVersion", dir)
	}
	store := goldenStore(t)
	for name, b := range store.objects {
		file := filepath.Join(dir, "store", filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, b, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "want.txt"), []byte(tellAll(t, store)), 0o644))
}
