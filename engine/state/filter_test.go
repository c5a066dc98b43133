package state

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

// What was added may always have been, however much memory there is.
func TestFilterForgetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := rapid.SampledFrom([]int{0, 64, 1000, 1 << 20}).Draw(t, "memory")
		atFirst := rapid.IntRange(0, 100).Draw(t, "first")
		mask := rapid.SampledFrom([]uint64{1<<64 - 1, 0xFFFF, 0xF000_0000_0000_0003}).Draw(t, "mask")
		var f filter
		taken := 0
		keys := uint64(rapid.IntRange(0, 3000).Draw(t, "keys"))
		for i := range keys {
			hash := gpflow.HashKey(intKey(nil, i)) & mask
			f.add(hash, atFirst, func(bytes int) bool {
				if taken+bytes > memory {
					return false
				}
				taken += bytes
				return true
			})
		}
		for i := range keys {
			if !f.has(gpflow.HashKey(intKey(nil, i)) & mask) {
				t.Fatalf("key %d has not been added", i)
			}
		}
		if f.bytes() != taken {
			t.Fatalf("it holds %d bytes, and has taken %d", f.bytes(), taken)
		}
	})
}

// Of keys that were not added, few may have been; a key takes 12 bits, and the last
// stage may be half empty; and keys that come again take nothing.
func TestFilterIsNarrow(t *testing.T) {
	const keys = 300_000
	// The key groups of a subtask are a part of all hashes.
	hash := func(i int) uint64 { return gpflow.HashKey(intKey(nil, uint64(i))) >> 2 }
	var f filter
	for i := range 2 * keys {
		f.add(hash(i%keys), 10_000, func(int) bool { return true })
	}
	wrong := 0
	for i := range keys {
		if f.has(hash(keys + i)) {
			wrong++
		}
	}
	t.Logf("%d stages, %d bytes for %d keys; %.2f%% of others may have been added", len(f.stages), f.bytes(), keys, 100*float64(wrong)/keys)
	if wrong > keys/50 || f.bytes() > keys*filterBits/8*22/10 {
		t.Error("that is too much")
	}
}

func BenchmarkFilter(b *testing.B) {
	const keys = 2_000_000
	var f filter
	for i := range uint64(keys) {
		f.add(gpflow.HashKey(intKey(nil, i)), 100_000, func(int) bool { return true })
	}
	var key []byte
	for i := range b.N {
		key = intKey(key[:0], uint64(keys+i))
		f.has(gpflow.HashKey(key))
	}
}
