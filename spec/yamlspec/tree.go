package yamlspec

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// kind is what a node is.
type kind uint8

const (
	scalar kind = iota
	mapping
	sequence
	alias
)

// style is how a scalar is written.
type style uint8

const (
	plain style = iota
	single
	double
	literal // |
	folded  // >
)

// node is a value of a document.
type node struct {
	kind   kind
	style  style  // of a scalar
	flow   bool   // a mapping or sequence in brackets
	merge  bool   // the key <<
	tag    string // short: "!!str"; resolved where none is written
	tagged bool   // a tag is written
	value  string // of a scalar; the name of the anchor of an alias
	// line and column are where the parser sees the node, or its anchor or
	// tag: from 1, in its own lines, in runes.
	line, column int
	target       *node   // of an alias
	content      []*node // the elements; of a mapping, keys and values in turn

	whole      int  // where the anchor or the tag begins, or the node itself
	start, end int  // the bytes of the node, without anchor and tag
	exact      bool // start and end are known
}

// null reports whether n is empty, null or ~.
func (n *node) null() bool { return n.kind == scalar && n.tag == "!!null" }

// text reports whether n is a scalar that stands for text.
func (n *node) text() bool { return n.kind == scalar && (n.tag == "!!str" || n.tag == "!!timestamp") }

// resolved returns what an alias stands for, and any other node itself.
func (n *node) resolved() *node {
	for n.kind == alias {
		n = n.target
	}
	return n
}

// failure is an error of the YAML parser.
type failure struct {
	message string
	read    int // how many bytes it had read
}

// parse reads the first document of src. A file without one has a nil root.
// second is the line on which another document has content, or 0; lines are
// the parser's own, from 1.
func parse(src []byte) (root *node, second int, bad *failure) {
	d := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fail(src, err)
	}
	var more yaml.Node
	switch err := d.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, 0, fail(src, err)
	default:
		return nil, max(more.Line, 1), nil
	}
	if len(doc.Content) == 0 {
		return nil, 0, nil
	}
	c := converter{make(map[*yaml.Node]*node)}
	return c.convert(doc.Content[0]), 0, nil
}

// fail notes how far the parser reads, byte by byte, before it gives up: the
// error tells at most a line, and not always the right one.
func fail(src []byte, err error) *failure {
	r := &bytewise{src: src}
	d := yaml.NewDecoder(r)
	var n yaml.Node
	for d.Decode(&n) == nil {
	}
	return &failure{strings.TrimPrefix(err.Error(), "yaml: "), r.at}
}

// bytewise is a reader that gives one byte at a time.
type bytewise struct {
	src []byte
	at  int
}

func (r *bytewise) Read(p []byte) (int, error) {
	if r.at == len(r.src) || len(p) == 0 {
		return 0, io.EOF
	}
	p[0] = r.src[r.at]
	r.at++
	return 1, nil
}

// converter makes nodes of the parser's, each once, so that an alias leads to
// the node of its anchor.
type converter struct{ seen map[*yaml.Node]*node }

var styles = map[yaml.Style]style{
	yaml.SingleQuotedStyle: single, yaml.DoubleQuotedStyle: double, yaml.LiteralStyle: literal, yaml.FoldedStyle: folded,
}

func (c converter) convert(y *yaml.Node) *node {
	if n, ok := c.seen[y]; ok {
		return n
	}
	n := &node{
		tag: y.ShortTag(), tagged: y.Style&yaml.TaggedStyle != 0, flow: y.Style&yaml.FlowStyle != 0, value: y.Value,
		style: styles[y.Style&^(yaml.TaggedStyle|yaml.FlowStyle)], line: y.Line, column: y.Column,
	}
	c.seen[y] = n
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mapping
	case yaml.SequenceNode:
		n.kind = sequence
	case yaml.AliasNode:
		n.kind, n.target = alias, c.convert(y.Alias)
	}
	n.merge = n.kind == scalar && n.tag == "!!merge"
	n.content = make([]*node, 0, len(y.Content))
	for _, child := range y.Content {
		n.content = append(n.content, c.convert(child))
	}
	return n
}
