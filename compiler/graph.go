package compiler

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/spec"
)

// Graph is the logical plan: the nodes of a pipeline joined by their outputs,
// with schemas. Nothing in it is of our engine.
type Graph struct {
	Pipeline string
	Nodes    []*Node // every node comes after those that feed it
	// Every is the time between two checkpoints; 0: there are none but the last.
	Every gpflow.Duration
}

// Node is a node of the logical plan.
type Node struct {
	Spec    *spec.Node
	Desc    *gpflow.Descriptor
	Inputs  [][]Output // by input field: what feeds it
	Readers [][]Reader // by port: who reads it
	// In are the schemas of the inputs and Ports those of the outputs; nil
	// where a mistake has been reported that makes them unknown.
	In        []*gpflow.Schema
	Ports     []*gpflow.Schema
	Declared  *gpflow.Schema // of a source: Ports[0] before columns that nobody reads were left out
	Uses      [][]string     // by input: the columns that the node itself reads
	Pass      []bool         // by port: the columns of input 0 leave there too
	Constants []string
	Exprs     []gpflow.ExprInfo
	State     []gpflow.StateDescriptor

	Traits      gpflow.Traits
	Parallelism int
	OnError     plan.OnError
	EventTime   *plan.EventTime

	diverts  diverting
	failed   bool       // a mistake has been reported of it, or its input is not known
	endless  *Node      // a source that feeds it and never ends
	alive    bool       // a sink lies behind it, or it is one
	timeUsed bool       // a node behind it works by event time
	wanted   []*reads   // by port: the columns that somebody reads
	uses     [][]string // Uses, for all columns
	asked    int        // how many columns Uses are for; -1: not known
	pruned   bool       // columns that nobody reads are gone from its outputs
}

// diverting says who asked for failed records to be diverted.
type diverting uint8

const (
	diverted   diverting = 1 + iota // by the node itself
	byPipeline                      // by the pipeline
	unknown                         // it is not known, because of a mistake
)

// Output is an output of a node.
type Output struct {
	Node *Node
	Port int
	Ref  spec.Ref
}

// Reader is an input of a node.
type Reader struct {
	Node  *Node
	Input int
}

// Address returns the node's address.
func (n *Node) Address() string { return n.Spec.Address() }

// Port returns the name of output p, "" for the main one.
func (n *Node) Port(p int) string {
	if p == 0 {
		return ""
	}
	return n.Desc.Ports[p-1].Name
}

// read reports whether anybody reads output p.
func (n *Node) read(p int) bool { return p < len(n.Readers) && len(n.Readers[p]) > 0 }

// inputs returns every output that feeds n.
func (n *Node) inputs() []Output {
	var all []Output
	for _, os := range n.Inputs {
		all = append(all, os...)
	}
	return all
}

// ports returns the number of outputs.
func (n *Node) ports() int {
	if n.Desc.IsSink() {
		return 0
	}
	return 1 + len(n.Desc.Ports)
}
