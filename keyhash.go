package gpflow

import (
	"encoding/binary"
	"math/bits"
)

// The primes of XXH64.
const (
	prime1 = 0x9E3779B185EBCA87
	prime2 = 0xC2B2AE3D27D4EB4F
	prime3 = 0x165667B19E3779F9
	prime4 = 0x85EBCA77C2B2AE63
	prime5 = 0x27D4EB2F165667C5
)

// HashKey returns XXH64 of b with seed 0, after the specification at
// github.com/Cyan4973/xxHash, doc/xxhash_spec.md. Every record meets it: what
// follows the stripes is hashTail, written out, since a call would take a tenth
// of its time.
func HashKey(b []byte) uint64 {
	n := uint64(len(b))
	h := uint64(prime5)
	if n >= 32 {
		l := firstLanes()
		b = l.add(b)
		h = l.join()
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h ^= xxRound(0, binary.LittleEndian.Uint64(b))
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h ^= uint64(binary.LittleEndian.Uint32(b)) * prime1
		h = bits.RotateLeft64(h, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h ^= uint64(c) * prime5
		h = bits.RotateLeft64(h, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

// KeyHasher is HashKey of bytes that come one piece after the other. The zero
// value has had none yet.
type KeyHasher struct {
	lanes lanes
	n     uint64   // bytes that have come
	rest  [32]byte // of them the last n%32, which are not in lanes yet
}

// Write adds bytes, which are not kept. It never fails.
func (h *KeyHasher) Write(b []byte) (int, error) {
	if h.n == 0 {
		h.lanes = firstLanes()
	}
	all, held := len(b), int(h.n%32)
	h.n += uint64(all)
	if held > 0 {
		used := copy(h.rest[held:], b)
		if b = b[used:]; held+used < 32 {
			return all, nil
		}
		h.lanes.add(h.rest[:])
	}
	copy(h.rest[:], h.lanes.add(b))
	return all, nil
}

// Sum64 returns the hash of all that has come. More may come after it.
func (h *KeyHasher) Sum64() uint64 {
	rest := h.rest[:h.n%32]
	if h.n < 32 {
		return hashTail(prime5+h.n, rest)
	}
	return hashTail(h.lanes.join()+h.n, rest)
}

// lanes are the four accumulators over whole stripes of 32 bytes.
type lanes [4]uint64

func firstLanes() lanes {
	var p1, p2 uint64 = prime1, prime2
	return lanes{p1 + p2, p2, 0, -p1}
}

// add adds the whole stripes of b, and returns what is left of it.
func (l *lanes) add(b []byte) []byte {
	v1, v2, v3, v4 := l[0], l[1], l[2], l[3]
	for len(b) >= 32 {
		v1 = xxRound(v1, binary.LittleEndian.Uint64(b))
		v2 = xxRound(v2, binary.LittleEndian.Uint64(b[8:]))
		v3 = xxRound(v3, binary.LittleEndian.Uint64(b[16:]))
		v4 = xxRound(v4, binary.LittleEndian.Uint64(b[24:]))
		b = b[32:]
	}
	*l = lanes{v1, v2, v3, v4}
	return b
}

func (l *lanes) join() uint64 {
	h := bits.RotateLeft64(l[0], 1) + bits.RotateLeft64(l[1], 7) + bits.RotateLeft64(l[2], 12) + bits.RotateLeft64(l[3], 18)
	for _, v := range l {
		h = (h^xxRound(0, v))*prime1 + prime4
	}
	return h
}

// hashTail adds the bytes behind the last whole stripe, and mixes.
func hashTail(h uint64, b []byte) uint64 {
	for ; len(b) >= 8; b = b[8:] {
		h ^= xxRound(0, binary.LittleEndian.Uint64(b))
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h ^= uint64(binary.LittleEndian.Uint32(b)) * prime1
		h = bits.RotateLeft64(h, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h ^= uint64(c) * prime5
		h = bits.RotateLeft64(h, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func xxRound(acc, input uint64) uint64 {
	return bits.RotateLeft64(acc+input*prime2, 31) * prime1
}
