package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/control"
	"github.com/gpflow/gpflow/storage/local"
)

// askPatience is how long a running pipeline may take to answer what it can
// answer at once.
const askPatience = 10 * time.Second

type statusFlags struct {
	stateFlags
	watch  bool
	format string
}

func statusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status [PATH]",
		Short: "Show what a pipeline is doing",
		Long: `Show what a running pipeline is doing: for each node the records that came in,
and how many a second, what waits before it, and how its subtasks spend their
time: busy, idle, or blocked because what comes next has no room. Then its
watermark, and who holds it back; the checkpoints of this start; and what has
failed and was started again. Where nodes have several subtasks, skew is how
much came to the one that got the most, as a multiple of an equal share.

The node to look at is the one that is busy while those before it are blocked.

Of a pipeline that does not run, show the checkpoint that it would go on from.

` + whichState,
		Example: `  gpflow status
  gpflow status pipeline.hcl --watch
  gpflow status --state .gpflow/flights --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			return f.run(ctx, append(args, "")[0], cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "show it each second, until the run ends")
	cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	return cmd
}

func (f *statusFlags) run(ctx context.Context, path string, w io.Writer) error {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	dir, err := f.find(path)
	if err != nil {
		return err
	}
	s, err := statusOf(ctx, dir)
	if err != nil || !f.watch {
		return errors.Join(err, f.show(w, s, err))
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := f.show(w, s, nil); err != nil || !s.alive() {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if s, err = statusOf(ctx, dir); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// overview is what gpflow status shows.
type overview struct {
	Dir string `json:"directory"`
	// Holder is the process that runs the pipeline; nil: none does.
	Holder *control.Holder `json:"process,omitempty"`
	// Silent is the process that has the state and does not answer; nil: none.
	Silent *local.Holder `json:"silent_process,omitempty"`
	engine.Status
	// From is the checkpoint that the next run goes on from, of a pipeline that
	// does not run.
	From *goesOn `json:"goes_on_from,omitempty"`
}

type goesOn struct {
	ID       int64     `json:"id"`
	Time     time.Time `json:"time"`
	Finished bool      `json:"finished,omitempty"` // nothing goes on from it
}

// The states of a pipeline that does not answer.
const (
	notRunning   = "not running"
	notAnswering = "not answering"
)

// alive reports whether there is a process that has the state.
func (s *overview) alive() bool { return s.Holder != nil || s.Silent != nil }

// statusOf asks the process that runs a pipeline, or looks at its state.
func statusOf(ctx context.Context, dir string) (*overview, error) {
	ask, cancel := context.WithTimeoutCause(ctx, askPatience, fmt.Errorf("no answer for %s; is the process suspended?", askPatience))
	defer cancel()
	a, err := control.Ask(ask, dir, control.Request{Do: control.Status})
	var none *control.NotRunning
	switch {
	case errors.As(err, &none):
		return statusAtRest(ctx, dir)
	case err != nil:
		return nil, err
	case a.Error != "" || a.Status == nil:
		return nil, fmt.Errorf("the pipeline that runs in %s: %s", dir, a.Error)
	}
	return &overview{Dir: dir, Holder: &a.Holder, Status: *a.Status}, nil
}

// statusAtRest is the status of a pipeline that does not run.
func statusAtRest(ctx context.Context, dir string) (s *overview, err error) {
	p, err := look(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	m, err := p.current(ctx)
	if err != nil {
		return nil, err
	}
	s = &overview{Dir: dir, Status: engine.Status{State: notRunning}}
	if h, held := p.store.Holder(); held {
		s.Silent, s.State = &h, notAnswering
	}
	if m == nil {
		return s, nil
	}
	s.Pipeline = m.Pipeline
	s.From = &goesOn{int64(m.ID), timeOf(m), m.Outcome == checkpoint.OutcomeFinished}
	x, err := engine.Inspect(m, nil) // the keyed state is not asked for
	if err == nil {
		s.Nodes, err = x.Ledger()
	}
	if err != nil {
		return nil, fmt.Errorf("the state in %s: %w", dir, err)
	}
	return s, nil
}

// show prints a status, unless there is none.
func (f *statusFlags) show(w io.Writer, s *overview, err error) error {
	if err != nil {
		return nil // it is said by who has it
	}
	if f.format == "json" {
		e := json.NewEncoder(w)
		if !f.watch {
			e.SetIndent("", "  ")
		}
		return e.Encode(s)
	}
	if file, ok := w.(*os.File); ok && f.watch && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(w, "\x1b[H\x1b[2J") // from the top of an empty screen
	} else if f.watch {
		defer fmt.Fprintln(w)
	}
	s.write(w)
	return nil
}

// write prints a status as text.
func (s *overview) write(w io.Writer) {
	name := s.Pipeline
	if name == "" {
		name = "the pipeline"
	}
	if s.Holder != nil {
		fmt.Fprintf(w, "%s is %s: process %d on %s, for %s; state in %s\n", name, s.State, s.Holder.PID, s.Holder.Host, s.Elapsed.Round(time.Second), s.Dir)
		s.writePoints(w)
		s.writeRegions(w)
	} else {
		if s.Silent != nil {
			fmt.Fprintf(w, "%s does not answer: %s; it is starting, or about to end; state in %s\n", name, s.Silent, s.Dir)
		} else {
			fmt.Fprintf(w, "%s is not running; state in %s\n", name, s.Dir)
		}
		s.writeFrom(w)
	}
	if len(s.Nodes) > 0 {
		fmt.Fprintln(w)
		s.writeNodes(w)
	}
}

// writePoints prints what there is to say of the checkpoints of a run.
func (s *overview) writePoints(w io.Writer) {
	c := s.Checkpoints
	if p := c.Last; p != nil {
		fmt.Fprintf(w, "checkpoint %d of %s took %s, %s", p.ID, p.Time.Local().Format(time.DateTime), roundly(p.Duration), size(p.Bytes))
	} else {
		fmt.Fprint(w, "no checkpoint since the start")
	}
	fmt.Fprintf(w, "; %d completed, %d failed", c.Completed, c.Failed)
	if c.Flight != 0 {
		fmt.Fprintf(w, "; %d is being taken", c.Flight)
	}
	fmt.Fprintln(w)
	if c.Failure != "" {
		fmt.Fprintf(w, "the last that failed: %s\n", c.Failure)
	}
}

// writeRegions prints what has failed and was started again, or is to be.
func (s *overview) writeRegions(w io.Writer) {
	for _, r := range s.Regions {
		if r.Failure == "" {
			continue
		}
		state := "it runs"
		if !r.Next.IsZero() {
			state = "it is started again in " + max(0, time.Until(r.Next)).Round(time.Second).String()
		}
		fmt.Fprintf(w, "%s: started again %s; %s\n  the last failure, of %s: %s\n", strings.Join(r.Nodes, ", "), times(r.Restarts), state,
			r.Failed.Local().Format(time.DateTime), r.Failure)
	}
}

// times writes how often something has happened.
func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return thousands(n) + " times"
}

func (s *overview) writeFrom(w io.Writer) {
	switch {
	case s.From == nil:
		fmt.Fprintln(w, "no checkpoint has been completed: a run starts at the beginning")
	case s.From.Finished:
		fmt.Fprintf(w, "it finished with checkpoint %d of %s: a run starts anew\n", s.From.ID, s.From.Time.Format(time.DateTime))
	default:
		fmt.Fprintf(w, "a run goes on from checkpoint %d of %s\n", s.From.ID, s.From.Time.Format(time.DateTime))
	}
}

func (s *overview) writeNodes(w io.Writer) {
	rows := [][]string{{"node", "in", "in/s", "out", "queued", "busy", "idle", "blocked", "skew", "watermark", "held by"}}
	for _, n := range s.Nodes {
		rows = append(rows, []string{
			n.Address, thousands(n.In), thousands(int64(n.Rate + 0.5)), thousands(n.Passed + n.Created), thousands(n.Queued),
			percent(n.Busy), percent(n.Idle), percent(n.Blocked), skewText(n.Skew), markText(n.Mark), n.HeldBy,
		})
	}
	live := s.Holder != nil
	writeTable(w, rows, []bool{true, true, live, true, live, live, live, live, skewed(s.Nodes), true, live})
}

// markText writes a watermark, which is at the end of time behind the last record.
func markText(mark string) string {
	if mark == gpflow.MaxTimestamp.String() {
		return "the end"
	}
	return mark
}

// skewText writes how uneven the input of subtasks was.
func skewText(skew float64) string {
	if skew == 0 {
		return ""
	}
	return strconv.FormatFloat(skew, 'f', 1, 64) + "x"
}

// skewed reports whether there is a node whose input can be uneven.
func skewed(nodes []engine.Node) bool {
	return slices.ContainsFunc(nodes, func(n engine.Node) bool { return n.Skew > 0 })
}

func percent(share float64) string { return strconv.Itoa(int(share*100+0.5)) + "%" }

// roundly rounds to three digits or so.
func roundly(d time.Duration) time.Duration {
	for unit := time.Duration(1); unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 10_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
