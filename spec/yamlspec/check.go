package yamlspec

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// maxExpanded bounds how many values the aliases of a file stand for.
const maxExpanded = 100_000

// checker looks at a whole document for what the decoder could not survive,
// or would not see.
type checker struct {
	p       *parser
	sizes   map[*node]int // how many values a node is with its aliases expanded
	open    map[*node]bool
	circles bool
	aliases int // the values that aliases have added so far
	bomb    bool
}

// check reports what makes a document unusable.
func (p *parser) check(root *node) {
	c := &checker{p: p, sizes: make(map[*node]int), open: make(map[*node]bool)}
	c.size(root)
	if !c.circles {
		c.expansion(root)
	}
	c.form(root)
}

// size returns how many values n stands for, at most a little more than the
// limit, and reports an anchor that contains itself.
func (c *checker) size(n *node) int {
	if size, ok := c.sizes[n]; ok {
		return size
	}
	c.open[n] = true
	defer delete(c.open, n)
	size := 1
	if n.kind == alias {
		if c.open[n.target] {
			c.circles = true
			c.p.fail(diag.Diagnostic{
				Code: diag.CodeSyntax, Range: c.p.where(n), Summary: fmt.Sprintf("the anchor %q contains itself", n.value),
				Detail: fmt.Sprintf("*%s stands inside of what &%s names, so it would never end.", n.value, n.value), Fix: "Write out what is meant.",
			})
		} else {
			size = c.size(n.target)
		}
	}
	for _, child := range n.content {
		size += c.size(child)
	}
	c.sizes[n] = min(size, 2*maxExpanded)
	return c.sizes[n]
}

// expansion reports the alias with which a document becomes too big.
func (c *checker) expansion(n *node) {
	if n.kind == alias {
		c.aliases += c.sizes[n.target]
		if c.aliases > maxExpanded && !c.bomb {
			c.bomb = true
			c.p.fail(diag.Diagnostic{
				Code: diag.CodeTooBig, Range: c.p.where(n), Summary: "the aliases stand for too much",
				Detail: fmt.Sprintf("With every alias written out, the file has more than %d values.", maxExpanded), Fix: "Use fewer aliases of aliases.",
			})
		}
	}
	for _, child := range n.content {
		c.expansion(child)
	}
}

// tags are the tags that say what a value is here, too.
var tags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!!merge"}

// form reports tags without meaning, keys that are not words, and merges of
// what has no keys.
func (c *checker) form(n *node) {
	if n.tagged && !slices.Contains(tags, n.tag) {
		d := diag.Diagnostic{
			Code: diag.CodeSyntax, Range: toRange(c.p.rng(n.whole, n.end)), Summary: fmt.Sprintf("the tag %s has no meaning here", n.tag),
			Detail: "A ! at the beginning of a value makes a tag of the word that it begins.",
			Fix:    "Remove it. If the ! belongs to the value, put the value in quotes, or on lines of its own behind key: |",
		}
		if text := string(bytes.TrimSpace(c.p.src[n.whole:n.end])); n.kind == scalar && n.style == plain && !strings.Contains(text, "\n") {
			d.Fix = quoteWhole(text) + ". If a tag is meant, remove it."
		}
		c.p.fail(d)
	}
	for i, child := range n.content {
		if n.kind == mapping && i%2 == 0 {
			c.key(child, n.content[i+1])
			c.cut(n, i)
		}
		c.form(child)
	}
}

func (c *checker) key(key, value *node) {
	switch {
	case key.merge && !mergeable(value):
		c.p.fail(diag.Diagnostic{
			Code: diag.CodeSyntax, Range: c.p.where(value), Summary: "<< takes a mapping, or a list of mappings", Detail: "It puts their keys in its own place.",
			Fix: "For example: <<: *defaults",
		})
	case key.resolved().kind != scalar:
		c.p.fail(diag.Diagnostic{
			Code: diag.CodeSyntax, Range: c.p.where(key), Summary: "a key is a word, not a list or a mapping",
			Fix: "If it is meant as text, put it in quotes.",
		})
	}
}

// cut reports a value of a mapping in braces which a comma ends within its
// parentheses: { n: round(x, 2) } has the keys n and 2). at is where its key stands.
func (c *checker) cut(n *node, at int) {
	first := n.content[at+1]
	open := parentheses(first)
	for i, last := at+2, first; open > 0 && i < len(n.content); i += 2 {
		key, value := n.content[i], n.content[i+1]
		if !last.exact || !key.exact || !value.null() || value.end > value.start || string(bytes.TrimSpace(c.p.src[last.end:key.start])) != "," {
			return
		}
		if open += parentheses(key); open == 0 {
			c.p.fail(diag.Diagnostic{
				Code: diag.CodeSyntax, Range: toRange(c.p.rng(first.start, key.end)), Summary: fmt.Sprintf("a comma ends the value %q", first.value),
				Detail: "In braces, a comma begins the next key unless it stands in quotes.",
				Fix:    "Put the value in quotes: " + strconv.Quote(strings.Join(strings.Fields(string(c.p.src[first.start:key.end])), " ")),
			})
		}
		last = key
	}
}

// parentheses returns how many of them the text n leaves open: less than none
// where it closes others. It is 0 for text in quotes.
func parentheses(n *node) int {
	if n.kind != scalar || n.style != plain {
		return 0
	}
	return strings.Count(n.value, "(") - strings.Count(n.value, ")")
}

func mergeable(value *node) bool {
	if value = value.resolved(); value.kind == sequence {
		return !slices.ContainsFunc(value.content, func(e *node) bool { return e.resolved().kind != mapping })
	}
	return value.kind == mapping
}
