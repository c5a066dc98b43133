package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const killedRows = 30_000

const killedSpec = `
pipeline "killed" {
  parallelism = 2

  checkpoint {
    every = "20ms"
  }
}

source "generate" "in" {
  count  = 30000
  rate   = 8000
  fields = { i = "i", user = "'u' + string(i % 7)", at = "timestamp('2024-01-01T00:00:00Z') + duration('1ms') * i" }

  event_time {
    field        = "at"
    out_of_order = "1s"
  }
}

window "tumbling" "w" {
  from      = source.in
  key_by    = ["user"]
  size      = "1s"
  aggregate = { n = "count()", sum = "sum(i)" }
}

sink "file" "rows" {
  from   = source.in
  mode   = "parts"
  path   = "rows"
  format = "json"
}

sink "file" "windows" {
  from = window.w
  path = "windows.jsonl"
}
`

// TestKilled: a process that is killed again and again, each time behind a few
// new checkpoints and in the midst of others' records, puts out each record
// once, and the windows of all.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	const kills = 8
	for k := range kills {
		p := startIn(t, dir, killedSpec, "--quiet", "--log-level", "debug", "--log-format", "json")
		if !p.talk.awaitOr(t, "a checkpoint is complete", 1+rand.IntN(6), p.exited) {
			p.ends(0) // a slow machine takes few checkpoints in the time of the input
			if k == 0 {
				t.Error("it finished before it could be killed")
			}
			break
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.exited
		if k > 0 && !strings.Contains(p.talk.String(), "going on from checkpoint") {
			t.Errorf("start %d does not go on; it says\n%s", k+1, p.talk)
		}
	}
	startIn(t, dir, killedSpec).ends(0)
	seen := make(map[int64]int)
	for _, r := range partRows(t, filepath.Join(dir, "rows")) {
		seen[r.I]++
	}
	for i := range int64(killedRows) {
		if seen[i] != 1 {
			t.Errorf("record %d is there %d times", i, seen[i])
		}
	}
	if len(seen) != killedRows {
		t.Errorf("%d records, want %d", len(seen), killedRows)
	}
	checkKilledWindows(t, readRows[killedWindow](t, filepath.Join(dir, "windows.jsonl")))
}

type killedRow struct{ I int64 }

type killedWindow struct {
	User   string    `json:"user"`
	Start  time.Time `json:"window_start"`
	N, Sum int64
}

// partRows returns the rows of all files that can be seen below a directory.
func partRows(t *testing.T, root string) (rows []killedRow) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name()[0] == '.':
			return fs.SkipDir
		case !d.IsDir():
			rows = append(rows, readRows[killedRow](t, path)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func checkKilledWindows(t *testing.T, got []killedWindow) {
	type total struct{ n, sum int64 }
	want := make(map[string]total)
	for i := range int64(killedRows) {
		key := fmt.Sprintf("u%d %d", i%7, i/1000)
		w := want[key]
		want[key] = total{w.n + 1, w.sum + i}
	}
	epoch := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, w := range got {
		key := fmt.Sprintf("%s %d", w.User, int64(w.Start.Sub(epoch)/time.Second))
		if want[key] != (total{w.N, w.Sum}) {
			t.Errorf("the window %s has %d records and the sum %d, want %+v", key, w.N, w.Sum, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("%d windows are missing or there twice: %v", len(want), want)
	}
}
