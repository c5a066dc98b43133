package optest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

// counter is a source of two splits of the numbers from 0 on, each with the
// mistakes that it is told to make.
type counter struct {
	mistake string
	records int64 // of a split; -1: no end
	forever chan struct{}
}

func (c *counter) Enumerator(known []gpflow.Split) (gpflow.Enumerator, error) {
	return &counterSplits{c, len(known) > 0 && c.mistake != "known splits are found again", false}, nil
}

func (c *counter) Reader(*gpflow.ReaderContext) (gpflow.Reader, error) {
	return &counterReader{counter: c, at: make(map[string]int64)}, nil
}

type counterSplits struct {
	*counter
	done, asked bool
}

func (c *counterSplits) Discover(ctx context.Context) ([]gpflow.Split, bool, error) {
	again := c.asked
	c.asked = true
	switch {
	case again && c.mistake == "it waits for splits for ever":
		<-c.forever
	case again && c.records < 0:
		<-ctx.Done()
		return nil, false, ctx.Err()
	case c.done:
		return nil, c.records >= 0, nil
	}
	c.done = true
	second := "b"
	if c.mistake == "two splits of one name" {
		second = "a"
	}
	return []gpflow.Split{{ID: "a"}, {ID: second}}, c.records >= 0, nil
}

func (c *counterSplits) Close() error { return nil }

type counterReader struct {
	*counter
	splits []string
	at     map[string]int64
	polls  int
}

func (r *counterReader) Assign(s gpflow.Split, from gpflow.Position) error {
	r.splits = append(r.splits, s.ID)
	if from != nil && r.mistake != "positions are passed over" {
		n, _ := binary.Uvarint(from)
		r.at[s.ID] = int64(n)
	}
	return nil
}

func (r *counterReader) Poll(ctx context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	r.polls++
	s := r.splits[0]
	if r.mistake == "the wrong split" {
		s = "c"
	}
	if r.at[s] == 5 && r.mistake == "it waits for records for ever" || ctx.Err() != nil && r.mistake == "the end is passed over" {
		<-r.forever
	}
	if ctx.Err() != nil && r.mistake == "an end of its own" {
		return gpflow.Progress{}, errors.New("interrupted")
	}
	out.Begin(s)
	for n := 0; r.at[s] != r.records && n < 9; n++ {
		if out.Full() && r.mistake != "more than the limit" {
			break
		}
		i := r.at[s]
		switch {
		case i%5 == 4:
			out.Fail([]byte{'?', byte('0' + i%10)}, i, i+1, &gpflow.RecordError{Code: "decode", Err: errors.New("a five")})
		case r.mistake == "positions do not ascend":
			out.Record(i/2, i+1)[0] = gpflow.Int(i)
		case r.mistake == "values of the poll":
			out.Record(i, i+1)[0] = gpflow.Int(int64(r.polls))
		default:
			out.Record(i, i+1)[0] = gpflow.Int(i)
		}
		r.at[s]++
	}
	pos := r.at[s]
	switch r.mistake {
	case "positions too early":
		pos = max(pos-1, 0)
	case "positions too late":
		pos++
	}
	if r.mistake != "no position" {
		out.Done(binary.AppendUvarint(nil, uint64(pos)))
	}
	if r.records >= 0 && r.at[s] >= r.records {
		r.splits = r.splits[1:]
		if r.mistake == "the end of another" {
			return gpflow.Progress{Ended: "c"}, nil
		}
		return gpflow.Progress{Ended: s}, nil
	}
	if r.mistake == "idle with records" {
		return gpflow.Progress{Idle: true}, nil
	}
	r.splits = append(r.splits[1:], r.splits[0])
	return gpflow.Progress{}, nil
}

func (r *counterReader) Close() error {
	if r.mistake == "close fails" {
		return errors.New("it is stuck")
	}
	return nil
}

func counting(mistake string, records int64) SourceCase {
	schema := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	return SourceCase{
		Descriptor: &gpflow.Descriptor{
			Block: "source", Kind: "counter",
			Traits: func(gpflow.Config) gpflow.Traits { return gpflow.Traits{Bounded: records >= 0} },
			Infer:  func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{Ports: []*gpflow.Schema{schema, nil}} },
			NewSource: func(*gpflow.SourceContext) (gpflow.Source, error) {
				return &counter{mistake, records, make(chan struct{})}, nil
			},
		},
	}
}

func TestRunSource(t *testing.T) {
	c := counting("", 6)
	split := []string{"0 line 1: 0", "1 line 2: 1", "2 line 3: 2", "3 line 4: 3", "4 line 5: ?4 !decode: a five", "5 line 6: 5"}
	c.Want = map[string][]string{"a": split, "b": split}
	RunSource(t, c)
	RunSource(t, counting("", 0))
	endless := counting("", -1)
	endless.Most = 30
	RunSource(t, endless)
}

// said takes what a harness complains of.
type said struct{ text string }

func (s *said) Helper() {}

func (s *said) Errorf(format string, args ...any) { s.text += fmt.Sprintf(format, args...) + "\n" }

func (s *said) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	panic(s)
}

func complaint(c SourceCase) string {
	var s said
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(&s) {
				panic(r)
			}
		}()
		RunSource(&s, c)
	}()
	return s.text
}

func TestMistakesOfSourcesAreFound(t *testing.T) {
	for mistake, want := range map[string]string{
		"known splits are found again": "the enumerator finds a, b",
		"two splits of one name":       `the split "a" is found twice`,
		"positions are passed over":    "gone on with behind poll 1",
		"positions too early":          "gone on with behind poll 1",
		"positions too late":           "gone on with behind poll 1",
		"positions do not ascend":      "the one before it is at",
		"no position":                  "no position behind them",
		"the wrong split":              `records of the split "c"`,
		"the end of another":           `"c" has ended`,
		"more than the limit":          "and 1 is the limit",
		"idle with records":            "says that there are none",
		"values of the poll":           "they differ from record",
		"an end of its own":            "which does not say so",
		"close fails":                  "it is stuck",
	} {
		if got := complaint(counting(mistake, 12)); !strings.Contains(got, want) {
			t.Errorf("%s: the harness says %q", mistake, got)
		}
	}
	for mistake, records := range map[string]int64{
		"it waits for records for ever": 12, "the end is passed over": 12, "it waits for splits for ever": -1,
	} {
		c := counting(mistake, records)
		c.Most, c.patience = 30, 50*time.Millisecond
		if got := complaint(c); !strings.Contains(got, "does not come back") {
			t.Errorf("%s: the harness says %q", mistake, got)
		}
	}
	c := counting("", 1)
	c.Want = map[string][]string{"a": {"0 line 1: 1"}}
	if got := complaint(c); !strings.Contains(got, "the split b is not wanted") || !strings.Contains(got, "split a gives") {
		t.Errorf("other records than wanted: the harness says %q", got)
	}
}
