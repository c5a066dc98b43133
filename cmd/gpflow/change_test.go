// With the race detector this takes minutes; survive_test.go has it too.
//go:build !race

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/cmd/gpflow/oracle"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/engine"
)

// change is a form of one pipeline: its sinks put out the same in each, and each
// goes on from what any other has left.
type change struct {
	parallelism, windows, results int // subtasks: of the pipeline, and of nodes that have a say
	way                           string
	chain                         map[string]bool // by node
	between                       map[string]bool // a filter that keeps everything is there, by the node behind it
	seen                          string          // what a sink without state reads besides; "": there is none
	more, other                   bool            // a sink, a source with a sink of its own: these stay once they are there
	skip                          bool
	order                         int // of the nodes in the file
	optimized                     bool
}

// drawChange draws a form for a pipeline that had been before.
func drawChange(t *rapid.T, before change) change {
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	n := func(name string) int { return rapid.IntRange(1, 3).Draw(t, name) }
	return change{
		parallelism: n("parallelism"), windows: n("windows"), results: n("results"),
		way:     rapid.SampledFrom(slices.Sorted(maps.Keys(ways))).Draw(t, "way"),
		chain:   map[string]bool{"w": flag("chain w"), "result": flag("chain result"), "all": flag("chain all")},
		between: map[string]bool{"result": flag("between result"), "big": flag("between big"), "ids": flag("between ids"), "all": flag("between all"), "out": flag("between out")},
		seen:    rapid.SampledFrom([]string{"", "source.in", "window.w", "window.w.late", "map.result", "map.all"}).Draw(t, "seen"),
		more:    before.more || flag("more"), other: before.other || flag("other"), skip: flag("skip"),
		order: rapid.IntRange(0, 1000).Draw(t, "order"), optimized: flag("optimized"),
	}
}

// changedNodes are the nodes of every form but the source, what lies between it
// and the window, and what comes and goes. Nobody reads the column extra, and the
// aggregate unread, so that the optimiser has something to leave out.
const changedNodes = `
window "tumbling" "w" {
  from        = %s
  key_by      = [%s]
  size        = "%dms"
  offset      = "%dms"
  chain       = %v
  parallelism = %d
  aggregate   = {
    count = "count()", unread = "max(id) - min(amount)", sum = "sum(amount)", min = "min(amount)", max = "max(amount)",
    mean  = "sum(weight) / count()", first = "first(id)", last = "last(id)",
  }
}
---
window "tumbling" "big" {
  from      = %s
  key_by    = [%s]
  size      = "%dms"
  offset    = "%dms"
  aggregate = { count = "sum(count)", sum = "sum(sum)" }
}
---
sink "file" "big" {
  from = window.big
  path = %q
}
---
map "result" {
  from        = %s
  chain       = %v
  parallelism = %d
  select      = {
    %s
    window_start = "window_start", window_end = "window_end", count = "count", sum = "sum", min = "min", max = "max", mean = "mean"
    first        = "first", last = "last"
  }
}
---
sink "file" "out" {
  from = %s
  path = %q
}
---
map "ids" {
  from   = %s
  select = { id = "id" }
}
---
sink "file" "late" {
  from = map.ids
  path = %q
}
---
map "all" {
  from   = %s
  chain  = %v
  select = { id = "id" }
}
---
sink "file" "all" {
  from   = map.all
  path   = %q
  mode   = "parts"
  format = "json"
}`

// bigger is how many windows a window over windows has.
const bigger = 3

const changedSource = `
source "file" "in" {
  path   = %q
  schema = { user = string, amount = int, weight = float, at = timestamp("unix_ms"), id = int, extra = optional(string) }

  event_time {
    field        = "at"
    out_of_order = "%dms"
  }
}`

// text returns the specification of a form.
func (x change) text(t *rapid.T, c windowCase, dir string) string {
	in, file := c.input(t, dir), func(name string) string { return filepath.Join(dir, name) }
	key, user, windows := "", "", 1
	if c.keyed {
		key, user, windows = `"user"`, `user = "user",`, x.windows
	}
	nodes := []string{fmt.Sprintf(changedSource, in, c.disorder)}
	behind := func(node, from string) string {
		if !x.between[node] {
			return from
		}
		nodes = append(nodes, fmt.Sprintf("filter \"before_%s\" {\n  from  = %s\n  where = \"true\"\n}", node, from))
		return "filter.before_" + node
	}
	nodes = append(nodes, strings.Split(fmt.Sprintf(changedNodes, ways[x.way].from, key, c.size, c.offset, x.chain["w"], windows,
		behind("big", "window.w"), key, bigger*c.size, c.offset, file("big.jsonl"), behind("result", "window.w"), x.chain["result"], x.results, user, behind("out", "map.result"), file("out.jsonl"),
		behind("ids", "window.w.late"), file("late.jsonl"), behind("all", "source.in"), x.chain["all"], file("all")), "---")...)
	nodes = append(nodes, strings.ReplaceAll(ways[x.way].nodes, "id = \"id\" }", "id = \"id\", extra = \"extra\" }"))
	if x.seen != "" {
		nodes = append(nodes, fmt.Sprintf("sink \"blackhole\" \"seen\" {\n  from = %s\n}", x.seen))
	}
	if x.more {
		nodes = append(nodes, fmt.Sprintf("sink \"file\" \"more\" {\n  from = map.result\n  path = %q\n}", file("more.jsonl")))
	}
	if x.other {
		nodes = append(nodes, fmt.Sprintf("source \"generate\" \"other\" {\n  count  = %d\n  fields = { id = \"i\" }\n}", otherRows),
			fmt.Sprintf("sink \"file\" \"other\" {\n  from = source.other\n  path = %q\n}", file("other.jsonl")))
	}
	for i := range nodes {
		j := (x.order*31 + i*7) % (i + 1)
		nodes[i], nodes[j] = nodes[j], nodes[i]
	}
	policy := "fail"
	if x.skip {
		policy = "skip"
	}
	return fmt.Sprintf("pipeline \"windows\" {\n  parallelism = %d\n  on_error    = %q\n}\n%s\n", x.parallelism, policy, strings.Join(nodes, "\n"))
}

const otherRows = 40

// changes counts the attempts that went on with another pipeline, and switched
// those of them that had keyed state and were optimized otherwise before, by
// what they are now.
var (
	changes  atomic.Int64
	switched [2]atomic.Int64
)

// TestChangesSurvive: the output of a pipeline is that of a batch however often it
// is killed or stopped, and gone on with after a change that does not concern
// what it puts out. The ledger of each run adds up.
func TestChangesSurvive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		surviveChanges(rt, drawChange)
	})
	t.Logf("%d attempts went on with another pipeline", changes.Load())
	if changes.Load() == 0 {
		t.Error("nothing was survived")
	}
}

// TestOptimizerSurvives: what is kept with every optimisation is gone on with
// without any, and the other way round, to the output of a batch.
func TestOptimizerSurvives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		surviveChanges(rt, func(rt *rapid.T, before change) change {
			if before.way == "" {
				return drawChange(rt, before)
			}
			before.optimized = !before.optimized
			return before
		})
	})
	t.Logf("%d attempts with keyed state went on without optimisations, %d with them", switched[0].Load(), switched[1].Load())
	if switched[0].Load() == 0 || switched[1].Load() == 0 {
		t.Error("nothing was survived")
	}
}

// surviveChanges runs a random pipeline to its end, with a change behind each
// failure.
func surviveChanges(t *rapid.T, draw func(t *rapid.T, before change) change) {
	c := drawCase(t)
	dir, err := os.MkdirTemp("", "change")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	r, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	var x change
	for i, finished := 0, false; !finished; i++ {
		before, had := x, stateful.Load()
		x = draw(t, before)
		operations, sooner, stop := int64(1<<40), false, false
		if i < 6 {
			operations = rapid.Int64Range(1, 40).Draw(t, "operations")
			sooner = rapid.Bool().Draw(t, "before")
			stop = rapid.IntRange(0, 3).Draw(t, "stop") == 0
		}
		o := engine.Options{Registry: r, PollRows: c.poll, Limit: c.limit, EncodeLinks: c.encode}
		encoded := compiledWith(t, x.text(t, c, dir), compiler.Options{NoOptimize: !x.optimized})
		resumed := resumes.Load()
		finished = attempt(t, encoded, filepath.Join(dir, "state"), o, operations, sooner, stop)
		changes.Add(resumes.Load() - resumed)
		if before.optimized != x.optimized {
			now := 0
			if x.optimized {
				now = 1
			}
			switched[now].Add(stateful.Load() - had)
		}
	}
	c.check(t, dir)
	c.checkBig(t, dir)
	x.check(t, c, dir)
}

// checkBig compares the windows over windows with those of a batch.
func (c windowCase) checkBig(t *rapid.T, dir string) {
	late := make(map[int64]bool)
	for _, r := range readRows[oracle.Row](t, filepath.Join(dir, "late.jsonl")) {
		late[r.ID] = true
	}
	var kept []oracle.Place
	for _, split := range c.splits {
		kept = append(kept, slices.DeleteFunc(slices.Clone(split), func(r oracle.Place) bool { return late[r.ID] })...)
	}
	type window struct {
		user       string
		start      int64
		count, sum int64
	}
	want := make(map[window]bool)
	for _, w := range oracle.Windows(kept, bigger*c.size, c.offset, c.keyed) {
		want[window{w.User, w.Start, w.Count, w.Sum}] = true
	}
	for _, g := range readRows[windowRow](t, filepath.Join(dir, "big.jsonl")) {
		w := window{g.User, g.WindowStart.UnixMilli(), g.Count, g.Sum}
		if !want[w] {
			t.Fatalf("the window over windows is %+v, which is there twice or not at all in a batch", w)
		}
		delete(want, w)
	}
	if len(want) > 0 {
		t.Fatalf("windows over windows are missing: %+v", want)
	}
}

// check looks at the sinks besides those of the windows.
func (x change) check(t *rapid.T, c windowCase, dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "all", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	times := make(map[int64]int)
	for _, name := range names {
		for _, r := range readRows[oracle.Row](t, name) {
			times[r.ID]++
		}
	}
	rows := 0
	for _, split := range c.splits {
		for _, r := range split {
			rows++
			if times[r.ID] != 1 {
				t.Fatalf("record %d was put out %d times", r.ID, times[r.ID])
			}
		}
	}
	if len(times) != rows {
		t.Fatalf("%d records were put out, want %d", len(times), rows)
	}
	if x.more { // it has those that came since it is there
		all := make(map[windowRow]bool)
		for _, w := range readRows[windowRow](t, filepath.Join(dir, "out.jsonl")) {
			all[w] = true
		}
		for _, w := range readRows[windowRow](t, filepath.Join(dir, "more.jsonl")) {
			if !all[w] {
				t.Fatalf("the new sink has a window once more, or one that is nowhere else: %+v", w)
			}
			delete(all, w)
		}
	}
	if !x.other {
		return
	}
	for i, r := range readRows[oracle.Row](t, filepath.Join(dir, "other.jsonl")) {
		if times[-r.ID]++; times[-r.ID] > 1 || i >= otherRows {
			t.Fatalf("the new source has given record %d twice", r.ID)
		}
	}
}
