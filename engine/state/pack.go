package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Pack appends to dst the segments of a subtask's operators, sorted by their
// addresses, each behind its address and its size, and releases the views. On an
// error all are released.
func Pack(dst []byte, frozen map[string]*Frozen) (packed []byte, failed error) {
	packed = dst
	for _, address := range slices.Sorted(maps.Keys(frozen)) {
		f := frozen[address]
		more, err := f.Append(packed, behind(address))
		f.Release()
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: encode the state: %w", address, err))
			continue
		}
		packed = more
	}
	return packed, failed
}

// PackPieces returns what gives the segments that Pack packs, piece by piece, as
// Frozen.Pieces does: each is such a pack. frozen is not changed meanwhile.
func PackPieces(frozen map[string]*Frozen) func(give func([]byte) error) error {
	return func(give func([]byte) error) error {
		for _, address := range slices.Sorted(maps.Keys(frozen)) {
			if err := frozen[address].Pieces(PieceBytes, behind(address), give); err != nil {
				return err
			}
		}
		return nil
	}
}

// behind returns what has a segment follow the address of its operator, and its
// size.
func behind(address string) func(dst []byte, size int) []byte {
	return func(dst []byte, size int) []byte {
		dst = append(binary.AppendUvarint(dst, uint64(len(address))), address...)
		return binary.AppendUvarint(dst, uint64(size))
	}
}

var errPacked = errors.New("the state of a subtask is damaged: it does not end where it should")

// Unpack returns the segments in a pack, by address. It reads the addresses and
// the sizes, and no segment.
func Unpack(packed *io.SectionReader) (map[string]*io.SectionReader, error) {
	segments := make(map[string]*io.SectionReader)
	for at := int64(0); at < packed.Size(); {
		address, n, err := field(packed, at)
		if err != nil {
			return nil, err
		}
		name := make([]byte, n)
		if _, err := packed.ReadAt(name, address); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		segment, n, err := field(packed, address+n)
		if err != nil {
			return nil, err
		}
		segments[string(name)] = io.NewSectionReader(packed, segment, n)
		at = segment + n
	}
	return segments, nil
}

// field reads a size, and returns it and where what it is of begins, all of which
// is there.
func field(packed *io.SectionReader, at int64) (begin, n int64, err error) {
	b := make([]byte, min(binary.MaxVarintLen64, packed.Size()-at))
	if _, err := packed.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	size, used := binary.Uvarint(b)
	if used <= 0 || size > uint64(packed.Size()-at-int64(used)) {
		return 0, 0, errPacked
	}
	return at + int64(used), int64(size), nil
}
