package state

import (
	"testing"

	"github.com/gpflow/gpflow"
)

// While the index grows bit by bit, each key that was added is found, no other is,
// and no insertion places many.
func TestIndexGrows(t *testing.T) {
	for _, mask := range []uint64{1<<64 - 1, 0x000F_FFFF_000F_FFFF} {
		p := newTable(0, true)
		var key []byte
		growing := 0
		for i := range uint64(190_000) {
			key = intKey(key[:0], i)
			before, narrow := p.placed, p.narrow
			e, ok := p.find(key, gpflow.HashKey(key)&mask)
			if ok {
				t.Fatalf("key %d is entry %d before it is added", i, e)
			}
			p.insert(key, gpflow.HashKey(key)&mask)
			if narrow != nil {
				growing++
				if p.placed-before > movedEach {
					t.Fatalf("an insertion has placed %d entries", p.placed-before)
				}
			}
			for _, k := range []uint64{i, i / 2, 0, i * 7919 % (i + 1)} {
				key = intKey(key[:0], k)
				if e, ok := p.find(key, gpflow.HashKey(key)&mask); !ok || e != int(k) {
					t.Fatalf("key %d of %d is entry %d, %v", k, i, e, ok)
				}
			}
		}
		if p.narrow != nil || growing < 10_000 {
			t.Errorf("the index grew during %d insertions; it is growing: %v", growing, p.narrow != nil)
		}
	}
}
