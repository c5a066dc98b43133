package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/storage"
)

// checkBytes is how much of a segment is in memory while it is compared with its
// checksum.
const checkBytes = 1 << 20

// CheckSegment compares what r has, up to its end, with the size and the checksum
// of s. What differs is a *Damaged error; others are those of r. It holds a
// mebibyte of it at a time.
func CheckSegment(r io.ReaderAt, s SegmentRef) error {
	var hash gpflow.KeyHasher
	crc := crc32.New(castagnoli)
	n, err := io.CopyBuffer(io.MultiWriter(&hash, crc), bare{io.NewSectionReader(r, 0, math.MaxInt64)}, make([]byte, checkBytes))
	switch {
	case err != nil:
		return err
	case n != s.Size:
		return &Damaged{Object: s.Object, Reason: fmt.Sprintf("it has %d bytes, and had %d when it was written", n, s.Size)}
	}
	if is := (Sum{hash.Sum64(), crc.Sum32()}); is != s.Sum {
		return &Damaged{Object: s.Object, Reason: fmt.Sprintf("its checksum is %s, and was %s when it was written: its bytes have changed", is, s.Sum)}
	}
	return nil
}

// bare is a reader that can read and nothing else.
type bare struct{ io.Reader }

// OpenSegment returns a segment, having compared all of it with its size and its
// checksum: one that differs, or is not there, is a *Damaged error. None of it is
// held: what is read of the result is asked of the store, under ctx.
func OpenSegment(ctx context.Context, store storage.Store, s SegmentRef) (*io.SectionReader, error) {
	return openSegment(object{ctx: ctx, store: store, name: s.Object}, s)
}

// OpenSegment is the function of that name, for a segment in the keeper's store.
// Where that has been taken over, the error is *StaleEpoch.
func (k *Keeper) OpenSegment(ctx context.Context, s SegmentRef) (*io.SectionReader, error) {
	return openSegment(object{ctx: ctx, store: k.store, name: s.Object, keeper: k}, s)
}

func openSegment(o object, s SegmentRef) (*io.SectionReader, error) {
	if err := CheckSegment(o, s); err != nil {
		if o.keeper != nil {
			err = o.keeper.orOvertaken(o.ctx, err)
		}
		return nil, err
	}
	return io.NewSectionReader(o, 0, s.Size), nil
}

// object is an object of a store that a manifest refers to, as an io.ReaderAt.
type object struct {
	ctx    context.Context
	store  storage.Store
	name   string
	keeper *Keeper // nil: the store is nobody's
}

// ReadAt implements io.ReaderAt.
func (o object) ReadAt(p []byte, off int64) (int, error) {
	b, err := o.store.GetRange(o.ctx, o.name, off, int64(len(p)))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		err = Missing(o.name, err)
		if o.keeper != nil {
			err = o.keeper.orOvertaken(o.ctx, err)
		}
		return 0, err
	case err != nil:
		return 0, err
	}
	n := copy(p, b)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Segments returns what a part's segments hold, the whole one first, then the
// changes in order, all of it in memory. Each is compared with its size and
// checksum, as by OpenSegment.
func (k *Keeper) Segments(ctx context.Context, p PartState) ([][]byte, error) {
	var all [][]byte
	for _, s := range p.Segments {
		b, err := readSegment(ctx, k.store, s)
		if err != nil {
			return nil, k.orOvertaken(ctx, fmt.Errorf("the state of %s: %w", p.Part, err))
		}
		all = append(all, b)
	}
	return all, nil
}

// readSegment returns a segment as a whole.
func readSegment(ctx context.Context, store storage.Store, s SegmentRef) ([]byte, error) {
	b, err := store.Get(ctx, s.Object)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, Missing(s.Object, err)
	case err != nil:
		return nil, err
	case int64(len(b)) != s.Size:
		return nil, &Damaged{Object: s.Object, Reason: fmt.Sprintf("it has %d bytes, and had %d when it was written", len(b), s.Size)}
	}
	if is := SumOf(b); is != s.Sum {
		return nil, &Damaged{Object: s.Object, Reason: fmt.Sprintf("its checksum is %s, and was %s when it was written: its bytes have changed", is, s.Sum)}
	}
	return b, nil
}
