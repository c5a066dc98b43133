package engine

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine/state"
)

// A failure of the disk under keyed state ends a subtask as an error; any other
// panic goes on.
func TestDiskFailed(t *testing.T) {
	broken := errors.New("no space is left")
	work := func(p any) (err error) {
		defer diskFailed(&err)
		if p != nil {
			panic(p)
		}
		return nil
	}
	if err := work(&state.DiskError{Err: broken}); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if err := work(nil); err != nil {
		t.Errorf("the error is %v", err)
	}
	defer func() {
		if p := recover(); p != "other" {
			t.Errorf("the panic is %v", p)
		}
	}()
	_ = work("other")
}

// What memory has no room for is put where it is said to be, when there is
// something to put there, and is removed with the run.
func TestSpillDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	r := &Run{options: Options{Spill: Spill{Memory: 1, Dir: dir}}}
	if err := r.budget(); err != nil || r.memory == nil || r.spilled != nil {
		t.Fatalf("%v, %v, %v", err, r.memory, r.spilled)
	}
	if err := r.closeSpilled(); err != nil {
		t.Error(err)
	}
	if r = (&Run{}); r.budget() != nil || r.memory != nil {
		t.Error("there is a budget without a bound")
	}
	bad := &Run{options: Options{Spill: Spill{Memory: 1, Dir: "\x00"}}}
	if err := bad.budget(); err == nil || !strings.Contains(err.Error(), "no room for") {
		t.Errorf("the error is %v", err)
	}
}
