package filesource

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// headSize is what a file is told from others by, in bytes from its beginning.
const headSize = 4 << 10

// head is a fingerprint: the first bytes of a file, as they are stored. It is
// of n bytes, so that a file that has grown still has it.
type head struct {
	n   int64
	sum [16]byte // the first half of their SHA-256
}

// headOf returns the fingerprint of the first bytes of f: n, or as many as
// there are.
func headOf(f io.ReaderAt, n int64) (head, error) {
	var buf [headSize]byte
	have, err := f.ReadAt(buf[:min(n, headSize)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return head{}, err
	}
	return summed(buf[:have]), nil
}

func summed(data []byte) head {
	h := head{n: int64(len(data))}
	if len(data) > 0 {
		all := sha256.Sum256(data)
		copy(h.sum[:], all[:])
	}
	return h
}

// of reports whether f begins with what h was taken of.
func (h head) of(f io.ReaderAt) (bool, error) {
	if h.n == 0 {
		return true, nil
	}
	now, err := headOf(f, h.n)
	return now == h, err
}

// grown returns the fingerprint of the first n bytes of f, or headSize of them,
// if those that h was taken of are as they were.
func (h head) grown(f io.ReaderAt, n int64) (longer head, same bool, err error) {
	var buf [headSize]byte
	have, err := f.ReadAt(buf[:max(h.n, min(n, headSize))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, false, err
	}
	if int64(have) < h.n || summed(buf[:h.n]) != h {
		return h, false, nil
	}
	return summed(buf[:have]), true, nil
}

// full reports whether h is of as many bytes as a fingerprint can be.
func (h head) full() bool { return h.n == headSize }

func (h head) String() string { return fmt.Sprintf("%d:%s", h.n, hex.EncodeToString(h.sum[:4])) }

// append appends h: the number of bytes, and where that is not 0 the sum.
func (h head) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.n))
	if h.n == 0 {
		return b
	}
	return append(b, h.sum[:]...)
}

// MarshalText writes h as hexadecimal digits.
func (h head) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h.append(nil)), nil }

// UnmarshalText reads what MarshalText writes.
func (h *head) UnmarshalText(text []byte) error {
	data, err := hex.DecodeString(string(text))
	if err != nil {
		return err
	}
	r := varints{rest: data}
	*h = r.head()
	return r.err()
}
