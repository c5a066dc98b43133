package sim

import (
	"github.com/gpflow/gpflow"
)

// rowOp is an operator that keeps nothing.
type rowOp struct {
	kind string
	sub  gpflow.Subtask
}

// Process implements gpflow.Operator.
func (o rowOp) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		row := in.Row(i)
		if !o.keeps(row) {
			out.Filter(1)
			continue
		}
		made := out.Row(in, i)
		if o.kind == lateOp {
			made[0], made[1], made[2], made[3] = row[1], gpflow.Int(int64(row[3].Time())), gpflow.Int(0), row[2]
			continue
		}
		copy(made, row)
		if o.kind == incOp {
			made[2] = gpflow.Int(row[2].Int() + 1)
		}
	}
	return in.To, nil
}

// keeps reports whether a row goes on.
func (o rowOp) keeps(row []gpflow.Value) bool {
	switch o.kind {
	case dropOp:
		return row[2].Int()%7 != 0
	case shareOp:
		return row[1].Int()%int64(o.sub.Parallelism) == int64(o.sub.Index)
	case evenOp:
		return row[1].Int()%2 == 0
	case oddOp:
		return row[1].Int()%2 != 0
	}
	return true
}

// window counts and sums by key in tumbling windows. A pane is a window, named
// by its start.
type window struct {
	size  gpflow.Timestamp
	panes gpflow.Panes
	key   []byte
}

// windowState declares what a window keeps.
func windowState() []gpflow.StateDescriptor {
	return []gpflow.StateDescriptor{{
		Name: "windows", Kind: "panes", Version: 1,
		Key: gpflow.NewSchema(gpflow.Column{Name: "key", Type: gpflow.T(gpflow.KindInt)}),
		Value: gpflow.NewSchema(
			gpflow.Column{Name: "count", Type: gpflow.T(gpflow.KindInt).Opt()},
			gpflow.Column{Name: "sum", Type: gpflow.T(gpflow.KindInt).Opt()},
		),
	}}
}

// Process implements gpflow.Operator.
func (w *window) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		start := in.Time(i) - in.Time(i)%w.size
		if start+w.size <= in.Bound {
			out.LateRow(in, i)
			continue
		}
		row := in.Row(i)
		w.key = gpflow.AppendKey(w.key[:0], row[1])
		acc, _ := w.panes.Upsert(start, w.key, gpflow.HashKey(w.key))
		acc[0], acc[1] = gpflow.Int(acc[0].Int()+1), gpflow.Int(acc[1].Int()+row[2].Int())
		out.Absorb(1)
	}
	return in.To, nil
}

// OnMark implements gpflow.MarkHandler.
func (w *window) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	for {
		start, ok := w.panes.First()
		if !ok || start+w.size > t {
			return true, nil
		}
		if out.Full() {
			return false, nil
		}
		for c := (gpflow.Cursor{}); ; {
			next, key, acc, ok := w.panes.Next(start, c)
			if !ok {
				break
			}
			c = next
			row := out.Create(start + w.size - 1)
			row[0], row[1], row[2], row[3] = gpflow.Int(keyInt(key)), gpflow.Int(int64(start)), acc[0], acc[1]
		}
		w.panes.Drop(start)
	}
}

// NextMark implements gpflow.MarkStepper.
func (w *window) NextMark() gpflow.Timestamp {
	start, ok := w.panes.First()
	if !ok {
		return gpflow.MaxTimestamp
	}
	return start + w.size
}

// keyInt returns the number that AppendKey has written.
func keyInt(key []byte) int64 {
	n := uint64(0)
	for _, b := range key[1:] {
		n = n<<8 | uint64(b)
	}
	return int64(n ^ 1<<63)
}

// hold keeps each row for a time of the clock. A pane is a row, named by the
// time at which it goes on.
type hold struct {
	delay gpflow.Duration
	now   func() gpflow.Timestamp
	timer func(gpflow.Timestamp)
	panes gpflow.Panes
	key   []byte
}

// holdState declares what a hold keeps.
func holdState() []gpflow.StateDescriptor {
	value := gpflow.NewSchema(append(windowSchema().Columns[1:], gpflow.Column{Name: "time", Type: gpflow.T(gpflow.KindInt)})...)
	for i := range value.Columns {
		value.Columns[i].Type = value.Columns[i].Type.Opt()
	}
	return []gpflow.StateDescriptor{{Name: "rows", Kind: "panes", Version: 1, Key: windowState()[0].Key, Value: value}}
}

// Process implements gpflow.Operator.
func (h *hold) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		row := in.Row(i)
		h.key = gpflow.AppendKey(h.key[:0], row[0])
		at := h.now().Add(h.delay)
		hash := gpflow.HashKey(h.key)
		kept, fresh := h.panes.Upsert(at, h.key, hash)
		for !fresh {
			at++
			kept, fresh = h.panes.Upsert(at, h.key, hash)
		}
		copy(kept, row[1:])
		kept[3] = gpflow.Int(int64(in.Time(i)))
		h.timer(at)
		out.Absorb(1)
	}
	return in.To, nil
}

// OnTimer implements gpflow.TimerHandler.
func (h *hold) OnTimer(now gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	for {
		at, ok := h.panes.First()
		if !ok || at > now {
			return true, nil
		}
		if out.Full() {
			return false, nil
		}
		for c := (gpflow.Cursor{}); ; {
			next, key, kept, ok := h.panes.Next(at, c)
			if !ok {
				break
			}
			c = next
			row := out.Create(gpflow.Timestamp(kept[3].Int()))
			row[0] = gpflow.Int(keyInt(key))
			copy(row[1:], kept[:3])
		}
		h.panes.Drop(at)
	}
}

// OnMark implements gpflow.MarkHandler: at the end, nothing is waited for.
func (h *hold) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
	if t < gpflow.MaxTimestamp {
		return true, nil
	}
	return h.OnTimer(t, out)
}

// overdue reports whether a row should have gone on.
func (h *hold) overdue(now gpflow.Timestamp) bool {
	at, ok := h.panes.First()
	return ok && at <= now
}
