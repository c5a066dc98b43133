// Package spec is what the author of a pipeline wrote, decoded by the
// descriptors of the registry and with the place of everything: the input of
// the compiler, whatever the language.
//
// A language package such as spec/hclspec parses files into hcl.Body values
// and gives them to Build. The decoder knows no operator by name.
package spec

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// Pipeline is a whole specification. It is complete and without mistakes only
// if it came with no errors; otherwise it holds what could be made out.
type Pipeline struct {
	Name  string
	Range diag.Range // the header of the pipeline block; zero: there is none
	// Sources are the texts of the files by name, for snippets.
	Sources map[string][]byte
	// Settings is the pipeline block, by PipelineFields.
	Settings gpflow.Config
	// WrongSettings are the settings that had an error, as Node.Wrong.
	WrongSettings map[string]bool
	// SettingRanges says where the settings stand, by path; a default is
	// nowhere.
	SettingRanges map[string]diag.Range
	// Constants are the variables and locals that record expressions see:
	// "var.min", "local.bots", members of objects as "local.a.b".
	Constants gpflow.Constants
	// Unknown are the names of variables and locals whose value had an error,
	// which has been reported.
	Unknown map[string]bool
	// ConstantRanges says where the constants are declared.
	ConstantRanges map[string]diag.Range
	// Nodes are in the order of the files and of the text. Their addresses
	// differ.
	Nodes []*Node
	// Failed says that the pipeline came with errors.
	Failed bool
	// Partial says that nodes or edges are missing: a block or a reference had
	// an error, which has been reported. What seems to be absent may be there.
	Partial bool
}

// Node returns the node with the given address, or nil.
func (p *Pipeline) Node(address string) *Node {
	for _, n := range p.Nodes {
		if n.Address() == address {
			return n
		}
	}
	return nil
}

// Node is one source, operator or sink as it was written.
type Node struct {
	Block, Kind, Name string
	// Descriptor is never nil. Where the kind that was written does not exist,
	// it is that of another kind, and the node is Broken.
	Descriptor *gpflow.Descriptor
	// Config holds the fields of Descriptor.AllFields, save those that are
	// edges. Fields that had an error are absent.
	Config gpflow.Config
	Inputs []Input    // one for each of Descriptor.InputFields, in that order
	Range  diag.Range // the header: block type and labels
	// Fields says where the fields stand, by path: "where", "select.total",
	// "event_time.field", "rule[1].where".
	Fields map[string]Located
	// Wrong are the paths of the fields that had an error, which has been
	// reported, or were not found because of one; a block that has one of them
	// in it is another: "roll.size" and "roll". Their values are absent, or
	// parts of what was written. What is inferred without them could repeat the
	// error. An unknown attribute that is like no field makes none of them wrong.
	Wrong map[string]bool
	// Broken says that nothing can be inferred of the node: its kind does not
	// exist, or its inputs are not known.
	Broken bool
}

// Address returns the name by which references and state know the node:
// "source.clicks". The kind is not part of it.
func (n *Node) Address() string { return n.Block + "." + n.Name }

// Input is an input of a node.
type Input struct {
	Field string // "from"
	Refs  []Ref  // in the order of the text; empty if missing
}

// Ref is a reference to an output of a node. It may not exist.
type Ref struct {
	Address string // "filter.human"
	Port    string // "late"; "": the main one
	Range   diag.Range
}
