package spec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// levels reads blocks of one type in a language that writes each label as a
// level of bodies.
type levels struct {
	*builder
	syntax      Syntax
	blockType   string
	want, kinds []string // the labels, and the kinds where there are any
}

// blocks returns the bodies below those items that are blocks, by name.
func blocks(body hcl.Body, items ...Item) map[string][]*hcl.Block {
	schema := &hcl.BodySchema{}
	for _, it := range items {
		if it.Block {
			schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: it.Name})
		}
	}
	content, _, _ := body.PartialContent(schema)
	out := make(map[string][]*hcl.Block, len(items))
	for _, blk := range content.Blocks {
		out[blk.Type] = append(out[blk.Type], blk)
	}
	return out
}

// read adds the blocks that stand below the last of the labels that have been
// read, or below the block type. header is the place of that.
func (l *levels) read(below []*hcl.Block, header Item) {
	if len(l.want) > 0 && len(header.Labels) == len(l.want) && l.scattered(below) {
		l.listForBlock(header)
		return
	}
	for _, blk := range below {
		items := l.items(blk.Body)
		switch missing := len(l.want) - len(header.Labels); {
		case missing > 0 && l.short(items):
			header.Name = l.blockType
			l.wrongLabels(header, l.want, l.kinds)
		case missing > 0:
			l.labels(blk.Body, items, header, missing)
		default:
			if extra, too := extraLevel(l.syntax, blk.Body, l.fieldNames(l.blockType)); too && len(l.want) > 0 {
				header.Name = l.blockType
				l.wrongLabels(header.labelled(extra), l.want, l.kinds)
				continue
			}
			l.add(block{&hcl.Block{
				Type: l.blockType, Labels: header.Labels, LabelRanges: header.LabelRanges,
				Body: blk.Body, TypeRange: blk.TypeRange, DefRange: blk.DefRange,
			}, l.syntax})
		}
	}
}

// labels reads the blocks below each of the labels that items are.
func (l *levels) labels(body hcl.Body, items []Item, header Item, missing int) {
	seen := make(map[string]hcl.Range)
	below := blocks(body, items...)
	for _, it := range items {
		first, twice := seen[it.Name]
		seen[it.Name] = it.Range
		switch {
		case !it.Block:
			l.strayAttribute(it, true)
		case !twice:
			inner := header.labelled(it)
			inner.Name, inner.Header = it.Name, it.Range
			l.read(below[it.Name], inner)
		case missing > 1:
			l.keyTwice(it, first, oneKey(it.Name))
		}
	}
}

// labelled returns the header with one more label.
func (it Item) labelled(label Item) Item {
	it.Labels = append(slices.Clone(it.Labels), label.Name)
	it.LabelRanges = append(slices.Clone(it.LabelRanges), label.Range)
	return it
}

// items returns what stands in a body, without what is set apart.
func (l *levels) items(body hcl.Body) []Item { return plainItems(l.syntax, body) }

func plainItems(s Syntax, body hcl.Body) []Item {
	return slices.DeleteFunc(s.Outline(body), func(it Item) bool { return it.Aside })
}

// scattered reports whether several bodies look like one whose items have been
// made elements of a list: they stand below one key, and no name is in two.
func (l *levels) scattered(bodies []*hcl.Block) bool {
	seen := make(map[string]bool)
	for _, blk := range bodies {
		items := l.items(blk.Body)
		for _, it := range items {
			if seen[it.Name] {
				return false
			}
			seen[it.Name] = true
		}
		if len(items) == 0 || blk.TypeRange != bodies[0].TypeRange {
			return false
		}
	}
	return len(bodies) > 1
}

// listForBlock reports a list where one block belongs.
func (l *levels) listForBlock(header Item) {
	l.lostPipeline = l.lostPipeline || l.blockType == blockPipeline
	l.lost = append(l.lost, lostBlock{l.blockType, header.Labels})
	name := header.Labels[len(header.Labels)-1]
	l.report(diag.Diagnostic{
		Code: diag.CodeBlockForm, Range: l.rng(header.Header),
		Summary: fmt.Sprintf("%s.%s is a list", l.blockType, name),
		Detail:  "Each element of it, with its -, would be a block of its own.",
		Fix:     "Write its attributes below each other, without the -.",
	})
}

// short reports whether items that should be labels are the content of a
// block: they have no blocks, or are named as its fields.
func (l *levels) short(items []Item) bool {
	names := l.fieldNames(l.blockType)
	return !slices.ContainsFunc(items, func(it Item) bool { return it.Block }) ||
		slices.ContainsFunc(items, func(it Item) bool { return !it.Block && slices.Contains(names, it.Name) })
}

// extraLevel returns the label that is one too many in a body: an item that is
// none of the fields of these names, and has some of them.
func extraLevel(s Syntax, body hcl.Body, names []string) (extra Item, found bool) {
	if len(names) == 0 {
		return extra, false
	}
	for _, it := range plainItems(s, body) {
		if !it.Block || slices.Contains(names, it.Name) {
			return extra, false
		}
		for _, blk := range blocks(body, it)[it.Name] {
			if slices.ContainsFunc(plainItems(s, blk.Body), func(it Item) bool { return slices.Contains(names, it.Name) }) {
				extra, found = it, true
			}
		}
	}
	return extra, found
}

// fieldNames returns the names of the fields of a block type, of all its kinds.
func (b *builder) fieldNames(blockType string) []string {
	fields := PipelineFields()
	switch blockType {
	case blockPipeline:
	case blockVariable:
		fields = variableFields
	default:
		fields = nil
		_, kinds := b.registry.Blocks()
		for _, kind := range append(kinds[blockType], "") {
			if d := b.registry.Lookup(blockType, kind); d != nil {
				fields = append(fields, d.AllFields()...)
			}
		}
	}
	return fieldNames(fields)
}

func fieldNames(fields []gpflow.Field) (names []string) {
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return names
}

// attributeTwice reports the second attribute of one name.
func (b *builder) attributeTwice(it Item, first hcl.Range) {
	b.report(diag.Diagnostic{
		Code: diag.CodeDuplicate, Range: b.rng(it.Range), Summary: fmt.Sprintf("the attribute %q is written twice", it.Name), Fix: "Remove one.",
		Related: []diag.Related{{Message: "the other one", Range: b.rng(first)}},
	})
}

// oneKey tells to write what stands below two keys of one name below one.
func oneKey(key string) string {
	return fmt.Sprintf("Write %s: once, and put what stands below both keys below it.", key)
}

// keyTwice reports the second key of one name where blocks stand below it.
func (b *builder) keyTwice(it Item, first hcl.Range, fix string) {
	b.report(diag.Diagnostic{
		Code: diag.CodeDuplicate, Range: b.rng(it.Range), Summary: fmt.Sprintf("the key %q is written twice", it.Name), Fix: fix,
		Related: []diag.Related{{Message: "the other one", Range: b.rng(first)}},
	})
}
