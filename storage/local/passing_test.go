package local_test

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

func TestPassing(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{full, true},
		{fmt.Errorf("write: %w", full), true},
		{&storage.SyncError{Op: "fsync", Path: "x", Err: full}, false},
		{fs.ErrPermission, false},
		{nil, false},
	} {
		if got := local.Passing(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
