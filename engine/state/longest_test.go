//go:build !race

package state

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/state/spill"
)

var stateMemory = flag.Int("state.memory", 1, "the `MiB` of memory in the test of the longest Upsert, whose state is ten times that")

// countingDisk counts what is written.
type countingDisk struct {
	Disk
	rows, runs *int
}

func (d countingDisk) Writer() (DiskWriter, error) {
	w, err := d.Disk.Writer()
	return countingWriter{w, d}, err
}

type countingWriter struct {
	DiskWriter
	disk countingDisk
}

func (w countingWriter) Add(key, value []byte) error {
	*w.disk.rows++
	return w.DiskWriter.Add(key, value)
}

func (w countingWriter) Commit() error {
	*w.disk.runs++
	return w.DiskWriter.Commit()
}

// However much memory there is, and however much has to leave it, one Upsert writes
// a few rows and ends a few runs. First come all keys, then as many that come back,
// while checkpoints are taken. How long the longest took is for the eye.
func TestUpsertWritesFewRows(t *testing.T) {
	memory := int64(*stateMemory) << 20
	s, err := spill.Open(t.TempDir(), memory)
	if err != nil {
		t.Fatal(err)
	}
	rows, runs := 0, 0
	b := NewBudget(memory, func() (Disk, error) { return countingDisk{testDisk{s}, &rows, &runs}, nil })
	m, err := New(64, 0, 64, []gpflow.StateDescriptor{textDesc()})
	if err != nil {
		t.Fatal(err)
	}
	m.Limit(b)
	const perKey = 100 + valueSize + rowOverhead + 9
	keys := int(10 * memory / perKey)
	text := gpflow.String(strings.Repeat("x", 100))
	var key []byte
	var frozen *Frozen
	var times []time.Duration
	most, mostRuns, held := 0, 0, int64(0)
	begin := time.Now()
	for i := range 2 * keys {
		k := i
		if i >= keys {
			k = int(uint64(i) * 0x9E3779B97F4A7C15 % uint64(keys))
		}
		key = intKey(key[:0], uint64(k))
		hash := gpflow.HashKey(key)
		rows, runs = 0, 0
		from := time.Now()
		row, fresh := m.Panes("text").Upsert(0, key, hash)
		if took := time.Since(from); took > time.Millisecond {
			times = append(times, took)
		}
		most, mostRuns, held = max(most, rows), max(mostRuns, runs), max(held, b.Held())
		if fresh != (i < keys) {
			t.Fatalf("key %d is fresh: %v", k, fresh)
		}
		row[0] = text
		switch i % (keys / 5) {
		case keys / 10:
			frozen = m.Freeze(false)
		case keys / 8:
			frozen.Release()
			m.Aborted(frozen)
		}
	}
	slices.Sort(times)
	spent := time.Since(begin)
	t.Logf("%d keys, %d MiB of memory: one Upsert writes %d rows at most; %d took more than 1ms, the longest %v; %.0f/s; %d MiB held",
		keys, memory>>20, most, len(times), times[max(0, len(times)-5):], float64(2*keys)/spent.Seconds(), held>>20)
	if limit := 2 * eachStep / perKey; most > limit || mostRuns > 2 {
		t.Errorf("one Upsert writes %d rows, want %d at most, and ends %d runs", most, limit, mostRuns)
	}
	if held > memory {
		t.Errorf("%d bytes are held, more than %d", held, memory)
	}
	m.Leave()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
