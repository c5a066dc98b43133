// With the race detector this takes minutes, and shows nothing more.
//go:build !race

package sim_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/sim"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

var bug = flag.String("sim.bug", "", "plant only the bugs whose names contain this")

// planted are the bugs that have to be found. Where only is set, the output of
// thousands of seeds does not show the bug: what it breaks is another promise.
var planted = []struct {
	name string
	sim.Config
	only string
}{
	{name: "no alignment", Config: sim.Config{Task: task.NoAlignment}},
	{name: "credit for the end of time", Config: sim.Config{Exchange: exchange.EndNeedsCredit}, only: "progress"},
	{name: "watermark not restored", Config: sim.Config{Task: task.WatermarkNotRestored}, only: "watermark"},
	{name: "timers not restored", Config: sim.Config{Task: task.TimersNotRestored}, only: "timers"},
	{name: "snapshot with rows on their way", Config: sim.Config{Task: task.UnsettledSnapshot}},
	{name: "commit before the manifest", Config: sim.Config{Coordinator: checkpoint.CommitBeforeStored}},
	{name: "complete without all", Config: sim.Config{Coordinator: checkpoint.CompleteWithoutAll}},
	{name: "what was aborted forgotten", Config: sim.Config{Coordinator: checkpoint.ForgetAborted}},
	{name: "what is uncommitted forgotten", Config: sim.Config{Coordinator: checkpoint.ForgetUncommitted}},
	{name: "no commit again", Config: sim.Config{Coordinator: checkpoint.ForgetRestored}},
	{name: "commits at once", Config: sim.Config{Coordinator: checkpoint.CommitAtOnce}, only: "commits in order"},
	{name: "no copy on write", Config: sim.Config{State: state.NoCopyOnWrite}},
	{name: "dirty rows forgotten", Config: sim.Config{State: state.ForgetDirty}},
	{name: "key group restored twice", Config: sim.Config{State: state.RestoreTwice}},
	{name: "evicted rows forgotten", Config: sim.Config{State: state.ForgetEvicted}},
	{name: "rows on the disk before those in memory", Config: sim.Config{State: state.ColdWins}},
	{name: "dropped panes kept on the disk", Config: sim.Config{State: state.KeepDropped}},
	{name: "positions one poll behind", Config: sim.Config{Part: part.PositionsOneBehind}},
	{name: "time of splits not in the snapshot", Config: sim.Config{Part: part.TimesNotSaved}},
	{name: "ledger not in the snapshot", Config: sim.Config{Part: part.CountsNotSaved}, only: "ledger"},
	{name: "what a failed poll had read kept", Config: sim.Config{Part: part.UnreadKept}},
	{name: "write to be made again forgotten", Config: sim.Config{Part: part.RetryForgotten}},
	{name: "memory of what was aborted used again", Config: sim.Config{Part: part.AbortFrees}},
	{name: "deltas of what was aborted forgotten", Config: sim.Config{Part: part.AbortCompletes}},
	{name: "deltas beside whole states", Config: sim.Config{Part: part.MixedDeltas}},
	{name: "marks of namesakes", Config: sim.Config{Resume: resume.MarksOfNamesakes}, only: "watermark"},
	{name: "last split of lost readers lost", Config: sim.Config{Resume: resume.LastSplitLost}},
	{name: "regions go on from where the job did", Config: sim.Config{Resume: resume.CurrentForgotten}},
	{name: "what was found in doubt ignored", Config: sim.Config{Resume: resume.FoundIgnored}},
	{name: "savepoints to be made not waited for", Config: sim.Config{Resume: resume.RetainAtOnce}, only: "savepoint"},
	{name: "savepoint of another checkpoint", Config: sim.Config{Resume: resume.SaveCurrent}, only: "savepoint"},
	{name: "commit not idempotent", Config: sim.Config{Own: sim.CommitNotIdempotent}},
	{name: "what was staged kept", Config: sim.Config{Own: sim.KeepStaged}},
	{name: "timers to one subtask", Config: sim.Config{Resume: resume.TimersToOne}, only: "timers"},
	{name: "output of no subtask dropped", Config: sim.Config{Resume: resume.DropHomeless}},
	{name: "prepared by what is down kept", Config: sim.Config{Coordinator: checkpoint.KeepPrepared}, only: "C8"},
	{name: "no commit again of a region", Config: sim.Config{Coordinator: checkpoint.ForgetUp}},
	{name: "gone parts not reset", Config: sim.Config{Coordinator: checkpoint.KeepGone}},
	{name: "region does not wait for storing", Config: sim.Config{Job: job.RebuildWhileStoring}},
	{name: "doubt ignored", Config: sim.Config{Job: job.IgnoreDoubt}},
	{name: "no claim in doubt", Config: sim.Config{Job: job.RebuildWithoutClaim}},
	{name: "ended sinks of a region kept", Config: sim.Config{Job: job.KeepEnded}, only: "stop"},
	{name: "start without an epoch", Config: sim.Config{Own: sim.ClaimNothing}},
	{name: "store that is not safe", Config: sim.Config{Own: sim.StoreUnsafe}},
}

// find returns the first seed that finds a bug, and what it says.
func find(c sim.Config, atMost uint64) (seed uint64, v *sim.Violation) {
	for seed := range atMost {
		if r := sim.Run(seed, c); errors.As(r.Err, &v) {
			return seed, v
		}
	}
	return atMost, nil
}

// TestPlanted: each bug is found, by the promises as they are watched and, where
// it makes a difference there, by the output alone, or by the job not getting
// to its end.
func TestPlanted(t *testing.T) {
	const atMost = 4000
	var table strings.Builder
	fmt.Fprintf(&table, "%-36s %5s %5s  %-62s %s\n", "bug", "seed", "runs", "which says", "by the output alone")
	for _, p := range planted {
		if !strings.Contains(p.name, *bug) {
			continue
		}
		seed, v := find(p.Config, atMost)
		if v == nil {
			t.Errorf("%s: not found in %d seeds", p.name, atMost)
			continue
		}
		alone := "no: " + p.only
		if p.only == "" {
			c := p.Config
			c.OutputOnly = true
			seed, v := find(c, atMost)
			if v == nil {
				t.Errorf("%s: the output of %d seeds does not show it", p.name, atMost)
				continue
			}
			alone = fmt.Sprintf("seed %d, after %d runs", seed, seed+1)
		}
		fmt.Fprintf(&table, "%-36s %5d %5d  %-62.62s %s\n", p.name, seed, seed+1, v.Error(), alone)
	}
	t.Logf("found:\n%s", &table)
}
