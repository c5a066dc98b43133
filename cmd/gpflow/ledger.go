package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/job"
)

// writeLedger prints how a run has ended, and what has become of every record.
func writeLedger(w io.Writer, p *plan.Plan, r engine.Report) {
	in, out, _ := totals(r.Status)
	rate := float64(in-r.Before) / max(r.Elapsed.Seconds(), 0.001)
	fmt.Fprintf(w, "\n%s after %s: %s records in, %s out, %s records/s\n\n", r.Outcome,
		r.Elapsed.Round(time.Millisecond), thousands(in), thousands(out), thousands(int64(rate)))
	columns := []string{"node", "in", "passed", "created", "filtered", "absorbed", "late", "skipped", "diverted"}
	rows := [][]string{columns}
	used := make([]bool, len(columns))
	for _, n := range r.Nodes {
		counts := []int64{n.In, n.Passed, n.Created, n.Filtered, n.Absorbed, n.Late, n.Skipped, n.Diverted}
		row := []string{n.Address}
		for i, c := range counts {
			used[i+1] = used[i+1] || c != 0
			row = append(row, blankZero(c))
		}
		rows = append(rows, row)
	}
	used[0], used[1], used[2] = true, true, true
	writeTable(w, rows, used)
	writeNotes(w, p, r)
}

// writeNotes says what the numbers do not.
func writeNotes(w io.Writer, p *plan.Plan, r engine.Report) {
	fmt.Fprintln(w)
	for _, n := range r.Nodes {
		if n.Unread && n.Late > 0 {
			fmt.Fprintf(w, "Late records of %s that were dropped, as nobody reads %s.late: %s\n", n.Address, n.Address, thousands(n.Late))
		}
		if n.Skipped > 0 {
			fmt.Fprintf(w, "Records that failed in %s and were skipped: %s\n", n.Address, thousands(n.Skipped))
		}
		if n.Retries > 0 {
			fmt.Fprintf(w, "Calls of %s that failed and were made again: %s\n", n.Address, thousands(n.Retries))
		}
		if n.Delivery == gpflow.AtLeastOnce && r.Before > 0 && n.Kind != "blackhole" {
			fmt.Fprintf(w, "%s is at-least-once: what it was given behind the checkpoint that this run went on from, it may have put out before.\n", n.Address)
		}
	}
	switch {
	case r.Outcome == job.Stopped:
		fmt.Fprintln(w, "Stopped on request. The ledger adds up: every record that was read has met exactly one of these fates.")
		if staged(r) {
			fmt.Fprintln(w, "Files that were to appear at the end of the input stay staged. Run the pipeline again to go on.")
		}
	case r.Outcome == job.Finished && empty(r) && endsByTime(p):
		fmt.Fprintln(w, "No record came in: the input was empty, or began at the time that until says, or later.")
	case r.Outcome == job.Finished && empty(r):
		fmt.Fprintln(w, "No record came in: the input was empty.")
	case r.Outcome == job.Finished:
		fmt.Fprintln(w, "The ledger adds up: every record that came in has met exactly one of these fates.")
	default:
		fmt.Fprintln(w, "The run failed: what was not committed stays staged, and the next run goes on from the last checkpoint. The figures are those of the moment, and need not add up.")
	}
}

// endsByTime reports whether a source has until.
func endsByTime(p *plan.Plan) bool {
	for _, t := range p.Tasks {
		for _, o := range t.Ops {
			if o.EventTime != nil && o.EventTime.Until != nil {
				return true
			}
		}
	}
	return false
}

// empty reports whether no source has read a record.
func empty(r engine.Report) bool {
	in, _, _ := totals(r.Status)
	return in == 0
}

// staged reports whether there is a sink whose output appears at the end.
func staged(r engine.Report) bool {
	return slices.ContainsFunc(r.Nodes, func(n engine.Node) bool { return n.AtEnd })
}

// writeTable prints rows with their used columns aligned, the first to the
// left.
func writeTable(w io.Writer, rows [][]string, used []bool) {
	width := make([]int, len(used))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for i := range width {
		if !used[i] {
			width[i] = unused
		}
	}
	for _, row := range rows {
		writeRow(w, row, width)
	}
}

// unused is the width of a column that is not printed.
const unused = -1

// writeRow prints a row of a table whose columns have these widths.
func writeRow(w io.Writer, row []string, width []int) {
	var b strings.Builder
	for i, cell := range row {
		switch {
		case width[i] == unused:
		case i == 0:
			fmt.Fprintf(&b, "%-*s", width[i], cell)
		default:
			fmt.Fprintf(&b, "  %*s", width[i], cell)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

func blankZero(n int64) string {
	if n == 0 {
		return ""
	}
	return thousands(n)
}

// thousands writes n with a comma between thousands.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
