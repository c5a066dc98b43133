package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/spec/diag"
)

func validateCommand() *cobra.Command {
	var flags specFlags
	var format string
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check specifications, without contacting anything",
		Long: `Check specifications. Each PATH is a file, or a directory that holds the files
of one pipeline; any other directory stands for the pipelines in the directories
below it. Everything that is wrong is shown at once. Nothing is read but the
specifications, and nothing is contacted.

--format json prints one report for programs; --format github prints workflow
commands, which GitHub Actions shows beside the lines of a change.`,
		Example: `  gpflow validate examples/flights/flights.gp.hcl
  gpflow validate examples
  gpflow validate --format github pipelines`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			v := validation{format: format, out: cmd.OutOrStdout(), talk: cmd.ErrOrStderr()}
			return v.run(&flags, paths)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text, json or github")
	return cmd
}

// validation is one call of validate.
type validation struct {
	format    string
	out, talk io.Writer

	all           diag.List
	sources       map[string][]byte // of all
	valid, broken int
}

func (v *validation) run(flags *specFlags, paths []string) error {
	switch v.format {
	case "text", "json", "github":
	default:
		return fmt.Errorf("--format is text, json or github, not %q", v.format)
	}
	r, err := registry()
	if err != nil {
		return err
	}
	v.sources = make(map[string][]byte)
	var targets []string
	for _, path := range paths {
		targets = append(targets, pipelines(path)...)
	}
	for checked := range inOrder(targets, func(path string) checked {
		p, _, list := flags.compile(path, r)
		return checked{path, p, list}
	}) {
		v.add(checked)
	}
	switch {
	case v.format == "json":
		err = diag.WriteJSON(v.out, v.all, v.sources)
	case v.format == "github":
		err = diag.WriteGitHub(v.out, v.all)
	case len(targets) > 1:
		_, err = fmt.Fprintf(v.out, "%d pipelines: %d valid, %d with errors\n", len(targets), v.valid, v.broken)
	}
	if err == nil && v.broken > 0 {
		return errSaid
	}
	return err
}

// add takes over what was found in one pipeline. Text is shown at once.
func (v *validation) add(c checked) {
	if c.list.HasErrors() {
		v.broken++
	} else {
		v.valid++
	}
	if v.format != "text" {
		v.all = append(v.all, c.list...)
		for name, text := range texts(c.list, c.pipeline) {
			v.sources[name] = text
		}
		return
	}
	show(v.talk, c.list, c.pipeline)
	if !c.list.HasErrors() {
		fmt.Fprintf(v.out, "%s is valid: pipeline %q, %d nodes\n", c.path, c.pipeline.Name, len(c.pipeline.Nodes))
	}
}
