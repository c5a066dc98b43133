package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/storage"
)

// memStore is a store in memory. Its views are what keepers are given.
type memStore struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func newMemStore() *memStore { return &memStore{objects: make(map[string][]byte)} }

func (s *memStore) clone() *memStore {
	return &memStore{objects: maps.Clone(s.objects)}
}

func (s *memStore) names() []string { return slices.Sorted(maps.Keys(s.objects)) }

// memView is a memStore as one process sees it.
type memView struct {
	*memStore
	// hook is called at each operation and returns the fault of it.
	hook func(op, name string) memFault
}

// memFault is what becomes of an operation.
type memFault int

const (
	memNone   memFault = iota
	memBefore          // it fails, and has done nothing
	memAfter           // it is done, and fails
)

var errMem = errors.New("the store has failed, as the test wants it")

func (v memView) do(ctx context.Context, op, name string, f func(objects map[string][]byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if name != "" && strings.TrimSuffix(name, "/") != "" {
		if err := storage.CheckName(strings.TrimSuffix(name, "/")); err != nil {
			return err
		}
	}
	fault := memNone
	if v.hook != nil {
		fault = v.hook(op, name)
	}
	if fault == memBefore {
		return fmt.Errorf("%s %s: %w", op, name, errMem)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := f(v.objects); err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	if fault == memAfter {
		return fmt.Errorf("%s %s: %w", op, name, errMem)
	}
	return nil
}

func (v memView) Put(ctx context.Context, name string, data []byte) error {
	return v.do(ctx, "put", name, func(objects map[string][]byte) error {
		objects[name] = bytes.Clone(data)
		return nil
	})
}

func (v memView) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return v.do(ctx, "put if absent", name, func(objects map[string][]byte) error {
		if _, ok := objects[name]; ok {
			return storage.ErrExists
		}
		objects[name] = bytes.Clone(data)
		return nil
	})
}

func (v memView) Get(ctx context.Context, name string) (data []byte, err error) {
	err = v.do(ctx, "get", name, func(objects map[string][]byte) error {
		b, ok := objects[name]
		if !ok {
			return storage.ErrNotFound
		}
		data = bytes.Clone(b)
		return nil
	})
	return data, err
}

func (v memView) GetRange(ctx context.Context, name string, offset, n int64) (data []byte, err error) {
	err = v.do(ctx, "get range", name, func(objects map[string][]byte) error {
		b, ok := objects[name]
		if !ok {
			return storage.ErrNotFound
		}
		from := min(offset, int64(len(b)))
		data = bytes.Clone(b[from : from+min(n, int64(len(b))-from)])
		return nil
	})
	return data, err
}

func (v memView) List(ctx context.Context, prefix string) (all []storage.Object, err error) {
	err = v.do(ctx, "list", prefix, func(objects map[string][]byte) error {
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			if strings.HasPrefix(name, prefix) {
				all = append(all, storage.Object{Name: name, Size: int64(len(objects[name]))})
			}
		}
		return nil
	})
	return all, err
}

func (v memView) Remove(ctx context.Context, name string) error {
	return v.do(ctx, "remove", name, func(objects map[string][]byte) error {
		delete(objects, name)
		return nil
	})
}

// failAt returns a hook with a fault at the n-th operation, from 0 on; where
// dead, at all that follow, too.
func failAt(n int, f memFault, dead bool) func(op, name string) memFault {
	i := -1
	return func(string, string) memFault {
		i++
		switch {
		case i == n:
			return f
		case i > n && dead:
			return memBefore
		}
		return memNone
	}
}

// ---- a job, as far as a keeper sees it

var (
	partReader = Part{Reader, "source.in", 0}
	partTaskA  = Part{Task, "1", 0}
	partTaskB  = Part{Task, "1", 1}
	partWriter = Part{Writer, "sink.out", 0}
)

// memJob is a process that makes checkpoints.
type memJob struct {
	k     *Keeper
	chain map[Part][]string // what the segments of the last checkpoint hold
	// stands is the checkpoint that the next is made from: "id-epoch".
	stands string
	whole  bool
}

// memTruth is what all processes together have done.
type memTruth struct {
	chains map[string]map[Part][]string // by id-epoch: what is to be restored
	parent map[string]string
	kept   []string // those for which Store has returned nil, after which commits begin
}

func newTruth() *memTruth {
	return &memTruth{chains: make(map[string]map[Part][]string), parent: make(map[string]string)}
}

func key(id gpflow.CheckpointID, epoch int64) string { return fmt.Sprintf("%d-%d", id, epoch) }

// start is a start of a process: it claims an epoch, and restores.
func (h *memTruth) start(ctx context.Context, store storage.Store) (*memJob, error) {
	k, err := Open(ctx, store)
	if err != nil {
		return nil, err
	}
	if k.Lineage() == "" {
		lineage := "ab"
		if len(h.kept) > 0 {
			lineage = "ef" // it must not come to this
		}
		err = k.Fresh(ctx, lineage, "a test")
	} else {
		err = k.Claim(ctx, "a test")
	}
	if err != nil {
		return nil, err
	}
	j := &memJob{k: k, whole: true}
	return j, h.restore(ctx, j)
}

// restore goes on from the current checkpoint, and compares what it gets with
// what was stored.
func (h *memTruth) restore(ctx context.Context, j *memJob) error {
	m, err := j.k.Current(ctx)
	var none *NoCheckpoint
	if errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	j.stands = key(m.ID, m.Epoch)
	j.chain = h.chains[j.stands]
	return h.compare(ctx, j.k, m)
}

func (h *memTruth) compare(ctx context.Context, k *Keeper, m *Manifest) error {
	want := h.chains[key(m.ID, m.Epoch)]
	if want == nil {
		return fmt.Errorf("checkpoint %d of epoch %d was never made", m.ID, m.Epoch)
	}
	for _, p := range m.Parts {
		got, err := k.Segments(ctx, p)
		if err != nil {
			return err
		}
		var text []string
		for _, b := range got {
			text = append(text, string(b))
		}
		if !slices.Equal(text, want[p.Part]) || string(p.Data) != fmt.Sprintf("data %d %s", m.ID, p.Part) {
			return fmt.Errorf("checkpoint %d, %s: %q with %q, want %q", m.ID, p.Part, text, p.Data, want[p.Part])
		}
	}
	if len(m.Committables) != 1 || string(m.Committables[0].Committable) != fmt.Sprintf("commit %d of %d", m.ID, m.Epoch) {
		return fmt.Errorf("checkpoint %d has the committables %v", m.ID, m.Committables)
	}
	return nil
}

// next returns the next checkpoint: a whole one at first and at each third.
func (j *memJob) next() (*Manifest, map[Part]Snapshot, map[Part][]string) {
	id := j.k.NextID()
	m := &Manifest{
		Semantics: 1, Pipeline: "p", ID: id, Time: 1000, KeyGroups: 16, Plan: []byte("{}"),
		Sources: []SourceState{{Address: "source.in", Found: []gpflow.Split{{ID: "a"}}, Done: true}},
	}
	states := make(map[Part]Snapshot)
	chain := make(map[Part][]string)
	for _, p := range []Part{partReader, partTaskA, partTaskB, partWriter} {
		s := Snapshot{Data: fmt.Appendf(nil, "data %d %s", id, p)}
		switch p.Kind {
		case Task:
			s.Delta = !j.whole && id%3 != 0 && j.chain != nil
			text := fmt.Sprintf("state %d of %d %s %v", id, j.k.Epoch(), p, s.Delta)
			s.State = []byte(text)
			if s.Delta {
				chain[p] = slices.Clone(j.chain[p])
			}
			chain[p] = append(chain[p], text)
		case Writer:
			s.Committable = fmt.Appendf(nil, "commit %d of %d", id, j.k.Epoch())
		}
		states[p] = s
	}
	return m, states, chain
}

// checkpoint makes the next checkpoint.
func (h *memTruth) checkpoint(ctx context.Context, j *memJob) error {
	m, states, chain := j.next()
	at := key(m.ID, j.k.Epoch())
	h.chains[at], h.parent[at] = chain, j.stands
	if err := j.k.Store(ctx, m, states); err != nil {
		return err
	}
	h.kept = append(h.kept, at)
	j.chain, j.stands, j.whole = chain, at, false
	return nil
}

// line complains unless all that was kept is on the line that ends at the
// checkpoint which is current now.
func (h *memTruth) line(end string) error {
	on := make(map[string]bool)
	for at := end; at != ""; at = h.parent[at] {
		on[at] = true
	}
	for _, at := range h.kept {
		if !on[at] {
			return fmt.Errorf("checkpoint %s was kept, but the current %s does not come from it; parents are %v", at, end, h.parent)
		}
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memJobOf starts a job on a store and makes n checkpoints.
func memJobOf(t *testing.T, h *memTruth, store storage.Store, n int) *memJob {
	t.Helper()
	j, err := h.start(t.Context(), store)
	must(t, err)
	for range n {
		must(t, h.checkpoint(t.Context(), j))
	}
	return j
}
