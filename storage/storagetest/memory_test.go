package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return storagetest.NewMemory() })
}

var ctx = context.Background()

// text returns what an object is, or what kind of error there is.
func text(s storage.Store, name string) string {
	data, err := s.Get(ctx, name)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "(absent)"
	case err != nil:
		return err.Error()
	}
	return string(data)
}

func want(t *testing.T, s storage.Store, name, want string) {
	t.Helper()
	if got := text(s, name); got != want {
		t.Errorf("%s is %q; want %q", name, got, want)
	}
}

func TestWritesFail(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.Halfway, storagetest.After} {
		for _, op := range []storagetest.Op{storagetest.Put, storagetest.PutIfAbsent, storagetest.Remove} {
			for _, keep := range []bool{false, true} {
				t.Run(fmt.Sprint(when, " ", op, " ", keep), func(t *testing.T) {
					old, becomes := "old", "new"
					m := storagetest.NewMemory()
					if op == storagetest.PutIfAbsent {
						old = "(absent)"
					} else if err := m.Put(ctx, "a", []byte(old)); err != nil {
						t.Fatal(err)
					}
					m.Fail(storagetest.Fault{When: when})
					var err error
					switch op {
					case storagetest.Put:
						err = m.Put(ctx, "a", []byte(becomes))
					case storagetest.PutIfAbsent:
						err = m.PutIfAbsent(ctx, "a", []byte(becomes))
					case storagetest.Remove:
						becomes = "(absent)"
						err = m.Remove(ctx, "a")
					}
					var sync *storage.SyncError
					if !errors.Is(err, storagetest.ErrInjected) || errors.As(err, &sync) != (when == storagetest.Halfway) {
						t.Errorf("failed with %v", err)
					}
					seen, lasting := becomes, becomes
					if when == storagetest.Before {
						seen, lasting = old, old
					}
					if when == storagetest.Halfway && !keep {
						lasting = old
					}
					want(t, m, "a", seen)
					m.Crash(func(string) bool { return keep })
					want(t, m, "a", lasting)
				})
			}
		}
	}
}

func TestFaultsCount(t *testing.T) {
	m := storagetest.NewMemory()
	m.Fail(storagetest.Fault{Skip: 1, Times: 2})
	m.Fail(storagetest.Fault{Times: -1, Err: io.ErrClosedPipe, Match: func(op storagetest.Op, name string) bool {
		return op == storagetest.Get && strings.HasPrefix(name, "d/")
	}})
	for i, ok := range []bool{true, false, false, true, true} {
		if err := m.Put(ctx, fmt.Sprint(i), nil); (err == nil) != ok {
			t.Errorf("write %d: %v", i, err)
		}
	}
	for range 3 {
		if _, err := m.Get(ctx, "d/e"); !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), `get "d/e"`) {
			t.Error(err)
		}
		want(t, m, "a", "(absent)")
	}
	if m.Ops() != 11 {
		t.Errorf("%d operations; want 11", m.Ops())
	}
	m.Heal()
	want(t, m, "d/e", "(absent)")
}

func TestReadsFailWithNothing(t *testing.T) {
	m := storagetest.NewMemory()
	if err := m.Put(ctx, "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	m.Fail(storagetest.Fault{When: storagetest.After, Times: 3, Match: func(storagetest.Op, string) bool { return true }})
	if data, err := m.Get(ctx, "a"); err == nil || data != nil {
		t.Error(data, err)
	}
	if data, err := m.GetRange(ctx, "a", 0, 1); err == nil || data != nil {
		t.Error(data, err)
	}
	if objects, err := m.List(ctx, ""); err == nil || objects != nil {
		t.Error(objects, err)
	}
	want(t, m, "a", "x")
}

func TestFull(t *testing.T) {
	m := storagetest.NewMemory()
	m.SetCapacity(10)
	for _, write := range []struct {
		name, data string
		full       bool
	}{
		{"a", "123456", false},
		{"b", "12345", true},
		{"b", "1234", false},
		{"c", "1", true},
		{"c", "", false},
		{"a", "654321", false},
		{"a", "1", false},
		{"c", "12345", false},
	} {
		if err := m.Put(ctx, write.name, []byte(write.data)); errors.Is(err, storagetest.ErrFull) != write.full {
			t.Errorf("%v: %v", write, err)
		}
	}
	if err := m.Remove(ctx, "b"); err != nil {
		t.Error(err)
	}
	if err := m.PutIfAbsent(ctx, "d", []byte("1234")); err != nil {
		t.Errorf("after something was removed: %v", err)
	}
	m.Heal()
	if err := m.Put(ctx, "e", make([]byte, 1000)); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func TestUnsafe(t *testing.T) {
	m := storagetest.NewMemory()
	put := func(name, data string) {
		if err := m.Put(ctx, name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "safe")
	put("d", "safe")
	m.SetUnsafe(true)
	put("a", "unsafe")
	put("b", "")
	put("c", "kept")
	if err := m.Remove(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	if objects, err := m.List(ctx, ""); len(objects) != 3 || err != nil {
		t.Errorf("%v, %v; want a, b and c", objects, err)
	}
	var asked []string
	m.Crash(func(name string) bool {
		asked = append(asked, name)
		return name == "c"
	})
	if fmt.Sprint(asked) != "[a b c d]" {
		t.Errorf("asked for %v", asked)
	}
	want(t, m, "a", "safe")
	want(t, m, "b", "(absent)")
	want(t, m, "c", "kept")
	want(t, m, "d", "safe")
	put("a", "synced")
	m.Sync()
	m.Crash(nil)
	want(t, m, "a", "synced")
}

func TestTamper(t *testing.T) {
	m := storagetest.NewMemory()
	if err := m.Put(ctx, "a", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	whole := m.Clone()
	if !m.Tamper("a", func(data []byte) []byte { data[0] ^= 1; return data[:3] }) {
		t.Error("a is not there")
	}
	want(t, m, "a", "vho")
	want(t, whole, "a", "whole")
	if m.Tamper("b", func([]byte) []byte { return []byte("x") }) {
		t.Error("b is there")
	}
	m.Tamper("a", func([]byte) []byte { return nil })
	want(t, m, "a", "(absent)")
}

func TestConflictingNames(t *testing.T) {
	m := storagetest.NewMemory()
	if err := m.Put(ctx, "a/b", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a/b/c"} {
		if err := m.PutIfAbsent(ctx, name, nil); err == nil || errors.Is(err, storage.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.Put(ctx, "a/bc", nil); err != nil {
		t.Error(err)
	}
}
