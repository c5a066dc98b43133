// Package hclspec reads pipelines that are written in HCL.
package hclspec

import (
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/input"
)

// Options are what a specification is read with.
type Options = input.Options

// Parse reads the pipeline in src, the text of one file of the given name.
// Files of values are read from the disk.
//
// All mistakes are reported at once, sorted. The pipeline is nil only when
// nothing usable came out: when a text could not be read or parsed.
func Parse(name string, src []byte, o Options) (*spec.Pipeline, diag.List) {
	r := input.NewReader()
	r.Parse(name, src, File)
	return r.Build(o)
}

// File reads a file of a pipeline. ok is false where it could not be
// understood, which the diagnostics explain; src is UTF-8 text without a byte
// order mark.
func File(name string, src []byte) (f spec.File, ds diag.List, ok bool) {
	body, ds, ok := input.ParseNative(name, src)
	return spec.File{Name: name, Source: src, Body: body, Syntax: native{src}}, ds, ok
}
