package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/engine/control"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage/local"
)

type stopFlags struct {
	stateFlags
	drain     bool
	savepoint string
}

func stopCommand() *cobra.Command {
	var f stopFlags
	cmd := &cobra.Command{
		Use:   "stop [PATH]",
		Short: "Stop a running pipeline in order",
		Long: `Stop a running pipeline in order, and wait until it has ended. A last
checkpoint is taken and committed, no window closes early, and the next run
goes on from there. It is what Ctrl-C does to gpflow run.

With --savepoint, that checkpoint is also kept as a savepoint of that name.

With --drain, the input ends where it has been read to: windows close with what
they have, all output is committed, and the run is finished. Nothing goes on
from there: the next run starts anew.

` + whichState,
		Example: `  gpflow stop
  gpflow stop pipeline.hcl --savepoint before-upgrade
  gpflow stop --state .gpflow/flights --drain`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			return f.run(ctx, append(args, "")[0], cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.drain, "drain", false, "end the input, so that windows close and the run finishes")
	cmd.Flags().StringVar(&f.savepoint, "savepoint", "", "make a savepoint of that `name` of the last checkpoint")
	cmd.MarkFlagsMutuallyExclusive("drain", "savepoint")
	return cmd
}

func (f *stopFlags) run(ctx context.Context, path string, w io.Writer) error {
	dir, err := f.find(path)
	if err != nil {
		return err
	}
	a, err := control.Ask(ctx, dir, control.Request{Do: control.Stop, Drain: f.drain, Savepoint: f.savepoint})
	var none *control.NotRunning
	switch {
	case errors.As(err, &none):
		return unanswered(dir, err)
	case errors.Is(err, context.Canceled):
		return errors.New("not waited for: the pipeline goes on stopping; gpflow status says how far it is")
	case err != nil:
		return err
	case a.Error != "" && a.Outcome == job.Stopped:
		return fmt.Errorf("the pipeline has stopped, but %s", a.Error)
	case a.Error != "":
		return errors.New(a.Error)
	}
	name := a.Status.Pipeline
	switch last := a.Status.Checkpoints.Last; {
	case a.Outcome == job.Finished:
		fmt.Fprintf(w, "%s has finished, and its output is committed\n", name)
	case last != nil:
		fmt.Fprintf(w, "%s has stopped with checkpoint %d; gpflow run goes on from there\n", name, last.ID)
	default:
		fmt.Fprintf(w, "%s has stopped\n", name)
	}
	if f.savepoint != "" {
		fmt.Fprintf(w, "savepoint %s is in %s\n", f.savepoint, savepointDir(dir, f.savepoint))
	}
	return nil
}

// unanswered says why no pipeline can be stopped.
func unanswered(dir string, err error) error {
	store, failed := local.OpenExisting(dir)
	if failed != nil {
		return errors.Join(err, failed)
	}
	if h, held := store.Holder(); held {
		err = fmt.Errorf("it does not answer: %s; it is starting, or about to end: try again", h)
	} else {
		err = fmt.Errorf("there is nothing to stop: %w", err)
	}
	return errors.Join(err, store.Close())
}
