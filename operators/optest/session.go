package optest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
)

// session is a source with its readers.
type session struct {
	*SourceCase
	t       TB
	what    string
	now     snapshot
	readers []gpflow.Reader
	splits  []map[string]bool // by reader
	schema  *gpflow.Schema
	closed  bool
}

// start makes a source, and assigns its splits to readers in turn.
func (c *SourceCase) start(t TB, what string, from *snapshot, readers int) *session {
	t.Helper()
	s := &session{SourceCase: c, t: t, what: what, now: snapshot{at: make(map[string]gpflow.Position), got: make(map[string][]Record)}}
	if from != nil {
		s.now = *from.clone()
	}
	src := s.source(readers)
	fresh := s.discover(src)
	if from != nil && len(fresh) > 0 {
		t.Fatalf("the enumerator finds %s, and has been told that all of these are known: %s", names(fresh), names(s.now.known))
	}
	s.now.known = append(s.now.known, fresh...)
	for _, f := range fresh {
		s.now.at[f.ID] = nil
	}
	for i := range readers {
		r, err := src.Reader(&gpflow.ReaderContext{Subtask: gpflow.Subtask{Index: i, Parallelism: readers}, Wake: func() {}})
		if err != nil {
			t.Fatalf("make a reader: %v", err)
		}
		s.readers = append(s.readers, r)
		s.splits = append(s.splits, make(map[string]bool))
	}
	i := 0
	for _, k := range s.now.known {
		pos, ok := s.now.at[k.ID]
		if !ok {
			continue
		}
		if err := s.readers[i%readers].Assign(gpflow.Split{ID: k.ID, Data: bytes.Clone(k.Data)}, bytes.Clone(pos)); err != nil {
			s.close()
			t.Fatalf("assign %s from %x: %v", k.ID, pos, err)
		}
		s.splits[i%readers][k.ID] = true
		i++
	}
	return s
}

// source makes the source. Its configuration goes through the serial form, as
// in a plan.
func (s *session) source(readers int) gpflow.Source {
	s.t.Helper()
	data, err := gpflow.NewConfig(s.Descriptor.Fields, s.Config).MarshalJSON()
	if err != nil {
		s.t.Fatalf("write the configuration: %v", err)
	}
	config, err := gpflow.DecodeConfig(s.Descriptor.Fields, data)
	if err != nil {
		s.t.Fatalf("read the configuration back: %v", err)
	}
	var problems []error
	inferred := s.Descriptor.Infer(&gpflow.Inference{Config: config, Constants: s.Constants, Report: func(p gpflow.Problem) {
		if !p.Warning {
			problems = append(problems, fmt.Errorf("%s: %s: %s", p.Path, p.Summary, p.Detail))
		}
	}})
	if err := errors.Join(problems...); err != nil {
		s.t.Fatalf("Infer complains: %v", err)
	}
	s.schema = inferred.Ports[0]
	src, err := s.Descriptor.NewSource(&gpflow.SourceContext{
		Address: Address, Config: config, Constants: s.Constants, Schema: s.schema, EventTime: s.EventTime,
		Parallelism: max(readers, s.Parallelism), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		s.t.Fatalf("make the source: %v", err)
	}
	if s.Adjust != nil {
		s.Adjust(src)
	}
	return src
}

// discover returns what the enumerator finds: all, or what it finds at once
// where the input never ends.
func (s *session) discover(src gpflow.Source) []gpflow.Split {
	s.t.Helper()
	e, err := src.Enumerator(slices.Clone(s.now.known))
	if err != nil {
		s.t.Fatalf("make the enumerator: %v", err)
	}
	bounded := s.Descriptor.TraitsOf(gpflow.NewConfig(s.Descriptor.Fields, s.Config)).Bounded
	var all []gpflow.Split
	seen := make(map[string]bool)
	for {
		splits, done, err := e.Discover(context.Background())
		if err != nil {
			s.t.Fatalf("find splits: %v", err)
		}
		for _, f := range splits {
			if f.ID == "" || seen[f.ID] {
				s.t.Fatalf("the split %q is found twice, or has no name", f.ID)
			}
			seen[f.ID] = true
		}
		all = append(all, splits...)
		if done {
			break
		}
		if !bounded {
			s.endWait(e)
			break
		}
	}
	if err := e.Close(); err != nil {
		s.t.Fatalf("close the enumerator: %v", err)
	}
	return all
}

// endWait has an enumerator look for more that need not come, with a context that has
// ended.
func (s *session) endWait(e gpflow.Enumerator) {
	s.t.Helper()
	s.promptly("a Discover whose context has ended", func() {
		if _, _, err := e.Discover(over); err != nil && !errors.Is(err, context.Canceled) {
			s.t.Errorf("a Discover whose context has ended returns %v, which does not say so", err)
		}
	})
}

// promptly makes a call that has no reason to wait.
func (s *session) promptly(what string, call func()) {
	s.t.Helper()
	limit := s.patience
	if limit == 0 {
		limit = 30 * time.Second
	}
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		call()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		s.t.Fatalf("%s: %s does not come back within %s", s.what, what, limit)
	}
	if panicked != nil {
		panic(panicked)
	}
}

// poll polls a reader, and takes what it gives into s.now.
func (s *session) poll(i, limit int) gpflow.Progress {
	s.t.Helper()
	out := gpflow.NewReading(s.schema)
	if limit > 0 {
		out.Limit(limit)
	}
	p, err := s.pollOnce(i, out)
	var again *gpflow.Transient
	for n := 0; errors.As(err, &again) && n < mostFailures; n++ {
		if b, _, _, _ := out.TakeReading(); b != nil {
			b.Release()
		}
		p, err = s.pollOnce(i, out)
	}
	if err != nil {
		s.close()
		s.t.Fatalf("poll: %v", err)
	}
	b, failed, split, pos := out.TakeReading()
	got := records(b, failed, split)
	if b != nil {
		b.Release()
	}
	switch {
	case !s.splits[i][split]:
		s.t.Fatalf("%s: a poll gives records of the split %q, which the reader does not have", s.what, split)
	case limit > 0 && len(got) > limit:
		s.t.Fatalf("%s: a poll gives %d records, and %d is the limit", s.what, len(got), limit)
	case len(got) > 0 && pos == nil:
		s.t.Fatalf("%s: a poll gives records of %s, and no position behind them", s.what, split)
	case p.Idle && len(got) > 0:
		s.t.Fatalf("%s: a poll gives records, and says that there are none", s.what)
	}
	s.take(split, got)
	if pos != nil {
		s.now.at[split] = bytes.Clone(pos)
	}
	if p.Ended == "" {
		return p
	}
	if !s.splits[i][p.Ended] {
		s.t.Fatalf("a poll says that %q has ended, which the reader does not have", p.Ended)
	}
	delete(s.splits[i], p.Ended)
	delete(s.now.at, p.Ended)
	return p
}

func (s *session) pollOnce(i int, out *gpflow.Reading) (p gpflow.Progress, err error) {
	s.t.Helper()
	s.promptly("a Poll", func() { p, err = s.readers[i].Poll(context.Background(), out) })
	return p, err
}

// take adds records of a split, whose positions ascend.
func (s *session) take(split string, got []Record) {
	s.t.Helper()
	all := s.now.got[split]
	for _, r := range got {
		if n := len(all); n > 0 && r.Position <= all[n-1].Position || r.Split != split {
			s.close()
			s.t.Fatalf("%s: record %d of the split %s is given as %q at position %d, and the one before it is at %d", s.what, n, split, r.Split, r.Position, lastOf(all))
		}
		all = append(all, r)
	}
	s.now.got[split] = all
	s.now.n += len(got)
}

func (s *session) close() {
	s.t.Helper()
	if s.closed {
		return // it has been, by what ended the test
	}
	s.closed = true
	for _, r := range s.readers {
		if err := r.Close(); err != nil {
			s.t.Errorf("close a reader: %v", err)
		}
	}
}

func (s *snapshot) clone() *snapshot {
	c := &snapshot{
		known: slices.Clone(s.known), at: make(map[string]gpflow.Position), got: make(map[string][]Record), n: s.n,
	}
	for k, v := range s.at {
		c.at[k] = v
	}
	for k, v := range s.got {
		c.got[k] = slices.Clip(v)
	}
	return c
}

// records returns rows and failed records in their order.
func records(b *gpflow.Batch, failed []gpflow.FailedRecord, split string) []Record {
	var out []Record
	n := 0
	if b != nil {
		n = b.N
	}
	for i := 0; i <= n; i++ {
		for len(failed) > 0 && failed[0].After <= i {
			f := failed[0]
			out = append(out, Record{split, f.Position, f.Line, string(f.Raw), gpflow.ErrorCode(f.Err), f.Err.Error()})
			failed = failed[1:]
		}
		if i == n {
			break
		}
		at, pos, line, _ := b.Position(i)
		var text []byte
		for k, v := range b.Row(i) {
			if k > 0 {
				text = append(text, ' ')
			}
			var err error
			if text, err = gpflow.AppendJSON(text, v); err != nil {
				text = append(text, err.Error()...)
			}
		}
		out = append(out, Record{Split: at, Position: pos, Line: line, Text: string(text)})
	}
	return out
}

// lastOf returns the position of the last record, or -1.
func lastOf(rs []Record) int64 {
	if len(rs) == 0 {
		return -1
	}
	return rs[len(rs)-1].Position
}

func names(splits []gpflow.Split) string {
	var out []string
	for _, s := range splits {
		out = append(out, s.ID)
	}
	return strings.Join(out, ", ")
}
