//go:build !race

package state

import (
	"slices"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

// What a checkpoint may cost with a million keys. The machine may be busy with
// other things: the limit of a freeze is for half of them, and that of a restore
// for the time of the processor.
func TestSpeedOfAMillionKeys(t *testing.T) {
	m, keys := filled(t, 1_000_000)
	p := m.Panes("p")
	for at := range gpflow.Timestamp(4) {
		for _, k := range keys[:50_000] {
			p.Upsert(at+1, k.key, k.hash)
		}
	}
	var times []time.Duration
	for range 100 {
		for i := 0; i < len(keys); i += 1000 {
			p.Upsert(0, keys[i].key, keys[i].hash)
		}
		begin := time.Now()
		f := m.Freeze(true)
		times = append(times, time.Since(begin))
		f.Release()
		m.Aborted(f)
	}
	slices.Sort(times)
	t.Logf("freeze: p50 %v, p99 %v", times[50], times[98])
	if times[50] > time.Millisecond {
		t.Errorf("half of the freezes take %v or more", times[50])
	}

	f := m.Freeze(true)
	full := encoded(t, f)
	m.Completed(f)
	for i := range len(keys) / 100 {
		k := &keys[uint32(i)*2654435761%uint32(len(keys))]
		row, _ := p.Upsert(0, k.key, k.hash)
		row[1] = gpflow.Int(int64(i))
	}
	f = m.Freeze(false)
	delta := encoded(t, f)
	share := float64(len(delta)) / float64(len(full))
	t.Logf("full: %d bytes, delta of 1 in 100 keys: %d bytes, %.2f%%", len(full), len(delta), 100*share)
	if !f.Delta() || share > 0.05 {
		t.Errorf("a delta: %v; its share: %.4f", f.Delta(), share)
	}

	r, _ := New(m.groups, m.from, m.to, m.descs)
	begin := cpuTime()
	if err := r.Restore([][]byte{full, delta}); err != nil {
		t.Fatal(err)
	}
	spent := cpuTime() - begin
	t.Logf("restore: %v of a processor", spent)
	if spent > time.Second {
		t.Errorf("a restore takes %v of a processor", spent)
	}
}
