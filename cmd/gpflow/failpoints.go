package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/internal/failpoint"
)

func failpointsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:    "failpoints",
		Hidden: true,
		Short:  "List the places at which a run can be made to die",
		Long: `List the places at which a run can be made to die, to test that nothing is lost.

With GPFLOW_FAILPOINT=NAME:3 in its environment, gpflow kills itself when it
passes the point NAME for the third time. With GPFLOW_FAILPOINT_TRACE=FILE, it
appends the name of each point that it passes to a file.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch format {
			case "json":
				return json.NewEncoder(cmd.OutOrStdout()).Encode(failpoint.Points())
			case "text":
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, p := range failpoint.Points() {
					fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.Phase, p.Doc)
				}
				return w.Flush()
			}
			return fmt.Errorf("--format is text or json, not %q", format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}
