package main

import (
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/spec/diag/pages"
)

var (
	// code is what is meant as the code of a diagnostic, with its number.
	code = regexp.MustCompile(`^(?i:gpf)[-_ ]?([0-9]{1,4})$|^([0-9]{1,4})$`)
	// almost begins like a code.
	almost = regexp.MustCompile(`^(?i:gpf)[-_ ]?[0-9]+$`)
)

// codeOf returns the code that arg is meant to be: GPF-0023 may be written in
// small letters, without zeros, and as its number alone where there is no such
// file. It is "" for a path, and an error for a number of no code.
func codeOf(arg string) (string, error) {
	if _, err := os.Stat(arg); err == nil {
		return "", nil
	}
	m := code.FindStringSubmatch(arg)
	switch {
	case m != nil:
		return fmt.Sprintf("GPF-%04s", m[1]+m[2]), nil
	case almost.MatchString(arg):
		return "", fmt.Errorf("%s is not a code: a code is GPF- and four digits, as in GPF-0023", arg)
	}
	return "", nil
}

// inFlight says how much memory the records between the nodes of a plan take.
func inFlight(r *gpflow.Registry, p *plan.Plan) string {
	most, row := engine.InFlight(r, p)
	return fmt.Sprintf("in flight  at most %s, where no record has more than %s", size(most), size(row))
}

func explainCommand() *cobra.Command {
	var flags specFlags
	var format string
	var exprs bool
	cmd := &cobra.Command{
		Use:   "explain PATH | CODE",
		Short: "Show the plan of a specification, or explain a diagnostic",
		Long: `Show the physical plan as a tree: the tasks with their operators, the schemas
that flow, what is read of each source, how rows get from task to task, what
each operator keeps, and how much memory records in flight take at most.
--format json prints the plan as the engine gets it.

With --exprs, show the record expressions instead: the type of each, and which
parts of it are not compiled but interpreted, which is slower.

With the code of a diagnostic, such as GPF-0023, say what it means, why it is a
mistake, and how it is repaired, with an example.`,
		Example: `  gpflow explain examples/flights/flights.gp.hcl
  gpflow explain GPF-0023`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := codeOf(args[0])
			if err != nil {
				return err
			}
			if asked != "" {
				page, err := pages.Find(asked)
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), page)
				return err
			}
			r, err := registry()
			if err != nil {
				return err
			}
			p, result, list := flags.compile(args[0], r)
			show(cmd.ErrOrStderr(), list, p)
			if result.Plan == nil {
				return errSaid
			}
			if exprs {
				_, err = fmt.Fprint(cmd.OutOrStdout(), compiler.ExplainExprs(result))
				return err
			}
			switch format {
			case "text":
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", compiler.Explain(result), inFlight(r, result.Plan))
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
	cmd.Flags().BoolVar(&exprs, "exprs", false, "show the record expressions, and how each is run")
	return cmd
}
