package generate

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// minWait is the shortest pause between two polls: faster rates come in bursts
// of so long.
const minWait = gpflow.Millisecond

// reader makes the records of its splits in turn, a batch at a time.
type reader struct {
	*source
	programs []*expr.Program // by column
	row      []gpflow.Value  // what they run on
	splits   []*run
	now      func() time.Time
}

// run is a split that is being read.
type run struct {
	id   string
	part part
	next int64 // the number of the next record
	// made counts the records since began, the time of the first poll.
	made  int64
	began time.Time
}

// Reader returns a reader.
func (s *source) Reader(*gpflow.ReaderContext) (gpflow.Reader, error) {
	r := &reader{source: s, row: make([]gpflow.Value, len(numbers.Columns)), now: time.Now}
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

// Poll makes the records of one split that are due.
func (r *reader) Poll(_ context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if len(r.splits) == 0 {
		return gpflow.Progress{}, errors.New("a generator was polled without a split")
	}
	wait := gpflow.Duration(math.MaxInt64)
	for i, s := range r.splits {
		due, next := r.due(s)
		if due == 0 && !r.over(s) {
			wait = min(wait, next)
			continue
		}
		out.Begin(s.id)
		r.make(s, due, out)
		out.Done(binary.AppendUvarint(nil, uint64(s.next)))
		r.splits = append(append(r.splits[:i:i], r.splits[i+1:]...), s)
		if r.over(s) {
			r.splits = r.splits[:len(r.splits)-1]
			return gpflow.Progress{Ended: s.id}, nil
		}
		return gpflow.Progress{}, nil
	}
	out.Begin(r.splits[0].id)
	return gpflow.Progress{Idle: true, Wait: max(wait, minWait)}, nil
}

func (r *reader) over(s *run) bool { return r.count >= 0 && s.next >= r.count }

// due returns how many records of s are to be made now, or how long it is to
// the next. The n-th since the split began is due at (n*step+first)/rate.
func (r *reader) due(s *run) (n int64, wait gpflow.Duration) {
	if r.rate == 0 {
		return math.MaxInt64, 0
	}
	if s.began.IsZero() {
		s.began = r.now()
	}
	elapsed := r.now().Sub(s.began).Seconds()
	all := math.Floor((elapsed*r.rate-float64(s.part.First))/float64(s.part.Step)) + 1
	if n = int64(all) - s.made; n > 0 {
		return n, 0
	}
	at := (float64(s.made)*float64(s.part.Step) + float64(s.part.First)) / r.rate
	return 0, gpflow.Duration(math.Ceil(min((at-elapsed)*float64(gpflow.Second), float64(gpflow.Day))))
}

// make makes up to n records of s.
func (r *reader) make(s *run, n int64, out *gpflow.Reading) {
	for ; n > 0 && !r.over(s) && !out.Full(); n-- {
		r.record(s.next, out)
		s.next += s.part.Step
		s.made++
	}
}

// record makes the record of number i.
func (r *reader) record(i int64, out *gpflow.Reading) {
	r.row[0] = gpflow.Int(i)
	slots, size := out.Record(i, 0), 0
	for c, p := range r.programs {
		v, err := p.Value(r.row)
		if err != nil {
			out.Undo()
			out.Fail(r.raw(i), i, 0, err)
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
