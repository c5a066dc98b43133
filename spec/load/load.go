// Package load reads pipelines in all languages that specifications are
// written in. The name of a file says its language: .yaml and .yml are YAML,
// everything else is HCL.
package load

import (
	"path/filepath"
	"strings"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/hclspec"
	"github.com/gpflow/gpflow/spec/input"
	"github.com/gpflow/gpflow/spec/yamlspec"
)

// Options are what a specification is read with.
type Options = input.Options

// Load reads the pipeline that the files and directories at paths make up. A
// directory stands for its files *.gp.hcl and *.gp.yaml, in the order of their
// names, or, if it has none, for its pipeline.hcl and pipeline.yaml.
//
// All mistakes are reported at once, sorted. The pipeline is nil only when
// nothing usable came out: when a file could not be read or parsed.
func Load(paths []string, o Options) (*spec.Pipeline, diag.List) {
	r := input.NewReader()
	for _, name := range r.Find(paths) {
		if src, ok := r.Read(name); ok {
			r.Parse(name, src, parser(name))
		}
	}
	return r.Build(o)
}

// Parse reads the pipeline in src, as Load would from a file of the given
// name. Files of values are read from the disk.
func Parse(name string, src []byte, o Options) (*spec.Pipeline, diag.List) {
	r := input.NewReader()
	r.Parse(name, src, parser(name))
	return r.Build(o)
}

func parser(name string) input.Parser {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return yamlspec.File
	}
	return hclspec.File
}

// Sources returns the texts that diagnostics of a Load without a pipeline
// refer to. A file that cannot be read is left out.
func Sources(ds diag.List) map[string][]byte {
	r := input.NewReader()
	for _, d := range ds {
		if _, known := r.Sources()[d.Range.File]; !known && d.Range.File != "" {
			r.Read(d.Range.File)
		}
	}
	return r.Sources()
}
