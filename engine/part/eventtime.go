package part

import (
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
)

// eventTimes gives the rows of a source their event time, from a column.
type eventTimes struct {
	slot      int // -1: rows have no event time
	column    string
	maxFuture gpflow.Duration  // -1: no limit
	until     gpflow.Timestamp // rows of that time or later are left out; MaxTimestamp: none
	ending    gpflow.Timestamp // a split ends at its first row of that time or later; MaxTimestamp: none does
	good      *gpflow.Builder  // for the rows of a batch that has others
}

func newEventTimes(s *gpflow.Schema, e *plan.EventTime) *eventTimes {
	t := &eventTimes{slot: -1, maxFuture: -1, until: gpflow.MaxTimestamp, ending: gpflow.MaxTimestamp}
	if e != nil {
		t.slot, t.column, t.maxFuture = s.Index(e.Column), e.Column, e.MaxFuture
		t.good = gpflow.NewBuilder(s)
		if e.Until != nil {
			t.until, t.ending = *e.Until, e.Until.Add(e.OutOfOrder)
		}
	}
	return t
}

var errNoTime = errors.New("the event time is null, and a record of this source needs one")

// latest is the latest event time that is taken for one.
func (e *eventTimes) latest(now time.Time) gpflow.Timestamp {
	if e.maxFuture < 0 {
		return gpflow.MaxTimestamp
	}
	return gpflow.Timestamp(now.UnixMicro()).Add(e.maxFuture)
}

// end returns the row of b at which its split ends, b.N where it does not.
func (e *eventTimes) end(b *gpflow.Batch, now time.Time) int {
	if e.ending == gpflow.MaxTimestamp {
		return b.N
	}
	latest := e.latest(now)
	for i := range b.N {
		if v := b.Row(i)[e.slot]; !v.IsNull() && v.Time() >= e.ending && v.Time() <= latest {
			return i
		}
	}
	return b.N
}

// stamp sets the times of the first n rows of b, and returns it without the rows
// behind them, those that are left out, whose number it returns too, and those
// that have no time, which are given to fail; nil where no row is left.
func (e *eventTimes) stamp(b *gpflow.Batch, n int, now time.Time, fail func(*gpflow.Batch, int, error) error) (kept *gpflow.Batch, left int, err error) {
	if e.slot < 0 {
		return b, 0, nil
	}
	latest := e.latest(now)
	w := len(b.Schema.Columns)
	bad := n < b.N
	for i, s := 0, e.slot; i < b.N; i, s = i+1, s+w {
		v := b.Slab[s]
		b.Times[i] = v.Time()
		bad = bad || v.IsNull() || v.Time() > latest || v.Time() >= e.until
	}
	if !bad {
		return b, 0, nil
	}
	for i := range n {
		v := b.Row(i)[e.slot]
		var err error
		switch {
		case v.IsNull():
			b.Times[i] = gpflow.MinTimestamp
			err = &gpflow.RecordError{Code: "no_event_time", Err: fmt.Errorf("field %s: %w", e.column, errNoTime)}
		case v.Time() > latest:
			err = &gpflow.RecordError{Code: "future", Err: fmt.Errorf(
				"field %s: the event time %s is more than max_future ahead of the clock; raise max_future if such a time is right", e.column, v.Time())}
		case v.Time() >= e.until:
			left++
			continue
		default:
			e.good.AppendFrom(b, i)
			continue
		}
		if err := fail(b, i, err); err != nil {
			return nil, left, err
		}
	}
	kept = e.good.Take()
	b.Release()
	return kept, left, nil
}
