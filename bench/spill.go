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
	spillMemory  = 32 << 20
	spillTimes   = 10
	spillKeys    = 2_300_000
	spillRecords = 2 * spillKeys
	// spillSpan is the length of the window in records: it closes at the end.
	spillSpan = spillRecords

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

// spillKey is the key of a record of the spill job.
func spillKey(i int64) int64 {
	if i < spillKeys {
		return i
	}
	return hashInt(i) % spillKeys
}

// spillAnswer is the answer of the spill job.
func spillAnswer() (a answer) {
	orders, sums := make([]int64, spillKeys), make([]int64, spillKeys)
	for i := range int64(spillRecords) {
		k := spillKey(i)
		orders[k]++
		sums[k] += i % 100
	}
	var r row
	for k := range int64(spillKeys) {
		r = r[:0].int(k).time(0).time(spillSpan * 1000).int(orders[k]).int(sums[k]).text(fmt.Sprint(spillText, k))
		a.add(r)
	}
	return a
}

// spill measures how fast a job goes on whose state is ten times the memory that
// it may take, and how much the process takes.
func (l *lab) spill() ([]figure, error) {
	if !l.jobs.MatchString("spill") {
		return nil, nil
	}
	if spillKeys*spillRow < spillTimes*spillMemory {
		return nil, errors.New("spill: the state is too small")
	}
	t, err := l.spillTrial()
	if err != nil {
		return nil, err
	}
	samples := make(map[string][]sample)
	if err := rounds([]*trial{t}, 1, samples); err != nil {
		return nil, err
	}
	s := samples[t.name][0]
	wall := newFigure("spill-clock", "state of ten times its memory, by the clock", "records/s", []float64{spillRecords / s.Wall}).atLeast(100_000)
	wall.Note = fmt.Sprintf("%.1f M records with %.1f M keys in %.0f s; %d checkpoints", spillRecords/million, spillKeys/million, s.Wall, s.got.(int))
	processor := newFigure("spill", "  for a second of CPU time", "records/CPU-s", []float64{spillRecords / s.CPU})
	memory := newFigure("spill-memory", "  resident memory", "MB", []float64{float64(s.RSS) / million})
	memory.Note = fmt.Sprintf("the bar is half as much again as the memory of the state, %d MiB, and 256 MiB", spillMemory>>20)
	return []figure{wall, processor, memory.atMost(float64(spillMemory*3/2+256<<20) / million)}, nil
}

// spillTrial returns the trial of the spill job.
func (l *lab) spillTrial() (*trial, error) {
	dir, err := l.output()
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("(i < %d ? i : hash(i) %% %d)", spillKeys, spillKeys)
	path := filepath.Join(dir, "spill.gp.hcl")
	err = spell(path, spillPipeline, "MEMORY", fmt.Sprintf("%dMiB", spillMemory>>20), "COUNT", fmt.Sprint(spillRecords),
		"KEY", key, "TEXT", spillText, "SPAN", fmt.Sprint(spillSpan))
	if err != nil {
		return nil, err
	}
	want := spillAnswer()
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
