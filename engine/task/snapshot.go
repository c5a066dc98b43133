package task

import (
	"fmt"

	"github.com/gpflow/gpflow"
)

// Snapshot is what a task is behind a barrier, but for the keyed state of its
// operators: what it knows of each, by address. How the operators are spread
// over tasks is not part of it.
type Snapshot map[string]OperatorState

// OperatorState is what the task knows of one operator.
type OperatorState struct {
	Mark   gpflow.Timestamp   `json:"mark"`             // the last one that it was given
	Timers []gpflow.Timestamp `json:"timers,omitempty"` // asked for, and not yet due
	// The ledger: what became of its rows, how many came in, and how many left
	// by each port.
	Counts  gpflow.Counts `json:"counts"`
	Taken   int64         `json:"taken"`
	Emitted []int64       `json:"emitted"`
}

// Snapshot returns what the task is. It is to be called from OnBarrier, or when
// the task has ended.
func (t *Task) Snapshot() Snapshot {
	s := make(Snapshot, len(t.links))
	for _, l := range t.links {
		o := OperatorState{Mark: l.mark, Taken: l.taken, Emitted: append([]int64(nil), l.emitted...)}
		o.Timers = append(o.Timers, l.timers...)
		if l.firing {
			o.Timers = append(o.Timers, l.due)
		}
		if l.Out != nil {
			o.Counts = l.Out.Counts
		}
		s[l.ID] = o
	}
	return s
}

// Restore makes the task what s says, before its first Step; the operators have
// their keyed state already. Everybody downstream is told how far time has come,
// which they have not kept by channel.
func (t *Task) Restore(s Snapshot) error {
	if head, ok := s[t.links[0].ID]; ok && t.bug != WatermarkNotRestored {
		t.clock.now = max(t.clock.now, head.Mark)
	}
	for _, l := range t.links {
		o, ok := s[l.ID]
		if !ok {
			continue
		}
		if t.bug == WatermarkNotRestored {
			o.Mark = gpflow.MinTimestamp
		}
		if t.bug != TimersNotRestored {
			l.timers = append(l.timers, o.Timers...)
		}
		l.taken = o.Taken
		copy(l.emitted, o.Emitted)
		if err := l.resume(o.Mark); err != nil {
			return fmt.Errorf("%s: %w", l.ID, err)
		}
		if l.Out != nil {
			l.Out.Counts = o.Counts
		}
	}
	return nil
}

// resume gives the operator the mark that it had come to, and sends it on.
func (l *Link) resume(mark gpflow.Timestamp) error {
	if mark == gpflow.MinTimestamp {
		return nil
	}
	l.come(mark)
	if l.onMark != nil {
		l.limit(gpflow.MinTimestamp)
		done, err := l.onMark.OnMark(mark, l.Out)
		if err != nil {
			return err
		}
		for p := range l.Children {
			if w := l.Out.Port(p); w != nil && w.Len() > 0 {
				done = false
			}
		}
		if !done {
			return fmt.Errorf("what was restored has still to be emitted at %s, which had been reached", mark)
		}
	}
	if mark != gpflow.MaxTimestamp {
		mark = mark.Add(-l.Hold)
	}
	for p, children := range l.Children {
		for _, c := range children { // which may have come less far
			w := l.Out.Port(p)
			w.Mark(mark)
			c.accept(w.Take())
		}
	}
	for _, outputs := range l.Outputs {
		for _, o := range outputs {
			o.Mark(mark)
		}
	}
	return nil
}
