package compiler

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/spec/diag"
)

// check lets schemas flow from the sources to the sinks and finds out what the
// nodes need.
func (c *compilation) check(g *Graph) {
	if groups := c.spec.Settings.Int("key_groups"); !c.spec.WrongSettings["key_groups"] && c.spec.Settings.Int("parallelism") > groups {
		c.error(diag.CodeParallelism, c.setting("parallelism"), "The nodes have more subtasks than the pipeline has key groups",
			fmt.Sprintf("The pipeline has %d key_groups, so parallelism is at most that.", groups))
	}
	g.Every = c.spec.Checkpoints().Every
	for _, n := range g.Nodes {
		n.Traits = n.Desc.TraitsOf(n.Spec.Config)
		c.onError(n)
		c.infer(n, c.problem)
		if !n.failed && n.Desc.State != nil {
			n.State = n.Desc.State(n.Spec.Config, n.In, c.spec.Constants)
		}
		c.eventTime(n)
		if n.Desc.IsSource() {
			n.Declared = n.Ports[0]
		}
		c.parallelism(n)
	}
	c.diverted(g)
	c.claims(g)
	c.retried(g)
	for _, n := range slices.Backward(g.Nodes) {
		n.look()
	}
}

// look finds out what lies behind n: whether a sink does, and whether a node
// that works by event time does. It has run for all readers of n.
func (n *Node) look() {
	n.alive = n.Desc.IsSink()
	for _, readers := range n.Readers {
		for _, r := range readers {
			n.alive = n.alive || r.Node.alive
			n.timeUsed = n.timeUsed || r.Node.timeUsed || r.Node.Traits.Windowed
		}
	}
	if n.EventTime != nil {
		n.EventTime.Used = n.timeUsed || n.EventTime.Until != nil
	}
}

// infer finds the schemas of a node's outputs out of those of its inputs, as
// far as they are known in spite of mistakes: a filter passes on what comes in
// whatever is wrong with its condition. It is run once to check, and once more after columns have been pruned.
func (c *compilation) infer(n *Node, report func(*Node, gpflow.Problem)) {
	n.In = nil
	n.Ports = make([]*gpflow.Schema, n.ports())
	if port := n.Desc.PortIndex("errors"); port > 0 {
		n.Ports[port] = gpflow.ErrorSchema()
	}
	n.failed = true
	if n.Spec.Broken || !c.inputs(n) {
		return
	}
	n.failed = len(n.Spec.Wrong) > 0
	in := &gpflow.Inference{Config: n.Spec.Config, In: n.In, Constants: c.spec.Constants}
	if len(n.wanted) > 0 {
		in.Wanted = n.wanted[0].names
	}
	in.Report = func(p gpflow.Problem) {
		if n.follows(p) {
			return
		}
		n.failed = n.failed || !p.Warning
		report(n, p)
	}
	out := n.Desc.Infer(in)
	n.Uses, n.Pass, n.Constants, n.Exprs = out.Uses, out.Pass, out.Constants, out.Exprs
	for i := range n.Ports {
		if n.Port(i) != "errors" && i < len(out.Ports) && (n.shaped(out.Shape) || i < len(out.Pass) && out.Pass[i]) {
			n.Ports[i] = out.Ports[i]
		}
	}
	if len(n.Ports) > 0 && n.Ports[0] != nil {
		n.Ports[0] = timed(n, n.Ports[0])
	}
}

// timed returns the schema of n's main output with Timeless as it is: a node
// that gives no times of its own has those of its input.
func timed(n *Node, s *gpflow.Schema) *gpflow.Schema {
	timeless := false
	switch {
	case n.Traits.NewTimes:
	case n.Desc.IsSource():
		_, has := n.Spec.Config.Block("event_time")
		timeless = !has && !n.Spec.Wrong["event_time"]
	default:
		timeless = n.In[0].Timeless
	}
	if s.Timeless == timeless {
		return s
	}
	s = s.Select(func(string) bool { return true })
	s.Timeless = timeless
	return s
}

// inputs sets n.In, and reports whether all inputs are known.
func (c *compilation) inputs(n *Node) bool {
	for i, outs := range n.Inputs {
		var s *gpflow.Schema
		for k, o := range outs {
			if len(o.Node.Ports) == 0 || o.Node.Ports[o.Port] == nil {
				return false
			}
			t := o.Node.Ports[o.Port]
			if k > 0 && !s.Equal(t) {
				c.report(diag.Diagnostic{
					Severity: diag.Error, Code: diag.CodeInputs, Range: o.Ref.Range, Context: n.Spec.Range,
					Summary: fmt.Sprintf("The inputs of %s have different schemas", n.Address()),
					Detail:  difference(name(outs[0]), s, name(o), t),
				})
				return false
			}
			s = t
		}
		if s == nil {
			return false
		}
		if n.Traits.Windowed && s.Timeless {
			c.timeless(n, outs[0])
			return false
		}
		_ = i
		n.In = append(n.In, s)
	}
	return true
}

func name(o Output) string {
	if o.Port == 0 {
		return o.Node.Address()
	}
	return o.Node.Address() + "." + o.Node.Port(o.Port)
}

func (c *compilation) timeless(n *Node, o Output) {
	detail := fmt.Sprintf("%s works by event time, and the records of %s have none.", n.Address(), name(o))
	if o.Port > 0 {
		detail += " Records on the ports late and errors are outside of time."
	} else {
		src := o.Node
		for len(src.Inputs) > 0 && len(src.Inputs[0]) > 0 {
			src = src.Inputs[0][0].Node
		}
		detail += fmt.Sprintf(" Give %s an event_time, whose field is the column that has it.", src.Address())
	}
	c.error(diag.CodeNoEventTime, o.Ref.Range, "The input has no event time", detail)
}

// eventTime checks and takes over the event_time of a source.
func (c *compilation) eventTime(n *Node) {
	b, ok := n.Spec.Config.Block("event_time")
	until := n.Spec.Config.String("until")
	if n.Desc.IsSource() && until != "" && !ok && !n.Spec.Wrong["event_time"] {
		c.error(diag.CodeNoEventTime, n.Spec.Place("until", 0, 0), fmt.Sprintf("%s ends at a time, and its records have none", n.Address()),
			"Give it an event_time, whose field is the column that has the time of a record.")
	}
	if !ok || n.Ports[0] == nil || !b.Has("field") {
		return
	}
	s := n.Ports[0]
	column := b.String("field")
	i := s.Index(column)
	at := n.Spec.Place("event_time.field", 0, 0)
	if i < 0 {
		detail := "The columns are " + s.String() + "."
		if near := diag.Suggest(column, s.Names()); near != "" {
			detail = fmt.Sprintf("Did you mean %s?", near)
		}
		c.error(diag.CodeUnknownColumn, at, fmt.Sprintf("There is no column %s", column), detail)
		return
	}
	if t := s.Columns[i].Type; t.Kind != gpflow.KindTimestamp {
		c.error(diag.CodeColumnType, at, fmt.Sprintf("The event time must be a timestamp, and %s is %s", column, t),
			"Declare "+column+` as it is written: timestamp("unix_ms"), timestamp("%Y-%m-%d %H:%M:%S"), or timestamp for RFC 3339.`)
		return
	}
	n.EventTime = &plan.EventTime{
		Column: column, OutOfOrder: b.Duration("out_of_order"), IdleAfter: b.Duration("idle_after"), MaxFuture: -1,
		Ordered: n.Traits.Ordered,
	}
	if b.Has("max_future") {
		n.EventTime.MaxFuture = b.Duration("max_future")
	}
	if end, err := gpflow.ParseTime(until); err == nil {
		n.EventTime.Until = &end
	}
}

// parallelism decides how many subtasks a node has.
func (c *compilation) parallelism(n *Node) {
	n.Parallelism = int(c.spec.Settings.Int("parallelism"))
	said := n.Spec.Config.Has("parallelism")
	if said {
		n.Parallelism = int(n.Spec.Config.Int("parallelism"))
	}
	at := n.Spec.Place("parallelism", 0, 0)
	if groups := int(c.spec.Settings.Int("key_groups")); n.Parallelism > groups && !c.spec.WrongSettings["key_groups"] {
		if said {
			c.error(diag.CodeParallelism, at, fmt.Sprintf("%s has more subtasks than the pipeline has key groups", n.Address()),
				fmt.Sprintf("The pipeline has %d key_groups, so parallelism is at most that.", groups))
		}
		n.Parallelism = groups
	}
	keyed := n.Traits.KeyField
	switch {
	case n.Traits.Single:
		if said && n.Parallelism > 1 && n.shaped(nil) { // else it may be so by a mistake
			c.error(diag.CodeParallelism, at, fmt.Sprintf("%s runs with one subtask", n.Address()),
				"What it writes to takes one writer. Leave parallelism out.")
		}
		n.Parallelism = 1
	case keyed != "" && len(n.Traits.Key) == 0:
		if !n.Spec.Wrong[keyed] && said && n.Parallelism > 1 {
			c.error(diag.CodeParallelism, at, fmt.Sprintf("%s has no key, so one subtask gets every record", n.Address()),
				fmt.Sprintf("Leave parallelism out, or say %s.", keyed))
		}
		n.Parallelism = 1
	}
}

func (c *compilation) setting(name string) diag.Range {
	if r, ok := c.spec.SettingRanges[name]; ok {
		return r
	}
	return c.spec.Range
}
