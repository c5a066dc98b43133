package optest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

	patience time.Duration // with a call that has no reason to wait; 0: 30 seconds
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
// that; and the end behind every poll. A poll that fails with a gpflow.Transient is
// made again. A reader that can give up splits is made to, behind every poll.
// Whatever is done, each split must give
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
			c.giveUp(t, base, i+1, limit)
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
	out := gpflow.NewReading(s.schema)
	var err error
	s.promptly("a Poll whose context has ended", func() { _, err = s.readers[0].Poll(over, out) })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a poll whose context has ended returns %v, which does not say so", err)
	}
	if b, _, _, _ := out.TakeReading(); b != nil {
		b.Release()
	}
}

// giveUp has a reader give up a split behind a number of polls, if it can: of that one
// nothing more may come, and of the others everything.
func (c *SourceCase) giveUp(t TB, base map[string][]Record, polls, limit int) {
	t.Helper()
	s := c.start(t, fmt.Sprintf("a reading in which a split is given up behind poll %d", polls), nil, 1)
	defer s.close()
	d, ok := s.readers[0].(gpflow.Dropper)
	for range polls {
		if len(s.splits[0]) > 0 {
			s.poll(0, limit)
		}
	}
	if !ok || len(s.splits[0]) == 0 {
		return
	}
	left := slices.Sorted(maps.Keys(s.splits[0]))
	gone := left[polls%len(left)]
	if err := d.Drop(gone); err != nil {
		t.Fatalf("give up %s: %v", gone, err)
	}
	delete(s.splits[0], gone)
	delete(s.now.at, gone)
	had := len(s.now.got[gone])
	for stuck := 0; len(s.splits[0]) > 0 && (c.Most == 0 || s.now.n < c.Most) && stuck < mostStuck; stuck++ {
		if s.poll(0, limit).Idle {
			break
		}
	}
	if len(s.now.got[gone]) != had {
		t.Fatalf("%s: %d records of it come after that", s.what, len(s.now.got[gone])-had)
	}
	want := maps.Clone(base)
	want[gone] = base[gone][:min(had, len(base[gone]))]
	c.compare(t, s.what, want, s.now.got)
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
