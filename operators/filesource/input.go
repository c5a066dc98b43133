package filesource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
)

// status is what a step came to.
type status uint8

const (
	more    status = iota // there may be more at once
	waiting               // a stream has nothing now
	ended                 // the split has been read
	moved                 // nothing was read, and the position is another
)

const (
	// maxFills is how many chunks one poll reads at most, so that a poll ends
	// soon where there are few records in many bytes.
	maxFills = 16
	// maxGap bounds the positions of one batch's rows.
	maxGap = 1 << 31
	// minFree is the free end of an arena that is still worth reading into.
	minFree = 4 << 10
)

// input is the content of one split, and how far it has been read.
//
// Bytes are read into arenas. The strings of a record are copied out where they
// are the smaller part of it; where values share an arena, that is never written
// twice: what is unread at its end moves to the next one.
type input struct {
	path        string
	compression string
	stream      bool // the bytes come once
	src         io.Reader
	file        *os.File // src, where that is a plain file
	size        int64    // of file, as it was found
	left        int64    // bytes that file is expected to have yet
	head        head     // of the file that src comes of
	tail        bool     // more is to come behind the end of file
	base        int64    // added to the positions of records
	generation  int64
	closers     []io.Closer
	dec         formats.Decoder
	keeper      keeper
	nested      bool  // there are values that keeper cannot copy
	max         int   // bytes of a record
	limit       int64 // records from here on are another split's
	csv         bool
	lines       bool
	encoded     bool // the text has been found to be no UTF-16, or may be it
	delimiter   byte

	arena  []byte // arena[off:] is unread
	shared bool   // by values
	off    int
	pos    int64 // of the next record
	line   int64 // of the next record; 0: not known
	eof    bool
	long   *longRecord // the record at pos, which is being passed over
	share  int         // bytes of the arena since the last row
	first  int64       // position of the first row of the batch

	before func() error // see source
	early  bool         // a planted bug: see bugs
	prior  place        // of the last record, where early
	// What is to be done before the first record; see prepare.
	align   bool
	resume  place
	discard int64
}

// at returns the position of the next record.
func (in *input) at() position {
	p := position{
		place: place{in.pos, in.line}, stream: in.stream, head: in.head, base: in.base, generation: in.generation,
	}
	if in.early {
		p.place = in.prior
	}
	return p
}

// behind returns how far the bytes of the file have been read.
func (in *input) behind() int64 {
	n := in.pos + int64(len(in.arena)-in.off)
	if in.long != nil {
		n += in.long.passed
	}
	return n
}

// close gives back the files, the last opened first.
func (in *input) close() error {
	var err error
	for i := len(in.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, in.closers[i].Close())
	}
	in.closers = nil
	return err
}

// step reads on: first to the place of the first record, then records.
func (in *input) step(ctx context.Context, out *gpflow.Reading) (status, error) {
	if !in.prepared() {
		if st, err := in.prepare(ctx); err != nil || st == waiting || !in.prepared() {
			return st, err
		}
	}
	return in.poll(ctx, out)
}

// poll adds records to out until it is full, the split has ended, a stream has
// nothing, or many bytes have been read.
func (in *input) poll(ctx context.Context, out *gpflow.Reading) (status, error) {
	fills := 0
	for !out.Full() {
		if in.pos >= in.limit {
			return ended, nil
		}
		if in.long == nil {
			done, err := in.records(out)
			if err != nil {
				return more, err
			}
			if done {
				return more, nil
			}
		}
		if in.long != nil && in.pass(out) {
			continue
		}
		if in.long == nil && (in.eof || in.pos >= in.limit) {
			return ended, nil
		}
		if fills++; fills > maxFills {
			return more, nil
		}
		if st, err := in.fill(ctx); err != nil || st == waiting {
			return st, err
		}
	}
	return more, nil
}

// records adds the records that lie whole in the arena. full says that the
// batch can take no more; otherwise more bytes are needed, or there are none,
// or the record at pos is too long.
func (in *input) records(out *gpflow.Reading) (full bool, err error) {
	for in.pos < in.limit && in.off < len(in.arena) {
		if out.Full() || out.Len() > 0 && in.pos-in.first >= maxGap {
			return true, nil
		}
		n, rec, lines, err := in.dec.Frame(in.arena[in.off:], in.eof)
		switch {
		case err != nil:
			return false, in.unreadable(err)
		case n == 0 && in.eof:
			return false, in.unreadable(fmt.Errorf("the last %d bytes are no record", len(in.arena)-in.off))
		case n == 0:
			if len(in.arena)-in.off >= in.max+len("\r\n") {
				in.long = &longRecord{}
			}
			return false, nil
		case len(rec) > in.max:
			out.Fail(rec[:min(rawLimit, len(rec))], in.base+in.pos, in.line, in.tooLong(int64(len(rec))))
		case rec != nil:
			in.record(out, rec, n)
		}
		in.advance(n, lines)
	}
	return false, nil
}

// record decodes the record at pos, of n bytes with its end.
func (in *input) record(out *gpflow.Reading, rec []byte, n int) {
	if out.Len() == 0 {
		in.first = in.pos
	}
	row := out.Record(in.base+in.pos, in.line)
	if err := in.dec.Decode(rec, row); err != nil {
		out.Undo()
		out.Fail(rec, in.base+in.pos, in.line, err)
		return
	}
	size := in.keeper.size(row)
	switch {
	case in.nested || 2*size > n:
		in.shared = true
		out.Grow(in.share + n)
		in.share = -n
	case size > 0:
		in.keeper.own(row, size)
		out.Grow(size)
	}
}

// advance goes on behind n bytes.
func (in *input) advance(n, lines int) {
	in.prior = place{in.pos, in.line}
	in.off += n
	in.pos += int64(n)
	in.share += n
	if in.line > 0 {
		in.line += int64(lines)
	}
}

func (in *input) tooLong(n int64) error {
	return &gpflow.RecordError{Code: "too_long", Err: fmt.Errorf(
		"the record has %d bytes, and max_record allows %d; raise max_record to read it", n, in.max)}
}

// fill reads more bytes behind the unread ones, or finds that there are none.
func (in *input) fill(ctx context.Context) (status, error) {
	st, err := in.read(ctx)
	if err == nil {
		err = in.encoding()
	}
	return st, err
}

func (in *input) read(ctx context.Context) (status, error) {
	if err := ctx.Err(); err != nil {
		return more, err
	}
	in.room()
	before := len(in.arena)
	for empty := 0; len(in.arena) < cap(in.arena); {
		n, err := in.next(in.arena[len(in.arena):cap(in.arena)])
		in.arena = in.arena[:len(in.arena)+n]
		in.left -= int64(n)
		switch {
		case errors.Is(err, io.EOF) && in.tail:
			if len(in.arena) == before {
				return waiting, nil
			}
			return more, nil
		case errors.Is(err, io.EOF):
			in.eof = true
			return more, in.whole()
		case errors.Is(err, errNotReady):
			if len(in.arena) == before {
				return waiting, nil
			}
			return more, nil
		case err != nil:
			return more, in.damaged(err)
		case n > 0:
			empty = 0
		default:
			if empty++; empty > 100 {
				return more, in.damaged(io.ErrNoProgress)
			}
		}
	}
	return more, nil
}

// next reads bytes into b.
func (in *input) next(b []byte) (int, error) {
	if in.before != nil {
		if err := in.before(); err != nil {
			return 0, err
		}
	}
	return in.src.Read(b)
}

// room makes sure that the arena has a free end.
func (in *input) room() {
	if cap(in.arena)-len(in.arena) >= minFree {
		return
	}
	rest := in.arena[in.off:]
	size := max(chunk, min(2*len(rest), in.max+chunk))
	if in.file != nil {
		size = int(min(int64(size), int64(len(rest))+max(in.left, 0)+minFree))
	}
	if !in.shared && size <= cap(in.arena) {
		in.arena = in.arena[:copy(in.arena[:cap(in.arena)], rest)]
	} else {
		fresh := make([]byte, len(rest), size)
		copy(fresh, rest)
		in.arena, in.shared = fresh, false
	}
	in.off = 0
}
