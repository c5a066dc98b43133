package state

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// TestEncodingGivesTurns: with one processor, others run while a large state is
// being encoded, and not only when the scheduler takes the processor away.
func TestEncodingGivesTurns(t *testing.T) {
	const keys = 50_000
	m, _ := filled(t, keys)
	f := m.Freeze(true)
	defer f.Release()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns atomic.Int64
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; !over.Load(); turns.Add(1) {
			runtime.Gosched()
		}
	}()
	if _, err := f.Encode(); err != nil {
		t.Fatal(err)
	}
	got := turns.Load()
	over.Store(true)
	<-done
	if want := int64(2 * keys / YieldEvery / 2); got < want {
		t.Errorf("another goroutine had %d turns, want %d or more", got, want)
	}
}

// TestEncodingRests: whoever encodes rests at every other yield, and less often where
// that has been many times.
func TestEncodingRests(t *testing.T) {
	const keys = 50_000
	m, _ := filled(t, keys)
	rests := 0
	m.Rest(YieldEvery, func() { rests++ })
	f := m.Freeze(true)
	defer f.Release()
	if _, err := f.Encode(); err != nil {
		t.Fatal(err)
	}
	if want := 2 * keys / YieldEvery / restEvery; rests != want {
		t.Errorf("%d rests, want %d", rests, want)
	}
	e := &encoder{f: f}
	rests = 0
	for range (manyRests*restEvery + 100*restSeldom) * YieldEvery {
		e.yield()
	}
	if rests < manyRests+98 || rests > manyRests+100 {
		t.Errorf("%d rests of a long one, want about %d", rests, manyRests+100)
	}
}
