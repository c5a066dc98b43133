package checkpoint

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// State that comes in pieces lies in an object for each, and is read in order;
// changes in pieces follow it. Where the pieces fail, the error says whose they
// are, and nothing becomes current.
func TestPieces(t *testing.T) {
	store := newMemStore()
	k, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	must(t, k.Fresh(t.Context(), "ab", "x"))
	var none *NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Fatal(err)
	}
	part := Part{Kind: Task, Name: "t"}
	given := func(pieces ...string) func(func([]byte) error) error {
		return func(give func([]byte) error) error {
			for _, p := range pieces {
				if err := give([]byte(p)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	must(t, k.Store(t.Context(), &Manifest{ID: 1, KeyGroups: 1}, map[Part]Snapshot{part: {Pieces: given("one", "", "two")}}))
	if k.Written() != 6 {
		t.Errorf("%d bytes were written", k.Written())
	}
	must(t, k.Store(t.Context(), &Manifest{ID: 2, KeyGroups: 1}, map[Part]Snapshot{part: {Pieces: given("three"), Delta: true}}))
	broken := errors.New("broken")
	failing := func(give func([]byte) error) error { return errors.Join(give([]byte("four")), broken) }
	err = k.Store(t.Context(), &Manifest{ID: 3, KeyGroups: 1}, map[Part]Snapshot{part: {Pieces: failing}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), part.String()) {
		t.Errorf("the error is %v", err)
	}
	m := mustCurrent(t, k)
	if m.ID != 2 {
		t.Fatalf("checkpoint %d is current", m.ID)
	}
	all, err := k.Segments(t.Context(), *m.Part(part))
	must(t, err)
	var got []string
	for i, b := range all {
		got = append(got, string(b))
		if one := opened(t, memView{memStore: store}, m.Part(part).Segments[i]); string(one) != string(b) {
			t.Errorf("segment %d is %q", i, one)
		}
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("the segments are %q, want %q", got, want)
	}
	must(t, k.Store(t.Context(), &Manifest{ID: 4, KeyGroups: 1}, map[Part]Snapshot{part: {Pieces: given("five")}}))
	must(t, k.Retain(t.Context(), 1))
	for name := range store.objects {
		if strings.Contains(name, "/segments/") && !strings.Contains(name, "0000000004") {
			t.Errorf("%s is there still", name)
		}
	}
}
