package task_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// moment is a row of a split, and the watermark behind it.
type moment struct {
	split string
	time  gpflow.Timestamp
	mark  gpflow.Timestamp // MinTimestamp: none is placed here
}

// batchOf returns rows of the given times.
func batchOf(s *gpflow.Schema, times []gpflow.Timestamp) *gpflow.Batch {
	w := gpflow.NewBuilder(s)
	for _, t := range times {
		w.Row(t)
	}
	return w.TakeAlways()
}

// story draws the order in which the rows of some splits are read, with the
// marks that belong there: behind each 32nd row of a split, where the lowest
// of the splits' watermarks has moved.
func story(t *rapid.T, disorder gpflow.Duration) (splits []string, rows []moment) {
	splits = []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "splits")]
	count, latest, marks := map[string]int{}, map[string]gpflow.Timestamp{}, map[string]gpflow.Timestamp{}
	for _, s := range splits {
		latest[s], marks[s] = gpflow.MinTimestamp, gpflow.MinTimestamp
	}
	now := gpflow.MinTimestamp
	for range rapid.IntRange(1, 12).Draw(t, "runs") {
		s := rapid.SampledFrom(splits).Draw(t, "split")
		for range rapid.IntRange(1, 80).Draw(t, "run") {
			m := moment{s, gpflow.Timestamp(rapid.IntRange(0, 1000).Draw(t, "time")), gpflow.MinTimestamp}
			count[s]++
			latest[s] = max(latest[s], m.time)
			if count[s]%32 == 0 {
				marks[s] = latest[s].Add(-disorder)
				low := gpflow.MaxTimestamp
				for _, m := range marks {
					low = min(low, m)
				}
				if low > now {
					now, m.mark = low, low
				}
			}
			rows = append(rows, m)
		}
	}
	return splits, rows
}

// TestMarksStandBySplitPosition: wherever the batches are cut.
func TestMarksStandBySplitPosition(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		disorder := gpflow.Duration(rapid.IntRange(0, 100).Draw(t, "disorder"))
		splits, rows := story(t, disorder)
		c := task.NewSplitClock(disorder, false)
		for _, s := range splits {
			c.Add(s)
		}
		c.Pending(false)
		for at := 0; at < len(rows); {
			to := at + 1
			for stop := at + rapid.IntRange(1, 100).Draw(t, "batch"); to < min(stop, len(rows)) && rows[to].split == rows[at].split; {
				to++
			}
			var times []gpflow.Timestamp
			var want []gpflow.Mark
			for i, m := range rows[at:to] {
				if times = append(times, m.time); m.mark != gpflow.MinTimestamp {
					want = append(want, gpflow.Mark{Row: i + 1, Time: m.mark})
				}
			}
			b := batchOf(s, times)
			c.Stamp(rows[at].split, b)
			if !slices.Equal(b.Marks, want) {
				t.Fatalf("rows %d to %d carry the marks %v, not %v", at, to, b.Marks, want)
			}
			at = to
		}
	})
}

// feed gives n rows at time at to a split and returns the last mark, or
// MinTimestamp.
func feed(c *task.SplitClock, split string, n int, at gpflow.Timestamp) gpflow.Timestamp {
	b := batchOf(numbers(), slices.Repeat([]gpflow.Timestamp{at}, n))
	c.Stamp(split, b)
	if len(b.Marks) == 0 {
		return gpflow.MinTimestamp
	}
	return b.Marks[len(b.Marks)-1].Time
}

func TestPendingSplitsHold(t *testing.T) {
	c := task.NewSplitClock(0, false)
	c.Add("a")
	if m := feed(c, "a", 100, 50); m != gpflow.MinTimestamp || c.Pause() {
		t.Errorf("a mark at %d while splits are pending", m)
	}
	c.Pending(false)
	if !c.Advance() || c.Watermark() != 50 {
		t.Errorf("at %d when none is pending", c.Watermark())
	}
	// A split that has been assigned, and has no mark yet, holds too.
	c.Add("b")
	if m := feed(c, "a", 32, 60); m != gpflow.MinTimestamp || c.Watermark() != 50 {
		t.Errorf("at %d while a split has not begun", c.Watermark())
	}
	if m := feed(c, "b", 32, 70); m != 60 {
		t.Errorf("at %d with splits at 60 and 70", m)
	}
	if !c.End("a") || c.Watermark() != 70 {
		t.Errorf("at %d after the split at 60 has ended", c.Watermark())
	}
}

// TestOrderedSplits: where splits promise ascending times in their order, only
// those being read count.
func TestOrderedSplits(t *testing.T) {
	c := task.NewSplitClock(5, true)
	c.Add("a")
	if m := feed(c, "a", 32, 50); m != 45 {
		t.Errorf("at %d while later splits are pending", m)
	}
	feed(c, "a", 3, 52)
	if !c.End("a") || c.Watermark() != 47 {
		t.Errorf("at %d at the end of the split", c.Watermark())
	}
	// One that has not begun does not hold, and does not set back.
	c.Add("b")
	c.Add("c")
	if m := feed(c, "b", 32, 60); m != 55 {
		t.Errorf("at %d in the second split", m)
	}
	if feed(c, "c", 32, 58); c.Watermark() != 55 {
		t.Errorf("at %d, and it was at 55", c.Watermark())
	}
}

func TestPauseTakesTheWatermark(t *testing.T) {
	c := task.NewSplitClock(10, false)
	c.Add("a")
	c.Pending(false)
	if c.Pause() {
		t.Error("a split without rows moves the watermark")
	}
	feed(c, "a", 3, 50)
	if !c.Pause() || c.Watermark() != 40 || c.Pause() {
		t.Errorf("at %d after a pause", c.Watermark())
	}
}

func TestIdleSplitsDoNotHold(t *testing.T) {
	c := task.NewSplitClock(0, false)
	c.Add("a")
	c.Add("b")
	c.Pending(false)
	feed(c, "a", 32, 50)
	if all, moved := c.Idle("b"); all || !moved || c.Watermark() != 50 {
		t.Errorf("all idle: %t, at %d", all, c.Watermark())
	}
	if all, moved := c.Idle("a"); !all || moved || c.Watermark() != 50 {
		t.Errorf("all idle: %t, at %d", all, c.Watermark())
	}
	// Rows make a split hold again. It cannot set the watermark back.
	if feed(c, "b", 32, 10); c.Watermark() != 50 {
		t.Errorf("at %d, and it was at 50", c.Watermark())
	}
	if m := feed(c, "b", 32, 90); m != 90 {
		t.Errorf("at %d with the only active split at 90", m)
	}
	if feed(c, "a", 31, 95); c.Watermark() != 90 {
		t.Errorf("at %d", c.Watermark())
	}
	if m := feed(c, "b", 32, 99); m != gpflow.MinTimestamp {
		t.Errorf("at %d with the other split back, at 50", m)
	}
	// Going idle takes the watermark: what a split had last does not wait for
	// its 32nd row.
	c = task.NewSplitClock(0, false)
	c.Add("a")
	c.Pending(false)
	feed(c, "a", 5, 70)
	if all, moved := c.Idle("a"); !all || !moved || c.Watermark() != 70 {
		t.Errorf("all idle: %t, at %d", all, c.Watermark())
	}
	// It does not matter which split goes idle first.
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		c = task.NewSplitClock(0, false)
		c.Add("a")
		c.Add("b")
		c.Pending(false)
		feed(c, "a", 5, 70)
		for _, s := range order {
			c.Idle(s)
		}
		if c.Watermark() != 70 {
			t.Errorf("at %d after %v have gone idle", c.Watermark(), order)
		}
	}
	// Idle splits do not make pending ones go away.
	c = task.NewSplitClock(0, false)
	c.Add("a")
	if all, _ := c.Idle("a"); all {
		t.Error("all is idle, and splits are pending")
	}
}

func TestEndOfTheOnlySplit(t *testing.T) {
	c := task.NewSplitClock(0, false)
	c.Add("a")
	c.Pending(false)
	feed(c, "a", 32, 50)
	if c.End("a") || c.Watermark() != 50 {
		t.Errorf("at %d without a split: whether more come is not known", c.Watermark())
	}
}

// TestRowsWithoutTime place no marks.
func TestRowsWithoutTime(t *testing.T) {
	c := task.NewSplitClock(0, false)
	c.Add("a")
	c.Pending(false)
	if m := feed(c, "a", 100, gpflow.MinTimestamp); m != gpflow.MinTimestamp || c.Pause() {
		t.Errorf("a mark at %d", m)
	}
}
