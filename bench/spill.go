package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// The spill job counts by so many keys that their state would take ten times the
// memory that it is given: first come all keys, then as many records with random
// ones, of which memory has one in twenty.
const (
	// spillMemory is the memory in MiB, unless another is asked for, and perMiB how
	// many keys there are for each.
	spillMemory = 32
	spillTimes  = 10
	perMiB      = 72_000

	// spillText precedes the key in the text of a record.
	spillText = "what was said of this key, in as many words as people use"

	// spillRow is the bytes that a key takes in memory: three values, the text,
	// the key, and what finds it.
	spillRow = 3*16 + len(spillText) + 7 + 9 + 27

	spillPipeline = `
pipeline "spill" {
  parallelism = 1
  state { memory = "MEMORY" }
}
source "generate" "records" {
  count  = COUNT
  fields = {
    key    = "KEY"
    amount = "i % 100"
    text   = "'TEXT' + string(KEY)"
    at     = "timestamp('1970-01-01T00:00:00Z') + duration('1ms') * i"
  }
  event_time { field = "at" }
}
window "tumbling" "by_key" {
  from      = source.records
  key_by    = ["key"]
  size      = "SPANms"
  aggregate = { n = "count()", sum = "sum(amount)", text = "max(text)" }
}
sink "blackhole" "out" { from = window.by_key }
`
)

// spillKeys returns how many keys the job has; there are twice as many records, and
// the window is as long, so that it closes at the end.
func (l *lab) spillKeys() int64 { return int64(l.spill) * perMiB }

// spillAnswer is the answer of the spill job with so many keys.
func spillAnswer(keys int64) (a answer) {
	orders, sums := make([]int64, keys), make([]int64, keys)
	for i := range 2 * keys {
		k := i
		if i >= keys {
			k = hashInt(i) % keys
		}
		orders[k]++
		sums[k] += i % 100
	}
	var r row
	for k := range keys {
		r = r[:0].int(k).time(0).time(2 * keys * 1000).int(orders[k]).int(sums[k]).text(fmt.Sprint(spillText, k))
		a.add(r)
	}
	return a
}

// spilling measures how fast a job goes on whose state is ten times the memory that
// it may take, and how much the process takes.
func (l *lab) spilling() ([]figure, error) {
	if !l.jobs.MatchString("spill") {
		return nil, nil
	}
	if perMiB*spillRow < spillTimes<<20 {
		return nil, errors.New("spill: the state is too small")
	}
	records, bytes := float64(2*l.spillKeys()), float64(int64(l.spill)<<20)
	t, err := l.spillTrial()
	if err != nil {
		return nil, err
	}
	samples := make(map[string][]sample)
	if err := rounds([]*trial{t}, 1, samples); err != nil {
		return nil, err
	}
	s := samples[t.name][0]
	wall := newFigure("spill-clock", "state of ten times its memory, by the clock", "records/s", []float64{records / s.Wall}).atLeast(100_000)
	wall.Note = fmt.Sprintf("%.1f M records with %.1f M keys in %.0f s; %d checkpoints", records/million, records/2/million, s.Wall, s.got.(int))
	processor := newFigure("spill", "  for a second of CPU time", "records/CPU-s", []float64{records / s.CPU})
	memory := newFigure("spill-memory", "  resident memory", "MB", []float64{float64(s.RSS) / million})
	memory.Note = fmt.Sprintf("the bar is half as much again as the memory of the state, %d MiB, and 256 MiB", l.spill)
	return []figure{wall, processor, memory.atMost((bytes*3/2 + 256<<20) / million)}, nil
}

// spillTrial returns the trial of the spill job.
func (l *lab) spillTrial() (*trial, error) {
	dir, err := l.output()
	if err != nil {
		return nil, err
	}
	keys := l.spillKeys()
	key := fmt.Sprintf("(i < %d ? i : hash(i) %% %d)", keys, keys)
	path := filepath.Join(dir, "spill.gp.hcl")
	err = spell(path, spillPipeline, "MEMORY", fmt.Sprintf("%dMiB", l.spill), "COUNT", fmt.Sprint(2*keys),
		"KEY", key, "TEXT", spillText, "SPAN", fmt.Sprint(2*keys))
	if err != nil {
		return nil, err
	}
	want := spillAnswer(keys)
	t := &trial{name: "spill", dir: dir, argv: []string{l.gpflow, "run", path, "--quiet", "--log-level", "debug", "--log-format", "json"}}
	t.check = func(_, stderr []byte) (any, error) {
		if !strings.Contains(string(stderr), "state goes to the disk") {
			return nil, errors.New("all of the state has stayed in memory")
		}
		got, err := readChecksum(stderr)
		if err != nil {
			return nil, err
		}
		return checkpointsIn(stderr), want.compare(got)
	}
	return t, nil
}
