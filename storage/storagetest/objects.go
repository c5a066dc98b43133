package storagetest

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/gpflow/gpflow/storage"
)

func names(h harness) {
	all := []string{
		"a", "A9", "b.c", "b..d", "-", "_", "0", "tmp", "d/e/f/g/h/i", "d/e.f", "d/-",
		strings.Repeat("x", storage.MaxPart),
		strings.Repeat(strings.Repeat("y", 99)+"/", 7) + strings.Repeat("z", 100),
	}
	for i, name := range all {
		h.put(name, []byte{byte(i)})
	}
	for i, name := range all {
		h.want(name, []byte{byte(i)})
	}
}

func refusedNames(h harness) {
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".a", "a/.b", "a.",
		"a b", "a\\b", "C:a", "a\x00b", "a\nb", "ä", "a*", "~a/$b", strings.Repeat("x", storage.MaxPart+1),
	} {
		_, get := h.store.Get(h.ctx, name)
		_, getRange := h.store.GetRange(h.ctx, name, 0, 1)
		for what, err := range map[string]error{
			"put":           h.store.Put(h.ctx, name, []byte("x")),
			"put if absent": h.store.PutIfAbsent(h.ctx, name, []byte("x")),
			"get":           get,
			"get a range":   getRange,
			"remove":        h.store.Remove(h.ctx, name),
		} {
			if !errors.Is(err, storage.ErrInvalid) {
				h.Errorf("%s %q: %v; want ErrInvalid", what, name, err)
			}
		}
	}
	for _, prefix := range []string{"/", "//", "a//", "/a", "..", "../", "a/.", "a b"} {
		if _, err := h.store.List(h.ctx, prefix); !errors.Is(err, storage.ErrInvalid) {
			h.Errorf("list %q: %v; want ErrInvalid", prefix, err)
		}
	}
	h.put("a", []byte("x"))
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {math.MinInt64, math.MinInt64}} {
		if _, err := h.store.GetRange(h.ctx, "a", r[0], r[1]); !errors.Is(err, storage.ErrInvalid) {
			h.Errorf("get the range %v: %v; want ErrInvalid", r, err)
		}
	}
	h.wantList("", "a")
}

func sizes(h harness) {
	for _, n := range []int{0, 1, 4095, 4096, 4097, 1 << 20, 9<<20 + 1} {
		h.put("put", pattern(n))
		h.want("put", pattern(n))
		if err := h.store.PutIfAbsent(h.ctx, "added", pattern(n)); err != nil {
			h.Error(err)
		}
		h.want("added", pattern(n))
		if err := h.store.Remove(h.ctx, "added"); err != nil {
			h.Error(err)
		}
	}
	h.put("nil", nil)
	h.want("nil", nil)
}

func replace(h harness) {
	for _, data := range []string{"first", "a longer second", "3rd", ""} {
		h.put("a/b", []byte(data))
		h.want("a/b", []byte(data))
	}
	h.wantList("", "a/b")
}

func absent(h harness) {
	h.put("a", []byte("x"))
	h.put("d/e", []byte("y"))
	for _, name := range []string{"b", "aa", "d", "d/f", "d/e1", "x/y/z"} {
		h.wantNone(name)
		_, err := h.store.Get(h.ctx, name)
		h.wantError("get", err, storage.ErrNotFound, name)
	}
}

func putIfAbsent(h harness) {
	if err := h.store.PutIfAbsent(h.ctx, "d/e", []byte("first")); err != nil {
		h.Fatal(err)
	}
	h.wantError("put if absent", h.store.PutIfAbsent(h.ctx, "d/e", []byte("second")), storage.ErrExists, "d/e")
	h.want("d/e", []byte("first"))
	h.put("d/e", []byte("third"))
	h.wantError("put if absent", h.store.PutIfAbsent(h.ctx, "d/e", nil), storage.ErrExists, "d/e")
	h.want("d/e", []byte("third"))
	if err := h.store.Remove(h.ctx, "d/e"); err != nil {
		h.Fatal(err)
	}
	if err := h.store.PutIfAbsent(h.ctx, "d/e", nil); err != nil {
		h.Errorf("after it was removed: %v", err)
	}
	h.want("d/e", nil)
	h.wantError("put if absent", h.store.PutIfAbsent(h.ctx, "d/e", []byte("x")), storage.ErrExists, "d/e")
}

func remove(h harness) {
	h.put("a", []byte("x"))
	h.put("d/e/f", []byte("y"))
	h.put("d/e/g", []byte("z"))
	for _, name := range []string{"nothing", "d", "d/e", "d/e/h", "x/y", "d/e/f", "d/e/f", "a"} {
		if err := h.store.Remove(h.ctx, name); err != nil {
			h.Errorf("remove %q: %v", name, err)
		}
	}
	h.wantNone("a")
	h.wantNone("d/e/f")
	h.wantList("", "d/e/g")
	h.put("d/e/f", []byte("again"))
	h.want("d/e/f", []byte("again"))
}

func list(h harness) {
	for _, name := range []string{"b/c/d", "a/b", "ab", "a0", "a-b", "a/c/d", "a.b", "B", "b.c/d"} {
		h.put(name, []byte(name))
	}
	h.put("a_", nil)
	all := []string{"B", "a-b", "a.b", "a/b", "a/c/d", "a0", "a_", "ab", "b.c/d", "b/c/d"}
	h.wantList("", all...)
	h.wantList("a", all[1:8]...)
	h.wantList("a/", "a/b", "a/c/d")
	h.wantList("a/b", "a/b")
	h.wantList("a/b/")
	h.wantList("a/c", "a/c/d")
	h.wantList("a/c/", "a/c/d")
	h.wantList("ab", "ab")
	h.wantList("ab/")
	h.wantList("abc")
	h.wantList("b", "b.c/d", "b/c/d")
	h.wantList("b/", "b/c/d")
	h.wantList("b/c/d/e")
	h.wantList("c")
	h.wantList("x/y/z/")
	objects, err := h.store.List(h.ctx, "")
	for _, o := range objects {
		if want := int64(len(o.Name)); o.Size != want && o.Name != "a_" {
			h.Errorf("%s has %d bytes; want %d", o.Name, o.Size, want)
		}
	}
	if err != nil {
		h.Error(err)
	}
}

func listOfNothing(h harness) {
	h.wantList("")
	h.wantList("a")
	h.wantList("a/")
	h.put("a/b", nil)
	if err := h.store.Remove(h.ctx, "a/b"); err != nil {
		h.Fatal(err)
	}
	h.wantList("")
}

func ranges(h harness) {
	data := pattern(10_000)
	h.put("d/e", data)
	h.put("empty", nil)
	n := int64(len(data))
	for _, r := range [][2]int64{
		{0, 0},
		{0, 1},
		{0, n - 1},
		{0, n},
		{0, n + 1},
		{0, math.MaxInt64},
		{1, 4096},
		{4095, 2},
		{n - 1, 1},
		{n - 1, 2},
		{n, 0},
		{n, 1},
		{n + 1, 1},
		{n - 1, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64},
	} {
		from := min(r[0], n)
		want := data[from : from+min(r[1], n-from)]
		got, err := h.store.GetRange(h.ctx, "d/e", r[0], r[1])
		if err != nil || string(got) != string(want) {
			h.Errorf("the range %v: %s, %v; want %s", r, brief(got), err, brief(want))
		}
		got, err = h.store.GetRange(h.ctx, "empty", r[0], r[1])
		if err != nil || len(got) != 0 {
			h.Errorf("the range %v of nothing: %s, %v", r, brief(got), err)
		}
	}
}

func ownership(h harness) {
	data := []byte("before")
	h.put("a", data)
	copy(data, "change")
	h.want("a", []byte("before"))
	copy(data, "second")
	if err := h.store.PutIfAbsent(h.ctx, "b", data); err != nil {
		h.Fatal(err)
	}
	if string(data) != "second" {
		h.Errorf("the caller's data are %q", data)
	}
	copy(data, "change")
	h.want("b", []byte("second"))
	for range 2 {
		got, err := h.store.Get(h.ctx, "a")
		if err != nil || string(got) != "before" {
			h.Fatalf("%q, %v", got, err)
		}
		copy(got, "change")
		got, err = h.store.GetRange(h.ctx, "a", 2, 3)
		if err != nil || string(got) != "for" {
			h.Fatalf("%q, %v", got, err)
		}
		copy(got, "chg")
		_ = append(got, "xyz"...)
	}
	h.want("a", []byte("before"))
}

func cancelled(h harness) {
	h.put("a", []byte("x"))
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	_, get := h.store.Get(ctx, "a")
	_, getRange := h.store.GetRange(ctx, "a", 0, 1)
	_, list := h.store.List(ctx, "")
	for what, err := range map[string]error{
		"put":           h.store.Put(ctx, "a", []byte("y")),
		"put if absent": h.store.PutIfAbsent(ctx, "b", []byte("y")),
		"get":           get,
		"get a range":   getRange,
		"list":          list,
		"remove":        h.store.Remove(ctx, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			h.Errorf("%s: %v; want context.Canceled", what, err)
		}
	}
	h.want("a", []byte("x"))
	h.wantNone("b")
}
