// Command gpflow checks, explains and runs streaming pipelines that are
// declared in HCL.
//
// There is one file a command: it parses flags, calls one library function,
// and renders. Standard output is the result, standard error is talk. The exit
// code is 0 if what was asked for was done, or stopped on request, and 1
// otherwise.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // timezone works on machines that have no zone files

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/spec/diag"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed output is an error of the sink, which says so
	err := failpoint.Arm(os.Getenv("GPFLOW_FAILPOINT"), os.Getenv("GPFLOW_FAILPOINT_TRACE"))
	if err == nil {
		err = command().Execute()
	}
	if err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "gpflow: "+err.Error())
		}
		os.Exit(1)
	}
}

// errSaid is the error of a command that has already said what is wrong.
var errSaid = errors.New("the diagnostics have been printed")

// group is what a command does that has commands below it: it helps, and
// refuses what is none of them.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if s := diag.Suggest(args[0], names); s != "" {
		return fmt.Errorf("unknown command %q for %s; did you mean %s?", args[0], cmd.CommandPath(), s)
	}
	return fmt.Errorf("unknown command %q for %s; %s --help lists them", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// command returns the tree of commands.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "gpflow",
		Short:         "Run streaming pipelines that are declared, not programmed",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
	}
	root.AddCommand(runCommand(), validateCommand(), explainCommand(), operatorsCommand(), versionCommand(),
		statusCommand(), stopCommand(), stateCommand(), savepointCommand(), failpointsCommand())
	return root
}
