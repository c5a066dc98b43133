package filesource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gpflow/gpflow/formats"

	"github.com/gpflow/gpflow/formats/catalog"
)

// prepared reports whether pos is the beginning of a record.
func (in *input) prepared() bool {
	return !in.align && in.resume.offset == 0 && in.discard == 0
}

// prepare goes to the first record to be read: it passes over the record that a
// range begins amidst, or lets the decoder see the header before it goes to
// where reading is taken up again.
func (in *input) prepare(ctx context.Context) (status, error) {
	for range maxFills {
		for !in.prepared() {
			ok, err := in.act()
			if err != nil {
				return more, err
			}
			if !ok {
				break
			}
		}
		if in.prepared() {
			return more, nil
		}
		if st, err := in.fill(ctx); err != nil || st == waiting {
			return st, err
		}
	}
	return more, nil
}

// act does what can be done with the bytes in the arena; false: more are
// needed.
func (in *input) act() (bool, error) {
	rest := in.arena[in.off:]
	switch {
	case in.discard > 0:
		n := min(in.discard, int64(len(rest)))
		in.off += int(n)
		in.discard -= n
		if in.discard > 0 && in.eof {
			return false, in.shrunk(in.pos - in.discard)
		}
		return in.discard == 0, nil
	case in.align:
		n := bytes.IndexByte(rest, '\n') + 1
		if n > 0 || in.eof {
			in.align = false
		}
		if n == 0 {
			n = len(rest)
		}
		in.advance(n, 0)
		if in.align {
			return false, nil
		}
		return true, in.within()
	}
	return in.header()
}

// header lets the decoder see the content up to its first record, and then
// goes to the place to resume at.
func (in *input) header() (bool, error) {
	h, ok := in.dec.(formats.Headed)
	if !ok || !h.NeedsHeader() {
		if err := in.within(); err != nil {
			return false, err
		}
	}
	for ok && h.NeedsHeader() {
		n, _, lines, err := in.dec.Frame(in.arena[in.off:], in.eof)
		switch {
		case err != nil:
			return false, in.unreadable(err)
		case n == 0 && in.eof:
			return false, in.shrunk(in.pos)
		case n == 0:
			return false, nil
		}
		in.advance(n, lines)
	}
	to := in.resume
	in.resume = place{}
	err := in.seek(to.offset)
	in.line = to.line
	return in.discard == 0, err
}

// within lets the decoder see a line end, so that it takes what comes for the
// middle of a file, where no byte order mark is passed over.
func (in *input) within() error {
	if _, _, _, err := in.dec.Frame([]byte{'\n'}, false); err != nil {
		return in.unreadable(err)
	}
	return nil
}

// seek goes to a place that is not before pos.
func (in *input) seek(to int64) error {
	have := in.pos + int64(len(in.arena)-in.off) // no record is being passed over
	if to <= have {
		in.off += int(to - in.pos)
		in.pos = to
		return nil
	}
	in.arena, in.off, in.pos = nil, 0, to
	if in.file == nil {
		in.discard = to - have
		return nil
	}
	info, err := in.file.Stat()
	if err != nil {
		return in.damaged(err)
	}
	if info.Size() < to {
		return in.shrunk(info.Size())
	}
	in.left = max(in.size, info.Size()) - to
	if _, err := in.file.Seek(to, io.SeekStart); err != nil {
		return in.damaged(err)
	}
	return nil
}

// unreadable explains an error of the decoder that is not one record's.
func (in *input) unreadable(err error) error {
	return fmt.Errorf("read %s at byte %d: %w", in.path, in.pos, err)
}

func (in *input) shrunk(size int64) error {
	return fmt.Errorf("read %s: it had been read further than the %d bytes of content that it has now; it has been replaced or cut: start anew, or bring the file back",
		in.path, size)
}

// open opens the bytes of the split.
func (in *input) open(s *source, d splitData, from position, wake func()) error {
	if d.Stream {
		p := startPump(d, s.stdin, wake)
		in.src, in.closers = p, []io.Closer{p}
		return nil
	}
	f, err := d.openFile()
	if err != nil {
		return err
	}
	in.src, in.closers = f, []io.Closer{f}
	if err := d.verify(f, from); err != nil {
		return errors.Join(err, in.close())
	}
	if in.head, err = headOf(f, headSize); err != nil {
		return errors.Join(in.damaged(err), in.close())
	}
	if d.Compression == catalog.None {
		in.file, in.size, in.left = f, d.Size, d.Size
		return nil
	}
	r, err := decompress(f, d.Compression)
	if err != nil {
		return errors.Join(in.damaged(err), in.close())
	}
	in.src, in.closers = r, append(in.closers, r)
	return nil
}

// denied says what can be done where a file may not be read.
func denied(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "; give the user that runs gpflow the permission to read it"
	}
	return ""
}

// reason returns the cause of an error of package os, without the name of the
// call and the file.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
