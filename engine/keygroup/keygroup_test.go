package keygroup

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Every group has one owner, whose range holds it; ranges are contiguous and
// differ by at most one.
func TestOwnersAndRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, 1<<15).Draw(t, "groups")
		parallelism := rapid.IntRange(1, min(groups, 1024)).Draw(t, "parallelism")
		next, small, large := 0, groups, 0
		for i := range parallelism {
			from, to := Range(i, groups, parallelism)
			if from != next || to <= from {
				t.Fatalf("subtask %d owns [%d, %d), want it to begin at %d and hold a group", i, from, to, next)
			}
			for g := from; g < to; g++ {
				if o := Owner(g, groups, parallelism); o != i {
					t.Fatalf("Owner(%d) = %d, but it is in the range of %d", g, o, i)
				}
			}
			next, small, large = to, min(small, to-from), max(large, to-from)
		}
		if next != groups || large-small > 1 {
			t.Fatalf("ranges end at %d of %d, and hold %d to %d groups", next, groups, small, large)
		}
	})
}

func TestGroupsAscendWithTheHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, 1<<15).Draw(t, "groups")
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		ga, gb := Of(a, groups), Of(b, groups)
		if ga < 0 || gb >= groups || ga > gb {
			t.Fatalf("Of(%d) = %d, Of(%d) = %d of %d groups", a, ga, b, gb, groups)
		}
	})
}

// The mapping is part of every checkpoint: these values never change.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		hash          uint64
		groups, group int
	}{
		{0, 1024, 0},
		{1<<54 - 1, 1024, 0},
		{1 << 54, 1024, 1},
		{math.MaxUint64, 1024, 1023},
		{0xEF46DB3751D8E999, 1024, 957}, // the key of no columns
		{0xEF46DB3751D8E999, 7, 6},
		{math.MaxUint64, 1, 0},
	} {
		if g := Of(c.hash, c.groups); g != c.group {
			t.Errorf("Of(%#x, %d) = %d, want %d", c.hash, c.groups, g, c.group)
		}
	}
	for _, c := range []struct{ index, from, to int }{{0, 0, 342}, {1, 342, 683}, {2, 683, 1024}} {
		if from, to := Range(c.index, 1024, 3); from != c.from || to != c.to {
			t.Errorf("Range(%d, 1024, 3) = [%d, %d), want [%d, %d)", c.index, from, to, c.from, c.to)
		}
	}
}

// The least hash of a group is in it, and the one before is not.
func TestLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, 1<<15).Draw(t, "groups")
		g := rapid.IntRange(0, groups-1).Draw(t, "group")
		least := Least(g, groups)
		if Of(least, groups) != g || g > 0 && Of(least-1, groups) != g-1 || g == 0 && least != 0 {
			t.Fatalf("Least(%d, %d) = %d, of group %d", g, groups, least, Of(least, groups))
		}
	})
}
