package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/load"
)

// specFlags are the flags of every command that reads a specification.
type specFlags struct {
	vars, varFiles []string
}

func (f *specFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.vars, "var", nil, "set a variable, as `name=value`; may be repeated")
	cmd.Flags().StringArrayVar(&f.varFiles, "var-file", nil, "read variables from a `file`; may be repeated")
}

func registry() (*gpflow.Registry, error) { return gpflow.NewRegistry(operators.Builtin()...) }

// compile loads and compiles the specification at path. The pipeline is nil
// where nothing could be made of it.
func (f *specFlags) compile(path string, r *gpflow.Registry) (*spec.Pipeline, compiler.Result, diag.List) {
	p, list := load.Load([]string{path}, load.Options{Vars: f.vars, VarFiles: f.varFiles, Env: os.Environ(), Registry: r})
	if p == nil {
		return nil, compiler.Result{}, list
	}
	result, more := compiler.Compile(p, compiler.Options{})
	list = append(list, more...)
	list.Sort()
	if list.HasErrors() {
		result.Plan = nil
	}
	return p, result, list
}

// show prints diagnostics as text.
func show(w io.Writer, list diag.List, p *spec.Pipeline) {
	diag.WriteText(w, list, texts(list, p), textOptions(w))
}

// texts returns the texts of the files that diagnostics refer to.
func texts(list diag.List, p *spec.Pipeline) map[string][]byte {
	if p != nil {
		return p.Sources
	}
	return load.Sources(list)
}

// textOptions fits text to the terminal that w is, if it is one.
func textOptions(w io.Writer) diag.TextOptions {
	o := diag.TextOptions{Width: 100}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			o.Width = width
		}
	}
	return o
}
