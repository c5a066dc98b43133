package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/part"
)

// RecordFailure is the end of a job because of one record.
type RecordFailure struct {
	Node           string // address
	Range          string // where the node stands in the spec: "file:line,col"
	Split          string // where the record comes from; "": an operator made it
	Position, Line int64  // Line 0: unknown
	Limit          int64  // failures that were allowed; -1: no limit was passed, the action is fail
	Err            error
}

func (f *RecordFailure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: ", f.Range, f.Node)
	switch {
	case f.Limit == 0:
		b.WriteString("on_error allows no failed record: ")
	case f.Limit == 1:
		b.WriteString("more than the one failed record that on_error allows; the last: ")
	case f.Limit > 1:
		fmt.Fprintf(&b, "more than the %d failed records that on_error allows; the last: ", f.Limit)
	}
	if f.Split != "" {
		fmt.Fprintf(&b, "%s", f.Split)
		if f.Line > 0 {
			fmt.Fprintf(&b, ", line %d", f.Line)
		}
		fmt.Fprintf(&b, " (offset %d): ", f.Position)
	}
	b.WriteString(f.Err.Error())
	return b.String()
}

// Unwrap returns the record's own error.
func (f *RecordFailure) Unwrap() error { return f.Err }

// warnings is how many skipped records of a node are logged as warnings; the
// others are counted.
const warnings = 3

// policy is a node's on_error. Its count is shared by the node's subtasks.
type policy struct {
	op     *plan.Op
	log    *slog.Logger
	before int64 // records that had failed at the checkpoint that the job goes on from
	count  *atomic.Int64
}

// decide returns what becomes of a record that failed, or the job's failure.
func (p policy) decide(f RecordFailure) (gpflow.Action, error) {
	f.Node, f.Range, f.Limit = p.op.ID, p.op.Range, -1
	n := p.count.Add(1)
	if a := p.op.OnError.Action; a == gpflow.ActionFail || a == gpflow.ActionRetry {
		return gpflow.ActionFail, &f
	}
	if limit := p.op.OnError.Limit; limit >= 0 && p.before+n > limit {
		f.Limit = limit
		return gpflow.ActionFail, &f
	}
	level := slog.LevelDebug // a diverted record has a reader
	if p.op.OnError.Action == gpflow.ActionSkip && n <= warnings {
		level = slog.LevelWarn
	}
	p.log.Log(context.Background(), level, "a record failed", "node", f.Node, "action", p.op.OnError.Action, "split", f.Split,
		"line", f.Line, "offset", f.Position, "error", f.Err.Error())
	return p.op.OnError.Action, nil
}

// Failed implements gpflow.FailurePolicy.
func (p policy) Failed(in *gpflow.Batch, row int, err error, errors *gpflow.Builder) (gpflow.Action, error) {
	f := RecordFailure{Err: err}
	f.Split, f.Position, f.Line, _ = in.Position(row)
	action, ferr := p.decide(f)
	if ferr == nil && action == gpflow.ActionDivert {
		gpflow.AppendError(errors, p.op.ID, in, row, err)
	}
	return action, ferr
}

// Undecoded implements part.Failures.
func (p policy) Undecoded(split string, r gpflow.FailedRecord, errors *gpflow.Builder) (gpflow.Action, error) {
	action, err := p.decide(RecordFailure{Split: split, Position: r.Position, Line: r.Line, Err: r.Err})
	if err == nil && action == gpflow.ActionDivert {
		gpflow.AppendFailed(errors, p.op.ID, split, r)
	}
	return action, err
}

// retry returns what decides when calls of a subtask, whose meter counts them, are
// made again.
func (p policy) retry(m *meter) part.Retry {
	on := p.op.OnError
	return part.Retry{On: on, Told: func(retry int, pause time.Duration, err error) {
		m.retried()
		if retry <= warnings {
			p.log.Warn("a call failed, and is made again", "node", p.op.ID, "in", pause, "retry", retry, "of", on.Retries, "error", err.Error())
		}
	}}
}
