package generate

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// reader makes the records of its splits in turn, a batch at a time.
type reader struct {
	*source
	programs []*expr.Program // by column
	row      []gpflow.Value  // what they run on
	splits   []*run
}

// run is a split that is being read.
type run struct {
	id   string
	part part
	next int64 // the number of the next record
}

// Reader returns a reader.
func (s *source) Reader(*gpflow.ReaderContext) (gpflow.Reader, error) {
	r := &reader{source: s, row: make([]gpflow.Value, len(numbers.Columns))}
	r.row[1] = gpflow.Int(s.seed)
	for _, e := range s.exprs {
		r.programs = append(r.programs, e.Program())
	}
	return r, nil
}

// Assign adds a split. A position is the number of the next record, as an
// unsigned varint.
func (r *reader) Assign(s gpflow.Split, from gpflow.Position) error {
	n := &run{id: s.ID}
	if err := json.Unmarshal(s.Data, &n.part); err != nil || n.part.Step < 1 {
		return fmt.Errorf("split %s: its data %q cannot be read", s.ID, s.Data)
	}
	n.next = n.part.First
	if from != nil {
		at, w := binary.Uvarint(from)
		if w != len(from) || at > math.MaxInt64 || int64(at)%n.part.Step != n.part.First {
			return fmt.Errorf("split %s: its position %x cannot be read", s.ID, []byte(from))
		}
		n.next = int64(at)
	}
	r.splits = append(r.splits, n)
	return nil
}

// Poll makes records of one split, the splits taking turns.
func (r *reader) Poll(_ context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if len(r.splits) == 0 {
		return gpflow.Progress{}, errors.New("a generator was polled without a split")
	}
	s := r.splits[0]
	out.Begin(s.id)
	for !r.over(s) && !out.Full() {
		r.record(s.next, out)
		s.next += s.part.Step
	}
	at := max(s.part.First, s.next+r.bugs.positionOffByOne*s.part.Step)
	out.Done(binary.AppendUvarint(nil, uint64(at)))
	copy(r.splits, r.splits[1:])
	r.splits[len(r.splits)-1] = s
	if r.over(s) {
		r.splits = r.splits[:len(r.splits)-1]
		return gpflow.Progress{Ended: s.id}, nil
	}
	return gpflow.Progress{}, nil
}

// Drop forgets a split.
func (r *reader) Drop(split string) error {
	r.splits = slices.DeleteFunc(r.splits, func(s *run) bool { return s.id == split })
	return nil
}

func (r *reader) over(s *run) bool { return r.count >= 0 && s.next >= r.count }

// record makes the record of number i.
func (r *reader) record(i int64, out *gpflow.Reading) {
	r.row[0] = gpflow.Int(i)
	slots, size := out.Record(i, 0), 0
	for c, p := range r.programs {
		v, err := p.Value(r.row)
		if err != nil {
			out.Undo()
			out.Fail(r.raw(i), i, 0, gpflow.InField("fields."+r.schema.Columns[c].Name, err))
			return
		}
		slots[c] = v
		size += v.Size()
	}
	if size > 0 {
		out.Grow(size)
	}
}

// raw is what a record is made of, as JSON.
func (r *reader) raw(i int64) []byte {
	b := strconv.AppendInt([]byte(`{"i":`), i, 10)
	b = strconv.AppendInt(append(b, `,"seed":`...), r.seed, 10)
	return append(b, '}')
}

// Close does nothing.
func (r *reader) Close() error { return nil }
