package engine

import (
	"encoding/json"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
)

// Plans of tests are made of these.

func anOp(id, block, kind string, in *gpflow.Schema, ports ...plan.Port) plan.Op {
	op := plan.Op{
		ID: id, Block: block, Kind: kind, Config: json.RawMessage("{}"), Ports: ports, Parent: -1,
		OnError: plan.OnError{Action: gpflow.ActionFail, Limit: -1}, Range: "test.gp.hcl:1,1",
	}
	if in != nil {
		op.In = []*gpflow.Schema{in}
	}
	return op
}

// source is a test source whose rows are clicks, with a port for errors.
func source(id string, e *plan.EventTime) plan.Op {
	op := anOp(id, "source", "feed", nil, plan.Port{Schema: clicks(), Read: true}, plan.Port{Name: "errors", Schema: gpflow.ErrorSchema()})
	op.EventTime = e
	return op
}

// operator is a test operator from clicks to clicks.
func operator(id, kind string) plan.Op {
	return anOp(id, "op", kind, clicks(), plan.Port{Schema: clicks(), Read: true})
}

// counter is a test window.
func counter(id string, lateRead bool) plan.Op {
	return anOp(id, "op", "window", clicks(), plan.Port{Schema: counts(), Read: true}, plan.Port{Name: "late", Schema: clicks(), Read: lateRead})
}

func sink(id string, in *gpflow.Schema) plan.Op { return anOp(id, "sink", "store", in) }

// below makes op read a port of operator parent of the same task.
func below(op plan.Op, parent, port int) plan.Op {
	op.Parent, op.ParentPort = parent, port
	return op
}

func inTask(parallelism int, ops ...plan.Op) plan.Task {
	return plan.Task{ID: ops[0].ID, Parallelism: parallelism, Ops: ops}
}

func joint(from string, op, port int, to string, p plan.Partition, key ...string) plan.Edge {
	return plan.Edge{From: from, FromOp: op, FromPort: port, To: to, Partition: p, Key: key}
}

// at is the event time of clicks.
func at(disorder gpflow.Duration) *plan.EventTime {
	return &plan.EventTime{Column: "at", OutOfOrder: disorder, MaxFuture: -1, Used: true}
}

// straight is source.a -> op.x of a kind -> sink.out, in one task.
func straight(parallelism int, kind string) []plan.Task {
	return []plan.Task{inTask(parallelism, source("source.a", nil), below(operator("op.x", kind), 0, 0), below(sink("sink.out", clicks()), 1, 0))}
}

// windowed is source.a -> window.w -> sink.out and sink.late, the window in
// tasks of its own.
func windowed(readers, windows int, e *plan.EventTime) ([]plan.Task, []plan.Edge) {
	return []plan.Task{
			inTask(readers, source("source.a", e)),
			inTask(windows, counter("window.w", true), below(sink("sink.out", counts()), 0, 0), below(sink("sink.late", clicks()), 0, 1)),
		},
		[]plan.Edge{joint("source.a", 0, 0, "window.w", plan.Hash, "k")}
}

// series returns n records of some keys, a microsecond apart.
func series(n, keys int) []record {
	rs := make([]record, n)
	for i := range rs {
		rs[i] = record{k: int64(i % keys), at: gpflow.Timestamp(i), text: fmt.Sprintf("text %d", i)}
	}
	return rs
}
