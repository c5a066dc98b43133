package compiler

import (
	"maps"
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
	for i, outs := range n.Inputs {
		all := make(map[string]bool)
		if i < len(n.Uses) {
			for _, column := range n.Uses[i] {
				all[column] = true
			}
		}
		for p, pass := range n.Pass {
			if i == 0 && pass && n.read(p) {
				maps.Copy(all, n.wanted[p])
			}
		}
		for _, o := range outs {
			maps.Copy(all, o.Node.wanted[o.Port])
		}
		for _, o := range outs {
			// Only what is in all can be wanted, so that more is a change.
			if w := o.Node.wanted[o.Port]; len(w) < len(all) {
				maps.Copy(w, all)
				changed = true
			}
		}
	}
	return changed
}
