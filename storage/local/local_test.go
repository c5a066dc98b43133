package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// opened opens a store, and closes it when the test ends.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return opened(t, t.TempDir()) })
}

func TestConformanceWithoutLinks(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		s, err := open(t.TempDir(), func(root *os.Root) disk { return linkless{rooted{root}} })
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return s
	})
}

func TestOpenMakesTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x", "y", "z")
	s := opened(t, dir)
	must(t, s.Put(t.Context(), "a/b", []byte("x")))
	if s.Dir() != dir {
		t.Errorf("it is in %s; want %s", s.Dir(), dir)
	}
	if runtime.GOOS == "windows" {
		return // where modes are not what is meant
	}
	for name, want := range map[string]fs.FileMode{
		"../..": dirMode, "..": dirMode, ".": dirMode, "a": dirMode, "a/b": fileMode,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v; want %v", name, info.Mode(), want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, fileMode))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if s, err := Open(dir); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%v, %v", s, err)
		}
	}
}

func TestOpenExisting(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenExisting(filepath.Join(dir, "none")); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	temp := filepath.Join(dir, tempPrefix+"0-1")
	must(t, os.WriteFile(temp, nil, fileMode))
	s, err := OpenExisting(dir)
	must(t, err)
	defer s.Close()
	if objects, err := s.List(t.Context(), ""); err != nil || len(objects) != 0 {
		t.Error(objects, err)
	}
	if len(leftovers(t, dir)) != 1 {
		t.Error("it has removed something")
	}
}

// TestNothingButTheDirectory: names and links lead nowhere else, and what else
// lies in the directory is no object.
func TestNothingButTheDirectory(t *testing.T) {
	top := t.TempDir()
	outside, dir := filepath.Join(top, "outside"), filepath.Join(top, "store")
	must(t, os.Mkdir(outside, dirMode))
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), fileMode))
	s := opened(t, dir)
	for name, to := range map[string]string{"dir": outside, "rel": "../outside", "file": filepath.Join(outside, "secret")} {
		must(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	for _, name := range []string{"not an object", ".hidden", "~"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), fileMode))
	}
	must(t, os.MkdirAll(filepath.Join(dir, ".hidden.d", "a"), dirMode))
	for _, name := range []string{"dir/secret", "rel/secret", "file"} {
		if data, err := s.Get(t.Context(), name); err == nil || data != nil {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	for _, name := range []string{"dir/new", "rel/new", "dir/secret", "rel/secret"} {
		if err := s.Put(t.Context(), name, []byte("x")); err == nil {
			t.Errorf("%s was put", name)
		}
		if err := s.PutIfAbsent(t.Context(), name, []byte("x")); err == nil {
			t.Errorf("%s was put", name)
		}
		s.Remove(t.Context(), name)
	}
	if objects, err := s.List(t.Context(), ""); err != nil || len(objects) != 0 {
		t.Error(objects, err)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
	data, err := os.ReadFile(filepath.Join(outside, "secret"))
	if err != nil || string(data) != "secret" {
		t.Errorf("%q, %v", data, err)
	}
	// A link in the place of an object is replaced, and not followed.
	must(t, s.Put(t.Context(), "file", []byte("x")))
	if data, err := s.Get(t.Context(), "file"); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestOpenRemovesNothingElse: a store may be opened in a directory that has other
// things in it, and removes what a dead store has left, and nothing else.
func TestOpenRemovesNothingElse(t *testing.T) {
	dir := t.TempDir()
	const dead = "0123456789abcdef"
	theirs := []string{"inbox/today/", ".tmp-mine", ".tmp-mine-1", ".tmp-" + dead, ".tmp-" + dead + "-", ".tmp-" + dead + "-1.txt", ".live-mine", "kept/.tmp-notes"}
	ours := []string{".live-" + dead, ".tmp-" + dead + "-1", "a/b/.tmp-" + dead + "-12", "kept/.tmp-" + dead + "-3"}
	for _, name := range slices.Concat(theirs, ours) {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), dirMode))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, dirMode))
		} else {
			must(t, os.WriteFile(path, nil, fileMode))
		}
	}
	s := opened(t, dir)
	unlock, err := s.Lock()
	must(t, err)
	must(t, unlock())
	for _, name := range theirs {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("it has removed what is not its own: %v", err)
		}
	}
	for _, name := range append(ours, "a/b", "a") {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, which a dead store has left, is there: %v", name, err)
		}
	}
}

func TestEmptyDirectoriesGo(t *testing.T) {
	s := opened(t, t.TempDir())
	must(t, s.Put(t.Context(), "a/b/c/d", nil))
	must(t, s.Put(t.Context(), "a/x", nil))
	must(t, s.Remove(t.Context(), "a/b/c/d"))
	if _, err := os.Stat(filepath.Join(s.Dir(), "a", "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a/b is there: %v", err)
	}
	must(t, s.Remove(t.Context(), "a/x"))
	if _, err := os.Stat(filepath.Join(s.Dir(), "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a is there: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s, err := Open(t.TempDir())
	must(t, err)
	must(t, s.Put(t.Context(), "a", nil))
	must(t, s.Close())
	must(t, s.Close())
	_, get := s.Get(t.Context(), "a")
	for _, err := range []error{get, s.Put(t.Context(), "a", nil), s.Remove(t.Context(), "a")} {
		if !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), "the store has been closed") {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(s.Dir())
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v; want the object", left, err)
	}
}

func TestObjectsAboveAndBelow(t *testing.T) {
	s := opened(t, t.TempDir())
	must(t, s.Put(t.Context(), "a/b", nil))
	for _, name := range []string{"a", "a/b/c"} {
		for _, err := range []error{s.Put(t.Context(), name, nil), s.PutIfAbsent(t.Context(), name, nil)} {
			if err == nil || errors.Is(err, storage.ErrExists) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if temps := leftovers(t, s.Dir()); len(temps) > 0 {
		t.Errorf("left: %v", temps)
	}
}

func TestLock(t *testing.T) {
	s := opened(t, t.TempDir())
	unlock, err := s.Lock()
	must(t, err)
	for _, other := range []*Store{s, opened(t, s.Dir())} {
		_, err := other.Lock()
		var held *HeldError
		if !errors.As(err, &held) || held.Holder.PID != os.Getpid() || held.Dir != s.Dir() {
			t.Errorf("%v; want a HeldError with this process", err)
		}
	}
	must(t, s.Put(t.Context(), "a", nil))
	must(t, unlock())
	must(t, unlock())
	unlock, err = s.Lock()
	must(t, err)
	must(t, unlock())
	if objects, err := s.List(t.Context(), ""); err != nil || len(objects) != 1 {
		t.Error(objects, err)
	}
}

// Who has the lock is told without asking for it, and not of one that is gone.
func TestHolder(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	none := func(when string) {
		t.Helper()
		if h, held := s.Holder(); held {
			t.Errorf("%s it is held by %v", when, h)
		}
	}
	none("before it is locked")
	unlock, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	h, held := s.Holder()
	if !held || h.PID != os.Getpid() || h.Command == "" {
		t.Errorf("it is held by %v: %v", h, held)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	none("when it has been unlocked")
	for _, dead := range []Holder{{PID: 1 << 30, Host: h.Host}, {PID: h.PID, Host: h.Host, Command: "another program"}, {PID: h.PID, Host: h.Host + "2"}, {PID: -1, Host: h.Host}} {
		data, err := json.Marshal(dead)
		if err == nil {
			err = os.WriteFile(s.path(lockName), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		none(fmt.Sprintf("of %+v", dead))
	}
}

func TestNamesAreLockedUntilCancelled(t *testing.T) {
	s, err := open(t.TempDir(), func(root *os.Root) disk { return linkless{rooted{root}} })
	must(t, err)
	defer s.Close()
	unlock, err := s.lockNames(t.Context())
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.PutIfAbsent(ctx, "a", nil) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	unlock()
	must(t, s.PutIfAbsent(t.Context(), "a", nil))
}
