package engine

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
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
	"github.com/gpflow/gpflow/storage/local"
)

// vault is a checkpoint of two subtasks of a window, one of which has ended, with
// state in pieces, and changes of it.
type vault struct {
	*testing.T
	dir     string
	store   *local.Store
	keeper  *checkpoint.Keeper
	window  plan.Op
	made    [2]*state.Memory
	entries int
	opened  map[string]int64 // bytes read of each object behind its check
}

const vaultRow = 1000

// vaultLedger is what had been counted when the checkpoint was stored: more than at
// its barrier.
const vaultLedger = `[{"address": "window.w", "role": "operator", "parallelism": 2, "in": 31, "absorbed": 29, "late": 2, "queued": 3, "watermark": "1970-01-01T00:00:00.000009Z"}]`

func newVault(t *testing.T, bytes int) *vault {
	t.Helper()
	v := &vault{T: t, dir: t.TempDir(), window: plan.Op{ID: "window.w", Parent: -1, State: []gpflow.StateDescriptor{{
		Name: "sums", Kind: "panes", Version: 1, Key: gpflow.NewSchema(gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)}),
		Value: gpflow.NewSchema(gpflow.Column{Name: "v", Type: gpflow.T(gpflow.KindString)}),
	}}}}
	var err error
	if v.store, err = local.Open(v.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.store.Close() })
	if v.keeper, err = checkpoint.Open(t.Context(), v.store); err == nil {
		err = v.keeper.Fresh(t.Context(), "ab", "x")
	}
	var none *checkpoint.NoCheckpoint
	if _, current := v.keeper.Current(t.Context()); err != nil || !errors.As(current, &none) {
		t.Fatal(err, current)
	}
	for i := range v.made {
		from, to := keygroup.Range(i, 128, 2)
		if v.made[i], err = state.New(128, from, to, v.window.State); err != nil {
			t.Fatal(err)
		}
	}
	keys := bytes / vaultRow
	for k := range keys {
		v.put(k, "first")
	}
	v.save(1)
	for k := 0; k < keys*2; k += 16 {
		v.put(k, "later")
	}
	v.save(2)
	v.made = [2]*state.Memory{}
	return v
}

func (v *vault) put(k int, text string) {
	key := gpflow.AppendKey(nil, gpflow.Int(int64(k)))
	hash := gpflow.HashKey(key)
	row, fresh := v.made[keygroup.Owner(keygroup.Of(hash, 128), 128, 2)].Panes("sums").Upsert(7, key, hash)
	if row[0] = gpflow.String(text + strings.Repeat("x", vaultRow)); fresh {
		v.entries++
	}
}

// save takes a checkpoint, whose state is given piece by piece.
func (v *vault) save(id gpflow.CheckpointID) {
	v.Helper()
	encoded, err := plan.Encode(&plan.Plan{Format: plan.Format, KeyHash: gpflow.KeyHashName, Pipeline: "p", KeyGroups: 128, Tasks: []plan.Task{{ID: "window.w", Parallelism: 2, Ops: []plan.Op{v.window}}}})
	if err != nil {
		v.Fatal(err)
	}
	m := &checkpoint.Manifest{ID: id, Pipeline: "p", KeyGroups: 128, Plan: encoded, Ledger: []byte(vaultLedger)}
	states, frozen := make(map[checkpoint.Part]checkpoint.Snapshot), make(map[*state.Memory]*state.Frozen)
	for i, s := range v.made {
		part := checkpoint.Part{Kind: checkpoint.Task, Name: "window.w", Subtask: i}
		f := s.Freeze(false)
		frozen[s] = f
		data := task.Encode(task.Snapshot{"window.w": {Mark: 5, Counts: gpflow.Counts{In: 10, Absorbed: 10}, Timers: []gpflow.Timestamp{gpflow.Timestamp(9 - i)}}})
		states[part] = checkpoint.Snapshot{Data: data, Pieces: state.PackPieces(map[string]*state.Frozen{"window.w": f}), Delta: f.Delta()}
		m.Parts = append(m.Parts, checkpoint.PartState{Part: part, Gone: i == 1})
	}
	if err := v.keeper.Store(v.Context(), m, states); err != nil {
		v.Fatal(err)
	}
	for s, f := range frozen {
		f.Release()
		s.Completed(f)
	}
}

// inspect looks at the current checkpoint.
func (v *vault) inspect() *Inspection {
	v.Helper()
	m, err := v.keeper.Current(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	v.opened = make(map[string]int64)
	x, err := Inspect(m, func(s checkpoint.SegmentRef) (*io.SectionReader, error) {
		if _, ok := v.opened[s.Object]; ok {
			v.Errorf("%s is opened twice", s.Object)
		}
		r, err := v.keeper.OpenSegment(v.Context(), s)
		if err != nil {
			return nil, err
		}
		v.opened[s.Object] = 0
		return io.NewSectionReader(metered{r, func(n int) { v.opened[s.Object] += int64(n) }}, 0, s.Size), nil
	})
	if err != nil {
		v.Fatal(err)
	}
	return x
}

// metered says how much is read of it.
type metered struct {
	io.ReaderAt
	read func(n int)
}

func (m metered) ReadAt(p []byte, off int64) (int, error) {
	m.read(len(p))
	return m.ReaderAt.ReadAt(p, off)
}

// read returns how many bytes were read behind the checks, and of how many objects.
func (v *vault) read() (bytes int64, objects int) {
	for _, n := range v.opened {
		bytes += n
	}
	return bytes, len(v.opened)
}

// heap returns the bytes that are in use.
func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// TestInspectHoldsLittle: a checkpoint of 64 MiB of state is counted, and walked,
// with a small part of it in memory at a time.
func TestInspectHoldsLittle(t *testing.T) {
	v := newVault(t, 64<<20)
	before := heap()
	x := v.inspect()
	nodes, err := x.Nodes()
	if err != nil || len(nodes) != 1 {
		t.Fatalf("the nodes are %v: %v", nodes, err)
	}
	n := nodes[0]
	if n.Subtasks != 2 || n.Ended != 1 || n.Timers != 2 || len(n.Tables) != 1 || n.Tables[0].Entries != int64(v.entries) || n.Tables[0].Panes != 1 || n.Bytes < 64<<20 {
		t.Errorf("the node is %+v; want %d entries", n, v.entries)
	}
	if _, objects := v.read(); objects < 8 {
		t.Errorf("the state lies in %d objects", objects)
	}
	seen, most := 0, heap()-before
	err = x.Entries("window.w", nil, func(e Entry) error {
		k := e.Key[0].Int()
		if strings.HasPrefix(e.Row[0].Str(), "later") != (k%16 == 0) || len(e.Row[0].Str()) != vaultRow+5 || e.Pane != 7 {
			return fmt.Errorf("key %d has %q", k, e.Row[0].Str()[:6])
		}
		if seen++; seen%(1<<14) == 0 {
			most = max(most, heap()-before)
		}
		return nil
	})
	if err != nil || seen != v.entries {
		t.Errorf("%d entries of %d are seen: %v", seen, v.entries, err)
	}
	t.Logf("of %d bytes of state, at most %d are in memory", n.Bytes, most)
	if most > state.PieceBytes/2 {
		t.Errorf("of %d bytes of state, %d are in memory", n.Bytes, most)
	}
}

// TestInspectKey: for one key, no other key group is read, nor the subtasks that do
// not own it; how the node is declared is known without reading.
func TestInspectKey(t *testing.T) {
	v := newVault(t, 4<<20)
	for _, k := range []int64{3, 16, 1 << 40} {
		x := v.inspect()
		if n, ok := x.Node("window.w"); !ok || len(n.Tables) != 1 || n.Tables[0].Key.Columns[0].Name != "k" || len(v.opened) > 0 {
			t.Errorf("the node is %+v, and %d objects are open", n, len(v.opened))
		}
		found := 0
		key := gpflow.AppendKey(nil, gpflow.Int(k))
		owner := keygroup.Owner(keygroup.Of(gpflow.HashKey(key), 128), 128, 2)
		err := x.Entries("window.w", [][]byte{key}, func(e Entry) error {
			if e.Subtask != owner {
				return fmt.Errorf("subtask %d", e.Subtask)
			}
			if e.Key[0].Int() == k {
				found++
			}
			return nil
		})
		want := 1
		if k == 1<<40 {
			want = 0
		}
		bytes, objects := v.read()
		if err != nil || found != want || objects > 2 || bytes > 4<<20/20 {
			t.Errorf("key %d is found %d times, %d bytes of %d objects are read: %v", k, found, bytes, objects, err)
		}
	}
	if _, ok := v.inspect().Node("window.x"); ok {
		t.Error("there is a node that is not there")
	}
}

// TestInspectDamaged: a flipped byte, wherever it is, is found before anything is
// given, and named with its object.
func TestInspectDamaged(t *testing.T) {
	v := newVault(t, 1<<20)
	m, err := v.keeper.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ref := m.Parts[0].Segments[0]
	file := filepath.Join(v.dir, filepath.FromSlash(ref.Object))
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 40, len(sound) / 2, len(sound) - 1} {
		sound[at] ^= 1
		if err := os.WriteFile(file, sound, 0o644); err != nil {
			t.Fatal(err)
		}
		sound[at] ^= 1
		x := v.inspect()
		err := x.Entries("window.w", nil, func(e Entry) error { return errors.New("an entry is given") })
		_, counted := x.Nodes()
		for _, err := range []error{err, counted} {
			var damaged *checkpoint.Damaged
			if !errors.As(err, &damaged) || damaged.Object != ref.Object || !strings.HasPrefix(err.Error(), "read checkpoint 2: window.w: the state of task window.w/0: ") {
				t.Errorf("byte %d is flipped, and the error is %v", at, err)
			}
		}
	}
}

// TestInspectLedger: the ledger of a checkpoint is that of its barrier, and not of
// the moment at which it was stored.
func TestInspectLedger(t *testing.T) {
	x := newVault(t, 4*vaultRow).inspect()
	nodes, err := x.Ledger()
	if err != nil || len(nodes) != 1 {
		t.Fatal(nodes, err)
	}
	n := nodes[0]
	if want := (gpflow.Counts{In: 20, Absorbed: 20}); n.Counts != want || n.Queued != 0 {
		t.Errorf("%+v are counted, and %d rows queued; want %+v", n.Counts, n.Queued, want)
	}
	if n.Parallelism != 2 || n.Mark != "1970-01-01T00:00:00.000005Z" {
		t.Errorf("the node is %+v", n)
	}
}
