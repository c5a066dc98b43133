// Package storagetest has the tests that every implementation of storage.Store
// must pass, and Memory, a store in memory that fails when it is told to.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// Run tests an implementation. open returns a store that is empty, and closes it
// when the test it is given ends.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, one := range []struct {
		name string
		test func(h harness)
	}{
		{"names", names},
		{"refused names", refusedNames},
		{"sizes", sizes},
		{"replace", replace},
		{"absent", absent},
		{"put if absent", putIfAbsent},
		{"remove", remove},
		{"list", list},
		{"list of nothing", listOfNothing},
		{"ranges", ranges},
		{"data are the caller's", ownership},
		{"cancelled", cancelled},
		{"one wins", oneWins},
		{"one wins, and nobody reads half", oneWinsWhole},
		{"no half objects", noHalfObjects},
		{"directories come and go", comeAndGo},
	} {
		t.Run(one.name, func(t *testing.T) {
			one.test(harness{t, t.Context(), open(t)})
		})
	}
}

// harness is a test and its store.
type harness struct {
	*testing.T
	ctx   context.Context
	store storage.Store
}

func (h harness) put(name string, data []byte) {
	h.Helper()
	if err := h.store.Put(h.ctx, name, data); err != nil {
		h.Fatalf("put %q: %v", name, err)
	}
}

// want compares an object, and what List says of it.
func (h harness) want(name string, data []byte) {
	h.Helper()
	got, err := h.store.Get(h.ctx, name)
	if err != nil || !bytes.Equal(got, data) {
		h.Errorf("get %q: %s, %v; want %s", name, brief(got), err, brief(data))
	}
	objects, err := h.store.List(h.ctx, name)
	if want := (storage.Object{Name: name, Size: int64(len(data))}); err != nil || !slices.Contains(objects, want) {
		h.Errorf("list %q: %v, %v; want %v in it", name, objects, err, want)
	}
}

// wantNone wants that there is no object of a name.
func (h harness) wantNone(name string) {
	h.Helper()
	if got, err := h.store.Get(h.ctx, name); !errors.Is(err, storage.ErrNotFound) || got != nil {
		h.Errorf("get %q: %s, %v; want ErrNotFound", name, brief(got), err)
	}
	if got, err := h.store.GetRange(h.ctx, name, 0, 1); !errors.Is(err, storage.ErrNotFound) || got != nil {
		h.Errorf("get a range of %q: %s, %v; want ErrNotFound", name, brief(got), err)
	}
	objects, err := h.store.List(h.ctx, name)
	if err != nil || slices.ContainsFunc(objects, func(o storage.Object) bool { return o.Name == name }) {
		h.Errorf("list %q: %v, %v; want it not to be there", name, objects, err)
	}
}

// wantList wants the names that List returns for a prefix.
func (h harness) wantList(prefix string, want ...string) {
	h.Helper()
	objects, err := h.store.List(h.ctx, prefix)
	if err != nil {
		h.Errorf("list %q: %v", prefix, err)
	}
	var got []string
	for _, o := range objects {
		got = append(got, o.Name)
	}
	if !slices.Equal(got, want) {
		h.Errorf("list %q: %q; want %q", prefix, got, want)
	}
}

// wantError wants an error, and that it names what it is about.
func (h harness) wantError(what string, err, want error, name string) {
	h.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
		h.Errorf("%s %q: %v; want one that wraps %q and has the name", what, name, err, want)
	}
}

// brief returns the beginning of data, for a message.
func brief(data []byte) string {
	if len(data) <= 32 {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%q... (%d bytes)", data[:32], len(data))
}

// pattern returns data in which each position is recognised.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 2654435761 >> 11)
	}
	return data
}
