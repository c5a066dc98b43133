// Package oracle computes tumbling windows from their definition, for tests:
// from the list of all that came in, with nothing of the product.
package oracle

import (
	"math/big"
	"sort"
)

// Row is a record. Times are in microseconds.
type Row struct {
	Position int // among the rows
	Time     int64
	Key      string
	Int      int64
	Opt      *int64
	Float    float64
	Str      string
	Bad      bool // an argument cannot be evaluated
}

// Event is a row, or a watermark.
type Event struct {
	Row  *Row
	Mark int64
}

// Result is what is known of one key in one window.
type Result struct {
	Key        string
	Start, End int64
	Rows       []Row // in the order of arrival
	// Closed says that a mark closed the window; After is then the watermark
	// before that mark, if there was one (Marked).
	Closed, Marked bool
	After          int64
}

// Outcome is what becomes of all rows: each is in one result, late or failed.
type Outcome struct {
	Results      []Result // by window, then by the arrival of the first row
	Late, Failed []int    // positions
}

// Tumbling computes the windows of the given size, moved by offset. A row is
// late if a mark at or behind the end of its window came before it; it has
// failed if it is bad, or if the sum of Int in its result would leave 64 bits.
func Tumbling(events []Event, size, offset int64) Outcome {
	var out Outcome
	watermark, marked := int64(0), false
	var groups []*Result
	for _, e := range events {
		if e.Row == nil {
			if !marked || e.Mark > watermark {
				closed(groups, e.Mark, watermark, marked)
				watermark, marked = e.Mark, true
			}
			continue
		}
		start := floor(e.Row.Time-offset, size)*size + offset
		if marked && start+size <= watermark {
			out.Late = append(out.Late, e.Row.Position)
			continue
		}
		g := find(groups, e.Row.Key, start)
		if e.Row.Bad || g != nil && !fits(g.Rows, e.Row.Int) {
			out.Failed = append(out.Failed, e.Row.Position)
			continue
		}
		if g == nil {
			g = &Result{Key: e.Row.Key, Start: start, End: start + size}
			groups = append(groups, g)
		}
		g.Rows = append(g.Rows, *e.Row)
	}
	sort.SliceStable(groups, func(i, j int) bool { return groups[i].Start < groups[j].Start })
	for _, g := range groups {
		out.Results = append(out.Results, *g)
	}
	return out
}

// closed notes what the mark t closes.
func closed(groups []*Result, t, watermark int64, marked bool) {
	for _, g := range groups {
		if !g.Closed && g.End <= t {
			g.Closed, g.Marked, g.After = true, marked, watermark
		}
	}
}

func find(groups []*Result, key string, start int64) *Result {
	for _, g := range groups {
		if g.Key == key && g.Start == start {
			return g
		}
	}
	return nil
}

// floor returns the greatest integer that is not more than a/b.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func fits(rows []Row, more int64) bool {
	return sum(rows).Add(sum(rows), big.NewInt(more)).IsInt64()
}

func sum(rows []Row) *big.Int {
	s := new(big.Int)
	for _, r := range rows {
		s.Add(s, big.NewInt(r.Int))
	}
	return s
}

// SumInt returns the sum of Int.
func (r Result) SumInt() int64 { return sum(r.Rows).Int64() }

// SumFloat returns the sum of Float.
func (r Result) SumFloat() float64 {
	s := new(big.Float).SetPrec(300)
	for _, x := range r.Rows {
		s.Add(s, big.NewFloat(x.Float))
	}
	f, _ := s.Float64()
	return f
}

// Opts returns the values of Opt that are there.
func (r Result) Opts() []int64 {
	var out []int64
	for _, x := range r.Rows {
		if x.Opt != nil {
			out = append(out, *x.Opt)
		}
	}
	return out
}

// ByTime returns the rows by time, those of one time in the order of arrival.
func (r Result) ByTime() []Row {
	rows := append([]Row(nil), r.Rows...)
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Time < rows[j].Time })
	return rows
}

// Ints returns the sorted values of Int.
func (r Result) Ints() []int64 {
	var out []int64
	for _, x := range r.Rows {
		out = append(out, x.Int)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// Floats returns the sorted values of Float.
func (r Result) Floats() []float64 {
	var out []float64
	for _, x := range r.Rows {
		out = append(out, x.Float)
	}
	sort.Float64s(out)
	return out
}

// Strs returns the sorted values of Str.
func (r Result) Strs() []string {
	var out []string
	for _, x := range r.Rows {
		out = append(out, x.Str)
	}
	sort.Strings(out)
	return out
}
