package gpflow

import (
	"fmt"
	"sort"
)

// FieldKind says how a field is written in a spec, and what its value in a
// Config is.
type FieldKind uint8

// The field kinds; the comment names the Go type in a Config.
const (
	FieldString     FieldKind = iota // string
	FieldInt                         // int64
	FieldFloat                       // float64
	FieldBool                        // bool
	FieldDuration                    // Duration; written "30s"
	FieldSize                        // int64 bytes; written "64MiB"
	FieldEnum                        // string, one of Field.Values
	FieldList                        // []string; one alone may be written without brackets
	FieldMap                         // []Pair
	FieldColumns                     // []string: names of input columns; one alone as in FieldList
	FieldColumn                      // string: the name of an input or own column
	FieldExpr                        // string: a record expression, never a template
	FieldExprMap                     // []NamedExpr
	FieldAggregates                  // []NamedExpr whose expressions may call aggregate functions
	FieldRef                         // not in a Config: one input edge
	FieldRefs                        // not in a Config: input edges
	FieldSecret                      // string: the secret's name, never its value
	FieldSchema                      // *Schema
	FieldBlock                       // Config, or []Config where Field.Many
)

var fieldKindNames = [...]string{
	"string", "whole number", "number", "bool", "duration", "size", "one of", "list of strings", "map of strings",
	"list of columns", "column", "expression", "map of expressions", "map of aggregate expressions",
	"node", "nodes", "secret", "schema", "block",
}

// String returns the kind as documentation words it.
func (k FieldKind) String() string { return fieldKindNames[k] }

// Update says what changing a field costs a running pipeline. The classes are
// ordered: a node takes the worst of its changed fields.
type Update uint8

// The update classes.
const (
	Live    Update = iota // takes effect between two records
	Restart               // the operator restarts with its state
	Migrate               // state is re-keyed or converted
	Drop                  // state cannot be read by the new operator
	Replace               // another thing under the same name
)

func (u Update) String() string {
	return [...]string{"live", "restart", "migrate", "drop", "replace"}[u]
}

// Option is one value of an enum field.
type Option struct{ Value, Doc string }

// Field describes one attribute or block of a node.
type Field struct {
	Name       string
	Kind       FieldKind
	Required   bool
	Default    any // in the Go type of Kind; nil: none
	Values     []Option
	Doc        string // one or more sentences
	Example    string // as it is written in HCL, after the equals sign
	Deprecated string // what to use instead; "": not deprecated
	Result     Type   // of FieldExpr: the type the expression must have; KindNull: any
	Exprs      bool   // FieldString: record expressions stand in the text, in braces
	Update     Update
	Fields     []Field // of FieldBlock
	Many       bool    // FieldBlock: may be repeated
	// Short names the field of a block that a plain attribute of the same
	// name sets: on_error = "skip" is on_error { action = "skip" }.
	Short string
	// Check refuses a decoded value with a sentence that says what is allowed.
	Check func(v any) error
}

// Port is an output of a node. Port 0 is the main one, and has the name "".
type Port struct {
	Name string // "late", "errors"
	Doc  string
}

// Problem is a complaint about a node's configuration.
type Problem struct {
	Code string // a diagnostic code, or "": the compiler's general one
	Path string // the field: "where", "select.total", "event_time.field"; "": the node
	// Needs are the other fields that the complaint is made because of, and the
	// fields of a block that it is about. Where one of them is wrong, which has
	// been reported, the complaint may be no mistake of its own, and is dropped.
	Needs   []string
	From    int    // bytes of the field's text, where the complaint is about a part
	To      int    // 0: the whole field
	Summary string // one line
	Detail  string // why, and the way out
	Warning bool
}

// Inference is what a descriptor's Infer is given, and where it reports.
type Inference struct {
	Config    Config
	In        []*Schema // one for each of Descriptor.InputFields
	Constants Constants // var.* and local.*
	// Wanted is the set of main-port columns that somebody reads, in the pass
	// that prunes; nil: all.
	Wanted map[string]bool
	Report func(Problem)
}

// Inferred is what Infer finds out.
type Inferred struct {
	// Ports are the output schemas, in the order of Descriptor.Ports; the
	// schema of an errors port is set by the compiler and may be nil here. A
	// nil schema elsewhere says that the problem has been reported.
	Ports []*Schema
	// Shape are the fields that the schemas of Ports are made of: where one of
	// them is wrong, the schemas are not known. nil: all fields of the
	// descriptor; not nil and empty: the input alone.
	Shape []string
	// Uses are, for each input, the columns that the node itself reads.
	Uses [][]string
	// Pass says that the columns of input 0 also leave through the ports
	// marked, by the same names: what is wanted there is wanted of the input.
	Pass []bool
	// Constants are the names of the constants that the node refers to.
	Constants []string
	// Exprs are the record expressions that the node evaluates.
	Exprs []ExprInfo
}

// ExprInfo says what has become of a record expression.
type ExprInfo struct {
	Path string // the field that it is in: "where", "select.total"
	Text string // as it was written
	Type Type   // of the result
	// Compiled and Interpreted count sub-expressions by what runs them:
	// functions of Go, or an interpreter.
	Compiled, Interpreted int
	Parts                 []string // the texts of those that are interpreted, each as a whole
}

// Constant is a typed constant of record expressions.
type Constant struct {
	Type  Type
	Value Value
}

// Constants are the constants by name, such as "var.min_amount".
type Constants map[string]Constant

// StateDescriptor says what an operator keeps, so that a plan can tell whether
// it survives a change. It is a function of the node's own configuration and
// declared inputs, never of the optimiser.
type StateDescriptor struct {
	Name    string  // within the operator
	Kind    string  // "panes"
	Key     *Schema // the key's columns
	Value   *Schema // a row of the state's table
	Version int     // of what the operator means by the values
}

// Descriptor describes one kind of node: everything that the decoder, the
// schemas, the documentation, the compiler and the engine know about it.
// Exactly one of NewSource, NewOperator and NewSink is set.
type Descriptor struct {
	Block   string // the block type: "source", "filter", "window"
	Kind    string // the first label where the block type has kinds: "file", "tumbling"
	Summary string // one line
	Doc     string // paragraphs
	Example string // a complete HCL block
	Fields  []Field
	Ports   []Port   // besides the main one; sinks have none
	Inputs  []string // names of the fields that are edges; default {"from"}; none for a source

	// Traits returns the traits of a node out of its configuration, which may
	// have mistakes in it or be that of defaults alone. It is pure. nil: the
	// zero Traits whatever the configuration. TraitsOf calls it.
	Traits func(Config) Traits
	// Infer checks the configuration against the input schemas and returns
	// the output schemas. It is pure.
	Infer func(*Inference) Inferred
	// State lists what the operator keeps, out of its configuration, its
	// declared inputs and the constants; nil: nothing. It is called with what
	// Infer has found no fault with.
	State func(Config, []*Schema, Constants) []StateDescriptor
	// NewKey returns what makes the keys of the rows that come to a node with
	// Traits.Key, where these are not columns of the rows alone; nil where they
	// are. It is called with what Infer has found no fault with, for each
	// subtask that sends. nil: Traits.Key are always columns.
	NewKey func(*KeyContext) (RowKey, error)

	NewSource   func(*SourceContext) (Source, error)
	NewOperator func(*OperatorContext) (Operator, error)
	NewSink     func(*SinkContext) (Sink, error)
}

// Name returns the descriptor's name as messages write it: "source.file",
// "filter".
func (d *Descriptor) Name() string {
	if d.Kind == "" {
		return d.Block
	}
	return d.Block + "." + d.Kind
}

// IsSource reports whether d describes sources.
func (d *Descriptor) IsSource() bool { return d.NewSource != nil }

// IsSink reports whether d describes sinks.
func (d *Descriptor) IsSink() bool { return d.NewSink != nil }

// InputFields returns the names of the fields that are edges.
func (d *Descriptor) InputFields() []string {
	switch {
	case d.IsSource():
		return nil
	case d.Inputs != nil:
		return d.Inputs
	}
	return []string{"from"}
}

// PortIndex returns the index of the named output port, "" being the main
// one, or -1.
func (d *Descriptor) PortIndex(name string) int {
	if name == "" && !d.IsSink() {
		return 0
	}
	for i, p := range d.Ports {
		if p.Name == name {
			return i + 1
		}
	}
	return -1
}

// AllFields returns the fields of d and those that every node of its class
// takes.
func (d *Descriptor) AllFields() []Field {
	fs := append([]Field(nil), d.Fields...)
	has := func(name string) bool {
		for _, f := range fs {
			if f.Name == name {
				return true
			}
		}
		return false
	}
	for _, in := range d.InputFields() {
		if !has(in) {
			fs = append(fs, Field{
				Name: in, Kind: FieldRefs, Required: true, Update: Restart, Example: "source.clicks",
				Doc: "The node or nodes whose records come in, by address; a port is written behind it: `window.totals.late`.",
			})
		}
	}
	if d.IsSource() {
		for _, f := range sourceFields {
			if !has(f.Name) {
				fs = append(fs, f)
			}
		}
	}
	for _, f := range commonFields {
		if !has(f.Name) && (f.Name != "on_error" || d.PortIndex("errors") > 0 || d.IsSink()) {
			fs = append(fs, f)
		}
	}
	return fs
}

// Registry is the set of descriptors that a program knows. It is immutable.
type Registry struct {
	byName map[string]*Descriptor
	names  []string
}

// NewRegistry returns a registry of ds. Two descriptors of one name, or one
// that is incomplete, are an error.
func NewRegistry(ds ...*Descriptor) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Descriptor, len(ds))}
	for _, d := range ds {
		n := 0
		for _, set := range []bool{d.NewSource != nil, d.NewOperator != nil, d.NewSink != nil} {
			if set {
				n++
			}
		}
		if d.Block == "" || d.Infer == nil || n != 1 {
			return nil, fmt.Errorf("descriptor %q needs a block, Infer and exactly one constructor", d.Name())
		}
		if r.byName[d.Name()] != nil {
			return nil, fmt.Errorf("two descriptors of the name %q", d.Name())
		}
		r.byName[d.Name()] = d
		r.names = append(r.names, d.Name())
	}
	sort.Strings(r.names)
	return r, nil
}

// Lookup returns the descriptor of a block type and kind, or nil.
func (r *Registry) Lookup(block, kind string) *Descriptor {
	return r.byName[(&Descriptor{Block: block, Kind: kind}).Name()]
}

// All returns the descriptors, sorted by name.
func (r *Registry) All() []*Descriptor {
	ds := make([]*Descriptor, len(r.names))
	for i, n := range r.names {
		ds[i] = r.byName[n]
	}
	return ds
}

// Blocks returns the block types, sorted; kinds maps each to its kinds, which
// are empty for a block type without kinds.
func (r *Registry) Blocks() (blocks []string, kinds map[string][]string) {
	kinds = make(map[string][]string)
	for _, n := range r.names {
		d := r.byName[n]
		if _, ok := kinds[d.Block]; !ok {
			blocks = append(blocks, d.Block)
			kinds[d.Block] = nil
		}
		if d.Kind != "" {
			kinds[d.Block] = append(kinds[d.Block], d.Kind)
		}
	}
	return blocks, kinds
}
