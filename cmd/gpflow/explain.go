package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
)

func explainCommand() *cobra.Command {
	var flags specFlags
	var format string
	cmd := &cobra.Command{
		Use:   "explain PATH",
		Short: "Show the plan that a specification compiles to",
		Long: `Show the physical plan as a tree: the tasks with their operators, the schemas
that flow, what is read of each source, how rows get from task to task, and
what each operator keeps. --format json prints the plan as the engine gets it.`,
		Example: "  gpflow explain examples/flights/flights.gp.hcl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := registry()
			if err != nil {
				return err
			}
			p, result, list := flags.compile(args[0], r)
			show(cmd.ErrOrStderr(), list, p)
			if result.Plan == nil {
				return errSaid
			}
			switch format {
			case "text":
				fmt.Fprint(cmd.OutOrStdout(), compiler.Explain(result))
			case "json":
				data, err := plan.Encode(result.Plan)
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(data)
				return err
			default:
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}
