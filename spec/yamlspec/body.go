package yamlspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// aside begins the names of keys that are a place for anchors.
const aside = "x-"

// pair is a key of a mapping with its value.
type pair struct{ key, value *node }

func (p pair) name() string { return p.key.resolved().value }

// pairs returns the keys of a mapping in the order of the text, and behind
// them those that it merges and does not have itself. A key that is written
// twice is there twice. A node without a value has none.
func (f *file) pairs(n *node) []pair {
	n = n.resolved()
	if n.kind != mapping {
		return nil
	}
	if ps, ok := f.entries[n]; ok {
		return ps
	}
	var out []pair
	var merged []*node
	has := make(map[string]bool)
	for i := 0; i+1 < len(n.content); i += 2 {
		p := pair{n.content[i], n.content[i+1]}
		switch m := p.value.resolved(); {
		case !p.key.merge:
			out = append(out, p)
			has[p.name()] = true
		case m.kind == sequence:
			merged = append(merged, m.content...)
		default:
			merged = append(merged, m)
		}
	}
	for _, m := range merged {
		for _, p := range f.pairs(m) {
			if !has[p.name()] {
				out = append(out, p)
				has[p.name()] = true
			}
		}
	}
	f.entries[n] = out
	return out
}

// twice returns the second of two keys with one name, or nil.
func twice(ps []pair) *node {
	seen := make(map[string]bool, len(ps))
	for _, p := range ps {
		if seen[p.name()] {
			return p.key
		}
		seen[p.name()] = true
	}
	return nil
}

// bodies returns what stands for the blocks in a value: a mapping, or the
// elements of a list of mappings. It is nil for anything else.
func bodies(n *node) []*node {
	isBody := func(n *node) bool { return n.resolved().kind == mapping || n.resolved().null() }
	switch r := n.resolved(); {
	case isBody(r):
		return []*node{r}
	case r.kind == sequence && !slices.ContainsFunc(r.content, func(e *node) bool { return !isBody(e) }):
		return r.content
	}
	return nil
}

// body is a mapping as the body of a file or a block.
type body struct {
	f      *file
	n      *node
	hidden map[string]bool // keys that have been read
}

// outline lists the keys of b.
func (b *body) outline() []spec.Item {
	ps := b.f.pairs(b.n)
	items := make([]spec.Item, 0, len(ps))
	for _, p := range ps {
		at := b.f.at(p.key)
		items = append(items, spec.Item{
			Name: p.name(), Attribute: true, Block: len(bodies(p.value)) > 0, Range: at, Header: at,
			Aside: strings.HasPrefix(p.name(), aside),
		})
	}
	return items
}

// Content reads what schema names, and reports everything else.
func (b *body) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	c, rest, ds := b.PartialContent(schema)
	for _, it := range rest.(*body).outline() {
		if !rest.(*body).hidden[it.Name] && !it.Aside {
			ds = append(ds, problem(it.Range, diag.CodeUnknownField, fmt.Sprintf("there is nothing called %q here", it.Name), "", ""))
		}
	}
	return c, ds
}

// PartialContent reads what schema names. A label is a level of mapping, and a
// list stands for several blocks.
func (b *body) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	c := &hcl.BodyContent{Attributes: hcl.Attributes{}, MissingItemRange: b.MissingItemRange()}
	rest := &body{b.f, b.n, make(map[string]bool)}
	for name := range b.hidden {
		rest.hidden[name] = true
	}
	attrs, blocks := make(map[string]bool), make(map[string]hcl.BlockHeaderSchema)
	for _, a := range schema.Attributes {
		attrs[a.Name] = true
	}
	for _, h := range schema.Blocks {
		blocks[h.Type] = h
	}
	var ds hcl.Diagnostics
	for _, p := range b.f.pairs(b.n) {
		h, block := blocks[p.name()]
		switch {
		case b.hidden[p.name()]:
		case attrs[p.name()]:
			rest.hidden[p.name()] = true
			if c.Attributes[p.name()] == nil {
				c.Attributes[p.name()] = b.f.attribute(p)
			}
		case block:
			rest.hidden[p.name()] = true
			found := hcl.Block{Type: h.Type, TypeRange: b.f.at(p.key), DefRange: b.f.at(p.key)}
			ds = append(ds, b.f.blocks(found, len(h.LabelNames), p.value, &c.Blocks)...)
		}
	}
	for _, a := range schema.Attributes {
		if a.Required && c.Attributes[a.Name] == nil {
			ds = append(ds, problem(c.MissingItemRange, diag.CodeMissingField, fmt.Sprintf("the attribute %q is missing", a.Name), "", ""))
		}
	}
	return c, rest, ds
}

func (f *file) attribute(p pair) *hcl.Attribute {
	return &hcl.Attribute{
		Name: p.name(), Expr: &expression{f: f, n: p.value}, NameRange: f.at(p.key), Range: f.rng(p.key.start, max(p.key.end, p.value.end)),
	}
}

// blocks adds the blocks in value, which lacks the given number of labels.
func (f *file) blocks(block hcl.Block, labels int, value *node, out *hcl.Blocks) (ds hcl.Diagnostics) {
	all := bodies(value)
	if len(all) == 0 {
		return hcl.Diagnostics{problem(f.at(value), diag.CodeBlockForm, fmt.Sprintf("%q is a block", block.Type), "", "")}
	}
	for i, n := range all {
		if labels > 0 {
			for _, p := range f.pairs(n) {
				if strings.HasPrefix(p.name(), aside) {
					continue
				}
				inner := block
				inner.Labels = append(slices.Clone(block.Labels), p.name())
				inner.LabelRanges = append(slices.Clone(block.LabelRanges), f.at(p.key))
				inner.DefRange = f.at(p.key)
				ds = append(ds, f.blocks(inner, labels-1, p.value, out)...)
			}
			continue
		}
		one := block
		one.Body = &body{f: f, n: n}
		if ps := f.pairs(n); len(all) > 1 && i > 0 && len(ps) > 0 {
			one.DefRange = f.at(ps[0].key)
		}
		*out = append(*out, &one)
	}
	return ds
}

// JustAttributes reads every key as an attribute.
func (b *body) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	out := hcl.Attributes{}
	var ds hcl.Diagnostics
	for _, p := range b.f.pairs(b.n) {
		switch {
		case b.hidden[p.name()] || strings.HasPrefix(p.name(), aside):
		case out[p.name()] != nil:
			ds = append(ds, b.f.writtenTwice(p.key))
		default:
			out[p.name()] = b.f.attribute(p)
		}
	}
	return out, ds
}

// MissingItemRange is the place of b.
func (b *body) MissingItemRange() hcl.Range {
	return b.f.rng(b.n.start, b.f.lineEnd(min(b.n.start, len(b.f.src))))
}

// problem is a diagnostic that Build turns into one of its own.
func problem(at hcl.Range, code, summary, detail, fix string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &at, Summary: summary, Detail: detail, Extra: spec.Problem{Code: code, Fix: fix}}
}

func (f *file) writtenTwice(key *node) *hcl.Diagnostic {
	return problem(f.at(key), diag.CodeDuplicate, fmt.Sprintf("the attribute %q is written twice", key.resolved().value), "", "Remove one.")
}
