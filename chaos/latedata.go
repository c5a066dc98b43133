package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// lateData is W3: windows of a second by key, of files whose rows are in disorder,
// and some of them late beyond doubt.
var lateData = workload{
	name: "W3", about: "windows, with late data", rows: 30_000,
	make: func(dir string, rng *rand.Rand) (job, error) {
		j := &windows{on: make(map[string]tally), late: make(map[string]int)}
		const files = 3
		return j, writeLines(dir, files, 30_000, func(i int64) string {
			// Times of a file go up by 10 ms a row. A row that is up to 1.5 s
			// behind is on time, for out_of_order is 2 s; one that is 20 s
			// behind is late, for its window of 1 s has been closed by rows
			// more than a thousand before it.
			at := begin + i/files*10
			late := i > 9000 && rng.IntN(40) == 0
			if late {
				at -= 20_000
			} else {
				at -= rng.Int64N(1500)
			}
			key := fmt.Sprintf("k%d", rng.IntN(20))
			if late {
				j.late[fmt.Sprintf("%d %s", i, key)]++
			} else {
				w := fmt.Sprintf("%s %d", key, at/1000)
				t := j.on[w]
				j.on[w] = tally{t.n + 1, t.sum + i}
			}
			return fmt.Sprintf(`{"id":%d,"key":%q,"at":%d}`, i, key, at)
		})
	},
}

// begin is the time of the first row, in milliseconds since 1970.
const begin = 1_700_000_000_000

type windows struct {
	anyTime
	on   map[string]tally
	late map[string]int
}

func (*windows) spec(rate int) string {
	return `
source "file" "in" {
  path   = "in"
  schema = { id = int, key = string, at = timestamp("unix_ms") }
` + paced(rate) + `
  event_time {
    field        = "at"
    out_of_order = "2s"
  }
}

window "tumbling" "w" {
  from      = source.in
  key_by    = ["key"]
  size      = "1s"
  aggregate = { n = "count()", total = "sum(id)" }
}

sink "file" "windows" {
  from   = window.w
  mode   = "parts"
  path   = "out/windows"
  format = "json"
}

sink "file" "late" {
  from   = window.w.late
  mode   = "parts"
  path   = "out/late"
  format = "json"
}
`
}

func (j *windows) check(shown *reader) *verdict {
	v := &verdict{}
	got, late := make(map[string]int), make(map[string]int)
	v.err = shown.records(filepath.Join(shown.root, "windows"), func(_ string, line []byte) error {
		var w struct {
			Key      string
			Start    time.Time `json:"window_start"`
			N, Total int64
		}
		if err := json.Unmarshal(line, &w); err != nil {
			return err
		}
		got[fmt.Sprintf("%s %d with %d rows, %d", w.Key, w.Start.Unix(), w.N, w.Total)]++
		return nil
	})
	want := make(map[string]int)
	for w, t := range j.on {
		want[fmt.Sprintf("%s with %d rows, %d", w, t.n, t.sum)] = 1
	}
	v.compare("the window", got, want)
	if v.err == nil {
		v.err = shown.records(filepath.Join(shown.root, "late"), func(_ string, line []byte) error {
			var r struct {
				ID  int64
				Key string
			}
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			late[fmt.Sprintf("%d %s", r.ID, r.Key)]++
			return nil
		})
	}
	v.compare("the late row", late, j.late)
	return v
}
