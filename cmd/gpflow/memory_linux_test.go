package main

import (
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
		var ticks int64
		w.now, ticks = w.resident(), w.ticks()
		w.most = max(w.most, w.now)
		if w.now > w.limit {
			w.t.Fatalf("%d MiB are resident, and %d MiB is the limit", w.now>>20, w.limit>>20)
		}
		calm++
		if w.now > before || ticks != busy {
			calm = 0
		}
		before, busy = w.now, ticks
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
