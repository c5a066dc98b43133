package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// countPerKey is W1: the number and the sum of the rows of each key, over the
// whole of files that are followed while they grow.
var countPerKey = workload{
	name: "W1", about: "count per key, of files that are followed", rows: 80_000, drained: true,
	make: func(dir string, rng *rand.Rand) (job, error) {
		j := &counts{want: make(map[string]tally)}
		for i := range int64(80_000) {
			key, amount := fmt.Sprintf("k%d", rng.IntN(2000)), rng.Int64N(1000)
			t := j.want[key]
			j.want[key] = tally{t.n + 1, t.sum + amount}
			f := &j.left[i%int64(len(j.left))]
			*f = fmt.Appendf(*f, "{\"key\":%q,\"amount\":%d,\"at\":%d}\n", key, amount, 1_700_000_000_000+i)
		}
		return j, os.MkdirAll(filepath.Join(dir, "in"), 0o755)
	},
}

type tally struct{ n, sum int64 }

type counts struct {
	anyTime
	want  map[string]tally
	left  [4][]byte // of each file what has still to be written
	grown int       // times
}

// grow appends to the files, wherever in a line that ends, and begins one file
// after the other; or it writes all that is left.
func (j *counts) grow(dir string, all bool) error {
	j.grown++
	for i := range j.left {
		n := len(j.left[i])
		if !all && i >= j.grown {
			break
		}
		if !all {
			n = min(n, 30_000+7*j.grown)
		}
		f, err := os.OpenFile(inputFile(dir, i), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = f.Write(j.left[i][:n])
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		j.left[i] = j.left[i][n:]
	}
	return nil
}

func (*counts) spec(rate int) string {
	return `
source "file" "in" {
  path   = "in"
  follow = true
  schema = { key = string, amount = int, at = timestamp("unix_ms") }
` + paced(rate) + `
  event_time {
    field        = "at"
    out_of_order = "36500d"
  }
}

window "tumbling" "counts" {
  from      = source.in
  key_by    = ["key"]
  size      = "36500d"
  aggregate = { n = "count()", total = "sum(amount)" }
}

sink "file" "counts" {
  from = window.counts
  path = "out/counts.jsonl"
}
`
}

func (j *counts) check(shown *reader) *verdict {
	v := &verdict{}
	seen := make(map[string]bool)
	v.err = shown.records(shown.root, func(_ string, line []byte) error {
		var r struct {
			Key      string
			N, Total int64
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		v.rows += int(r.N)
		want, ok := j.want[r.Key]
		switch {
		case !ok:
			v.wrong("there is no key %s", r.Key)
		case seen[r.Key]:
			v.twice("the key %s is there again", r.Key)
		case r.N < want.n:
			v.missed("the key %s has %d rows, not %d", r.Key, r.N, want.n)
		case r.N > want.n:
			v.twice("the key %s has %d rows, not %d", r.Key, r.N, want.n)
		case r.Total != want.sum:
			v.wrong("the key %s comes to %d, not %d", r.Key, r.Total, want.sum)
		}
		seen[r.Key] = true
		return nil
	})
	for key := range j.want {
		if !seen[key] {
			v.missed("the key %s is not there", key)
		}
	}
	return v
}
