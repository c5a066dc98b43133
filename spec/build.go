package spec

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// Syntax is what a language adds to the bodies and expressions that it parses
// into.
type Syntax interface {
	// Literal returns the text of an expression that is plain text, and for
	// each of its bytes the offset in the file, and the offset behind the
	// last; at is nil where the places are not known. ok is false for an
	// expression that is anything else, such as a template.
	Literal(expr hcl.Expression) (text string, at []int, ok bool)
	// Outline lists what stands in a body of the language, in its order.
	Outline(body hcl.Body) []Item
	// Comment returns the place of a comment behind an expression that may
	// have been meant to be part of it.
	Comment(expr hcl.Expression) (hcl.Range, bool)
	// Attribute writes an attribute for messages. The value is in the notation
	// of HCL, as the examples of descriptors are.
	Attribute(name, value string) string
	// Block writes a block with some content for messages.
	Block(name string, labels ...string) string
	// Bare reports whether text needs no quotes, so that a bare word is text.
	Bare() bool
}

// Problem goes with a diagnostic of the parsers of a language, as its Extra,
// and says more than that can.
type Problem struct {
	Code string // in place of the code for values that cannot be computed
	Fix  string
}

// Item is an attribute or a block of a body. Where a language writes both in
// one way, both Attribute and Block are set, and the labels of a block are the
// items of its body.
type Item struct {
	Name             string
	Attribute, Block bool
	Range            hcl.Range   // the name
	Header           hcl.Range   // of a block: the name and the labels
	Labels           []string    // of a block
	LabelRanges      []hcl.Range // one for each label
	// Aside says that the name is one of those that a language sets apart for
	// what is used elsewhere: unless something of the name is looked for, it
	// is no mistake.
	Aside bool
}

// File is a parsed file of a pipeline.
type File struct {
	Name   string
	Source []byte
	Body   hcl.Body
	Syntax Syntax
}

// Origin says how a value was given to a variable. A later origin wins.
type Origin uint8

// The origins.
const (
	FromEnvironment Origin = iota
	FromFile
	FromFlag
)

// Value is a value for a variable from outside of the pipeline's files.
type Value struct {
	Name   string
	Origin Origin
	Where  string     // "--var min=5", "GPFLOW_VAR_min", "prod.gpvars:3,1"
	Range  diag.Range // in the file of values; zero otherwise
	// Val is the value; cty.NilVal: it is Text, to be read as the type of the
	// variable asks.
	Val  cty.Value
	Text string
}

// Inputs are what a pipeline is built with besides its files.
type Inputs struct {
	Registry *gpflow.Registry
	Values   []Value           // in any order; of one origin the last wins
	Sources  map[string][]byte // texts of the files of values, for snippets
}

// Build decodes the files of one pipeline. It reports every mistake it finds,
// each once; the list is sorted. The pipeline is never nil.
func Build(files []File, in Inputs) (*Pipeline, diag.List) {
	p := &Pipeline{
		Sources: maps.Clone(in.Sources), SettingRanges: make(map[string]diag.Range),
		Constants: make(gpflow.Constants), Unknown: make(map[string]bool), ConstantRanges: make(map[string]diag.Range),
	}
	if p.Sources == nil {
		p.Sources = make(map[string][]byte)
	}
	b := &builder{p: p, registry: in.Registry, lines: make(map[string]*Lines), schemas: make(map[string]*schemaDecl), syntaxes: make(map[string]Syntax)}
	for _, f := range files {
		p.Sources[f.Name] = f.Source
		b.syntaxes[f.Name] = f.Syntax
	}
	for _, f := range files {
		b.collect(f)
	}
	b.scope = newScope()
	b.variables(in.Values)
	b.locals()
	b.validations()
	b.constants()
	b.readSchemas()
	b.pipeline(files)
	b.nodes()
	p.Failed = b.diags.HasErrors()
	p.Partial = p.Partial || len(b.lost) > 0
	b.diags = once(b.diags)
	b.diags.Sort()
	b.diags.Complete()
	return p, b.diags
}

// once leaves out what is said a second time about the same text, which may
// stand for several values.
func once(l diag.List) diag.List {
	type said struct {
		code, summary string
		at            diag.Range
	}
	seen := make(map[said]bool, len(l))
	return slices.DeleteFunc(l, func(d diag.Diagnostic) bool {
		s := said{d.Code, d.Summary, d.Range}
		twice := seen[s] && !d.Range.IsZero()
		seen[s] = true
		return twice
	})
}

// block is a top-level block with the syntax it was written in.
type block struct {
	*hcl.Block
	syntax Syntax
}

// builder is the state of one Build.
type builder struct {
	p        *Pipeline
	registry *gpflow.Registry
	diags    diag.List
	lines    map[string]*Lines // by file
	syntaxes map[string]Syntax // by file
	scope    *scope
	schemas  map[string]*schemaDecl

	pipelines, variableBlocks, localBlocks, schemaBlocks, nodeBlocks []block

	vars        []*variable
	localDecls  []*local
	localsNamed map[string]*local
	seen        map[string]*Node // by address
	// lostPipeline says that there is a pipeline block that could not be read.
	lostPipeline bool
	lost         []lostBlock
}

// The block types that are not nodes.
const (
	blockPipeline = "pipeline"
	blockVariable = "variable"
	blockLocals   = "locals"
	blockSchema   = "schema"
)

// collect sorts the blocks of a file by their types and reports what is not a
// block of a known type.
func (b *builder) collect(f File) {
	types, kinds := b.registry.Blocks()
	want := map[string][]string{
		blockPipeline: {"name"}, blockVariable: {"name"}, blockLocals: nil, blockSchema: {"name"},
	}
	for _, t := range types {
		want[t] = []string{"name"}
		if len(kinds[t]) > 0 {
			want[t] = []string{"kind", "name"}
		}
	}
	schema := &hcl.BodySchema{}
	for _, t := range slices.Sorted(maps.Keys(want)) {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: t, LabelNames: want[t]})
	}
	seen := make(map[string]hcl.Range)
	for _, it := range f.Syntax.Outline(f.Body) {
		labels, known := want[it.Name]
		first, twice := seen[it.Name]
		switch {
		case it.Aside && !known:
		case !it.Block:
			b.strayAttribute(it, known)
		case !known:
			b.unknownBlock(it, slices.Sorted(maps.Keys(want)))
		case it.Attribute && twice:
			b.keyTwice(it, first, oneKey(it.Name))
		case it.Attribute:
			l := levels{b, f.Syntax, it.Name, labels, kinds[it.Name]}
			l.read(blocks(f.Body, it)[it.Name], it)
		case len(it.Labels) != len(labels):
			b.wrongLabels(it, labels, kinds[it.Name])
		}
		if it.Attribute {
			seen[it.Name] = it.Range
		}
	}
	content, _, _ := f.Body.PartialContent(schema)
	for _, blk := range content.Blocks {
		if _, read := seen[blk.Type]; !read {
			b.add(block{blk, f.Syntax})
		}
	}
}

// add sorts a block by its type.
func (b *builder) add(blk block) {
	list := &b.nodeBlocks
	switch blk.Type {
	case blockPipeline:
		list = &b.pipelines
	case blockVariable:
		list = &b.variableBlocks
	case blockLocals:
		list = &b.localBlocks
	case blockSchema:
		list = &b.schemaBlocks
	}
	*list = append(*list, blk)
}

// pipeline decodes the pipeline block, of which there is exactly one.
func (b *builder) pipeline(files []File) {
	fields := PipelineFields()
	b.p.Settings = gpflow.NewConfig(fields, nil)
	if len(b.pipelines) == 0 {
		if b.lostPipeline {
			return
		}
		var at diag.Range
		if len(files) > 0 {
			at = diag.Range{File: files[0].Name, Start: diag.Pos{Line: 1, Column: 1}, End: diag.Pos{Line: 1, Column: 1}}
		}
		b.report(diag.Diagnostic{
			Code: diag.CodeNoPipeline, Summary: "there is no pipeline block", Range: at,
			Detail: "The pipeline block names the pipeline and holds its settings.",
			Fix:    "Write it once, in any of the files: " + b.syntaxOf(at.File).Block(blockPipeline, "name"),
		})
		return
	}
	for i, blk := range b.pipelines {
		if i > 0 {
			b.report(diag.Diagnostic{
				Code: diag.CodeTwoPipelines, Summary: "there is more than one pipeline block", Range: b.rng(blk.DefRange),
				Detail:  "All the files together are one pipeline.",
				Fix:     "Remove one of the blocks, or give the pipelines directories of their own.",
				Related: []diag.Related{{Message: "the other one", Range: b.rng(b.pipelines[0].DefRange)}},
			})
			continue
		}
		b.checkName(blk.Labels[0], blk.LabelRanges[0], "pipeline", blockPipeline)
		b.p.Name, b.p.Range = blk.Labels[0], b.rng(blk.DefRange)
		d := b.decoder(blk, "the pipeline")
		vals := d.body(blk.Body, fields, level{header: blk.DefRange})
		b.p.Settings, b.p.WrongSettings = gpflow.NewConfig(fields, vals), d.faulty
		for path, at := range d.located {
			b.p.SettingRanges[path] = at.Value
		}
	}
}

// lostBlock is a block whose header is wrong: its content is not looked at,
// and what refers to it is no mistake of its own.
type lostBlock struct {
	meant  string // the block type; "": not known
	labels []string
}
