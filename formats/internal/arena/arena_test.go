package arena_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/formats/internal/arena"
)

// TestKeep fills slices of all sizes and finds them unchanged at the end.
func TestKeep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arena.Arena[int]
		var kept [][]int
		for i := range rapid.IntRange(0, 60).Draw(t, "slices") {
			n := rapid.SampledFrom([]int{0, 1, 3, 63, 64, 65, 500, 3000}).Draw(t, "room")
			s := a.Room(n)
			if len(s) != 0 || cap(s) < n {
				t.Fatalf("Room(%d) has length %d and capacity %d", n, len(s), cap(s))
			}
			for range rapid.IntRange(0, n).Draw(t, "used") {
				s = append(s, i)
			}
			if rapid.Bool().Draw(t, "keep") {
				kept = append(kept, append(a.Keep(s), -1)[:len(s)])
				for j := range s {
					if s[j] != i {
						t.Fatal("a slice changed as it was kept")
					}
				}
			}
		}
		for _, s := range kept {
			for _, v := range s {
				if v != s[0] {
					t.Fatalf("a kept slice has changed: %v", s)
				}
			}
		}
	})
}

func TestAllocations(t *testing.T) {
	var a arena.Arena[byte]
	for range 1000 {
		a.Keep(append(a.Room(20), "0123456789"...))
	}
	if n := testing.AllocsPerRun(10000, func() { a.Keep(append(a.Room(20), "0123456789"...)) }); n > 0.01 {
		t.Errorf("%v allocations a slice", n)
	}
}
