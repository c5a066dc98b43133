package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
)

// clicks is the schema of the test sources' rows.
func clicks() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp).Opt()},
		gpflow.Column{Name: "text", Type: gpflow.T(gpflow.KindString)},
	)
}

// record is a record of a test source.
type record struct {
	k      int64
	at     gpflow.Timestamp
	noTime bool
	text   string
	broken bool // cannot be decoded
}

// feed is what a test source reads.
type feed struct {
	mu     sync.Mutex
	splits map[string][]record // by name; in the order of names
	open   bool                // more may come: splits do not end
	alone  bool                // unbounded as a job sees it, and more splits may be found
	wakes  []func()

	gate  chan struct{} // not nil: Assign waits for it to be closed
	slow  time.Duration // what each Poll waits for
	fault func() error  // of each Poll, which has put something into out by then; nil: none

	readErr, assignErr, closeErr error
	polls                        int
	closed                       int // readers, enumerators and sources
}

// add puts records behind a split of an open feed.
func (f *feed) add(split string, rs ...record) {
	f.mu.Lock()
	f.splits[split] = append(f.splits[split], rs...)
	wakes := slices.Clone(f.wakes)
	f.mu.Unlock()
	for _, w := range wakes {
		w()
	}
}

func (f *feed) Enumerator([]gpflow.Split) (gpflow.Enumerator, error) { return &finder{feed: f}, nil }

func (f *feed) Close() error { f.close(); return nil }

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
}

func (f *feed) Reader(c *gpflow.ReaderContext) (gpflow.Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakes = append(f.wakes, c.Wake)
	return &feedReader{feed: f, at: map[string]int{}}, nil
}

// finder finds the splits of a feed.
type finder struct {
	feed  *feed
	found bool
}

func (e *finder) Discover(ctx context.Context) ([]gpflow.Split, bool, error) {
	e.feed.mu.Lock()
	defer e.feed.mu.Unlock()
	if e.found {
		e.feed.mu.Unlock()
		<-ctx.Done()
		e.feed.mu.Lock()
		return nil, false, ctx.Err()
	}
	e.found = true
	var names []string
	for n := range e.feed.splits {
		names = append(names, n)
	}
	slices.Sort(names)
	var ss []gpflow.Split
	for _, n := range names {
		ss = append(ss, gpflow.Split{ID: n})
	}
	return ss, !e.feed.alone, nil
}

func (e *finder) Close() error { e.feed.close(); return nil }

type feedReader struct {
	feed   *feed
	splits []string
	at     map[string]int
}

func (r *feedReader) Assign(s gpflow.Split, _ gpflow.Position) error {
	if r.feed.gate != nil {
		<-r.feed.gate
	}
	r.splits = append(r.splits, s.ID)
	return r.feed.assignErr
}

// Poll reads from the first split that has something, in turn.
func (r *feedReader) Poll(_ context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	f := r.feed
	if f.slow > 0 {
		<-time.After(f.slow)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	if f.fault != nil && len(r.splits) > 0 {
		if err := f.fault(); err != nil {
			out.Begin(r.splits[0])
			put(out, record{k: -1, text: "half read"}, 0)
			put(out, record{text: "half read", broken: true}, 0)
			out.Done(gpflow.Position("half read"))
			return gpflow.Progress{}, err
		}
	}
	for range r.splits {
		s := r.splits[0]
		r.splits = append(r.splits[1:], s)
		records := f.splits[s]
		out.Begin(s)
		start := r.at[s]
		for ; r.at[s] < len(records) && !out.Full(); r.at[s]++ {
			put(out, records[r.at[s]], int64(r.at[s]))
		}
		switch {
		case r.at[s] == len(records) && !f.open:
			r.splits = slices.DeleteFunc(r.splits, func(x string) bool { return x == s })
			return gpflow.Progress{Ended: s}, f.readErr
		case r.at[s] > start:
			return gpflow.Progress{}, f.readErr
		}
	}
	return gpflow.Progress{Idle: true}, f.readErr
}

func put(out *gpflow.Reading, rec record, pos int64) {
	if rec.broken {
		out.Fail([]byte(rec.text), pos*100, pos+1, &gpflow.RecordError{Code: "decode", Err: fmt.Errorf("%q is broken", rec.text)})
		return
	}
	row := out.Record(pos*100, pos+1)
	row[0], row[2] = gpflow.Int(rec.k), gpflow.String(rec.text)
	if !rec.noTime {
		row[1] = gpflow.Time(rec.at)
	}
	out.Grow(len(rec.text))
}

func (r *feedReader) Close() error { r.feed.close(); return r.feed.closeErr }

// store is what a test sink keeps: rows as JSON.
type store struct {
	mu        sync.Mutex
	staged    []string
	committed []string
	prepared  int
	early     bool // something was committed while fewer than writers had prepared
	writers   int
	closed    int

	gate                            chan struct{} // not nil: Write waits for it to be closed
	wrote                           chan struct{} // not nil: told of each Write
	writeErr, prepareErr, commitErr error
	fault                           func(call string) error // of Write, Prepare and Commit; nil: none
	refuse                          string                  // rows that contain it are given to fail
	parts                           bool                    // it commits at each checkpoint, not only at the end
}

func (s *store) rows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.committed))
}

// storeSink is one subtask of a test sink.
type storeSink struct {
	*store
	name string
	mine []string
}

func (s *storeSink) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.writeErr != nil {
		return s.writeErr
	}
	if s.fault != nil {
		if err := s.fault("Write"); err != nil {
			return err
		}
	}
	for i := range b.N {
		row := string(gpflow.RowJSON(nil, b.Schema, b.Row(i)))
		if s.refuse != "" && strings.Contains(row, s.refuse) {
			if err := fail(i, errRefused); err != nil {
				return err
			}
			continue
		}
		s.mine = append(s.mine, row)
	}
	if s.wrote != nil {
		select {
		case s.wrote <- struct{}{}:
		case <-ctx.Done():
		}
	}
	return nil
}

func (s *storeSink) Prepare(_ context.Context, id gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepareErr != nil {
		return gpflow.Prepared{}, s.prepareErr
	}
	if s.fault != nil {
		if err := s.fault("Prepare"); err != nil {
			return gpflow.Prepared{}, err
		}
	}
	s.prepared++
	s.staged = append(s.staged, s.mine...)
	return gpflow.Prepared{Committable: gpflow.Committable(fmt.Sprintf("%s %d %t", s.name, id, final))}, nil
}

func (s *storeSink) Recover(context.Context, [][]byte) error { return nil }

func (s *storeSink) Commit(_ context.Context, c gpflow.Committable) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.early = s.early || s.prepared < s.writers
	if s.fault != nil {
		if err := s.fault("Commit"); err != nil {
			return err
		}
	}
	if s.parts {
		return nil
	}
	if string(c) != s.name+" 1 true" {
		return fmt.Errorf("%s was given %q to commit", s.name, c)
	}
	s.committed = append(s.committed, s.mine...)
	return s.commitErr
}

func (s *storeSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}
