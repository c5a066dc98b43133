package resume

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// archived is an archive over a store in memory.
type archived struct {
	*Archive
	*testing.T
	store *storagetest.Memory
}

func newArchived(t *testing.T, retain int) archived {
	t.Helper()
	store := storagetest.NewMemory()
	k, err := checkpoint.Open(t.Context(), store)
	if err == nil {
		err = k.Fresh(t.Context(), "ab", "test")
	}
	if err == nil {
		_, err = k.Find(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return archived{NewArchive(k, nil, retain, "test"), t, store}
}

var theTask = checkpoint.Part{Kind: checkpoint.Task, Name: "op"}

// asked is a checkpoint that is to be stored, of a task with a state of its own.
func asked(id gpflow.CheckpointID, name string) (s job.Store) {
	s.ID, s.Name = id, name
	s.Parts = map[checkpoint.Part]checkpoint.Snapshot{theTask: {Data: []byte("{}"), State: fmt.Appendf(nil, "state %d", id)}}
	return s
}

// keep stores a checkpoint, and expects that to go well, or to fail in vain.
func (a archived) keep(s job.Store, well bool) {
	a.Helper()
	done, err := a.Keep(a.Context(), &checkpoint.Manifest{KeyGroups: 1}, s)
	if _, stored := done.(checkpoint.Stored); err != nil || stored != well {
		a.Fatalf("checkpoint %d: %+v, %v", s.ID, done, err)
	}
}

// at expects a checkpoint to be what regions go on from; 0: the beginning.
func (a archived) at(doubt bool, want gpflow.CheckpointID) {
	a.Helper()
	id := gpflow.CheckpointID(0)
	m, err := a.Current(a.Context(), doubt)
	if m != nil {
		id = m.ID
	}
	if err != nil || id != want {
		a.Errorf("in doubt: %t; regions go on from %d, %v; want %d", doubt, id, err, want)
	}
}

// kept expects these checkpoints to be there after a call of Retain, newest first.
func (a archived) kept(want ...gpflow.CheckpointID) {
	a.Helper()
	if err := a.Retain(a.Context()); err != nil {
		a.Fatal(err)
	}
	all, err := a.keeper.List(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	var ids []gpflow.CheckpointID
	for _, l := range all {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, want) {
		a.Errorf("kept are the checkpoints %v, want %v", ids, want)
	}
}

// becoming is the operation with which a checkpoint becomes current.
func becoming(op storagetest.Op, name string) bool {
	return op == storagetest.PutIfAbsent && strings.Contains(name, "/current/")
}

// TestCurrent: regions go on from the last that was stored; where storing has
// failed, from what the store says, be it the old one or the new.
func TestCurrent(t *testing.T) {
	for _, c := range []struct {
		when storagetest.When
		want gpflow.CheckpointID
	}{{storagetest.Before, 2}, {storagetest.After, 3}} {
		a := newArchived(t, 1)
		a.at(false, 0)
		a.keep(asked(1, ""), true)
		a.at(false, 1)
		a.keep(asked(2, ""), true)
		a.store.Fail(storagetest.Fault{Match: becoming, When: c.when})
		a.keep(asked(3, ""), false)
		epoch := a.keeper.Epoch()
		a.at(true, c.want)
		if a.keeper.Epoch() != epoch+1 {
			t.Errorf("the epoch was %d, and is %d behind a claim", epoch, a.keeper.Epoch())
		}
		a.at(false, c.want)
		a.keep(asked(4, ""), true)
		a.at(false, 4)
	}
}

// TestInDoubtStill: where the store cannot be asked, nothing is gone on from.
func TestInDoubtStill(t *testing.T) {
	for _, op := range []storagetest.Op{storagetest.PutIfAbsent, storagetest.Get} {
		a := newArchived(t, 1)
		a.keep(asked(1, ""), true)
		a.store.Fail(storagetest.Fault{Times: -1, Match: func(o storagetest.Op, _ string) bool { return o == op }})
		if m, err := a.Current(t.Context(), true); m != nil || !errors.Is(err, storagetest.ErrInjected) {
			t.Errorf("a store that fails to %s has %+v, %v", op, m, err)
		}
		a.store.Heal()
		a.at(true, 1)
	}
}

// TestFatal: where another process has taken over, or what was written may be
// lost, the job ends.
func TestFatal(t *testing.T) {
	a := newArchived(t, 1)
	other, err := checkpoint.Open(t.Context(), a.store)
	if err == nil {
		err = other.Claim(t.Context(), "another")
	}
	if err != nil {
		t.Fatal(err)
	}
	var stale *checkpoint.StaleEpoch
	if done, err := a.Keep(t.Context(), &checkpoint.Manifest{KeyGroups: 1}, asked(1, "")); done != nil || !errors.As(err, &stale) {
		t.Errorf("an archive that was overtaken: %+v, %v", done, err)
	}

	a = newArchived(t, 1)
	a.keep(asked(1, "s"), true)
	a.store.Fail(storagetest.Fault{When: storagetest.Halfway})
	var lost *storage.SyncError
	if done, err := a.Save(t.Context(), job.Save{ID: 1, Name: "s"}); done.Err == nil || !errors.As(err, &lost) {
		t.Errorf("a savepoint that may be lost: %+v, %v", done, err)
	}
	a.store.Fail(storagetest.Fault{When: storagetest.Halfway})
	if done, err := a.Keep(t.Context(), &checkpoint.Manifest{KeyGroups: 1}, asked(2, "")); done != nil || !errors.As(err, &lost) {
		t.Errorf("a checkpoint that may be lost: %+v, %v", done, err)
	}
}

// TestRetainWaits: nothing is removed while a savepoint is to be made, and a
// savepoint is of the checkpoint that was asked for.
func TestRetainWaits(t *testing.T) {
	a := newArchived(t, 2)
	for id := range gpflow.CheckpointID(3) {
		a.keep(asked(id+1, ""), true)
	}
	a.kept(2, 3)
	a.keep(asked(4, "s"), true)
	a.keep(asked(5, "t"), true)
	a.keep(asked(6, ""), true)
	a.kept(2, 3, 4, 5, 6)
	for i, name := range []string{"s", "t"} {
		id := gpflow.CheckpointID(4 + i)
		done, err := a.Save(t.Context(), job.Save{ID: id, Name: name})
		if err != nil || done.Err != nil || done.Of.ID != id {
			t.Fatalf("savepoint %s: %+v, %v", name, done, err)
		}
		if i == 0 {
			a.kept(2, 3, 4, 5, 6)
		}
		m, err := a.keeper.LoadSavepoint(t.Context(), name)
		if err != nil || m.ID != id {
			t.Fatalf("savepoint %s is %+v, %v", name, m, err)
		}
	}
	a.kept(5, 6)
	if v, err := a.keeper.Verify(t.Context()); err != nil || len(v.Faults) > 0 || v.Savepoints != 2 {
		t.Errorf("the store: %+v, %v", v, err)
	}
}

// TestNotSaved: a savepoint that cannot be made is told to who has asked for it,
// and waited for no longer.
func TestNotSaved(t *testing.T) {
	a := newArchived(t, 1)
	a.keep(asked(1, "s"), true)
	if done, err := a.Save(t.Context(), job.Save{ID: 1, Name: "s"}); err != nil || done.Err != nil {
		t.Fatal(done, err)
	}
	a.keep(asked(2, "s"), true)
	var taken *checkpoint.NameTaken
	if done, err := a.Save(t.Context(), job.Save{ID: 2, Name: "s"}); err != nil || !errors.As(done.Err, &taken) {
		t.Errorf("a name that is taken: %+v, %v", done, err)
	}
	a.kept(2)
	last := asked(3, "end")
	last.Final = true
	a.keep(last, true)
	if done, err := a.Save(t.Context(), job.Save{ID: 3, Name: "end"}); err != nil || done.Err == nil || !strings.Contains(done.Err.Error(), "nothing to go on with") {
		t.Errorf("behind the end: %+v, %v", done, err)
	}
	a.kept(3)
	var none *checkpoint.NoCheckpoint
	if _, err := a.keeper.LoadSavepoint(t.Context(), "end"); !errors.As(err, &none) {
		t.Errorf("a savepoint was made behind the end: %v", err)
	}
}

// TestUnreadable: what a reader has handed in and nobody can read is not stored.
func TestUnreadable(t *testing.T) {
	a := newArchived(t, 1)
	s := asked(1, "s")
	s.Parts[checkpoint.Part{Kind: checkpoint.Reader, Name: "source.a"}] = checkpoint.Snapshot{Data: []byte("?")}
	a.keep(s, false)
	a.at(true, 0)
	a.keep(asked(2, ""), true)
	a.keep(asked(3, ""), true)
	a.kept(3)
}
