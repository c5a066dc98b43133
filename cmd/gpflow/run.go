package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/expr"
	"github.com/spf13/cobra"
)

type runFlags struct {
	specFlags
	summary, logLevel, logFormat string
	quiet                        bool
	fresh                        bool
	from                         string
	back                         int64
	loss                         bool
	profile                      string
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run PATH",
		Short: "Run a pipeline in this process",
		Long: `Run a pipeline in this process, until its input ends or it is stopped.

Checkpoints are kept in .gpflow/NAME, or where the pipeline says. A run goes on
from the last one after a crash or a stop; a pipeline that has finished starts
anew, and so does any with --fresh. With --from it goes on from a savepoint, and
with --from-checkpoint from an older checkpoint that is retained, such as where
the last one is damaged; run it without the next time, or it goes back there.

Ctrl-C, or SIGTERM, stops it in order: a last checkpoint is taken, no window
closes early, and output that was to appear when the input ends stays staged. A
second Ctrl-C quits at once; the next run goes on from the checkpoint before.
From elsewhere, gpflow status shows what the run does, and gpflow stop stops it.

The results go where the sinks say. At the end the ledger is shown: what has
become of every record.`,
		Example: `  gpflow run examples/flights/flights.gp.hcl
  gpflow run pipeline.hcl --var day=2001-01-05 --summary ledger.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("from-checkpoint") && f.back < 1 {
				return fmt.Errorf("--from-checkpoint is the number of a checkpoint, from 1 on, not %d", f.back)
			}
			end, err := startProfile(f.profile)
			if err != nil {
				return err
			}
			return errors.Join(f.run(cmd.Context(), args[0], os.Stderr), end())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.summary, "summary", "", "write the ledger as JSON to a `file`")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "text", "text or json")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "show neither progress nor ledger")
	cmd.Flags().BoolVar(&f.fresh, "fresh", false, "begin anew, and leave the state of earlier runs aside")
	cmd.Flags().StringVar(&f.from, "from", "", "begin with a savepoint, by its `directory`, and leave the state of earlier runs aside")
	cmd.Flags().Int64Var(&f.back, "from-checkpoint", 0, "go back to a retained checkpoint, by its `number`; what was put out since is put out again")
	cmd.MarkFlagsMutuallyExclusive("fresh", "from", "from-checkpoint")
	cmd.Flags().BoolVar(&f.loss, "allow-state-loss", false, "go on where the pipeline was changed so that some nodes cannot keep their state; those begin anew")
	cmd.MarkFlagsMutuallyExclusive("fresh", "allow-state-loss")
	cmd.Flags().StringVar(&f.profile, "cpuprofile", "", "write a CPU profile of gpflow itself to a `file`, for go tool pprof")
	_ = cmd.Flags().MarkHidden("cpuprofile") // the flag exists
	return cmd
}

func (f *runFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is debug, info, warn or error, not %q", f.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log-format is text or json, not %q", f.logFormat)
}

func (f *runFlags) run(ctx context.Context, path string, talk *os.File) error {
	signal.Ignore(syscall.SIGPIPE) // a closed output is an error of the sink, which says so
	if ctx == nil {
		ctx = context.Background()
	}
	line := newLiveLine(talk, f.quiet)
	log, err := f.logger(line)
	if err != nil {
		return err
	}
	r, err := line.registry()
	if err != nil {
		return err
	}
	p, result, list := f.compile(path, r)
	show(talk, list, p)
	if result.Plan == nil {
		return errSaid
	}
	encoded, err := plan.Encode(result.Plan)
	if err != nil {
		return err
	}
	summary, err := openSummary(f.summary)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	state, err := openState(ctx, p, wish{f.fresh, f.from, f.back, f.loss, f.quiet, func(c *engine.Checkpoints, m *checkpoint.Manifest) error {
		return c.Fits(r, m, encoded)
	}}, line)
	if err != nil {
		return errors.Join(err, summary.discard())
	}
	if !f.quiet {
		warnReplay(line, result.Graph)
	}
	spill := spillOf(p, state.store.Dir())
	limitHeap(spill.Memory)
	run, err := engine.Start(ctx, encoded, engine.Options{
		Registry: r, Log: log, Checkpoints: &state.Checkpoints, Restart: restarts(p), Spill: spill,
	})
	if err != nil {
		return errors.Join(state.waysBack(ctx, err), summary.discard(), state.close())
	}
	server := state.listen(run, line, log)
	report, err := follow(run, signals, line)
	if err == nil && report.Outcome == job.Finished {
		err = state.finished(ctx)
	}
	placed(p, err)
	if err != nil {
		report.Error = err.Error()
	}
	if !f.quiet {
		line.clear()
		writeLedger(talk, result.Plan, report)
	}
	return errors.Join(advised(err), summary.write(report), hushed(server), state.close())
}

// restarts returns what the pipeline says that a failure leads to.
func restarts(p *spec.Pipeline) job.Policy {
	r := p.Restart()
	return job.Policy{Attempts: r.Attempts, Within: r.Within, Seed: rand.Uint64()}
}

// warnReplay says which sources cannot give again what they gave.
func warnReplay(w io.Writer, g *compiler.Graph) {
	for _, n := range g.Nodes {
		if n.Desc.IsSource() && !n.Traits.Replayable {
			fmt.Fprintf(w, "%s cannot be read again: behind a crash or a stop this pipeline starts anew, with --fresh, and what was read and not committed is lost\n", n.Address())
		}
	}
}

// advised adds to a failure how a run can go on behind it.
func advised(err error) error {
	var failure *engine.RecordFailure
	var passing *gpflow.Transient
	var exhausted *part.Exhausted
	switch {
	case errors.As(err, &exhausted):
		return fmt.Errorf("%w\n  To go on trying for longer, raise retries of on_error in that node", err)
	case errors.As(err, &passing):
		return fmt.Errorf("%w\n  To have tried again what may pass, set on_error = \"retry\" in that node", err)
	case !errors.As(err, &failure):
		return err
	case failure.Limit >= 0:
		return fmt.Errorf("%w\n  To allow more such records, raise the limit of on_error", err)
	case strings.HasPrefix(failure.Node, "sink."):
		return fmt.Errorf("%w\n  To go on without such records, set on_error = \"skip\" in %s", err, failure.Node)
	}
	return fmt.Errorf("%w\n  To go on behind such records, set on_error in %s to \"skip\", or to \"divert\" and read %s.errors",
		err, failure.Node, failure.Node)
}

// placed makes the failure of a record in an expression say where in the file
// that stands.
func placed(p *spec.Pipeline, err error) {
	var failure *engine.RecordFailure
	if !errors.As(err, &failure) {
		return
	}
	if failure.Split == "-" {
		failure.Split = "standard input"
	}
	var record *gpflow.RecordError
	if !errors.As(err, &record) || record.Field == "" {
		return
	}
	n := p.Node(failure.Node)
	if n == nil {
		return
	}
	from, to := 0, 0
	var e *expr.Error
	if errors.As(err, &e) {
		from, to = e.From, e.To
	}
	failure.Range = n.Place(record.Field, from, to).String()
}

// lastWrites is how long sinks that are in the midst of writing are waited for
// after a failure. One that writes to a pipe that nobody reads never ends.
const lastWrites = 2 * time.Second

// errKilled is the end of a run by a second signal.
var errKilled = errors.New("quit at once on the second signal; what was not committed stays staged")

// follow shows the progress of a run until it has ended, and stops it on a
// signal.
func follow(run *engine.Run, signals <-chan os.Signal, line *liveLine) (engine.Report, error) {
	type end struct {
		report engine.Report
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		report, err := run.Wait()
		ended <- end{report, err}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var asked stopRequests
	var cause error               // of a failure
	var patience <-chan time.Time // with what does not end
	for {
		select {
		case e := <-ended:
			return e.report, e.err
		case cause = <-run.Failed():
			patience = time.After(lastWrites)
		case <-patience:
			return engine.Report{Status: run.Status(), Outcome: job.Failed}, cause
		case <-tick.C:
			line.show(run.Status())
		case <-signals:
			switch asked.next(time.Now()) {
			case toStop:
				fmt.Fprintln(line, "stopping in order: no window closes early; press Ctrl-C again to quit at once")
				run.Stop()
			case toQuit:
				return engine.Report{Status: run.Status(), Outcome: job.Failed}, errKilled
			}
		}
	}
}
