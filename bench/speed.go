package main

import (
	"fmt"
	"math"
)

// The trials of a job besides the one of its own name.
const (
	byGenerator = "/generator"
	byHand      = "/hand"
	byNaive     = "/naive"
	onOneCore   = "/one-core"
	twoWide     = "/parallelism-2"
)

// trials returns what is to be run for a job.
func (l *lab) trials(j *job) ([]*trial, error) {
	var all []*trial
	var err error
	add := func(t *trial, e error) {
		all = append(all, t)
		if err == nil {
			err = e
		}
	}
	want := j.answer(j.records)
	add(l.engine(j, j.name, want, 1, 0))
	if j.generator != "" {
		add(l.generator(j, j.name+byGenerator))
	}
	add(l.yardstick(j, "hand", want))
	if j.naive {
		add(l.yardstick(j, "naive", j.answer(naiveCount)))
	}
	if j.wide {
		add(l.engine(j, j.name+twoWide, want, 2, 0))
		add(l.engine(j, j.name+onOneCore, want, 1, 1))
	}
	return all, err
}

// speed measures the jobs.
func (l *lab) speed() ([]figure, error) {
	var trials []*trial
	var measured []*job
	for _, j := range jobs() {
		if !l.jobs.MatchString(j.name) {
			continue
		}
		ts, err := l.trials(j)
		if err != nil {
			return nil, err
		}
		trials, measured = append(trials, ts...), append(measured, j)
	}
	if err := rounds(trials, l.runs, l.taken); err != nil {
		return nil, err
	}
	var all, wide []figure
	for _, j := range measured {
		all = append(all, l.speeds(j, l.taken)...)
		if j.wide {
			wide = append(wide, speedUps(j, l.taken)...)
		}
	}
	return append(all, wide...), nil
}

// each computes something of every run.
func each(n int, f func(run int) float64) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = f(i)
	}
	return xs
}

const million = 1e6

// speeds returns the figures of a job: records per CPU-second.
func (l *lab) speeds(j *job, samples map[string][]sample) []figure {
	own, making := samples[j.name], samples[j.name+byGenerator]
	hand, naive := samples[j.name+byHand], samples[j.name+byNaive]
	net := each(len(own), func(i int) float64 {
		spent := own[i].CPU
		if j.generator != "" {
			spent -= making[i].CPU
		}
		return float64(j.records) / spent / million
	})
	f := newFigure(j.name, j.title, "M/CPU-s", net).atLeast(j.bar / million)
	spent := best(own)
	if j.generator != "" {
		spent -= best(making)
	}
	f.Hand = best(hand) / spent
	if j.naive {
		f.Naive = best(naive) * float64(j.records) / naiveCount / spent
	}
	all := []figure{f}
	if j.generator != "" {
		gross := func(title string, of []sample) figure {
			return newFigure(j.name+byGenerator, title, "M/CPU-s", each(len(own), func(i int) float64 { return float64(j.records) / of[i].CPU / million }))
		}
		all = append(all, gross("  making the records, subtracted", making), gross("  both together", own))
	}
	if j.name == "json-file" {
		all = append(all, newFigure("memory", "  its resident memory", "MB", each(len(own), func(i int) float64 { return float64(own[i].RSS) / million })).atMost(64))
	}
	return all
}

// best returns the least CPU time of the work of some runs: what disturbs a
// run only ever adds to it, so that ratios of the least ones vary little.
func best(samples []sample) float64 {
	least := math.Inf(1)
	for _, s := range samples {
		if work, _ := s.got.(float64); work > 0 { // a yardstick that has made its records itself
			least = min(least, work)
		} else {
			least = min(least, s.CPU)
		}
	}
	return least
}

// speedUps returns how many times as fast, by the clock on the wall, a job is
// with parallelism 2.
func speedUps(j *job, samples map[string][]sample) []figure {
	two, one, single := samples[j.name+twoWide], samples[j.name], samples[j.name+onOneCore]
	against := func(other []sample) []float64 {
		return each(len(two), func(i int) float64 { return other[i].Wall / two[i].Wall })
	}
	cores := median(each(len(one), func(i int) float64 { return one[i].CPU / one[i].Wall }))
	f := newFigure(j.name+twoWide, "parallelism 2 against 1: "+j.title, "x", against(one)).atLeast(1.7)
	f.Note = fmt.Sprintf("parallelism 1 keeps %.1f cores busy", cores)
	g := newFigure(j.name+onOneCore, "  against parallelism 1 on one core", "x", against(single))
	// What two cores that nobody else uses can come to, by the CPU time.
	most := 2 * best(single) / best(two)
	h := newFigure(j.name+"/most", "  the same at best, by CPU time", "x", []float64{most})
	return []figure{f, g, h}
}
