package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
)

// partitioned is W4: generated rows, in files that roll, by partition, and in
// compressed ones.
var partitioned = workload{
	name: "W4", about: "partitioned file sink that rolls", rows: 60_000,
	make: func(_ string, rng *rand.Rand) (job, error) {
		return &rolling{rows: 60_000, seed: rng.Int64N(1_000_000)}, nil
	},
}

type rolling struct {
	anyTime
	rows, seed int64
}

func (j *rolling) spec(rate int) string {
	return fmt.Sprintf(`
source "generate" "in" {
  count  = %d
  seed   = %d
  fields = { i = "i", part = "'p' + string(i %% 5)", mixed = "(i * 7919 + seed) %% 1000003" }
%s}

sink "file" "plain" {
  from   = source.in
  mode   = "parts"
  path   = "out/plain/{part}"
  format = "json"

  roll {
    size  = "4KiB"
    every = "150ms"
  }
}

sink "file" "packed" {
  from        = source.in
  mode        = "parts"
  path        = "out/packed"
  format      = "json"
  compression = "gzip"

  roll {
    every = "100ms"
  }
}
`, j.rows, j.seed, paced(rate))
}

func (j *rolling) check(shown *reader) *verdict {
	v := &verdict{}
	for _, folder := range []string{"plain", "packed"} {
		times := make([]int, j.rows)
		err := shown.records(filepath.Join(shown.root, folder), func(path string, line []byte) error {
			var r struct {
				I, Mixed int64
				Part     string
			}
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			if r.I < 0 || r.I >= j.rows || r.Mixed != (r.I*7919+j.seed)%1_000_003 || r.Part != fmt.Sprintf("p%d", r.I%5) ||
				folder == "plain" && filepath.Base(filepath.Dir(path)) != r.Part {
				v.wrong("%s in %s", line, path)
				return nil
			}
			times[r.I]++
			return nil
		})
		if err != nil {
			v.err = err
		}
		for i, n := range times {
			v.rows++
			switch {
			case n == 0:
				v.missed("row %d in %s", i, folder)
			case n > 1:
				v.twice("row %d in %s is there %d times", i, folder, n)
			}
		}
	}
	return v
}
