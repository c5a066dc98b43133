package gpflow_test

import (
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// TestKeyHasher: bytes in pieces have the hash that they have together, after
// each piece.
func TestKeyHasher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h gpflow.KeyHasher
		var all []byte
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 100), 0, 8).Draw(t, "pieces") {
			piece := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "piece")
			if w, err := h.Write(piece); w != n || err != nil {
				t.Fatalf("%d bytes of %d: %v", w, n, err)
			}
			all = append(all, piece...)
			clear(piece)
			if got, want := h.Sum64(), xxhash.Sum64(all); got != want || gpflow.HashKey(all) != want {
				t.Fatalf("%d bytes have the hash %x, together %x; want %x", len(all), got, gpflow.HashKey(all), want)
			}
		}
		if len(all) == 0 && h.Sum64() != gpflow.HashKey(nil) {
			t.Fatal("nothing has another hash")
		}
	})
}
