package compiler

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// optimize finds out which columns somebody reads, from the sinks back to the
// sources, and lets schemas flow anew without the others. State is described
// by what check has found, so it does not depend on this.
func (c *compilation) optimize(g *Graph) {
	for _, n := range g.Nodes {
		n.wanted = make([]map[string]bool, n.ports())
		for p := range n.wanted {
			n.wanted[p] = make(map[string]bool)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, n := range slices.Backward(g.Nodes) {
			c.reconsider(n)
			changed = c.want(n) || changed
		}
	}
	for _, n := range g.Nodes {
		if n.EventTime != nil {
			n.wanted[0][n.EventTime.Column] = true
		}
		c.infer(n, c.problem)
		if n.Desc.IsSource() {
			n.Ports[0] = n.Ports[0].Select(func(column string) bool { return n.wanted[0][column] })
		}
	}
}

// reconsider finds out what n itself reads for what is wanted of it.
func (c *compilation) reconsider(n *Node) {
	if n.Desc.IsSource() || n.Desc.IsSink() || len(n.wanted[0]) == len(n.Ports[0].Columns) {
		return
	}
	out := n.Desc.Infer(&gpflow.Inference{
		Config: n.Spec.Config, In: n.In, Constants: c.spec.Constants, Wanted: n.wanted[0], Report: func(gpflow.Problem) {},
	})
	n.Uses = out.Uses
}

// want adds to the outputs that feed n the columns that n reads, and reports
// whether that were new ones. Outputs that feed one input must stay alike.
func (c *compilation) want(n *Node) bool {
	changed := false
	add := func(o Output, column string) {
		if !o.Node.wanted[o.Port][column] {
			o.Node.wanted[o.Port][column] = true
			changed = true
		}
	}
	for i, outs := range n.Inputs {
		for _, o := range outs {
			if i < len(n.Uses) {
				for _, column := range n.Uses[i] {
					add(o, column)
				}
			}
			for p, pass := range n.Pass {
				if i > 0 || !pass || !n.read(p) {
					continue
				}
				for column := range n.wanted[p] {
					add(o, column)
				}
			}
			for _, other := range outs {
				for column := range other.Node.wanted[other.Port] {
					add(o, column)
				}
			}
		}
	}
	return changed
}
