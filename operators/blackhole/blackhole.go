// Package blackhole is the sink "blackhole": it reads every record, keeps a
// count and a checksum, and writes nothing.
package blackhole

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"

	"github.com/gpflow/gpflow"
)

// Descriptor describes the sink "blackhole".
var Descriptor = gpflow.Descriptor{
	Block:   "sink",
	Kind:    "blackhole",
	Summary: "Reads every record and writes nothing.",
	Doc: `Takes records in, reads each of their columns, and drops them: for measuring, and for streams whose counts alone matter.

It keeps the number of records and a checksum that does not depend on their order, and logs both at level debug when it closes. Two runs over the same records have the same checksum, in whatever order and over however many subtasks: the checksums of the subtasks add up, modulo 2^64.`,
	Example: `sink "blackhole" "null" {
  from = map.visits
}`,
	Traits: func(gpflow.Config) gpflow.Traits { return gpflow.Traits{Delivery: gpflow.AtLeastOnce} },
	Infer: func(in *gpflow.Inference) gpflow.Inferred {
		return gpflow.Inferred{Uses: [][]string{in.In[0].Names()}}
	},
	NewSink: func(c *gpflow.SinkContext) (gpflow.Sink, error) {
		return &Sink{address: c.Address, subtask: c.Subtask, log: c.Log}, nil
	},
}

// Sink counts and sums the rows of one subtask.
type Sink struct {
	address string
	subtask gpflow.Subtask
	log     *slog.Logger
	rows    int64
	sum     uint64
	buf     []byte
}

// Checksum returns the number of rows written, and the sum, modulo 2^64, of the
// XXH64 hash of each row: of the kinds and contents of its columns, in order,
// and of its operation where that is not an insert. Event times and origins do
// not count. It must not be called during Write.
func (s *Sink) Checksum() (rows int64, sum uint64) { return s.rows, s.sum }

// Write reads the rows of b.
func (s *Sink) Write(_ context.Context, b *gpflow.Batch, _ func(int, error) error) error {
	buf, w := s.buf, len(b.Schema.Columns)
	for i := range b.N {
		buf = buf[:0]
		for _, v := range b.Slab[i*w : i*w+w] {
			buf = appendValue(buf, v)
		}
		if len(b.Ops) > 0 && b.Ops[i] != gpflow.Insert {
			buf = append(buf, 0xff, byte(b.Ops[i]))
		}
		s.sum += gpflow.HashKey(buf)
	}
	s.buf = buf
	s.rows += int64(b.N)
	return nil
}

// appendValue appends the kind of v and its content, so that different values
// have different bytes. Floats count by their bits.
func appendValue(dst []byte, v gpflow.Value) []byte {
	k := v.Kind()
	dst = append(dst, byte(k))
	switch k {
	case gpflow.KindNull:
	case gpflow.KindString, gpflow.KindBytes:
		b := v.Bytes()
		dst = binary.AppendUvarint(dst, uint64(len(b)))
		dst = append(dst, b...)
	case gpflow.KindList:
		dst = binary.AppendUvarint(dst, uint64(len(v.List())))
		for _, e := range v.List() {
			dst = appendValue(dst, e)
		}
	case gpflow.KindMap:
		dst = binary.AppendUvarint(dst, uint64(len(v.Map())))
		for _, e := range v.Map() {
			dst = binary.AppendUvarint(dst, uint64(len(e.Key)))
			dst = append(dst, e.Key...)
			dst = appendValue(dst, e.Value)
		}
	default: // a scalar is its bits
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Int()))
	}
	return dst
}

// Prepare has nothing to make durable.
func (s *Sink) Prepare(context.Context, gpflow.CheckpointID, bool) (gpflow.Prepared, error) {
	return gpflow.Prepared{}, nil
}

// Recover has nothing to go on from.
func (s *Sink) Recover(context.Context, [][]byte) error { return nil }

// Commit has nothing to show.
func (s *Sink) Commit(context.Context, gpflow.Committable) error { return nil }

// Close logs the count and the checksum.
func (s *Sink) Close() error {
	if s.log != nil {
		s.log.Debug("blackhole closed", "node", s.address, "subtask", s.subtask.Index,
			"rows", s.rows, "checksum", fmt.Sprintf("%016x", s.sum))
	}
	return nil
}
