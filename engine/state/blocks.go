package state

import (
	"errors"
	"io"
	"slices"
)

// blocks is where the blocks of a segment lie. Those of a piece are of a few
// groups; what others have of it, nothing, is not listed.
type blocks struct {
	src   *io.SectionReader
	first int     // the first group with a block
	ends  []int64 // where it begins, and where the blocks from it on end
}

// add adds the block of the next group, which ends at a place.
func (b *blocks) add(group int, end int64) {
	if last := b.ends[len(b.ends)-1]; end == last {
		return
	}
	if len(b.ends) == 1 {
		b.first = group
	}
	for b.first+len(b.ends)-1 < group {
		b.ends = append(b.ends, b.ends[len(b.ends)-1])
	}
	b.ends = append(b.ends, end)
}

// place returns where the block of a group lies, and its bytes.
func (b *blocks) place(group int) (at, n int64) {
	i := group - b.first
	if i < 0 || i+1 >= len(b.ends) {
		return 0, 0
	}
	return b.ends[i], b.ends[i+1] - b.ends[i]
}

// readAt reads len(p) bytes from a place on.
func readAt(src io.ReaderAt, p []byte, at int64) error {
	n, err := src.ReadAt(p, at)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return errShort
	}
	return err
}

// aheadBytes is how many bytes of whole blocks are read at once, where one is not
// larger.
const aheadBytes = 1 << 20

// ahead reads blocks in ascending order of their groups, several at once.
type ahead struct {
	blocks
	last int // the last group that is read
	buf  []byte
	at   int64 // where buf begins
}

// block returns the block of a group. It is valid until the next call.
func (a *ahead) block(group int) ([]byte, error) {
	at, n := a.place(group)
	if n == 0 {
		return nil, nil
	}
	if at+n > a.at+int64(len(a.buf)) {
		next, last := group-a.first+1, min(a.last-a.first+1, len(a.ends)-1)
		for next < last && a.ends[next+1]-at <= aheadBytes {
			next++
		}
		size := int(a.ends[next] - at)
		a.buf, a.at = slices.Grow(a.buf[:0], size)[:size], at
		if err := readAt(a.src, a.buf, at); err != nil {
			return nil, err
		}
	}
	from := at - a.at
	return a.buf[from : from+n : from+n], nil
}
