// Package oracle says what the output of a simulated job has to be, by going
// over all rows at once: no batch, no watermark that travels, no state, no
// fault.
package oracle

import (
	"fmt"
	"strings"
)

// MarkEvery is the number of rows of a split from one watermark of it to the
// next.
const MarkEvery = 32

// Row is a row of the input.
type Row struct {
	ID       string
	Key      int64
	Value    int64
	Time     int64 // event time
	Position int   // in its split, from 0
}

// Source is the input of one source, and what it does to each row before
// anything else sees it.
type Source struct {
	Splits [][]Row
	Ops    []string // see apply
}

// Job is a job.
type Job struct {
	Sources  []Source
	Ops      []string // behind the sources, in order
	Disorder int64    // how much earlier than the latest of its split a row may be
	Window   int64    // size of the tumbling windows; 0: there are none, rows are put out
	Late     bool     // late rows are put out too
	Joined   bool     // if Late: with the windows, each as one that begins at its time and counts none
}

// Output returns how often each line is to be put out, by sink: "main" and
// "late".
func (j Job) Output() map[string]map[string]int {
	out := map[string]map[string]int{"main": {}, "late": {}}
	type window struct{ key, start int64 }
	counts, sums := make(map[window]int64), make(map[window]int64)
	for _, s := range j.Sources {
		for _, split := range s.Splits {
			j.each(s, split, func(r Row, bound int64, bounded bool) {
				if j.Window == 0 {
					out["main"][Line(r.ID, r.Key, r.Value)]++
					return
				}
				start := r.Time - r.Time%j.Window
				if bounded && start+j.Window <= bound {
					switch {
					case j.Joined:
						out["main"][Line(r.Key, r.Time, 0, r.Value)]++
					case j.Late:
						out["late"][Line(r.ID, r.Key, r.Value)]++
					}
					return
				}
				counts[window{r.Key, start}]++
				sums[window{r.Key, start}] += r.Value
			})
		}
	}
	for w, n := range counts {
		out["main"][Line(w.key, w.start, n, sums[w])]++
	}
	return out
}

// each calls f with the rows of a split that are left, and with the watermark
// of the split that bounds them, if there is one yet.
func (j Job) each(s Source, split []Row, f func(r Row, bound int64, bounded bool)) {
	bound, latest := int64(0), int64(0)
	for i, r := range split {
		row, kept := apply(s.Ops, r)
		if kept {
			row, kept = apply(j.Ops, row)
		}
		if kept {
			f(row, bound, i >= MarkEvery)
		}
		if i == 0 || r.Time > latest {
			latest = r.Time
		}
		if (i+1)%MarkEvery == 0 {
			bound = latest - j.Disorder
		}
	}
}

// apply returns what becomes of a row: "inc" adds one to its value, "drop" drops
// it where the value is a multiple of seven, and others change nothing.
func apply(ops []string, r Row) (Row, bool) {
	for _, op := range ops {
		switch op {
		case "inc":
			r.Value++
		case "drop":
			if r.Value%7 == 0 {
				return r, false
			}
		}
	}
	return r, true
}

// Line returns the text of a row.
func Line(fields ...any) string { return strings.TrimSpace(fmt.Sprintln(fields...)) }
