package spill

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func memory(t testing.TB) *Store {
	t.Helper()
	s, err := InMemory()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write writes the rows of a map.
func write(s *Store, rows map[string]string) error {
	w, err := s.Writer()
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(rows)) {
		if err := w.Add([]byte(k), []byte(rows[k])); err != nil {
			w.Discard()
			return err
		}
	}
	return w.Commit()
}

// reader is a Store or a View.
type reader interface {
	Get(dst, key []byte) ([]byte, bool, error)
	Scan(from, to []byte, f func(key, value []byte) bool) error
}

// equal compares what a reader has with a map.
func equal(r reader, want map[string]string) error {
	got := make(map[string]string)
	var last string
	err := r.Scan([]byte("k"), []byte("l"), func(key, value []byte) bool {
		if string(key) <= last {
			last = "disorder"
		}
		last = string(key)
		got[last] = string(value)
		return true
	})
	if err != nil || !maps.Equal(got, want) || last == "disorder" {
		return fmt.Errorf("a scan gives %v, %v, want %v", got, err, want)
	}
	for n := range 40 {
		k := fmt.Sprintf("k%02d", n)
		v, ok, err := r.Get([]byte("."), []byte(k))
		if w, known := want[k]; err != nil || ok != known || string(v) != "."+w {
			return fmt.Errorf("Get(%s) = %q, %v, %v, want %q, %v", k, v, ok, err, w, known)
		}
	}
	return nil
}

// What was written and removed is there and gone, now and in views taken before.
func TestStoreEqualsMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := InMemory()
		if err != nil {
			t.Fatal(err)
		}
		type seen struct {
			*View
			rows map[string]string
		}
		var views []seen
		rows := make(map[string]string)
		key := func(n int) string { return fmt.Sprintf("k%02d", n) }
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				from := rapid.IntRange(0, 39).Draw(t, "from")
				to := rapid.IntRange(from+1, 40).Draw(t, "to")
				if err := s.Remove([]byte(key(from)), []byte(key(to))); err != nil {
					t.Fatal(err)
				}
				maps.DeleteFunc(rows, func(k, _ string) bool { return k >= key(from) && k < key(to) })
			case 1:
				views = append(views, seen{s.View(), maps.Clone(rows)})
			default:
				run := make(map[string]string)
				for range rapid.IntRange(0, 8).Draw(t, "rows") {
					run[key(rapid.IntRange(0, 39).Draw(t, "key"))] = fmt.Sprint(step)
				}
				if err := write(s, run); err != nil {
					t.Fatal(err)
				}
				maps.Copy(rows, run)
			}
		}
		for _, v := range append(views, seen{nil, rows}) {
			r := reader(s)
			if v.View != nil {
				r = v
			}
			if err := equal(r, v.rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			v.Close()
		}
	})
}

// A run that is discarded, or that is empty or in disorder, adds nothing, and
// leaves no file behind.
func TestNothingIsAdded(t *testing.T) {
	s := memory(t)
	w, err := s.Writer()
	if err = errors.Join(err, w.Add([]byte("k01"), nil)); err != nil {
		t.Fatal(err)
	}
	w.Discard()
	w.Discard()
	if err := write(s, nil); err != nil {
		t.Error(err)
	}
	if w, err = s.Writer(); err != nil || w.Add([]byte("k02"), nil) != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Add([]byte("k01"), nil), w.Commit()); err == nil {
		t.Error("a run in disorder is no error")
	}
	if err := equal(s, nil); err != nil {
		t.Error(err)
	}
	if names, _ := s.fs.List(s.dir); slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, tableSuffix) }) {
		t.Errorf("there are files: %q", names)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// full is a disk on which nothing more can be written.
type full struct {
	vfs.FS
	now *bool
}

func (f full) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	inner, err := f.FS.Create(name, c)
	return fullFile{inner, f.now}, err
}

type fullFile struct {
	vfs.File
	now *bool
}

func (f fullFile) Write(b []byte) (int, error) {
	if *f.now {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(b)
}

// A full disk is an error that says where, and what to do. What was there before
// stays.
func TestDiskFull(t *testing.T) {
	now := false
	s, err := open("place", full{vfs.NewMem(), &now}, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{"k01": "a", "k07": "b"}
	if err := write(s, rows); err != nil {
		t.Fatal(err)
	}
	now = true
	err = write(s, map[string]string{"k01": strings.Repeat("c", 1<<20)})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "place") || !strings.Contains(err.Error(), "make room") {
		t.Errorf("the error is %v", err)
	}
	if err := equal(s, rows); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Many runs over the same keys are merged, and whoever waits for that goes on. What
// has been written is there all the time.
func TestManyRuns(t *testing.T) {
	s := memory(t)
	rows := make(map[string]string)
	for n := range 100 {
		for k := range 40 {
			rows[fmt.Sprintf("k%02d", k)] = fmt.Sprint(n)
		}
		if err := errors.Join(write(s, rows), s.Wait()); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 {
			if err := equal(s, rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	for s.unmerged() > mostRuns {
		if err := s.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(equal(s, rows), s.Close()); err != nil {
		t.Error(err)
	}
}

// A failure in the background is met by whoever writes next.
func TestBackgroundFails(t *testing.T) {
	s := memory(t)
	s.fail(syscall.EIO)
	_, err := s.Writer()
	for _, err := range []error{err, s.Wait()} {
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "make room") {
			t.Errorf("the error is %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Open empties the directory, only rows lie in it, and Close removes it.
func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "left"), bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(s, map[string]string{"k01": "a"}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), tableSuffix) {
		t.Errorf("the directory has %v, %v", entries, err)
	}
	if s.Bytes() <= 0 {
		t.Error("the rows take no space")
	}
	v := s.View()
	v.Close()
	v.Close()
	if _, _, err := v.Get(nil, []byte("k01")); err == nil {
		t.Error("a view that has been closed is read")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there still: %v", err)
	}
}
