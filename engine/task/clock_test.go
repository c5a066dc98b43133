package task

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

const (
	never = gpflow.MinTimestamp
	ever  = gpflow.MaxTimestamp
)

func TestClockIsTheMinimum(t *testing.T) {
	c := newClock(2)
	if c.now != never || c.observe(0, 10) || c.now != never {
		t.Errorf("at %d with one of two channels at 10", c.now)
	}
	if !c.observe(1, 5) || c.now != 5 {
		t.Errorf("at %d with channels at 10 and 5", c.now)
	}
	if c.observe(1, 3) || c.now != 5 {
		t.Errorf("at %d after a channel went back", c.now)
	}
	if c.observe(0, 20) || c.holder() != 1 {
		t.Errorf("at %d; channel %d holds", c.now, c.holder())
	}
	if !c.observe(1, 30) || c.now != 20 || c.holder() != 0 {
		t.Errorf("at %d with channels at 20 and 30; channel %d holds", c.now, c.holder())
	}
}

func TestClockWithoutIdleChannels(t *testing.T) {
	c := newClock(3)
	c.observe(0, 10)
	c.observe(1, 20)
	if !c.pause(2) || c.now != 10 {
		t.Errorf("at %d without the channel that has said nothing", c.now)
	}
	if !c.pause(0) || c.now != 20 || c.allIdle() {
		t.Errorf("at %d without the channel at 10", c.now)
	}
	if c.pause(1) || c.now != 20 || !c.allIdle() || c.holder() != -1 {
		t.Errorf("at %d with all channels idle", c.now)
	}
	// It comes back behind, and holds again.
	c.active(0)
	if c.observe(0, 12) || c.now != 20 || c.allIdle() || c.holder() != 0 {
		t.Errorf("at %d with a channel back at 12", c.now)
	}
	if !c.observe(0, 25) || c.now != 25 {
		t.Errorf("at %d with the only active channel at 25", c.now)
	}
}

// TestClockEnds: a channel that was stopped keeps its last watermark, and one
// that was read to its end holds nothing.
func TestClockEnds(t *testing.T) {
	c := newClock(2)
	c.observe(0, 10)
	c.end(0)
	c.observe(1, 30)
	if c.now != 10 || c.live != 1 {
		t.Errorf("at %d with a channel stopped at 10; %d live", c.now, c.live)
	}
	c.end(0)
	if c.live != 1 {
		t.Errorf("a channel ended twice, and %d live", c.live)
	}
	c = newClock(2)
	c.observe(0, ever)
	c.end(0)
	if !c.observe(1, 30) || c.now != 30 {
		t.Errorf("at %d with a channel at its end", c.now)
	}
	if !c.observe(1, ever) || c.now != ever {
		t.Errorf("at %d with all channels at their end", c.now)
	}
}

// TestClockEndOfTime: the end of time has come when every channel says so, and
// not when those that do not are idle.
func TestClockEndOfTime(t *testing.T) {
	c := newClock(2)
	c.observe(0, 10)
	c.observe(1, 20)
	c.observe(0, ever)
	c.end(0)
	if c.now != 20 {
		t.Fatalf("at %d", c.now)
	}
	if c.pause(1) || c.now != 20 || !c.allIdle() {
		t.Errorf("at %d with one channel ended and the other idle", c.now)
	}
	c.active(1)
	if !c.observe(1, 40) || c.now != 40 {
		t.Errorf("at %d after the idle channel went on", c.now)
	}
	c.pause(1)
	if !c.observe(1, ever) || c.now != ever {
		t.Errorf("at %d at the end of all channels", c.now)
	}
}

// TestClockProperty: at every moment, the minimum over the channels that are
// not idle, or the latest of the idle ones where there are no others, as far as
// it has ever been.
func TestClockProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "channels")
		c := newClock(n)
		marks, idle, ended := make([]gpflow.Timestamp, n), make([]bool, n), make([]bool, n)
		for i := range marks {
			marks[i] = never
		}
		want := never
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			i := rapid.IntRange(0, n-1).Draw(t, "channel")
			if ended[i] {
				continue
			}
			moved, said := false, false
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0:
				idle[i] = true
				moved, said = c.pause(i), true
			case 1:
				ended[i] = true
				c.end(i)
			default:
				at := rapid.OneOf(rapid.Map(rapid.IntRange(0, 30), func(i int) gpflow.Timestamp { return gpflow.Timestamp(i) }), rapid.Just(ever)).Draw(t, "mark")
				marks[i], idle[i] = max(marks[i], at), false
				c.active(i)
				moved, said = c.observe(i, at), true
			}
			var holding, waiting []gpflow.Timestamp
			for j, m := range marks {
				if m == ever {
					continue
				}
				if idle[j] {
					waiting = append(waiting, m)
				} else {
					holding = append(holding, m)
				}
			}
			before := want
			switch {
			case holding != nil:
				want = max(want, slices.Min(holding))
			case waiting != nil:
				want = max(want, slices.Max(waiting))
			default:
				want = ever
			}
			if c.now != want || said && moved != (want > before) {
				t.Fatalf("at %d (moved %t) with channels at %v, idle %v; want %d", c.now, moved, marks, idle, want)
			}
		}
	})
}
