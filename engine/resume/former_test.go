package resume

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// TestRestoredTime: where the wiring has changed, a subtask does not go on from
// how far time had come in its namesake, whose input may have ended; rows of the
// others may come to it now.
func TestRestoredTime(t *testing.T) {
	at := func(mark gpflow.Timestamp) Operator {
		return Operator{OperatorState: task.OperatorState{Mark: mark, Taken: 1, Emitted: []int64{1}}}
	}
	former := map[string][]Operator{"filter.f": {at(gpflow.MaxTimestamp), at(5), at(7)}}
	for _, c := range []struct {
		unchanged bool
		n         int
		marks     []gpflow.Timestamp
	}{
		{true, 3, []gpflow.Timestamp{gpflow.MaxTimestamp, 5, 7}},
		{false, 3, []gpflow.Timestamp{5, 5, 5}},
		{false, 2, []gpflow.Timestamp{5, 5}},
	} {
		f := &Former{operators: former, unchanged: c.unchanged}
		taken := int64(0)
		for i, want := range c.marks {
			o, ok := f.operator("filter.f", i, c.n)
			if !ok || o.Mark != want {
				t.Errorf("unchanged %t: subtask %d of %d is at %d, want %d", c.unchanged, i, c.n, o.Mark, want)
			}
			taken += o.Taken
		}
		if taken != 3 {
			t.Errorf("unchanged %t: the ledger of %d subtasks has %d rows, want 3", c.unchanged, c.n, taken)
		}
	}
}

// TestUnknownState: what a part has said of itself that this version does not know
// is refused, and not left out.
func TestUnknownState(t *testing.T) {
	p := &plan.Plan{}
	for _, c := range []struct {
		kind checkpoint.Kind
		data string
		want string // in the error; "": there is none
	}{
		{checkpoint.Reader, `{"splits":[{"id":"a","time":{"rows":1}}],"watermark":5,"counts":{"in":1}}`, ""},
		{checkpoint.Reader, `{"splits":[{"id":"a","time":{"rows":1,"held":2}}],"watermark":5,"counts":{"in":1}}`, `unknown field "held"`},
		{checkpoint.Reader, `{"watermark":5}{"watermark":6}`, "there is more behind it"},
		{checkpoint.Task, `{"filter.f":{"mark":5,"taken":1,"emitted":[1]}}`, ""},
		{checkpoint.Task, `{"filter.f":{"mark":5,"taken":1,"emitted":[1],"held":2}}`, `unknown field "held"`},
		{checkpoint.Writer, `{"state":"AA==","counts":{"in":1}}`, ""},
		{checkpoint.Writer, `{"state":"AA==","counts":{"in":1},"held":2}`, `unknown field "held"`},
	} {
		m := &checkpoint.Manifest{Parts: []checkpoint.PartState{{Part: checkpoint.Part{Kind: c.kind, Name: "n", Subtask: 3}, Data: []byte(c.data)}}}
		_, err := New(m, p, p, nil)
		if (err == nil) != (c.want == "") || err != nil && !(strings.Contains(err.Error(), c.want) && strings.Contains(err.Error(), "n[3]")) {
			t.Errorf("%s: %v, want %q", c.data, err, c.want)
		}
	}
}

// TestSplits: where the number of readers has changed, splits are shared out evenly,
// and no more of them move than have to.
func TestSplits(t *testing.T) {
	for _, c := range []struct {
		was, is []string // the splits of each reader, a letter each
	}{
		{[]string{"ab", "c", "de"}, []string{"abe", "cd"}},
		{[]string{"abcdefg"}, []string{"abc", "df", "eg"}},
		{[]string{"ab", "", "c"}, []string{"ab", "", "c"}},
		{[]string{"a", "bcdefg"}, []string{"af", "bcd", "eg"}},
		{[]string{"a", "b"}, []string{"a", "b", "", ""}},
		{[]string{"", "", "ab"}, []string{"ab"}},
	} {
		readers := make([]task.ReaderState, len(c.was))
		for r, ids := range c.was {
			for _, id := range ids {
				readers[r].Splits = append(readers[r].Splits, task.SplitState{ID: string(id)})
			}
		}
		f := &Former{
			manifest: &checkpoint.Manifest{Sources: []checkpoint.SourceState{{Address: "source.s", Queue: []gpflow.Split{{ID: "q"}}, Done: true}}},
			readers:  map[string][]task.ReaderState{"source.s": readers},
		}
		j := job.Source{Address: "source.s", Parallelism: len(c.is)}
		f.Source(&j)
		got := make([]string, len(c.is))
		for _, r := range j.Reading {
			got[r.Subtask] += r.Split.ID
		}
		if !slices.Equal(got, c.is) {
			t.Errorf("the splits %q are read as %q, want %q", c.was, got, c.is)
		}
		if !j.Done || len(j.Queue) != 1 {
			t.Errorf("the source has the queue %v, done %t", j.Queue, j.Done)
		}
	}
}

// TestEnded: nothing more is read of a split that was found, waits for no reader
// and is with none of its source.
func TestEnded(t *testing.T) {
	sources := []checkpoint.SourceState{
		{Address: "source.a", Found: []gpflow.Split{{ID: "3"}, {ID: "1"}, {ID: "2"}, {ID: "4"}}, Queue: []gpflow.Split{{ID: "4"}}},
		{Address: "source.b", Found: []gpflow.Split{{ID: "1"}}},
	}
	reads := func(splits ...task.SplitState) checkpoint.Snapshot {
		return checkpoint.Snapshot{Data: task.Encode(task.ReaderState{Splits: splits})}
	}
	err := ended(sources, map[checkpoint.Part]checkpoint.Snapshot{
		{Kind: checkpoint.Reader, Name: "source.a", Subtask: 1}: reads(task.SplitState{ID: "1"}),
		{Kind: checkpoint.Reader, Name: "source.a"}:             reads(),
		{Kind: checkpoint.Reader, Name: "source.b"}:             reads(),
		{Kind: checkpoint.Task, Name: "source.a"}:               {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(sources[0].Ended, sources[1].Ended); got != "[3 2] [1]" {
		t.Errorf("ended are %s", got)
	}
}

// TestSent: of the rows that had left a node, those went on to another one that
// left while it read them.
func TestSent(t *testing.T) {
	ledger := []byte(`[{"address":"filter.f","missed":{"source.a.errors":1}},{"address":"window.w","missed":{"filter.f":30}}]`)
	f, err := New(&checkpoint.Manifest{Ledger: ledger}, chain(), chain(), nil)
	if err != nil {
		t.Fatal(err)
	}
	emitted := func(n int64) []Operator { return []Operator{{OperatorState: task.OperatorState{Emitted: []int64{n}}}} }
	f.operators = map[string][]Operator{"source.a": emitted(50), "filter.f": emitted(40)}
	for _, c := range []struct {
		from, to string
		want     int64
	}{
		{"source.a", "filter.f", 50}, // another port was missed
		{"filter.f", "window.w", 10},
		{"source.a", "window.w", 0}, // there was no such edge
	} {
		if got := f.Sent(c.from, 0, "", c.to); got != c.want {
			t.Errorf("%d rows went from %s to %s, want %d", got, c.from, c.to, c.want)
		}
	}
	if _, err := New(&checkpoint.Manifest{ID: 7, Ledger: ledger[1:]}, chain(), chain(), nil); err == nil {
		t.Error("a ledger that is damaged is taken")
	}
}
