package engine

import (
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// meter is where the actor of a subtask publishes an operator's ledger, after
// each piece of work. That of a source has two: its reader and its task.
type meter struct {
	mu        sync.Mutex
	counts    gpflow.Counts
	taken     int64
	emitted   []int64 // by port
	watermark gpflow.Timestamp
}

// set publishes what a reader or a writer has counted.
func (m *meter) set(c gpflow.Counts, watermark gpflow.Timestamp) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts, m.watermark = c, max(m.watermark, watermark)
}

// publish publishes what a task has counted. A source's and a sink's counts are
// set by their reader and writer.
func (m *meter) publish(f task.Flow, watermark gpflow.Timestamp) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Counts.In > 0 || f.Counts.Created > 0 {
		m.counts = f.Counts
	}
	m.taken = f.Taken
	m.emitted = append(m.emitted[:0], f.Emitted...)
	m.watermark = max(m.watermark, watermark)
}

// Status is a picture of a job. It is not one instant: each number is a recent
// one.
type Status struct {
	Pipeline string        `json:"pipeline"`
	State    string        `json:"state"` // "running", or an outcome
	Elapsed  time.Duration `json:"elapsed_ns"`
	// Before is how many of the records that the sources have read were read
	// before this start: the ledger is that of the job, over all its starts.
	Before int64  `json:"read_before,omitempty"`
	Nodes  []Node `json:"nodes"` // in the order of the plan
	Edges  []Edge `json:"edges"`
}

// Node is the ledger of one node over all its subtasks.
type Node struct {
	Address     string `json:"address"`
	Block       string `json:"block"`
	Kind        string `json:"kind,omitempty"`
	Role        string `json:"role"` // source, operator or sink
	Parallelism int    `json:"parallelism"`
	gpflow.Counts
	Watermark gpflow.Timestamp `json:"-"`                     // the lowest of its subtasks; MinTimestamp: none yet
	Mark      string           `json:"watermark,omitempty"`   // Watermark as text
	Queued    int64            `json:"queued"`                // rows waiting before its task
	Unread    bool             `json:"late_unread,omitempty"` // late rows go nowhere
	emitted   []int64          // by port
	taken     int64
}

// Edge is the ledger of one edge over all its channels, or of a hand-over
// within a task.
type Edge struct {
	From     string `json:"from"` // address, and port where it is not the main one
	To       string `json:"to"`
	Sent     int64  `json:"sent"`
	Received int64  `json:"received"`
	InTask   bool   `json:"in_task,omitempty"` // a call, not a channel
}

// Report is how a job ended, with its ledger.
type Report struct {
	Status
	Outcome job.Outcome `json:"outcome"`
	Error   string      `json:"error,omitempty"` // of Failed: the cause
	// Imbalances are the sums of the ledger that do not add up: none, or a bug.
	Imbalances []string `json:"imbalances,omitempty"`
}

// Status returns a picture of the job. Any goroutine may call it at any time.
func (r *Run) Status() Status {
	s := Status{Pipeline: r.plan.Pipeline, State: r.state(), Elapsed: r.elapsed(), Before: r.before}
	for _, n := range r.nodes {
		s.Nodes = append(s.Nodes, n.status())
	}
	for _, e := range r.edges {
		s.Edges = append(s.Edges, e.status(r))
	}
	return s
}

// node is a node as the engine runs it.
type node struct {
	Node
	index  int      // in the plan
	ports  []string // names
	read   []bool   // somebody reads the port
	meters []*meter // by subtask
	inbox  []inbox
	outs   int
}

type inbox interface{ Queued() int64 }

func (n *node) status() Node {
	s := n.Node
	s.Watermark = gpflow.MaxTimestamp
	s.emitted = make([]int64, n.outs)
	for _, m := range n.meters {
		m.mu.Lock()
		s.Counts.Add(m.counts)
		s.Watermark = min(s.Watermark, m.watermark)
		s.taken += m.taken
		for p, e := range m.emitted {
			s.emitted[p] += e
		}
		m.mu.Unlock()
	}
	for _, x := range n.inbox {
		s.Queued += x.Queued()
	}
	if s.Watermark != gpflow.MinTimestamp && s.Role != "sink" {
		s.Mark = s.Watermark.String()
	}
	return s
}
