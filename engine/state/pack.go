package state

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// Unpack returns the segments in a pack, by address. They share data.
func Unpack(data []byte) (map[string][]byte, error) {
	segments := make(map[string][]byte)
	field := func() []byte {
		n, used := binary.Uvarint(data)
		if used <= 0 || n > uint64(len(data)-used) {
			return nil
		}
		f := data[used : used+int(n) : used+int(n)]
		data = data[used+int(n):]
		return f
	}
	for len(data) > 0 {
		address := field()
		segment := field()
		if address == nil || segment == nil {
			return nil, errPacked
		}
		segments[string(address)] = segment
	}
	return segments, nil
}
