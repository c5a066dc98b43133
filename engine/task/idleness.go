package task

import (
	"time"

	"github.com/gpflow/gpflow"
)

// Idleness finds the splits of a subtask that have had no rows for long. The
// time during which downstream had no room does not count: nothing could be
// read then.
type Idleness struct {
	after   gpflow.Duration      // 0: never
	last    map[string]time.Time // of the splits that are not silent, less what had been lost by then
	due     time.Time            // none of them is silent before, likewise
	blocked time.Time            // zero: not blocked
	lost    time.Duration        // while blocked
}

// NewIdleness returns the idleness of splits that are silent after a time; 0
// is never.
func NewIdleness(after gpflow.Duration) *Idleness {
	return &Idleness{after: after, last: make(map[string]time.Time)}
}

// Never reports whether no split is ever silent.
func (d *Idleness) Never() bool { return d.after == 0 }

// Add begins a split.
func (d *Idleness) Add(split string, now time.Time) { d.Rows(split, now) }

// Forget ends a split.
func (d *Idleness) Forget(split string) { delete(d.last, split) }

// Rows takes note that a split had rows.
func (d *Idleness) Rows(split string, now time.Time) {
	if d.after > 0 {
		d.last[split] = now.Add(-d.lost)
	}
}

// Block takes note that nothing can be read.
func (d *Idleness) Block(now time.Time) {
	if d.blocked.IsZero() {
		d.blocked = now
	}
}

// Unblock takes note that reading goes on.
func (d *Idleness) Unblock(now time.Time) {
	if !d.blocked.IsZero() {
		d.lost += now.Sub(d.blocked)
		d.blocked = time.Time{}
	}
}

// Silent returns the splits that have been silent for long, each once until it has
// rows again, and the time until the next one may have been, 0 where there is none.
func (d *Idleness) Silent(now time.Time) (splits []string, next gpflow.Duration) {
	if len(d.last) == 0 {
		return nil, 0
	}
	now = now.Add(-d.lost)
	if left := gpflow.Duration(d.due.Sub(now).Microseconds()); left > 0 {
		return nil, left
	}
	for s, t := range d.last {
		left := d.after - gpflow.Duration(now.Sub(t).Microseconds())
		if left <= 0 {
			splits = append(splits, s)
			delete(d.last, s)
		} else if next == 0 || left < next {
			next = left
		}
	}
	d.due = now.Add(time.Duration(next) * time.Microsecond)
	return splits, next
}
