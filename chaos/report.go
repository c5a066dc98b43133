package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// report counts what was done.
type report struct {
	began  time.Time
	random int            // kills at random moments that counted
	early  int            // and that did not: no new checkpoint, or nothing uncommitted
	phases map[string]int // of the random kills, by where they landed
	hits   map[string]int // of failpoints, that counted
	missed map[string]int // starts that were to die at a point, and did not come there
	lacks  map[string]map[string]bool

	clean   int   // rounds
	rows    int64 // compared
	files   int   // seen by the reader of the output
	looks   int   // of that reader
	starts  int
	stops   int // starts that were told to stop in order, half of them killed while they did
	halfway int // kills behind the last checkpoint, before its output was shown
}

func newReport() *report {
	return &report{
		began: time.Now(), phases: make(map[string]int), hits: make(map[string]int), missed: make(map[string]int),
		lacks: make(map[string]map[string]bool),
	}
}

// lack notes that a workload does not pass a point.
func (t *report) lack(workload, point string) {
	if t.lacks[workload] == nil {
		t.lacks[workload] = make(map[string]bool)
	}
	t.lacks[workload][point] = true
}

// between are the points behind which nothing is under way until the next
// barrier.
var between = []string{"retained", "commit-done", "recommitted", "split-assigned"}

// killed notes where a random kill has landed: in the phase of the last point
// that was passed.
func (t *report) killed(c *chaos, d *death, counts bool) {
	phase := "before the first point"
	if n := len(d.trace); n > 0 {
		last := d.trace[n-1]
		phase = "between checkpoints"
		if !slices.Contains(between, last) {
			i := slices.IndexFunc(c.points, func(p point) bool { return p.Name == last })
			phase = c.points[max(i, 0)].Phase
		}
	}
	t.phases[phase]++
	if !counts {
		t.early++
	}
}

// round prints a line about a round.
func (t *report) round(r *round, n int) {
	t.starts += r.starts
	hits := 0
	for _, h := range t.hits {
		hits += h
	}
	fmt.Printf("round %3d  %s  %3d starts  %5d files shown   so far: %4d random kills, %4d at failpoints, %s\n",
		n, r.name, r.starts, len(r.shown.seen), t.random, hits, time.Since(t.began).Round(time.Second))
}

// print prints the tables.
func (t *report) print(c *chaos) {
	fmt.Printf("\n%d rounds from nothing to the end, %d starts; %d rows compared; the reader of the output looked %d times at up to %d files\n",
		t.clean, t.starts, t.rows, t.looks, t.files)
	fmt.Printf("%d kills at random moments counted: a new checkpoint behind them, and rows not committed; %d more did not\n%d starts were told to stop in order, about half of them killed while they did\n\n", t.random, t.early, t.stops)
	fmt.Println("Where the random kills landed:")
	most := 1
	for _, n := range t.phases {
		most = max(most, n)
	}
	for _, phase := range []string{"before the first point", "fresh", "recovery", "between checkpoints", "barrier", "storing", "commit", "retention", "end"} {
		n := t.phases[phase]
		fmt.Printf("  %-22s %5d  %s\n", phase, n, strings.Repeat("#", n*50/most))
	}
	fmt.Printf("\nFailpoints, and how often a process died there:\n")
	points := slices.Clone(c.points)
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.Phase, b.Phase) })
	phase := ""
	for i, p := range points {
		if p.Phase != phase {
			phase = p.Phase
			if i > 0 {
				fmt.Println()
			}
			fmt.Printf("  %-10s", phase)
		}
		fmt.Printf(" %s %d", p.Name, t.hits[p.Name])
	}
	fmt.Printf("\n  %d times a process died behind its last checkpoint, before all output was shown\n", t.halfway)
}
