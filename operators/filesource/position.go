package filesource

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/gpflow/gpflow"
)

// place is where a record stands.
type place struct {
	offset int64 // in the content, behind any compression
	line   int64 // of the next record, from 1; 0: not known
}

// position is how far a split has been read.
type position struct {
	place
	// stream says that what was read cannot be read again.
	stream bool
	// head is the fingerprint of the file.
	head head
	// base is what the file has held before it was last truncated, in bytes,
	// and generation how often it was. Both are 0 unless it is followed.
	base, generation int64
	// replaced says that another file had its path.
	replaced bool
}

// The kinds of position, the first byte of each.
const (
	positionFile     = 1
	positionStream   = 2
	positionReplaced = 3 // of a file that is followed, and whose path another had
)

// encode returns the position's bytes: its kind, and as unsigned varints offset
// and line; of a file also base, generation and the fingerprint.
func (p position) encode() gpflow.Position {
	b := make([]byte, 1, 48)
	b[0] = positionFile
	switch {
	case p.stream:
		b[0] = positionStream
	case p.replaced:
		b[0] = positionReplaced
	}
	b = binary.AppendUvarint(b, uint64(p.offset))
	b = binary.AppendUvarint(b, uint64(p.line))
	if p.stream {
		return b
	}
	b = binary.AppendUvarint(b, uint64(p.base))
	b = binary.AppendUvarint(b, uint64(p.generation))
	return p.head.append(b)
}

func decodePosition(split string, pos gpflow.Position) (p position, err error) {
	if pos == nil {
		return position{}, nil
	}
	if len(pos) > 0 && pos[0] >= positionFile && pos[0] <= positionReplaced {
		r := varints{rest: pos[1:]}
		p.stream, p.replaced = pos[0] == positionStream, pos[0] == positionReplaced
		p.offset, p.line = r.next(), r.next()
		if !p.stream {
			p.base, p.generation, p.head = r.next(), r.next(), r.head()
		}
		if r.err() == nil {
			return p, nil
		}
	}
	return position{}, fmt.Errorf("split %s: its position %x cannot be read; it was written by another version of gpflow, or is damaged", split, []byte(pos))
}

// varints reads unsigned varints. Behind the first that is none it gives zeros.
type varints struct {
	rest []byte
	bad  bool
}

func (v *varints) next() int64 {
	n, w := binary.Uvarint(v.rest)
	if v.bad || w <= 0 || n > math.MaxInt64 {
		v.bad = true
		return 0
	}
	v.rest = v.rest[w:]
	return int64(n)
}

func (v *varints) head() (h head) {
	h.n = v.next()
	if h.n == 0 {
		return h
	}
	if v.bad || h.n > headSize || len(v.rest) < len(h.sum) {
		v.bad = true
		return head{}
	}
	copy(h.sum[:], v.rest)
	v.rest = v.rest[len(h.sum):]
	return h
}

// err reports bytes that could not be read, or that are left.
func (v *varints) err() error {
	if v.bad || len(v.rest) > 0 {
		return errors.New("the bytes are not what was written")
	}
	return nil
}
