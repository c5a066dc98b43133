package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// brimful has windows that hold about ten times the memory that they may take: three of
// four records bring a key of their own, with a text, and the others come back to
// keys anywhere among those.
const brimful = `
pipeline "brimful" {
  parallelism = 2
  checkpoint {
    every = "2s"
  }
  state {
    memory = "%dMiB"
  }
}

source "generate" "in" {
  count  = %d
  fields = {
    key  = "i %% 4 < 3 ? i : (i * 7919) %% (i + 1)"
    text = "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' + string(i)"
    at   = "timestamp('2024-01-01T00:00:00Z')"
  }

  event_time {
    field = "at"
  }
}

window "tumbling" "w" {
  from      = source.in
  key_by    = ["key"]
  size      = "1h"
  aggregate = { n = "count()", text = "max(text)" }
}

sink "blackhole" "late" {
  from = window.w.late
}

sink "file" "out" {
  from = window.w
  path = "out.jsonl"
}
`

// State of ten times the memory goes through, and the process keeps within half as
// much again as the memory, and 256 MiB. It is looked at from outside.
func TestStateBeyondMemory(t *testing.T) {
	const mebibytes, records = 8, 400_000
	const perKey = 16*2 + 140 + 16 + 12 + 12 // two values, the text, and the rest of an entry
	if held := records / 4 * 3 * perKey; held < 7*mebibytes*megabyte {
		t.Fatalf("the windows hold %d bytes only", held)
	}
	p := start(t, fmt.Sprintf(brimful, mebibytes, records), "--quiet")
	w := &watcher{t: t, process: p, limit: (mebibytes+mebibytes/2)*megabyte + 256*megabyte}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(4 * patience)
	spilled := false
	for ended := false; !ended; {
		select {
		case <-p.exited:
			ended = true
			continue
		case <-late:
			t.Fatalf("it does not end; it says\n%s", p.talk)
		case <-tick.C:
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if err != nil || !strings.Contains(string(status), "VmRSS:") {
			continue // it is ending
		}
		if w.now = w.resident(); w.now > w.limit {
			t.Fatalf("%d MiB are resident, and %d MiB is the limit", w.now>>20, w.limit>>20)
		}
		w.most = max(w.most, w.now)
		if _, err := os.Stat(filepath.Join(p.dir, ".gpflow", "brimful", spillName)); err == nil {
			spilled = true
		}
	}
	p.ends(0)
	if !spilled {
		t.Error("nothing went to the disk")
	}
	if _, err := os.Stat(filepath.Join(p.dir, ".gpflow", "brimful", spillName)); err == nil {
		t.Error("what went to the disk is there still")
	}
	keys, n := count(t, filepath.Join(p.dir, "out.jsonl"))
	if n != records {
		t.Errorf("the windows have counted %d of %d records", n, records)
	}
	cpu := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	t.Logf("%d keys; %d MiB resident at most, the limit is %d MiB; %.0f records for each second of a processor",
		keys, w.most>>20, w.limit>>20, float64(records)/cpu.Seconds())
}

// count returns the rows in a file, and the sum of their field n.
func count(t *testing.T, file string) (rows, sum int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		_, rest, ok := strings.Cut(lines.Text(), `"n":`)
		n := 0
		if _, err := fmt.Sscanf(rest, "%d", &n); err != nil || !ok {
			t.Fatalf("a row is %s", lines.Text())
		}
		rows, sum = rows+1, sum+n
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows, sum
}
