package compiler

import (
	"encoding/json"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/spec/diag"
)

// lower makes tasks and edges of the logical plan.
func (c *compilation) lower(g *Graph, o Options) *plan.Plan {
	p := &plan.Plan{
		Format: plan.Format, Pipeline: g.Pipeline, KeyGroups: int(c.spec.Settings.Int("key_groups")), KeyHash: gpflow.KeyHashName,
	}
	l := &lowering{c: c, plan: p, place: make(map[*Node]place), loose: o.NoOptimize}
	for _, n := range g.Nodes {
		if n.alive {
			l.node(n)
		}
	}
	return p
}

type place struct{ task, op int }

type lowering struct {
	c     *compilation
	plan  *plan.Plan
	place map[*Node]place
	loose bool // no node is fused into the task of another
}

// node puts n behind the operator that feeds it, or into a task of its own.
func (l *lowering) node(n *Node) {
	op := l.op(n)
	if from, ok := l.fuses(n); ok {
		at := l.place[from.Node]
		t := &l.plan.Tasks[at.task]
		op.Parent, op.ParentPort = at.op, from.Port
		l.place[n] = place{at.task, len(t.Ops)}
		t.Ops = append(t.Ops, op)
		return
	}
	l.place[n] = place{len(l.plan.Tasks), 0}
	l.plan.Tasks = append(l.plan.Tasks, plan.Task{ID: n.Address(), Parallelism: n.Parallelism, Ops: []plan.Op{op}})
	for i, outs := range n.Inputs {
		for _, o := range outs {
			l.edge(n, i, o)
		}
	}
}

// fuses reports whether n can run in the task of the node that feeds it: it
// has one input edge, needs no exchange, and neither side refuses.
func (l *lowering) fuses(n *Node) (Output, bool) {
	ins := n.inputs()
	if l.loose || len(ins) != 1 {
		return Output{}, false
	}
	o := ins[0]
	chain := func(n *Node) bool { return n.Spec.Config.Bool("chain") }
	return o, chain(n) && chain(o.Node) && partition(n, o) == plan.Forward
}

// partition decides how rows get from an output to n.
func partition(n *Node, o Output) plan.Partition {
	switch {
	case n.Parallelism == 1 && o.Node.Parallelism == 1:
		return plan.Forward
	case n.Parallelism > 1 && n.Traits.KeyField != "":
		return plan.Hash
	case n.Parallelism == o.Node.Parallelism:
		return plan.Forward
	}
	return plan.Rebalance
}

func (l *lowering) edge(n *Node, input int, o Output) {
	from := l.place[o.Node]
	e := plan.Edge{
		From: l.plan.Tasks[from.task].ID, FromOp: from.op, FromPort: o.Port,
		To: n.Address(), ToInput: input, Partition: partition(n, o),
	}
	if e.Partition == plan.Hash {
		e.Key = n.Traits.Key
	}
	l.plan.Edges = append(l.plan.Edges, e)
}

// op makes the operator of a node.
func (l *lowering) op(n *Node) plan.Op {
	op := plan.Op{
		ID: n.Address(), Block: n.Desc.Block, Kind: n.Desc.Kind, Parent: -1, In: n.In, OnError: n.OnError,
		EventTime: n.EventTime, Hold: n.Traits.Hold, State: n.State, Range: n.Spec.Range.String(),
	}
	var err error
	if op.Config, err = json.Marshal(n.Spec.Config); err == nil {
		op.Constants, err = plan.EncodeConstants(l.c.spec.Constants, n.Constants)
	}
	if err != nil {
		l.c.error(diag.CodeConfig, n.Spec.Range, "The node cannot be written into a plan", err.Error())
	}
	for p, s := range n.Ports {
		read := false
		for _, r := range n.Readers[p] {
			read = read || r.Node.alive
		}
		op.Ports = append(op.Ports, plan.Port{Name: n.Port(p), Schema: s, Read: read})
	}
	return op
}
