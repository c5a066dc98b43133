// Package gpflow is the vocabulary of gpflow: the values, batches and schemas
// that flow through a pipeline, the contracts of sources, operators and sinks,
// and the descriptors that tell the compiler about them.
//
// It imports the standard library only, and every other package of the module
// may import it. A connector or an operator needs nothing else of the module
// but, where it evaluates record expressions, spec/expr.
package gpflow
