package filesource

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gpflow/gpflow"
)

const (
	// followWait is when files that had nothing are looked at again; more than
	// fewFiles, later in proportion, for looking at each costs something.
	followWait = gpflow.Duration(200 * time.Millisecond / time.Microsecond)
	fewFiles   = 10_000
	// grace is how long a file that has been replaced or removed must not have
	// grown before it has ended: who writes to it may take time to turn to the
	// new one.
	grace = time.Minute
	// mostOpen is how many files that have nothing a reader keeps open. One that
	// is closed is opened when it has changed.
	mostOpen = 256
)

// follower reads the files that it is assigned in turn, as they grow.
type follower struct {
	*source
	tails    []*tail
	paths    map[string]int // how many of them have each
	next     int            // of tails, to be polled
	mostOpen int
}

// Assign adds a file, which is opened when it is polled.
func (r *follower) Assign(s gpflow.Split, from gpflow.Position) error {
	d, err := decodeSplit(s)
	if err != nil {
		return err
	}
	p, err := decodePosition(s.ID, from)
	if err != nil {
		return err
	}
	n := &tail{source: r.source, id: s.ID, data: d, from: p}
	if r.paths == nil {
		r.paths = make(map[string]int)
	}
	if r.paths[d.Path] > 0 {
		for _, t := range r.tails {
			t.behind(n)
			n.behind(t)
		}
	}
	r.tails = append(r.tails, n)
	r.paths[d.Path]++
	return nil
}

// remove forgets file i, and closes it.
func (r *follower) remove(i int) error {
	t := r.tails[i]
	r.tails = slices.Delete(r.tails, i, i+1)
	if r.paths[t.data.Path]--; r.paths[t.data.Path] == 0 {
		delete(r.paths, t.data.Path)
	}
	return t.close()
}

// behind notes that another file has had the path since.
func (t *tail) behind(later *tail) {
	if t.data.Path == later.data.Path && t.data.Generation < later.data.Generation {
		t.from.replaced = true
	}
}

// Poll reads on in the next file that has something. Where the disk fails, the file
// is opened anew when it is its turn, at the place where this poll began.
func (r *follower) Poll(ctx context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	if len(r.tails) == 0 {
		return gpflow.Progress{}, errors.New("a reader of files was polled without a split")
	}
	for range r.tails {
		r.next %= len(r.tails)
		t := r.tails[r.next]
		out.Begin(t.id)
		place := t.at()
		st, err := t.poll(ctx, out)
		if err != nil {
			err, t.from, t.seen = again(false, err), place, nil
			_ = t.close() // what was only read is closed, or given up
			return gpflow.Progress{}, err
		}
		if st != waiting && t.told() {
			out.Done(t.at().encode())
		}
		switch st {
		case ended:
			return gpflow.Progress{Ended: t.id}, r.remove(r.next)
		case more:
			err := r.spare(t)
			r.next++
			return gpflow.Progress{}, err
		case moved:
			return gpflow.Progress{}, nil
		}
		if err := r.spare(t); err != nil {
			return gpflow.Progress{}, err
		}
		r.next++
	}
	return gpflow.Progress{Idle: true, Wait: max(followWait, followWait*gpflow.Duration(len(r.tails))/fewFiles)}, nil
}

// spare closes the file that was polled, where it has nothing more and enough others
// stay open.
func (r *follower) spare(t *tail) error {
	if r.next < r.mostOpen {
		return nil
	}
	return t.park()
}

// Drop forgets a file, and closes it.
func (r *follower) Drop(split string) error {
	i := slices.IndexFunc(r.tails, func(t *tail) bool { return t.id == split })
	if i < 0 {
		return nil
	}
	if i < r.next {
		r.next--
	}
	return r.remove(i)
}

// Close closes the files.
func (r *follower) Close() error {
	var err error
	for _, t := range r.tails {
		err = errors.Join(err, t.close())
	}
	r.tails = nil
	return err
}
