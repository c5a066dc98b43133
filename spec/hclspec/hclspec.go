// Package hclspec reads pipelines written in HCL.
package hclspec

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// Options are what a specification is read with.
type Options struct {
	Vars     []string // values of variables: "name=value"
	VarFiles []string // files of values: HCL attributes (.gpvars) or .json; later ones win
	Env      []string // the environment, as os.Environ: GPFLOW_VAR_name=value
	Registry *gpflow.Registry
}

// Load reads the pipeline that the files and directories at paths make up. A
// directory stands for its files *.gp.hcl, in the order of their names, or for
// its pipeline.hcl. All mistakes are reported at once, sorted. The pipeline is
// nil only when nothing usable came out.
func Load(paths []string, o Options) (*spec.Pipeline, diag.List) {
	return nil, nil
}

// Parse reads the pipeline in src, as Load would from a file of the given
// name.
func Parse(name string, src []byte, o Options) (*spec.Pipeline, diag.List) {
	return nil, nil
}
