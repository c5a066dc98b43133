package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/storage/local"
)

// TestHeld: a checkpoint that is looked at can be read though the run that goes on
// removes it; one that has been removed is not opened by half.
func TestHeld(t *testing.T) {
	store, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	k, err := checkpoint.Open(t.Context(), store)
	if err == nil {
		err = k.Fresh(t.Context(), "ab", "x")
	}
	if err != nil {
		t.Fatal(err)
	}
	var none *checkpoint.NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Fatal(err)
	}
	part := checkpoint.Part{Kind: checkpoint.Task, Name: "t"}
	save := func(m *checkpoint.Manifest, text string) {
		t.Helper()
		m.KeyGroups = 1
		err := k.Store(t.Context(), m, map[checkpoint.Part]checkpoint.Snapshot{part: {State: []byte(text)}})
		if err == nil {
			err = k.Retain(t.Context(), 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	save(&checkpoint.Manifest{ID: 1}, "what it was")
	m, err := k.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := hold(t.Context(), store, m)
	if err != nil {
		t.Fatal(err)
	}
	save(&checkpoint.Manifest{ID: 2}, "what it is")
	save(&checkpoint.Manifest{ID: 3}, "what it will be")
	ref := m.Part(part).Segments[0]
	if _, err := store.Get(t.Context(), ref.Object); err == nil {
		t.Fatal("it has not been removed")
	}
	r, err := h.open(ref)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "what it was" {
		t.Errorf("it is %q, %v", b, err)
	}
	if err := h.close(); err != nil {
		t.Error(err)
	}
	var damaged *checkpoint.Damaged
	if _, err := hold(t.Context(), store, m); !errors.As(err, &damaged) || !strings.HasPrefix(err.Error(), "read checkpoint 1: the state of task t/0: "+ref.Object) {
		t.Errorf("when it is removed: %v", err)
	}
}
