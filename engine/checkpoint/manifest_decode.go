package checkpoint

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// Decode reads the manifest that Encode wrote into the object of the given
// name. The manifest does not share memory with b. The error is a *Damaged, a
// *Newer or a *KeyHash.
func Decode(object string, b []byte) (*Manifest, error) {
	body, _, err := open(object, manifestMagic, "a manifest", FormatVersion, b)
	if err != nil {
		return nil, err
	}
	r := reader{b: body}
	m := &Manifest{
		Semantics: int(r.i64()), Pipeline: r.string(), Lineage: r.string(), Epoch: r.i64(),
		ID: gpflow.CheckpointID(r.i64()), Time: gpflow.Timestamp(r.i64()), Outcome: r.string(), Name: r.string(),
	}
	hash := r.string()
	m.KeyGroups = int(r.u32())
	m.Plan = r.bytes()
	m.Sources = list(&r, 17, r.source)
	m.Parts = list(&r, 18, r.part)
	m.Committables = list(&r, 21, func() Pending {
		return Pending{r.name(), gpflow.CheckpointID(r.i64()), append(gpflow.Committable{}, r.take(int(r.u32()))...)}
	})
	m.Ledger = r.bytes()
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	if r.err == nil {
		r.err = m.check()
	}
	if r.err != nil {
		return nil, &Damaged{Object: object, Reason: "its checksum is right, but it does not make sense: " + r.err.Error()}
	}
	if hash != gpflow.KeyHashName {
		return nil, &KeyHash{Object: object, Name: hash}
	}
	return m, nil
}

// reader takes what writer has written. After the first error it returns
// zeroes.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

// take returns the next n bytes, in place.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("something of %d bytes, but %d are left", n, len(r.b))
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *reader) bool() bool {
	n := r.u8()
	if n > 1 {
		r.fail("%d where there is 0 or 1", n)
	}
	return n == 1
}

func (r *reader) string() string { return string(r.take(int(r.u32()))) }

// bytes returns a copy; nil where there are none.
func (r *reader) bytes() []byte { return append([]byte(nil), r.take(int(r.u32()))...) }

func (r *reader) sum() Sum {
	if b := r.take(sumSize); b != nil {
		return Sum{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])}
	}
	return Sum{}
}

// list reads a list of elements of at least size bytes each, so that a number
// that cannot be right asks for no memory.
func list[E any](r *reader, size int, element func() E) []E {
	n := int(r.u32())
	if n > len(r.b)/size {
		r.fail("a list of %d, but %d bytes are left", n, len(r.b))
		return nil
	}
	var all []E
	for i := 0; i < n && r.err == nil; i++ {
		all = append(all, element())
	}
	return slices.Clip(all)
}

func (r *reader) splits() []gpflow.Split {
	return list(r, 8, func() gpflow.Split { return gpflow.Split{ID: r.string(), Data: r.bytes()} })
}

func (r *reader) source() SourceState {
	return SourceState{
		Address: r.string(), Done: r.bool(),
		Found: r.splits(), Ended: list(r, 4, r.string), Queue: r.splits(),
	}
}

func (r *reader) name() Part {
	kind := int(r.u8())
	if kind < 1 || kind > len(kinds) {
		r.fail("%d where there is the kind of a part", kind)
		return Part{}
	}
	return Part{kinds[kind-1], r.string(), int(r.u32())}
}

func (r *reader) part() PartState {
	return PartState{
		Part: r.name(), Gone: r.bool(), Data: r.bytes(),
		Segments: list(r, 24, func() SegmentRef {
			return SegmentRef{Object: r.string(), Size: r.i64(), Sum: r.sum()}
		}),
	}
}
