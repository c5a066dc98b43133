package task

import (
	"time"

	"github.com/gpflow/gpflow"
)

// Idleness finds the splits of a subtask that have had no rows for long. The
// time during which downstream had no room does not count: nothing could be
// read then.
type Idleness struct {
	after   gpflow.Duration // 0: never
	last    map[string]time.Time
	blocked time.Time // zero: not blocked
}

// NewIdleness returns the idleness of splits that are silent after a time; 0
// is never.
func NewIdleness(after gpflow.Duration) *Idleness {
	return &Idleness{after: after, last: make(map[string]time.Time)}
}

// Add begins a split.
func (d *Idleness) Add(split string, now time.Time) { d.last[split] = now }

// Forget ends a split.
func (d *Idleness) Forget(split string) { delete(d.last, split) }

// Rows takes note that a split had rows.
func (d *Idleness) Rows(split string, now time.Time) {
	if d.after > 0 {
		d.last[split] = now
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
	if d.blocked.IsZero() {
		return
	}
	lost := now.Sub(d.blocked)
	d.blocked = time.Time{}
	for s, t := range d.last {
		d.last[s] = t.Add(lost)
	}
}

// Silent returns the splits that have been silent for long, and the time until
// the next one will have been, 0 where there is none.
func (d *Idleness) Silent(now time.Time) (splits []string, next gpflow.Duration) {
	if d.after == 0 {
		return nil, 0
	}
	for s, t := range d.last {
		left := d.after - gpflow.Duration(now.Sub(t).Microseconds())
		if left <= 0 {
			splits = append(splits, s)
		} else if next == 0 || left < next {
			next = left
		}
	}
	return splits, next
}
