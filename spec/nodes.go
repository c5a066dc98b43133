package spec

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// nodes decodes the blocks of the registry's types.
func (b *builder) nodes() {
	b.seen = make(map[string]*Node)
	_, kinds := b.registry.Blocks()
	named := make([]bool, len(b.nodeBlocks)) // before what refers to them is read
	for i, blk := range b.nodeBlocks {
		last := len(blk.Labels) - 1
		named[i] = b.checkName(blk.Labels[last], blk.LabelRanges[last], "node", blk.Type)
	}
	for i, blk := range b.nodeBlocks {
		n := &Node{Block: blk.Type, Range: b.rng(blk.DefRange)}
		last := len(blk.Labels) - 1
		n.Name = blk.Labels[last]
		if last > 0 {
			n.Kind = blk.Labels[0]
		}
		b.p.Partial = b.p.Partial || !named[i]
		if first, twice := b.seen[n.Address()]; twice {
			b.report(diag.Diagnostic{
				Code: diag.CodeSameAddress, Range: n.Range, Summary: fmt.Sprintf("there are two nodes with the address %s", n.Address()),
				Detail:  "The address is the block type and the name; the kind is not part of it.",
				Fix:     "Give one of them another name.",
				Related: []diag.Related{{Message: "the other one", Range: first.Range}},
			})
			b.p.Partial = true
			continue
		}
		b.seen[n.Address()] = n
		b.p.Nodes = append(b.p.Nodes, n)
		if n.Descriptor = b.registry.Lookup(n.Block, n.Kind); n.Descriptor != nil {
			b.node(n, blk)
			continue
		}
		n.Broken = true
		n.Descriptor = b.registry.Lookup(n.Block, kinds[n.Block][0])
		for _, in := range n.Descriptor.InputFields() {
			n.Inputs = append(n.Inputs, Input{Field: in})
		}
		b.p.Partial = true
		b.report(diag.Diagnostic{
			Code: diag.CodeUnknownKind, Range: b.rng(blk.LabelRanges[0]), Context: n.Range,
			Summary: fmt.Sprintf("there is no %s of kind %q", n.Block, n.Kind),
			Detail:  kindsOf(n.Block, kinds[n.Block]),
			Fix:     meantKind(n, kinds[n.Block]),
		})
	}
}

// kindsOf lists the kinds of a block type.
func kindsOf(block string, kinds []string) string {
	if len(kinds) == 1 {
		return fmt.Sprintf("The only kind of %s is %s.", block, kinds[0])
	}
	return fmt.Sprintf("The kinds of %s are %s.", block, listed(kinds, "and"))
}

// meantKind says what to write for a kind that does not exist.
func meantKind(n *Node, kinds []string) string {
	if slices.Contains(kinds, n.Name) {
		return fmt.Sprintf("Write the kind first, %q, and then the name, %q.", n.Name, n.Kind)
	}
	return didYouMean(diag.Suggest(n.Kind, kinds))
}

// node decodes the body of a node by its descriptor.
func (b *builder) node(n *Node, blk block) {
	d := b.decoder(blk, n.Address())
	fields := n.Descriptor.AllFields()
	vals := d.body(blk.Body, fields, level{header: blk.DefRange})
	n.Fields, n.Wrong = d.located, d.faulty
	for _, in := range n.Descriptor.InputFields() {
		n.Inputs = append(n.Inputs, Input{Field: in, Refs: d.refs[in]})
		b.p.Partial = b.p.Partial || len(d.refs[in]) == 0
	}
	var kept []gpflow.Field
	for _, f := range fields {
		if f.Kind != gpflow.FieldRef && f.Kind != gpflow.FieldRefs {
			kept = append(kept, f)
		}
	}
	n.Config = gpflow.NewConfig(kept, vals)
}
