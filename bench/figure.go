package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// figure is a line of the table: what was measured, over all runs.
type figure struct {
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Bar    float64 `json:"bar,omitempty"` // 0: none
	// Least says that the figure is to be the bar at most.
	Least bool `json:"least,omitempty"`
	// Hand and Naive are how many times the yardsticks' speed it is, best run
	// against best run; 0: there is no such yardstick.
	Hand  float64 `json:"hand,omitempty"`
	Naive float64 `json:"naive,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// newFigure returns the figure of what several runs have come to.
func newFigure(name, title, unit string, runs []float64) figure {
	return figure{Name: name, Title: title, Unit: unit, Median: median(runs), Min: slices.Min(runs), Max: slices.Max(runs)}
}

// atLeast and atMost give the figure a bar.
func (f figure) atLeast(bar float64) figure { f.Bar = bar; return f }
func (f figure) atMost(bar float64) figure  { f.Bar, f.Least = bar, true; return f }

// met says whether the bar was reached.
func (f figure) met() string {
	switch {
	case f.Bar == 0:
		return ""
	case f.Least && f.Median < f.Bar, !f.Least && f.Median >= f.Bar:
		return "met"
	}
	return "MISSED"
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// number writes x with as many digits as can be of interest.
func number(x float64) string {
	switch {
	case x == 0:
		return ""
	case x < 0:
		return "-" + number(-x)
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 1:
		return fmt.Sprintf("%.2f", x)
	case x >= 0.001:
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.6f", x)
}

// table lays figures out.
func table(figures []figure) string {
	rows := [][]string{{"", "median", "min - max", "unit", "bar", "", "x hand", "x naive", ""}}
	for _, f := range figures {
		bar := ""
		switch {
		case f.Bar == 0:
		case f.Least:
			bar = "< " + number(f.Bar)
		default:
			bar = ">= " + number(f.Bar)
		}
		median := number(f.Median)
		if median == "" {
			median = "0"
		}
		rows = append(rows, []string{
			f.Title, median, number(f.Min) + " - " + number(f.Max), f.Unit, bar, f.met(), number(f.Hand), number(f.Naive), f.Note,
		})
	}
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	left := []bool{true, false, false, true, false, true, false, false, true}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if left[i] {
				line.WriteString(cell + pad + "  ")
			} else {
				line.WriteString(pad + cell + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
