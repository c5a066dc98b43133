package local

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// The steps of a Put of a name with no directory, after the store's first write.
const (
	createStep = 1 + iota
	writeStep
	syncStep
	closeStep
	renameStep
	syncDirStep
)

// faulty returns a store in which "a" is "old", and whose next steps are counted
// from 1.
func faulty(t *testing.T) *rig {
	r := newRig(t, t.TempDir(), 1, func(*lossy) {})
	t.Cleanup(r.kill)
	must(t, r.Put(t.Context(), "a", []byte("old")))
	r.disk.steps = 0
	return r
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		step int
		err  error
		want string
	}{
		{createStep, syscall.EACCES, "the right to read and write there"},
		{createStep, syscall.EROFS, "mount that file system for writing"},
		{createStep, syscall.ENOSPC, "free some space"},
		{writeStep, syscall.ENOSPC, "free some space"},
		{writeStep, syscall.EDQUOT, "the quota is used up"},
		{writeStep, syscall.EIO, "look at the log of the system"},
		{createStep, syscall.EMFILE, "raise the limit of open files"},
		{renameStep, syscall.ENOSPC, "free some space"},
		{syncStep, syscall.EIO, "the disk may have lost data"},
		{closeStep, syscall.EIO, "the disk may have lost data"},
		{syncDirStep, syscall.EIO, "the disk may have lost data"},
	} {
		for _, at := range []when{before, halfway, after} {
			r := faulty(t)
			r.disk.fault = fault{c.step, at, c.err}
			err := r.Put(t.Context(), "a", []byte("new"))
			if !errors.Is(err, c.err) || !strings.HasPrefix(err.Error(), `put "a" in `+r.Dir()) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("step %d: %v; want one with %q", c.step, err, c.want)
			}
			data, err := r.Get(t.Context(), "a")
			if err != nil || string(data) != "old" && c.step < renameStep || string(data) != "old" && string(data) != "new" {
				t.Errorf("step %d: a is %q, %v", c.step, data, err)
			}
			// A file that was made although the system said it was not, or
			// that was renamed likewise, is what no program can know of.
			if temps := leftovers(t, r.Dir()); len(temps) > 0 && (c.step != createStep || at != after) {
				t.Errorf("step %d: left: %v", c.step, temps)
			}
		}
	}
}

// TestNoWritesAfterASyncError: what did not last is not asked to last again.
func TestNoWritesAfterASyncError(t *testing.T) {
	for step, op := range map[int]string{syncStep: "fsync", closeStep: "close", syncDirStep: "fsync directory"} {
		r := faulty(t)
		r.disk.fault = fault{step, before, syscall.EIO}
		first := r.Put(t.Context(), "a", []byte("new"))
		steps := r.disk.steps
		for _, err := range []error{
			first, r.Put(t.Context(), "a", nil), r.PutIfAbsent(t.Context(), "b", nil), r.Remove(t.Context(), "a"),
		} {
			var sync *storage.SyncError
			if !errors.As(err, &sync) || sync.Op != op || !strings.HasPrefix(sync.Path, r.Dir()) || !errors.Is(err, syscall.EIO) {
				t.Errorf("%v; want a SyncError of %s", err, op)
			}
		}
		if r.disk.steps != steps {
			t.Errorf("%s: the disk was used after the error", op)
		}
		if _, err := r.Get(t.Context(), "a"); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestDoubt: after a directory could not be synced, the next process does not
// believe what the system shows until it is told to.
func TestDoubt(t *testing.T) {
	r := faulty(t)
	r.disk.fault = fault{syncDirStep, before, syscall.EIO}
	if err := r.Put(t.Context(), "a", []byte("new")); err == nil {
		t.Fatal("no error")
	}
	if _, err := r.Lock(); !errors.Is(err, errDoubt) {
		t.Errorf("lock: %v", err)
	}
	_, err := Open(r.Dir())
	var sync *storage.SyncError
	note := filepath.Join(r.Dir(), doubtName)
	if !errors.Is(err, errDoubt) || !errors.As(err, &sync) || !strings.Contains(err.Error(), "remove "+note) {
		t.Errorf("open: %v", err)
	}
	s, err := OpenExisting(r.Dir())
	must(t, err)
	defer s.Close()
	if _, err := s.Get(t.Context(), "a"); err != nil {
		t.Errorf("for looking: %v", err)
	}
}
