package storage_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{
		"a", "Z9", "a.b", "a/b", "a-b/_c/0", "-", "a..b", strings.Repeat("x", storage.MaxPart),
	} {
		if err := storage.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	part := strings.Repeat("x", 99) + "/"
	for name, why := range map[string]string{
		"": "is empty", "/a": "is empty", "a/": "is empty", "a//b": "is empty",
		".": "begins with a dot", "..": "begins with a dot", "a/../b": "begins with a dot",
		".a": "begins with a dot", "a/.b": "begins with a dot", "a.": "ends with a dot", "a./b": "ends with a dot",
		"a b": `' '`, "a\\b": `'\\'`, "ä": `'Ã'`, "a\x00": `'\x00'`, "C:a": `':'`, "a\n": `'\n'`,
		strings.Repeat("x", storage.MaxPart+1): "200 at most",
		strings.Repeat(part, 9) + "a":          "800 at most",
	} {
		err := storage.CheckName(name)
		if !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v; want one with %s", name, err, why)
		}
	}
}

func TestCheckPrefix(t *testing.T) {
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/"} {
		if err := storage.CheckPrefix(prefix); err != nil {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	for _, prefix := range []string{"/", "//", "a//", "/a", ".", "../", "a/."} {
		if err := storage.CheckPrefix(prefix); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%q: %v; want ErrInvalid", prefix, err)
		}
	}
}

func TestCheckRange(t *testing.T) {
	if err := storage.CheckRange(0, 0); err != nil {
		t.Error(err)
	}
	for _, r := range [][2]int64{{-1, 0}, {0, -1}} {
		if err := storage.CheckRange(r[0], r[1]); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%v: %v; want ErrInvalid", r, err)
		}
	}
}

func TestSyncErrorUnwraps(t *testing.T) {
	err := error(&storage.SyncError{Op: "fsync", Path: "/x/y", Err: io.ErrShortWrite})
	if !errors.Is(err, io.ErrShortWrite) || !strings.Contains(err.Error(), "fsync /x/y: short write: the disk may have lost data") {
		t.Error(err)
	}
}
