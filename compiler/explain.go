package compiler

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
)

// Explain returns the physical plan as a tree, for people: tasks with their
// operators, what each reads and emits, and how rows get from task to task.
func Explain(r Result) string {
	var b strings.Builder
	e := &explanation{b: &b, nodes: make(map[string]*Node), r: r}
	for _, n := range r.Graph.Nodes {
		e.nodes[n.Address()] = n
	}
	fmt.Fprintf(&b, "pipeline %s   %s, %s, %d key groups\n", r.Plan.Pipeline,
		count(len(r.Plan.Tasks), "task"), count(len(e.nodes), "node"), r.Plan.KeyGroups)
	for i := range r.Plan.Tasks {
		e.task(&r.Plan.Tasks[i])
	}
	var dead []string
	for _, n := range r.Graph.Nodes {
		if !n.alive {
			dead = append(dead, n.Address())
		}
	}
	if dead != nil {
		fmt.Fprintf(&b, "\nleft out, read by nobody: %s\n", strings.Join(dead, ", "))
	}
	return b.String()
}

type explanation struct {
	b     *strings.Builder
	nodes map[string]*Node
	r     Result
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (e *explanation) task(t *plan.Task) {
	fmt.Fprintf(e.b, "\ntask %s   %s\n", t.ID, count(t.Parallelism, "subtask"))
	for _, x := range e.r.Plan.Edges {
		if x.To != t.ID {
			continue
		}
		from := e.r.Plan.Task(x.From)
		how := string(x.Partition)
		if x.Key != nil {
			var keys []string
			for _, k := range x.Key {
				keys = append(keys, oneLine(k))
			}
			how += " by " + strings.Join(keys, ", ")
		}
		fmt.Fprintf(e.b, "  <- %s   %s, %d to %d\n", label(from.Ops[x.FromOp], x.FromPort), how, from.Parallelism, t.Parallelism)
	}
	e.op(t, 0, "  ", "  ")
}

func label(op plan.Op, port int) string {
	if port == 0 {
		return op.ID
	}
	return op.ID + "." + op.Ports[port].Name
}

// op prints operator i of t and, below it, those that it feeds. first is the
// indent of its first line, rest that of the others.
func (e *explanation) op(t *plan.Task, i int, first, rest string) {
	op := &t.Ops[i]
	n := e.nodes[op.ID]
	var children []int
	for j := range t.Ops {
		if t.Ops[j].Parent == i {
			children = append(children, j)
		}
	}
	via := ""
	if op.Parent >= 0 && op.ParentPort > 0 {
		via = "  on ." + t.Ops[op.Parent].Ports[op.ParentPort].Name
	}
	kind := ""
	if op.Kind != "" {
		kind = "  " + op.Kind
	}
	fmt.Fprintf(e.b, "%s%s%s%s\n", first, op.ID, kind, via)
	bar := rest + "    "
	if children != nil {
		bar = rest + "│   "
	}
	for _, line := range e.facts(op, n) {
		fmt.Fprintf(e.b, "%s%s\n", bar, line)
	}
	for k, j := range children {
		if k == len(children)-1 {
			e.op(t, j, rest+"└─ ", rest+"   ")
		} else {
			e.op(t, j, rest+"├─ ", rest+"│  ")
		}
	}
}

// facts are the lines that say what an operator does.
func (e *explanation) facts(op *plan.Op, n *Node) []string {
	var out []string
	for p, port := range op.Ports {
		switch {
		case p == 0 && n.Desc.IsSource():
			out = append(out, e.reads(op, n))
		case p == 0:
			out = append(out, "emits  "+columns(port.Schema))
		case port.Name == "errors":
			if port.Read {
				out = append(out, ".errors  the records that failed")
			}
		case port.Read:
			out = append(out, fmt.Sprintf(".%s  %s", port.Name, columns(port.Schema)))
		}
	}
	if t := op.EventTime; t != nil {
		line := fmt.Sprintf("event time  %s, out of order by up to %s", t.Column, t.OutOfOrder)
		if t.IdleAfter > 0 {
			line += fmt.Sprintf(", idle after %s", t.IdleAfter)
		}
		if t.Until != nil {
			line += fmt.Sprintf(", read until %s", *t.Until)
		}
		out = append(out, line)
	}
	for _, s := range op.State {
		out = append(out, fmt.Sprintf("state  %s: key (%s), value (%s)", s.Name, names(s.Key), s.Value))
	}
	if n.Desc.IsSource() && !n.Traits.Replayable {
		out = append(out, "replay  none: what has been read cannot be read again, so behind a crash or a stop the pipeline starts anew")
	}
	if d := n.Traits.Delivery; d != "" {
		out = append(out, "delivery  "+string(d))
	}
	if n.Traits.Visible != "" {
		out = append(out, "visible  "+n.Traits.Visible+e.interval(n))
	}
	if compiled, interpreted := exprCounts(n.Exprs); compiled+interpreted > 0 {
		line := fmt.Sprintf("expressions  %d compiled", compiled)
		if interpreted > 0 {
			line += fmt.Sprintf(", %d interpreted", interpreted)
		}
		out = append(out, line)
	}
	if op.OnError.Action != gpflow.ActionFail {
		line := "on error  " + string(op.OnError.Action)
		if op.OnError.Limit >= 0 {
			line += fmt.Sprintf(", up to %d records", op.OnError.Limit)
		}
		if op.OnError.Action == gpflow.ActionRetry {
			line = fmt.Sprintf("on error  retry what fails outside, up to %d times in a row, first after %s", op.OnError.Retries, op.OnError.Backoff)
		}
		out = append(out, line)
	}
	return out
}

// interval says how often there are checkpoints, where the output of n appears
// with them.
func (e *explanation) interval(n *Node) string {
	switch {
	case n.Traits.NeedsEnd || n.Traits.Delivery == gpflow.AtLeastOnce:
		return ""
	case e.r.Graph.Every <= 0:
		return "; there is one at the end of the input, and when the pipeline is stopped"
	}
	return fmt.Sprintf("; there is one every %s", e.r.Graph.Every)
}

// reads says which columns of a source are read, and which are not.
func (e *explanation) reads(op *plan.Op, n *Node) string {
	read := op.Ports[0].Schema
	line := "reads  " + columns(read)
	var not []string
	for _, c := range n.Declared.Columns {
		if read.Index(c.Name) < 0 {
			not = append(not, c.Name)
		}
	}
	if not != nil {
		line += "; not read: " + strings.Join(not, ", ")
	}
	return line
}

func columns(s *gpflow.Schema) string {
	if s.Width() == 0 {
		return "no columns"
	}
	return s.String()
}

func names(s *gpflow.Schema) string {
	if s == nil || s.Width() == 0 {
		return "none"
	}
	return strings.Join(s.Names(), ", ")
}
