package compiler

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/gpflow/gpflow"
)

// ExplainExprs returns the record expressions of the pipeline, for people:
// each with its field, the type of its result and the parts of it that are
// interpreted, and at the end the share that is compiled.
func ExplainExprs(r Result) string {
	var b strings.Builder
	compiled, interpreted := 0, 0
	for _, n := range r.Graph.Nodes {
		if !n.alive || len(n.Exprs) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s\n", n.Address())
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, x := range n.Exprs {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", x.Path, x.Type, oneLine(x.Text))
			for _, part := range x.Parts {
				fmt.Fprintf(w, "  \t\t  interpreted: %s\n", oneLine(part))
			}
		}
		w.Flush()
		b.WriteByte('\n')
		c, i := exprCounts(n.Exprs)
		compiled, interpreted = compiled+c, interpreted+i
	}
	total := compiled + interpreted
	if total == 0 {
		return "no record expressions\n"
	}
	fmt.Fprintf(&b, "%d of %d sub-expressions compiled, %.4g %%\n", compiled, total, 100*float64(compiled)/float64(total))
	return b.String()
}

// oneLine returns an expression with each run of white space outside of quotes
// as a space.
func oneLine(text string) string {
	var b strings.Builder
	quote, gap := rune(0), false
	escaped := false
	for _, r := range strings.TrimSpace(text) {
		if quote == 0 && (r == ' ' || r == '\n' || r == '\t' || r == '\r') {
			gap = true
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		switch {
		case escaped:
			escaped = false
		case quote != 0 && quote != '`' && r == '\\':
			escaped = true
		case r == quote:
			quote = 0
		case quote == 0 && strings.ContainsRune("'\"`", r):
			quote = r
		}
		b.WriteRune(r)
	}
	return b.String()
}

// exprCounts counts sub-expressions by what runs them.
func exprCounts(exprs []gpflow.ExprInfo) (compiled, interpreted int) {
	for _, x := range exprs {
		compiled, interpreted = compiled+x.Compiled, interpreted+x.Interpreted
	}
	return compiled, interpreted
}
