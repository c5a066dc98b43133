package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/cmd/gpflow/oracle"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/exchange"
)

const windowSpec = `
pipeline "windows" {
  parallelism = %d
}

source "file" "in" {
  path   = %q
  schema = { user = string, amount = int, weight = float, at = timestamp("unix_ms"), id = int }

  event_time {
    field        = "at"
    out_of_order = "%dms"
  }
}

%s

window "tumbling" "w" {
  from      = %s
  key_by    = [%s]
  size      = "%dms"
  offset    = "%dms"
  aggregate = {
    count = "count()", sum = "sum(amount)", min = "min(amount)", max = "max(amount)",
    mean  = "sum(weight) / count()", first = "first(id)", last = "last(id)",
  }
}

sink "file" "out" {
  from = window.w
  path = %q
}

sink "file" "late" {
  from = window.w.late
  path = %q
}
`

// The ways from the source to the window: each keeps every row, and none changes
// which of them are late.
var ways = map[string]struct{ nodes, from string }{
	"nothing": {"", "source.in"},
	"branches": {`
filter "a" {
  from  = source.in
  where = "id % 2 == 0"
}

filter "b" {
  from  = source.in
  where = "id % 2 == 1"
}`, "[filter.a, filter.b]"},
	"a map of branches": {`
filter "a" {
  from  = source.in
  where = "id % 3 == 0"
}

filter "b" {
  from        = source.in
  where       = "id % 3 != 0"
  parallelism = 2
}

map "both" {
  from   = [filter.a, filter.b]
  select = { user = "user", amount = "amount", weight = "weight", at = "at", id = "id" }
}`, "map.both"},
	"a map of three": {`
map "three" {
  from        = source.in
  select      = { user = "user", amount = "amount", weight = "weight", at = "at", id = "id" }
  parallelism = 3
}`, "map.three"},
	"branches behind a map": {`
map "first" {
  from        = source.in
  select      = { user = "user", amount = "amount", weight = "weight", at = "at", id = "id" }
  parallelism = 2
}

filter "a" {
  from  = map.first
  where = "id % 2 == 0"
}

filter "b" {
  from        = map.first
  where       = "id % 2 == 1"
  parallelism = 3
}`, "[filter.a, filter.b]"},
	"one branch longer": {`
filter "a" {
  from  = source.in
  where = "id % 2 == 0"
}

filter "b" {
  from        = source.in
  where       = "id % 2 == 1"
  parallelism = 2
}

filter "c" {
  from        = filter.b
  where       = "true"
  parallelism = 3
}

filter "d" {
  from        = filter.c
  where       = "true"
  parallelism = 1
}`, "[filter.a, filter.d]"},
	"branches within a branch": {`
filter "a" {
  from  = source.in
  where = "id % 2 == 0"
}

filter "b" {
  from        = source.in
  where       = "id % 2 == 1"
  parallelism = 2
}

filter "c" {
  from        = filter.b
  where       = "id % 4 == 1"
  parallelism = 3
}

map "both" {
  from   = [filter.b, filter.c]
  select = { user = "user", amount = "amount", weight = "weight", at = "at", id = "id" }
}

filter "rest" {
  from  = map.both
  where = "id % 4 == 3"
}

filter "once" {
  from  = filter.c
  where = "true"
}`, "[filter.a, filter.rest, filter.once]"},
	"one wider": {`
filter "wide" {
  from        = source.in
  where       = "true"
  parallelism = 3
}

filter "narrow" {
  from        = filter.wide
  where       = "true"
  parallelism = 1
}`, "filter.narrow"},
}

// windowCase is a random pipeline over random input.
type windowCase struct {
	splits                 [][]oracle.Place
	size, offset, disorder int64
	keyed                  bool
	parallelism, poll      int
	limit                  exchange.Limit
	encode                 bool
	way                    string
}

func drawCase(t *rapid.T) windowCase {
	c := windowCase{
		size:        rapid.SampledFrom([]int64{1, 7, 1000, 60_000}).Draw(t, "size"),
		disorder:    rapid.SampledFrom([]int64{0, 3, 500, 100_000}).Draw(t, "disorder"),
		keyed:       rapid.Bool().Draw(t, "keyed"),
		parallelism: rapid.IntRange(1, 3).Draw(t, "parallelism"),
		poll:        rapid.SampledFrom([]int{1, 2, 7, 33, 0}).Draw(t, "poll"),
		encode:      rapid.Bool().Draw(t, "encode"),
		way:         rapid.SampledFrom(slices.Sorted(maps.Keys(ways))).Draw(t, "way"),
	}
	c.offset = rapid.Int64Range(0, c.size-1).Draw(t, "offset")
	if rapid.Bool().Draw(t, "narrow") {
		c.limit = exchange.Limit{Rows: 1, Bytes: 1}
	}
	id := int64(0)
	for s := range rapid.IntRange(1, 4).Draw(t, "splits") {
		var rows []oracle.Place
		now := int64(1_700_000_000_000)
		for i := range rapid.IntRange(0, 150).Draw(t, "rows") {
			now += rapid.Int64Range(-2*c.size, 3*c.size).Draw(t, "step")
			id++
			rows = append(rows, oracle.Place{Split: s, Index: i, Row: oracle.Row{
				User: fmt.Sprint("u", rapid.IntRange(0, 5).Draw(t, "user")), Amount: rapid.Int64Range(-1e12, 1e12).Draw(t, "amount"),
				Weight: float64(rapid.IntRange(-1000, 1000).Draw(t, "weight")) / 8, At: now, ID: id,
			}})
		}
		c.splits = append(c.splits, rows)
	}
	return c
}

// TestWindowsEqualBatch: over random out-of-order input, in any number of
// splits, subtasks and batches, and whatever lies between source and window, the
// rows that are late are those whose own split had passed their window, and the
// windows are those of a batch over the others.
func TestWindowsEqualBatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		dir, err := os.MkdirTemp("", "windows")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c.run(rt, dir)
		c.check(rt, dir)
	})
}

type windowRow struct {
	User                 string
	WindowStart          time.Time `json:"window_start"`
	WindowEnd            time.Time `json:"window_end"`
	Count, Sum, Min, Max int64
	Mean                 float64
	First, Last          int64
}

func compareAll(t *rapid.T, got []windowRow, want []oracle.Window) {
	if len(got) != len(want) {
		t.Fatalf("%d windows, want %d", len(got), len(want))
	}
	byKey := make(map[string]windowRow)
	for _, g := range got {
		byKey[fmt.Sprint(g.User, g.WindowStart.UnixMilli())] = g
	}
	for _, w := range want {
		g := byKey[fmt.Sprint(w.User, w.Start)]
		if g.Count != w.Count || g.Sum != w.Sum || g.Min != w.Min || g.Max != w.Max || math.Abs(g.Mean-w.Mean) > 1e-9 ||
			g.WindowEnd.UnixMilli() != w.End || g.First != w.First || g.Last != w.Last {
			t.Fatalf("the window is %+v, want %+v", g, w)
		}
	}
}

// run writes the input, and runs the pipeline in this process.
func (c windowCase) run(t *rapid.T, dir string) {
	report := runText(t, c.text(t, dir), engine.Options{PollRows: c.poll, Limit: c.limit, EncodeLinks: c.encode})
	if report.Outcome != "finished" {
		t.Fatalf("the run is %s", report.Outcome)
	}
}

// text writes the input where it has not been written, and returns the
// specification.
func (c windowCase) text(t *rapid.T, dir string) string {
	in, key := c.input(t, dir), ""
	if c.keyed {
		key = `"user"`
	}
	return fmt.Sprintf(windowSpec, c.parallelism, in, c.disorder, ways[c.way].nodes, ways[c.way].from, key, c.size, c.offset,
		filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "late.jsonl"))
}

// input returns the directory of the input, which is written where it is not
// there.
func (c windowCase) input(t *rapid.T, dir string) string {
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err == nil {
		c.write(t, in)
	} else if !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return in
}

// write writes each split to a file.
func (c windowCase) write(t *rapid.T, in string) {
	for s, rows := range c.splits {
		var b strings.Builder
		for _, r := range rows {
			line, err := json.Marshal(r.Row)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("%d.jsonl", s)), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// runText compiles and runs a specification.
func runText(t fataler, text string, o engine.Options) engine.Report {
	r, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	encoded := compiled(t, text)
	o.Registry = r
	run, err := engine.Start(context.Background(), encoded, o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := run.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// readRows returns the JSON lines of a file.
func readRows[T any](t fataler, name string) []T {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []T
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// TestDiamondEqualsOneEdge: a window over two branches of one source has the
// same late records and results as one over the source itself, whatever the
// size of batches.
func TestDiamondEqualsOneEdge(t *testing.T) {
	const spec = `
pipeline "diamond" {}

source "generate" "g" {
  count  = 3000
  fields = {
    i  = "i"
    at = "timestamp('2024-01-01T00:00:00Z') + duration('1s') * (i %% 37 == 5 ? i - 300 : i)"
  }

  event_time {
    field        = "at"
    out_of_order = "10s"
  }
}

filter "even" {
  from  = source.g
  where = "i %% 2 == 0"
}

filter "odd" {
  from  = source.g
  where = "i %% 2 == 1"
  chain = %v
}

window "tumbling" "w" {
  from      = %s
  size      = "1m"
  aggregate = { n = "count()", sum = "sum(i)" }
}

sink "file" "out" {
  from = window.w
  path = %q
}

sink "file" "late" {
  from = window.w.late
  path = %q
}
`
	run := func(from string, chain bool, o engine.Options) string {
		dir := t.TempDir()
		out, late := filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "late.jsonl")
		runText(t, fmt.Sprintf(spec, chain, from, out, late), o)
		all, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range readRows[map[string]any](t, late) {
			ids = append(ids, fmt.Sprint(r["i"]))
		}
		slices.Sort(ids)
		return string(all) + strings.Join(ids, " ")
	}
	want := run("source.g", true, engine.Options{})
	for _, poll := range []int{1, 31, 0} {
		for _, chain := range []bool{true, false} {
			if got := run("[filter.even, filter.odd]", chain, engine.Options{PollRows: poll}); got != want {
				t.Errorf("reading %d records at once, chain = %t: the result is\n%s\nand not\n%s", poll, chain, got, want)
			}
		}
	}
}
