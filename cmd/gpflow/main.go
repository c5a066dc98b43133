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
	_ "time/tzdata" // timezone works on machines that have no zone files

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/internal/failpoint"
	"github.com/gpflow/gpflow/spec/diag"
)

func main() {
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

// refuseEmpty complains about arguments and values of flags that are empty, as
// those are of shell variables that were meant to be set: they would mean what
// not saying them means.
func refuseEmpty(cmd *cobra.Command, args []string) error {
	for i, arg := range args {
		if arg == "" {
			return fmt.Errorf("argument %d of %s is empty", i+1, cmd.CommandPath())
		}
	}
	for _, name := range []string{"from", "savepoint", "state", "summary"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return fmt.Errorf("--%s is empty; give it a value, or leave it out", name)
		}
	}
	return nil
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

		PersistentPreRunE: refuseEmpty,
	}
	root.AddCommand(runCommand(), validateCommand(), explainCommand(), operatorsCommand(), versionCommand(),
		statusCommand(), stopCommand(), stateCommand(), savepointCommand(), failpointsCommand())
	return root
}
