package filesource

import (
	"bytes"
	"io"
)

// eof has no bytes.
type eof struct{}

// Read returns io.EOF.
func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// finish says that no more comes behind the end of the file.
func (in *input) finish() { in.tail, in.left = false, 0 }

// shed gives back memory that holds nothing unread.
func (in *input) shed() {
	if in.off == len(in.arena) {
		in.arena, in.off, in.shared, in.share = nil, 0, false, 0
	}
}

// holds reports whether f still has what has been read of the record at pos,
// where that is held.
func (in *input) holds(f io.ReaderAt) bool {
	rest := in.arena[in.off:]
	if in.long != nil || len(rest) == 0 {
		return true
	}
	now := make([]byte, len(rest))
	n, _ := f.ReadAt(now, in.pos)
	return bytes.Equal(now[:n], rest)
}

// back forgets what has been read of the record at pos, which is written again.
func (in *input) back() error {
	in.arena, in.off, in.shared, in.share, in.long = nil, 0, false, 0, nil
	if _, err := in.file.Seek(in.pos, io.SeekStart); err != nil {
		return in.damaged(err)
	}
	return nil
}
