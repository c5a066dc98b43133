package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// latencies measures the way through three exchanges, beside the bare pipe.
func (l *lab) latencies() ([]figure, error) {
	if !l.jobs.MatchString("latency") {
		return nil, nil
	}
	rates := []int{1000, 10_000, 100_000}
	var trials []*trial
	for _, rate := range rates {
		for _, part := range []string{"pipe", "hops"} {
			trials = append(trials, &trial{
				name: part + strconv.Itoa(rate), argv: []string{l.self, part, strconv.Itoa(rate)},
				check: func(stdout, _ []byte) (any, error) { return said[latency](stdout) },
			})
		}
	}
	samples := make(map[string][]sample)
	if err := rounds(trials, l.runs, samples); err != nil {
		return nil, err
	}
	var all []figure
	for _, rate := range rates {
		pipe, hops := samples["pipe"+strconv.Itoa(rate)], samples["hops"+strconv.Itoa(rate)]
		for _, q := range []struct {
			name string
			of   func(latency) float64
		}{
			{"p50", func(l latency) float64 { return l.P50 }},
			{"p99", func(l latency) float64 { return l.P99 }},
		} {
			at := func(s []sample, i int) float64 { return q.of(s[i].got.(latency)) }
			bare := newFigure("", "", "ms", each(l.runs, func(i int) float64 { return at(pipe, i) }))
			f := newFigure(fmt.Sprintf("latency-%d-%s", rate, q.name), fmt.Sprintf("three hops at %d/s, %s", rate, q.name),
				"ms", each(l.runs, func(i int) float64 { return at(hops, i) })).atMost(3 * bare.Median)
			f.Note = fmt.Sprintf("bare pipe: %s, %s - %s", number(bare.Median), number(bare.Min), number(bare.Max))
			all = append(all, f)
		}
	}
	return all, nil
}

const small = head + `
source "generate" "three" {
  count  = 3
  fields = { n = "i" }
}
sink "file" "out" {
  from = source.three
  path = "OUT/three.jsonl"
}
`

// startRuns is how often a start is measured.
const startRuns = 20

// starts measures short runs of the command, from its start to its end.
func (l *lab) starts() ([]figure, error) {
	if !l.jobs.MatchString("start") {
		return nil, nil
	}
	out, err := l.output()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(l.dir, "small.gp.hcl")
	if err := spell(path, small, "OUT", out, "PARALLELISM", "1", "EVERY", defaultEvery); err != nil {
		return nil, err
	}
	flights, err := absolute("examples/flights/flights.gp.hcl")
	if err != nil {
		return nil, err
	}
	trials := []*trial{
		{name: "run", argv: []string{l.gpflow, "run", path}, dir: out, check: func(_, _ []byte) (any, error) {
			got, err := os.ReadFile(filepath.Join(out, "three.jsonl"))
			if err == nil && string(got) != "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n" {
				err = fmt.Errorf("the output is %q", got)
			}
			return nil, err
		}},
		{name: "validate", argv: []string{l.gpflow, "validate", flights}},
	}
	samples := make(map[string][]sample)
	if err := rounds(trials, startRuns, samples); err != nil {
		return nil, err
	}
	wall := func(name string) []float64 {
		return each(startRuns, func(i int) float64 { return samples[name][i].Wall * 1000 })
	}
	spent := func(name string) []float64 {
		return each(startRuns, func(i int) float64 { return samples[name][i].CPU * 1000 })
	}
	return []figure{
		newFigure("start-run", "gpflow run of 3 records, start to exit", "ms", wall("run")).atMost(150),
		newFigure("start-run-cpu", "  its CPU time", "ms", spent("run")).atMost(80),
		newFigure("start-validate", "gpflow validate of examples/flights", "ms", wall("validate")).atMost(50),
	}, nil
}
