package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/spec/diag"
)

func validateCommand() *cobra.Command {
	var flags specFlags
	var format string
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check specifications, without contacting anything",
		Long: `Check specifications. Each PATH is a file, or a directory with *.gp.hcl files or
a pipeline.hcl, and is one pipeline. Everything that is wrong is shown at once.
Nothing is read but the specification, and nothing is contacted.`,
		Example: "  gpflow validate examples/flights/flights.gp.hcl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			r, err := registry()
			if err != nil {
				return err
			}
			var all diag.List
			sources := make(map[string][]byte)
			for _, path := range paths {
				p, _, list := flags.compile(path, r)
				all = append(all, list...)
				for name, text := range texts(list, p) {
					sources[name] = text
				}
				if format == "text" {
					show(cmd.ErrOrStderr(), list, p)
					if !list.HasErrors() {
						fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: pipeline %q, %d nodes\n", path, p.Name, len(p.Nodes))
					}
				}
			}
			if format == "json" {
				if err := diag.WriteJSON(cmd.OutOrStdout(), all, sources); err != nil {
					return err
				}
			}
			if all.HasErrors() {
				return errSaid
			}
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}
