// Package oracle computes tumbling windows over a batch, to compare the engine
// with. It imports nothing of the module.
package oracle

import "sort"

// Row is a record as it stands in a file.
type Row struct {
	User   string  `json:"user"`
	Amount int64   `json:"amount"`
	Weight float64 `json:"weight"`
	At     int64   `json:"at"` // milliseconds
	ID     int64   `json:"id"` // differs between the rows of a test
}

// Window is what a window comes to.
type Window struct {
	User       string
	Start, End int64 // milliseconds
	Count, Sum int64
	Min, Max   int64
	Mean       float64
	First      int64 // id of the row with the lowest (at, split, place)
	Last       int64
}

// Place is a row with where it stands.
type Place struct {
	Row
	Split, Index int
}

// Windows returns the windows over rows, sorted by start and user. keyed says
// that each user has windows of their own.
func Windows(rows []Place, size, offset int64, keyed bool) []Window {
	type key struct {
		user  string
		start int64
	}
	groups := make(map[key][]Place)
	for _, r := range rows {
		start := (r.At - offset) / size
		if (r.At-offset)%size < 0 {
			start--
		}
		k := key{start: start*size + offset}
		if keyed {
			k.user = r.User
		}
		groups[k] = append(groups[k], r)
	}
	var out []Window
	for k, rs := range groups {
		sort.Slice(rs, func(i, j int) bool {
			a, b := rs[i], rs[j]
			if a.At != b.At {
				return a.At < b.At
			}
			if a.Split != b.Split {
				return a.Split < b.Split
			}
			return a.Index < b.Index
		})
		w := Window{User: k.user, Start: k.start, End: k.start + size, Min: rs[0].Amount, Max: rs[0].Amount}
		w.First, w.Last = rs[0].ID, rs[len(rs)-1].ID
		total := 0.0
		for _, r := range rs {
			w.Count++
			w.Sum += r.Amount
			w.Min, w.Max = min(w.Min, r.Amount), max(w.Max, r.Amount)
			total += r.Weight
		}
		w.Mean = total / float64(w.Count)
		out = append(out, w)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Start != out[j].Start {
			return out[i].Start < out[j].Start
		}
		return out[i].User < out[j].User
	})
	return out
}

// MarkEvery is how many rows of a split lie between two watermarks.
const MarkEvery = 32

// Late returns the ids of the rows of one split that come after their window has
// closed. The watermark is the latest time so far less disorder, taken behind
// every MarkEvery-th row.
func Late(rows []Place, size, offset, disorder int64) map[int64]bool {
	const none = -1 << 62
	latest, mark := int64(none), int64(none)
	late := make(map[int64]bool)
	for i, r := range rows {
		if Windows([]Place{r}, size, offset, false)[0].End <= mark {
			late[r.ID] = true
		}
		latest = max(latest, r.At)
		if (i+1)%MarkEvery == 0 {
			mark = latest - disorder
		}
	}
	return late
}
