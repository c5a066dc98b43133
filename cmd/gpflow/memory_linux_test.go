package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/spec/load"
)

const megabyte = 1 << 20

// heavy has records of a megabyte without end, three subtasks of everything, an
// exchange of three by three, and windows that pass each record on.
const heavy = `
pipeline "heavy" {
  parallelism = 3
}

variable "big" {
  type = string
}

source "generate" "in" {
  fields = {
    key     = "i % 31"
    payload = "var.big + string(i)"
    at      = "timestamp('2024-01-01T00:00:00Z') + duration('1s') * i"
  }

  event_time {
    field = "at"
  }
}

window "tumbling" "w" {
  from      = source.in
  key_by    = ["key"]
  size      = "1s"
  aggregate = { payload = "first(payload)" }
}

sink "blackhole" "late" {
  from = window.w.late
}

sink "stdout" "screen" {
  from = window.w
}
`

// openRows is how many records the windows of heavy can hold back: those behind
// the last mark of each split, which comes with every 32nd record, and as many
// again by which one split may be ahead of another.
const openRows = 3 * 32 * 2

// Where nobody takes the output, the process comes to rest, and holds no more
// than the computed ceiling. It is looked at from outside.
func TestMemoryInFlight(t *testing.T) {
	vars := "big = \"" + strings.Repeat("0123456789abcdef", megabyte/16) + "\"\n"
	ceiling := ceilingOf(t, heavy, vars, megabyte+megabyte/64)
	limit := 2*(ceiling+openRows*megabyte) + 64*megabyte // the collector lets garbage grow to the size of what lives
	dir := t.TempDir()
	file := filepath.Join(dir, "vars.hcl")
	if err := os.WriteFile(file, []byte(vars), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, heavy, "--var-file", file, "--quiet")
	if _, err := p.screen.ReadByte(); err != nil {
		t.Fatalf("%v; it says\n%s", err, p.talk)
	}
	w := &watcher{t: t, process: p, limit: limit}
	w.rests()
	t.Logf("at rest with %d MiB resident, %d MiB at most; the ceiling in flight is %d MiB, the limit %d MiB",
		w.now>>20, w.most>>20, ceiling>>20, limit>>20)
	for range 5 {
		if _, err := io.CopyN(io.Discard, p.screen, 40*megabyte); err != nil {
			t.Fatalf("%v; it says\n%s", err, p.talk)
		}
		w.rests()
	}
	t.Logf("after 200 MB more: %d MiB resident, %d MiB at most", w.now>>20, w.most>>20)
}

// heavyFiles reads records of a megabyte from files, exchanges them three by
// three, and passes all of them on: the small ones at the beginning of each file
// are so far ahead that the others are late.
const heavyFiles = `
pipeline "heavy" {
  parallelism = 3
}

source "file" "in" {
  path   = "in/*.jsonl"
  schema = { key = int, at = timestamp("unix_ms"), text = string }

  event_time {
    field = "at"
  }
}

window "tumbling" "w" {
  from      = source.in
  key_by    = ["key"]
  size      = "1s"
  aggregate = { n = "count()" }
}

sink "blackhole" "ahead" {
  from = window.w
}

sink "stdout" "screen" {
  from = window.w.late
}
`

// Where nobody takes the output, a process that reads large records from files
// comes to rest, below what the engine has computed. When the output is taken
// again, all records come.
func TestMemoryOfFiles(t *testing.T) {
	const files, rows, ahead = 5, 50, 64
	dir := t.TempDir()
	text := func(key int) string { return strings.Repeat(fmt.Sprintf("%08d", key), 1_000_000/8) }
	writeHeavy(t, filepath.Join(dir, "in"), files, ahead, rows, text)
	p := startIn(t, dir, heavyFiles, "--quiet", "--log-level", "debug", "--log-format", "json")
	p.talk.await(t, "in_flight_at_most")
	w := &watcher{t: t, process: p, limit: p.inFlight()}
	w.rests()
	t.Logf("at rest with %d MiB resident, %d MiB at most; %d MiB can be in flight", w.now>>20, w.most>>20, w.limit>>20)
	times := make([]int, rows)
	rest := json.NewDecoder(p.screen)
	for n := range files * rows {
		var row struct {
			Key  int
			Text string
		}
		w.look() // it cannot have ended: a record is more than fits a pipe
		if err := rest.Decode(&row); err != nil {
			t.Fatalf("%d of %d records came: %v; it says\n%s", n, files*rows, err, p.talk)
		}
		if row.Text != text(row.Key) {
			t.Fatalf("record %d came with %d other bytes", row.Key, len(row.Text))
		}
		times[row.Key]++
	}
	p.ends(0)
	for key, n := range times {
		if n != files {
			t.Errorf("record %d came %d times, want %d", key, n, files)
		}
	}
	t.Logf("%d MiB resident at most", w.most>>20)
}

// writeHeavy writes files of the same records: some that are ahead of time, then
// large ones.
func writeHeavy(t *testing.T, dir string, files, ahead, rows int, text func(key int) string) {
	t.Helper()
	var b strings.Builder
	for key := range ahead {
		fmt.Fprintf(&b, `{"key":%d,"at":4000000000000,"text":""}`+"\n", key)
	}
	for key := range rows {
		fmt.Fprintf(&b, `{"key":%d,"at":1600000000000,"text":"%s"}`+"\n", key, text(key))
	}
	first := filepath.Join(dir, "0.jsonl")
	err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(first, []byte(b.String()), 0o644))
	for i := 1; i < files; i++ {
		err = errors.Join(err, os.Link(first, filepath.Join(dir, fmt.Sprintf("%d.jsonl", i))))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inFlight returns the bytes that the process has logged as those that can be in
// flight at most.
func (p *process) inFlight() int64 {
	p.t.Helper()
	for line := range strings.Lines(p.talk.String()) {
		var entry struct {
			Most int64 `json:"in_flight_at_most"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Most > 0 {
			return entry.Most
		}
	}
	p.t.Fatalf("it does not say how much can be in flight:\n%s", p.talk)
	return 0
}

// ceilingOf returns the most bytes in flight for a specification.
func ceilingOf(t *testing.T, text, vars string, row int64) int64 {
	t.Helper()
	r, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(strings.TrimSpace(vars), " = ")
	p, list := load.Parse("p.hcl", []byte(text), load.Options{Registry: r, Vars: []string{name + "=" + strings.Trim(value, `"`)}})
	if p == nil || list.HasErrors() {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	result, list := compiler.Compile(p, compiler.Options{})
	if result.Plan == nil {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	return engine.Ceiling(result.Plan, exchange.DefaultLimit, row)
}

// watcher looks at a process from outside.
type watcher struct {
	t         *testing.T
	process   *process
	limit     int64
	now, most int64 // resident bytes
}

// rests waits until the process has used no processor time and its resident
// size has not grown for a while, and checks the size all along.
func (w *watcher) rests() {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	calm, before, busy := 0, int64(0), int64(-1)
	for calm < 25 {
		select {
		case <-tick.C:
		case <-w.process.exited:
			w.t.Fatalf("the process has ended; it says\n%s", w.process.talk)
		case <-late:
			w.t.Fatalf("the process does not come to rest: %d MiB resident, %d ticks of processor time", w.now>>20, busy)
		}
		w.look()
		ticks := w.ticks()
		calm++
		if w.now > before || ticks != busy {
			calm = 0
		}
		before, busy = w.now, ticks
	}
}

// look checks the size once.
func (w *watcher) look() {
	w.t.Helper()
	w.now = w.resident()
	w.most = max(w.most, w.now)
	if w.now > w.limit {
		w.t.Fatalf("%d MiB are resident, and %d MiB is the limit", w.now>>20, w.limit>>20)
	}
}

func (w *watcher) proc(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.process.cmd.Process.Pid, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// resident returns the resident size.
func (w *watcher) resident() int64 {
	w.t.Helper()
	_, rest, _ := strings.Cut(w.proc("status"), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[1] != "kB" {
		w.t.Fatal("the status of the process has no VmRSS")
	}
	return w.number(fields[0]) << 10
}

// ticks returns the processor time used, in ticks.
func (w *watcher) ticks() int64 {
	w.t.Helper()
	stat := w.proc("stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return w.number(fields[11]) + w.number(fields[12]) // utime and stime, as of proc(5)
}

func (w *watcher) number(s string) int64 {
	w.t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
