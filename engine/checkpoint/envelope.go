package checkpoint

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/gpflow/gpflow"
)

// Every object but a segment, which is the state's own, is
//
//	magic    8 bytes
//	version  u32
//	length   u64, of the whole object
//	body
//	sum      12 bytes: XXH64 and CRC-32C of all that is before
//
// in every version, so that what is damaged is told from what is newer.
const (
	manifestMagic = "gpflowMF"
	noteMagic     = "gpflowNT"
	headerSize    = 8 + 4 + 8
	sumSize       = 8 + 4
)

// Sum is a checksum: two of different make, so that neither's blind spot is
// one of the whole. It is no protection against forgery.
type Sum struct {
	Hash uint64 // XXH64 with seed 0
	CRC  uint32 // CRC-32C
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SumOf returns the checksum of b.
func SumOf(b []byte) Sum { return Sum{gpflow.HashKey(b), crc32.Checksum(b, castagnoli)} }

func (s Sum) String() string { return fmt.Sprintf("%016x-%08x", s.Hash, s.CRC) }

// header begins an object.
func header(magic string, version uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), version)
	return append(b, make([]byte, 8)...)
}

// seal ends an object.
func seal(b []byte) []byte {
	binary.LittleEndian.PutUint64(b[12:], uint64(len(b)+sumSize))
	w := writer{b: b}
	w.sum(SumOf(b))
	return w.b
}

// open returns the body and the version of an object, having checked all that
// is around it.
func open(object, magic, what string, newest uint32, b []byte) (body []byte, version uint32, err error) {
	damaged := func(format string, args ...any) ([]byte, uint32, error) {
		return nil, 0, &Damaged{Object: object, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case len(b) == 0:
		return damaged("it is empty")
	case len(b) < headerSize+sumSize:
		return damaged("it has %d bytes, fewer than any such object: it is cut off", len(b))
	case string(b[:8]) != magic:
		return damaged("it does not begin as %s does", what)
	}
	if length := binary.LittleEndian.Uint64(b[12:]); length != uint64(len(b)) {
		return damaged("it has %d bytes, and says that it has %d", len(b), length)
	}
	end := len(b) - sumSize
	r := reader{b: b[end:]}
	if says, is := r.sum(), SumOf(b[:end]); says != is {
		return damaged("its checksum is %s, and it says that it is %s: its bytes have changed", is, says)
	}
	version = binary.LittleEndian.Uint32(b[8:])
	if version > newest {
		return nil, version, &Newer{Object: object, Version: version, Known: newest}
	}
	if version == 0 {
		return damaged("it says that it is of version 0, which has never been")
	}
	return b[headerSize:end:end], version, nil
}
