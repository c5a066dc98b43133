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

	"github.com/gpflow/gpflow"
)

// SourceCase is a source over input that does not change, as RunSource reads it.
type SourceCase struct {
	Descriptor *gpflow.Descriptor
	Config     map[string]any // by field, as gpflow.NewConfig takes it
	Constants  gpflow.Constants
	// Parallelism is what the source is made with; 0: 1.
	Parallelism int
	EventTime   bool
	// Most is how many records are read of an input that does not end; 0: all,
	// until every split has ended, or a reader is idle.
	Most int
	// Want are the records of each split, by its id, as Record.String writes
	// them. nil: not compared.
	Want map[string][]string
	// Adjust may change a source that has been made, as to switch on a planted
	// bug.
	Adjust func(gpflow.Source)
}

// Record is a record that a source gave, or one that it could not decode.
type Record struct {
	Split          string
	Position, Line int64
	Text           string // its columns as JSON, with a blank between; or its raw form
	Code, Err      string // of one that failed
}

func (r Record) String() string {
	s := fmt.Sprintf("%d line %d: %s", r.Position, r.Line, r.Text)
	if r.Code != "" {
		s += fmt.Sprintf(" !%s: %s", r.Code, r.Err)
	}
	return s
}

// limits are the records of one poll; 0: as many as the reader gives.
var limits = []int{1, 2, 7, 0}

// mostStuck is how many polls in a row may give nothing and not say so.
const mostStuck = 1000

// RunSource puts a source through what the engine may do to it: few and many
// records a poll; a checkpoint behind every poll, which a new source, enumerator
// and reader go on from, once or each time; another number of readers after
// that; and the end behind every poll. Whatever is done, each split must give
// the same records with the same origins, in the same order, at ascending
// positions.
func RunSource(t TB, c SourceCase) {
	t.Helper()
	base := c.read(t, nil, reading{what: "many records a poll"})
	c.wanted(t, base)
	for _, limit := range limits {
		what := fmt.Sprintf("%d records a poll", limit)
		var at []*snapshot
		whole := c.read(t, nil, reading{what: what, limit: limit, each: func(s *snapshot) bool { at = append(at, s); return false }})
		c.compare(t, what, base, whole)
		for i, s := range at {
			what := fmt.Sprintf("%s, gone on with behind poll %d", what, i+1)
			c.compare(t, what, base, c.read(t, s, reading{what: what, limit: limit}))
			c.cancel(t, i+1, limit)
		}
		for _, readers := range [][]int{{1}, {1, 3, 2}} {
			what := fmt.Sprintf("%s, gone on with behind each by %d readers", what, readers)
			c.compare(t, what, base, c.chain(t, what, limit, readers...))
		}
	}
}

// snapshot is what a checkpoint holds of a source, and what was read before it.
type snapshot struct {
	known []gpflow.Split
	at    map[string]gpflow.Position // of the splits that have not ended
	got   map[string][]Record
	n     int // records
}

// reading says how a source is read.
type reading struct {
	what    string
	limit   int
	readers int // 0: 1
	// each is called with a snapshot behind each poll; true ends the reading.
	each func(*snapshot) bool
}

// chain reads with a new source behind each poll, each with the next number of
// readers.
func (c *SourceCase) chain(t TB, what string, limit int, readers ...int) map[string][]Record {
	t.Helper()
	var s *snapshot
	for i, stuck := 0, 0; ; i++ {
		var last *snapshot
		got := c.read(t, s, reading{what: what, limit: limit, readers: readers[i%len(readers)], each: func(now *snapshot) bool {
			last = now
			return true
		}})
		if last == nil {
			return got
		}
		if stuck++; s == nil || last.n > s.n || len(last.at) < len(s.at) {
			stuck = 0
		}
		if stuck > mostStuck {
			t.Fatalf("%s: %d polls give neither a record nor an end of a split", what, stuck)
		}
		s = last
	}
}

// read reads the source, from a snapshot or from the beginning, and returns all
// records of each split, with those before the snapshot.
func (c *SourceCase) read(t TB, from *snapshot, how reading) map[string][]Record {
	t.Helper()
	s := c.start(t, how.what, from, max(1, how.readers))
	defer s.close()
	for stuck := 0; len(s.now.at) > 0 && (c.Most == 0 || s.now.n < c.Most); {
		n, idle := s.now.n, true
		for i := range s.readers {
			if len(s.splits[i]) == 0 {
				continue
			}
			p := s.poll(i, how.limit)
			idle = idle && p.Idle
			if !p.Idle && how.each != nil && how.each(s.now.clone()) {
				return s.now.got
			}
		}
		if idle {
			break
		}
		if stuck++; s.now.n > n {
			stuck = 0
		}
		if stuck > mostStuck {
			t.Fatalf("%s: %d polls give neither a record nor an end", how.what, stuck)
		}
	}
	return s.now.got
}

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
	bounded := s.Descriptor.Traits.Bounded != nil && s.Descriptor.Traits.Bounded(gpflow.NewConfig(s.Descriptor.Fields, s.Config))
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
		if done || !bounded {
			break
		}
	}
	if err := e.Close(); err != nil {
		s.t.Fatalf("close the enumerator: %v", err)
	}
	return all
}

// poll polls a reader, and takes what it gives into s.now.
func (s *session) poll(i, limit int) gpflow.Progress {
	s.t.Helper()
	out := gpflow.NewReading(s.schema)
	if limit > 0 {
		out.Limit(limit)
	}
	p, err := s.readers[i].Poll(context.Background(), out)
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

// cancel ends a reading behind a number of polls: by closing the reader, where
// the context of one more poll has ended.
func (c *SourceCase) cancel(t TB, polls, limit int) {
	t.Helper()
	s := c.start(t, "a reading that is cancelled", nil, 1)
	defer s.close()
	for range polls {
		if len(s.splits[0]) == 0 {
			return
		}
		s.poll(0, limit)
	}
	if len(s.splits[0]) == 0 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	out := gpflow.NewReading(s.schema)
	if _, err := s.readers[0].Poll(ctx, out); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a poll whose context has ended returns %v, which does not say so", err)
	}
	if b, _, _, _ := out.TakeReading(); b != nil {
		b.Release()
	}
}

func (c *SourceCase) wanted(t TB, got map[string][]Record) {
	t.Helper()
	if c.Want == nil {
		return
	}
	for split := range got {
		if _, ok := c.Want[split]; !ok && len(got[split]) > 0 {
			t.Errorf("the split %s is not wanted, and gives %d records", split, len(got[split]))
		}
	}
	for split, want := range c.Want {
		var lines []string
		for _, r := range got[split] {
			lines = append(lines, r.String())
		}
		if !slices.Equal(lines, want) {
			t.Errorf("split %s gives\n\t%s\nwant\n\t%s", split, strings.Join(lines, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

// compare reports where the records of two readings differ. Of input that does
// not end, only what both have read is compared.
func (c *SourceCase) compare(t TB, what string, want, got map[string][]Record) {
	t.Helper()
	splits := make(map[string]bool)
	for s := range want {
		splits[s] = true
	}
	for s := range got {
		splits[s] = true
	}
	for s := range splits {
		w, g := want[s], got[s]
		if c.Most > 0 {
			n := min(len(w), len(g))
			w, g = w[:n], g[:n]
		}
		if slices.Equal(w, g) {
			continue
		}
		i := 0
		for i < len(w) && i < len(g) && w[i] == g[i] {
			i++
		}
		t.Fatalf("%s: the split %s gives %d records, not %d; they differ from record %d on:\n\t%v\nwant\n\t%v",
			what, s, len(g), len(w), i, g[i:min(len(g), i+3)], w[i:min(len(w), i+3)])
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
