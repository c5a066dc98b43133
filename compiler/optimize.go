package compiler

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// reads are the columns of an output that somebody reads. Outputs that have the
// same columns share theirs: those that feed one input, and what a node passes
// on with its input.
type reads struct{ names map[string]bool }

// optimize finds out which columns somebody reads, from the sinks back to the
// sources, and lets schemas flow anew without the others. State is described
// by what check has found, so it does not depend on this.
func (c *compilation) optimize(g *Graph) {
	share(g)
	for changed := true; changed; {
		changed = false
		for _, n := range slices.Backward(g.Nodes) {
			c.reconsider(n)
			changed = n.want() || changed
		}
	}
	for _, n := range g.Nodes {
		if !n.narrowed() {
			continue
		}
		before := slices.Clone(n.Ports)
		c.infer(n, c.problem)
		if n.Desc.IsSource() {
			n.Ports[0] = n.Ports[0].Select(func(column string) bool { return n.wanted[0].names[column] })
		}
		n.pruned = n.failed || !slices.EqualFunc(before, n.Ports, (*gpflow.Schema).Equal)
	}
}

// share gives every output its columns, of which none is wanted yet but that of
// the event time.
func share(g *Graph) {
	group := make(map[*reads]*reads) // to what it has become a part of
	find := func(s *reads) *reads {
		for group[s] != nil {
			if next := group[group[s]]; next != nil {
				group[s] = next
			}
			s = group[s]
		}
		return s
	}
	join := func(a, b *reads) {
		if a, b = find(a), find(b); a != b {
			group[b] = a
		}
	}
	for _, n := range g.Nodes {
		n.wanted, n.uses, n.asked = make([]*reads, n.ports()), n.Uses, -1
		for p := range n.wanted {
			n.wanted[p] = &reads{make(map[string]bool)}
		}
		for i, outs := range n.Inputs {
			for _, o := range outs {
				join(outs[0].reads(), o.reads())
			}
			for p, pass := range n.Pass {
				if pass && i == 0 && len(outs) > 0 {
					join(outs[0].reads(), n.wanted[p])
				}
			}
		}
	}
	for _, n := range g.Nodes {
		for p, s := range n.wanted {
			n.wanted[p] = find(s)
		}
		if n.EventTime != nil {
			n.wanted[0].names[n.EventTime.Column] = true
		}
	}
}

// reads returns the columns of o that somebody reads.
func (o Output) reads() *reads { return o.Node.wanted[o.Port] }

// reconsider finds out what n itself reads for what is wanted of it, where that
// is more than it was asked for before. A node that passes its input on reads
// the same for all.
func (c *compilation) reconsider(n *Node) {
	if n.Desc.IsSource() || n.Desc.IsSink() || len(n.Pass) > 0 && n.Pass[0] || n.asked == len(n.wanted[0].names) {
		return
	}
	if n.asked = len(n.wanted[0].names); n.asked == len(n.Ports[0].Columns) {
		n.Uses = n.uses // for all columns, as check has found
		return
	}
	out := n.Desc.Infer(&gpflow.Inference{
		Config: n.Spec.Config, In: n.In, Constants: c.spec.Constants, Wanted: n.wanted[0].names, Report: func(gpflow.Problem) {},
	})
	n.Uses = out.Uses
}

// want adds to the outputs that feed n the columns that n reads, and reports
// whether that were new ones.
func (n *Node) want() bool {
	changed := false
	for i, outs := range n.Inputs {
		if len(outs) == 0 || i >= len(n.Uses) {
			continue
		}
		w := outs[0].reads().names
		before := len(w)
		for _, name := range n.Uses[i] {
			w[name] = true
		}
		changed = changed || len(w) > before
	}
	return changed
}

// narrowed reports whether columns are gone from what n takes or gives, so that
// its schemas are others than check has found.
func (n *Node) narrowed() bool {
	if len(n.wanted) > 0 && len(n.wanted[0].names) < len(n.Ports[0].Columns) {
		return true
	}
	return slices.ContainsFunc(n.inputs(), func(o Output) bool { return o.Node.pruned })
}
