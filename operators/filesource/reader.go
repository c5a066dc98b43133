package filesource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
)

// reader reads the splits that it is assigned, in that order.
type reader struct {
	*source
	wake  func()
	queue []assigned
	cur   *input // of queue[0], once opened
}

type assigned struct {
	id   string
	data splitData
	from position
}

// Assign puts a split at the end of the queue. What has been read of it must be
// there as it was.
func (r *reader) Assign(s gpflow.Split, from gpflow.Position) error {
	d, err := decodeSplit(s)
	if err != nil {
		return err
	}
	p, err := decodePosition(s.ID, from)
	if err != nil {
		return err
	}
	switch {
	case (d.Stream || p.stream) && p.offset > 0:
		return &gpflow.FinalError{Err: fmt.Errorf(
			"read %s: %d bytes of it had been read, and they cannot be read again; start anew with --fresh, or have the data in a file and read that", s.ID, p.offset)}
	case p.offset > 0 || d.Head.n > 0:
		if err := d.check(p); err != nil {
			return err
		}
	}
	r.queue = append(r.queue, assigned{s.ID, d, p})
	return nil
}

// Poll reads on in the first split of the queue. Where the disk fails, the file is
// opened anew by the next Poll, at the place where this one began.
func (r *reader) Poll(ctx context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if len(r.queue) == 0 {
		return gpflow.Progress{}, errors.New("a reader of files was polled without a split")
	}
	a := r.queue[0]
	out.Begin(a.id)
	if r.cur == nil {
		in, err := r.open(a.data, a.from, r.wake)
		if err != nil {
			return gpflow.Progress{}, again(a.data.Stream, err)
		}
		r.cur = in
	}
	begun, place := r.cur.prepared(), r.cur.at()
	st, err := r.cur.step(ctx, out)
	if err != nil {
		if err = again(a.data.Stream, err); begun {
			r.queue[0].from = place
		}
		_ = r.cur.close() // what was only read is closed, or given up
		r.cur = nil
		return gpflow.Progress{}, err
	}
	if r.cur.prepared() {
		out.Done(r.cur.at().encode())
	} else if a.from.offset > 0 {
		out.Done(a.from.encode())
	}
	switch st {
	case waiting:
		return gpflow.Progress{Idle: true, Wait: streamWait}, nil
	case ended:
		err := r.cur.close()
		r.cur = nil
		r.queue = r.queue[1:]
		return gpflow.Progress{Ended: a.id}, err
	}
	return gpflow.Progress{}, nil
}

// Drop forgets a split, and closes its file.
func (r *reader) Drop(split string) error {
	i := slices.IndexFunc(r.queue, func(a assigned) bool { return a.id == split })
	if i < 0 {
		return nil
	}
	r.queue = slices.Delete(r.queue, i, i+1)
	if i > 0 || r.cur == nil {
		return nil
	}
	in := r.cur
	r.cur = nil
	return in.close()
}

// Close closes the file that is open.
func (r *reader) Close() error {
	r.queue = nil
	if r.cur == nil {
		return nil
	}
	in := r.cur
	r.cur = nil
	return in.close()
}
