package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/gpflow/gpflow"
)

// Encode returns the bytes of m. Equal manifests have equal bytes; the lists of
// sources, parts and committables are put in order first. A manifest that Decode
// would refuse is an error, and a fault of the program.
func (m *Manifest) Encode() ([]byte, error) {
	m = m.copy()
	m.sort()
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("encode the manifest of checkpoint %d: %w", m.ID, err)
	}
	w := writer{b: header(manifestMagic, FormatVersion)}
	w.i64(int64(m.Semantics))
	w.string(m.Pipeline)
	w.string(m.Lineage)
	w.i64(m.Epoch)
	w.i64(int64(m.ID))
	w.i64(int64(m.Time))
	w.string(m.Outcome)
	w.string(m.Name)
	w.string(gpflow.KeyHashName)
	w.u32(m.KeyGroups)
	w.bytes(m.Plan)
	w.u32(len(m.Sources))
	for _, s := range m.Sources {
		w.source(s)
	}
	w.u32(len(m.Parts))
	for _, p := range m.Parts {
		w.part(p)
	}
	w.u32(len(m.Committables))
	for _, c := range m.Committables {
		w.name(c.Part)
		w.i64(int64(c.ID))
		w.bytes(c.Committable)
	}
	w.bytes(m.Ledger)
	if w.tooLong {
		return nil, fmt.Errorf("encode the manifest of checkpoint %d: a part of it has more than 4 GiB", m.ID)
	}
	return seal(w.b), nil
}

// writer appends to bytes. Numbers are little endian; what varies in length
// has its length in front, as a u32.
type writer struct {
	b       []byte
	tooLong bool
}

func (w *writer) u8(n byte)   { w.b = append(w.b, n) }
func (w *writer) i64(n int64) { w.b = binary.LittleEndian.AppendUint64(w.b, uint64(n)) }

func (w *writer) u32(n int) {
	w.tooLong = w.tooLong || n < 0 || n > math.MaxUint32
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
}

func (w *writer) bool(v bool) {
	if v {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

func (w *writer) bytes(b []byte) {
	w.u32(len(b))
	w.b = append(w.b, b...)
}

func (w *writer) string(s string) {
	w.u32(len(s))
	w.b = append(w.b, s...)
}

func (w *writer) sum(s Sum) {
	w.b = binary.LittleEndian.AppendUint64(w.b, s.Hash)
	w.b = binary.LittleEndian.AppendUint32(w.b, s.CRC)
}

func (w *writer) splits(splits []gpflow.Split) {
	w.u32(len(splits))
	for _, s := range splits {
		w.string(s.ID)
		w.bytes(s.Data)
	}
}

func (w *writer) source(s SourceState) {
	w.string(s.Address)
	w.bool(s.Done)
	w.splits(s.Found)
	w.u32(len(s.Ended))
	for _, id := range s.Ended {
		w.string(id)
	}
	w.splits(s.Queue)
}

func (w *writer) name(p Part) {
	w.u8(byte(1 + slices.Index(kinds, p.Kind)))
	w.string(p.Name)
	w.u32(p.Subtask)
}

func (w *writer) part(p PartState) {
	w.name(p.Part)
	w.bool(p.Gone)
	w.bytes(p.Data)
	w.u32(len(p.Segments))
	for _, s := range p.Segments {
		w.string(s.Object)
		w.i64(s.Size)
		w.sum(s.Sum)
	}
}

// kinds are the kinds of parts, in their order; 1 is the first of them.
var kinds = []Kind{Reader, Task, Writer}

// check says what is wrong with a manifest that is in order.
func (m *Manifest) check() error {
	switch {
	case m.ID < 1:
		return fmt.Errorf("the checkpoint has the number %d; they begin at 1", m.ID)
	case m.Epoch < 1:
		return fmt.Errorf("the epoch is %d; they begin at 1", m.Epoch)
	case m.KeyGroups < 1 || m.KeyGroups > math.MaxUint32:
		return fmt.Errorf("there are %d key groups", m.KeyGroups)
	case checkLineage(m.Lineage) != nil:
		return checkLineage(m.Lineage)
	case m.Outcome != OutcomeRunning && m.Outcome != OutcomeFinished && m.Outcome != OutcomeStopped:
		return fmt.Errorf("the outcome is %q, which this version does not know", m.Outcome)
	}
	for i, s := range m.Sources {
		if i > 0 && m.Sources[i-1].Address >= s.Address {
			return fmt.Errorf("the source %s is there twice, or out of order", s.Address)
		}
	}
	for i, p := range m.Parts {
		if err := p.check(); err != nil {
			return err
		}
		if i > 0 && comparePart(m.Parts[i-1].Part, p.Part) >= 0 {
			return fmt.Errorf("%s is there twice, or out of order", p.Part)
		}
		for _, s := range p.Segments {
			if s.Size < 0 || s.Object == "" {
				return fmt.Errorf("%s refers to a segment %q of %d bytes", p.Part, s.Object, s.Size)
			}
		}
	}
	for i, c := range m.Committables {
		if err := c.Part.check(); err != nil {
			return err
		}
		if i > 0 && comparePending(m.Committables[i-1], c) >= 0 {
			return fmt.Errorf("a committable of %s is there twice, or out of order", c.Part)
		}
	}
	return nil
}

func (p Part) check() error {
	if !slices.Contains(kinds, p.Kind) || p.Subtask < 0 || p.Subtask > math.MaxUint32 {
		return fmt.Errorf("there is no part %s", p)
	}
	return nil
}
