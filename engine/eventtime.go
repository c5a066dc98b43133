package engine

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
	maxFuture gpflow.Duration // -1: no limit
	now       func() time.Time
	good      *gpflow.Builder // for the rows of a batch that has bad ones
}

func newEventTimes(s *gpflow.Schema, e *plan.EventTime) *eventTimes {
	t := &eventTimes{slot: -1, maxFuture: -1, now: time.Now}
	if e != nil {
		t.slot, t.column, t.maxFuture = s.Index(e.Column), e.Column, e.MaxFuture
		t.good = gpflow.NewBuilder(s)
	}
	return t
}

var errNoTime = errors.New("the event time is null, and a record of this source needs one")

// stamp sets the times of b, and returns it without the rows that have none,
// which are given to fail; nil where no row is left.
func (e *eventTimes) stamp(b *gpflow.Batch, fail func(*gpflow.Batch, int, error) error) (*gpflow.Batch, error) {
	if e.slot < 0 {
		return b, nil
	}
	latest := gpflow.MaxTimestamp
	if e.maxFuture >= 0 {
		latest = gpflow.Timestamp(e.now().UnixMicro()).Add(e.maxFuture)
	}
	w := len(b.Schema.Columns)
	bad := false
	for i, s := 0, e.slot; i < b.N; i, s = i+1, s+w {
		v := b.Slab[s]
		b.Times[i] = v.Time()
		bad = bad || v.IsNull() || v.Time() > latest
	}
	if !bad {
		return b, nil
	}
	for i := range b.N {
		v := b.Row(i)[e.slot]
		var err error
		switch {
		case v.IsNull():
			b.Times[i] = gpflow.MinTimestamp
			err = &gpflow.RecordError{Code: "no_event_time", Err: fmt.Errorf("field %s: %w", e.column, errNoTime)}
		case v.Time() > latest:
			err = &gpflow.RecordError{Code: "future", Err: fmt.Errorf(
				"field %s: the event time %s is more than max_future ahead of the clock; raise max_future if such a time is right", e.column, v.Time())}
		default:
			e.good.AppendFrom(b, i)
			continue
		}
		if err := fail(b, i, err); err != nil {
			return nil, err
		}
	}
	out := e.good.Take()
	b.Release()
	return out, nil
}
