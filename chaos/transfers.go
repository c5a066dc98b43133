package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// transfers is W2: money goes from one account to another. Each transfer is two
// entries, in files by account, and no money appears or gets lost: what has been
// committed comes to nothing at any moment, and has both entries of a transfer or
// none.
var transfers = workload{
	name: "W2", about: "money transfers, whose sum is conserved", rows: 30_000,
	make: func(dir string, rng *rand.Rand) (job, error) {
		j := &bank{entries: make(map[string]int), balances: make(map[string]int64)}
		return j, writeLines(dir, 3, 30_000, func(i int64) string {
			src, dst, amount := account(rng), account(rng), rng.Int64N(1000)
			j.entries[fmt.Sprintf("%d %s %d", i, src, -amount)]++
			j.entries[fmt.Sprintf("%d %s %d", i, dst, amount)]++
			j.balances[src] -= amount
			j.balances[dst] += amount
			return fmt.Sprintf(`{"id":%d,"src":%q,"dst":%q,"amount":%d,"at":%d}`, i, src, dst, amount, 1_700_000_000_000+i)
		})
	},
}

func account(rng *rand.Rand) string { return "a" + strconv.Itoa(100+rng.IntN(300)) }

type bank struct {
	entries  map[string]int
	balances map[string]int64
}

func (*bank) spec(rate int) string {
	return `
source "file" "in" {
  path   = "in"
  schema = { id = int, src = string, dst = string, amount = int, at = timestamp("unix_ms") }
` + paced(rate) + `
  event_time {
    field        = "at"
    out_of_order = "36500d"
  }
}

flat_map "legs" {
  from  = source.in
  each  = "[src, dst]"
  as    = "account"
  index = "leg"
  keep  = ["id", "amount"]
}

map "entries" {
  from   = flat_map.legs
  select = { id = "id", account = "account", delta = "leg == 0 ? -amount : amount", branch = "account[0:2]" }
}

window "tumbling" "balances" {
  from      = map.entries
  key_by    = ["account"]
  size      = "36500d"
  aggregate = { balance = "sum(delta)" }
}

sink "file" "entries" {
  from   = map.entries
  mode   = "parts"
  path   = "out/entries/{branch}"
  format = "json"
}

sink "file" "balances" {
  from = window.balances
  path = "out/balances.jsonl"
}
`
}

// entry is a leg of a transfer, as it is put out.
type entry struct {
	ID, Delta       int64
	Account, Branch string
}

// moment: the files that are shown and those that are pending have both legs of
// each transfer, or neither.
func (*bank) moment(shown *reader, pending []pendingFile) error {
	legs, sum := make(map[int64]int), int64(0)
	add := func(_ string, line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		legs[e.ID]++
		sum += e.Delta
		return nil
	}
	dir := filepath.Join(shown.root, "entries")
	if err := shown.records(dir, add); err != nil {
		return err
	}
	base := filepath.Dir(shown.root)
	for _, p := range pending {
		if shown.has(filepath.Join(base, p.final)) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(base, p.staged))
		if err != nil {
			return fmt.Errorf("output that is to be committed is gone: %w", err)
		}
		staged, err := lines(p.staged, data)
		if err != nil {
			return err
		}
		for _, l := range staged {
			if err := add(p.staged, l); err != nil {
				return err
			}
		}
	}
	for id, n := range legs {
		if n != 2 {
			return fmt.Errorf("%d entries of the transfer %d are committed, not both; the sum of all is %d", n, id, sum)
		}
	}
	if sum != 0 {
		return fmt.Errorf("what is committed comes to %d, not to 0", sum)
	}
	return nil
}

func (j *bank) check(shown *reader) *verdict {
	v := &verdict{}
	entries, balances := make(map[string]int), make(map[string]int)
	v.err = shown.records(filepath.Join(shown.root, "entries"), func(path string, line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if filepath.Base(filepath.Dir(path)) != e.Branch {
			v.wrong("%s is in %s", line, path)
		}
		entries[fmt.Sprintf("%d %s %d", e.ID, e.Account, e.Delta)]++
		return nil
	})
	v.compare("the entry", entries, j.entries)
	if v.err == nil {
		v.err = shown.records(filepath.Join(shown.root, "balances.jsonl"), func(_ string, line []byte) error {
			var b struct {
				Account string
				Balance int64
			}
			if err := json.Unmarshal(line, &b); err != nil {
				return err
			}
			balances[fmt.Sprintf("%s %d", b.Account, b.Balance)]++
			return nil
		})
	}
	want := make(map[string]int)
	for a, b := range j.balances {
		want[fmt.Sprintf("%s %d", a, b)] = 1
	}
	v.compare("the balance", balances, want)
	return v
}
