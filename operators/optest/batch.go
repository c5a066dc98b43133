package optest

import (
	"fmt"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// Split is the name of the split that the rows of a case come from.
const Split = "optest"

// batch is an input batch whose memory can be overwritten.
type batch struct {
	*gpflow.Batch
	input int
	steps []Step   // the rows
	text  [][]byte // what strings and bytes point to
	lists [][]gpflow.Value
	maps  [][]gpflow.Entry
}

// batches cuts steps into batches of at most size rows, or as few as possible
// where size is 0. A batch holds rows of one input, and the marks behind them.
func batches(in []*gpflow.Schema, steps []Step, size int) []*batch {
	var all []*batch
	var b *batch
	var w *gpflow.Builder
	position := int64(0)
	flush := func() {
		if b != nil {
			b.Batch = w.Take()
			all = append(all, b)
			b = nil
		}
	}
	for _, s := range steps {
		if b != nil && (s.Input != b.input || s.Values != nil && w.Len() > 0 && w.Len() == size) {
			flush()
		}
		if b == nil {
			b, w = &batch{input: s.Input}, gpflow.NewBuilder(in[s.Input])
		}
		if s.Values == nil {
			w.Mark(s.Time)
			continue
		}
		row := w.Row(s.Time)
		for i, v := range s.Values {
			row[i] = b.share(v)
		}
		if s.at > 0 {
			position = s.at - 1
		}
		w.Place(Split, position, position+1)
		position++
		b.steps = append(b.steps, s)
	}
	flush()
	return all
}

// share returns a copy of v in memory that poison overwrites.
func (b *batch) share(v gpflow.Value) gpflow.Value {
	switch v.Kind() {
	case gpflow.KindString, gpflow.KindBytes:
		if v.Size() == 0 {
			return v
		}
		piece := append([]byte(nil), v.Bytes()...)
		b.text = append(b.text, piece)
		if v.Kind() == gpflow.KindBytes {
			return gpflow.Bytes(piece)
		}
		return gpflow.String(unsafe.String(&piece[0], len(piece)))
	case gpflow.KindList:
		list := make([]gpflow.Value, len(v.List()))
		for i, e := range v.List() {
			list[i] = b.share(e)
		}
		b.lists = append(b.lists, list)
		return gpflow.List(list)
	case gpflow.KindMap:
		entries := make([]gpflow.Entry, len(v.Map()))
		for i, e := range v.Map() {
			entries[i] = gpflow.Entry{Key: e.Key, Value: b.share(e.Value)}
		}
		b.maps = append(b.maps, entries)
		return gpflow.Map(entries)
	}
	return v
}

// intact reports what the operator has changed in the batch.
func (b *batch) intact() error {
	if b.N != len(b.steps) {
		return fmt.Errorf("the batch had %d rows, and has %d now", len(b.steps), b.N)
	}
	for i, s := range b.steps {
		if !b.Schema.Timeless && b.Times[i] != s.Time {
			return fmt.Errorf("row %d of the batch had the time %d, and has %d now", i, s.Time, b.Times[i])
		}
		for c, v := range b.Row(i) {
			if !gpflow.Equal(v, s.Values[c]) {
				return fmt.Errorf("row %d of the batch was changed in column %q", i, b.Schema.Columns[c].Name)
			}
		}
	}
	return nil
}

// poison overwrites all that the batch's rows consist of and point to, so that
// whoever has kept a part of it without a copy gives other rows.
func (b *batch) poison() {
	bad := gpflow.String("poison: a value of a released batch")
	for _, piece := range b.text {
		for i := range piece {
			piece[i] = '#'
		}
	}
	for _, l := range b.lists {
		for i := range l {
			l[i] = bad
		}
	}
	for _, m := range b.maps {
		for i := range m {
			m[i].Value = bad
		}
	}
	for i := range b.Slab {
		b.Slab[i] = bad
	}
	for i := range b.Times {
		b.Times[i] = -7777
	}
}
