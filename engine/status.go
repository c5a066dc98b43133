package engine

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
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
	holder    int // the channel that holds the task's watermark back; -1: none
	retries   int64
}

// retried counts a call that is made again.
func (m *meter) retried() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retries++
}

// set publishes what a reader or a writer has counted.
func (m *meter) set(c gpflow.Counts, watermark gpflow.Timestamp) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts, m.watermark = c, max(m.watermark, watermark)
}

// publish publishes what a task has counted. A source's and a sink's counts are
// set by their reader and writer.
func (m *meter) publish(f task.Flow, watermark gpflow.Timestamp, holder int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Counts.In > 0 || f.Counts.Created > 0 {
		m.counts = f.Counts
	}
	m.taken = f.Taken
	m.emitted = append(m.emitted[:0], f.Emitted...)
	m.watermark, m.holder = max(m.watermark, watermark), holder
}

// Status is a picture of a job. It is not one instant: each number is a recent
// one.
type Status struct {
	Pipeline string        `json:"pipeline"`
	State    string        `json:"state"` // "running", or an outcome
	Elapsed  time.Duration `json:"elapsed_ns"`
	// Before is how many of the records that the sources have read were read
	// before this start: the ledger is that of the job, over all its starts.
	Before int64 `json:"read_before,omitempty"`
	// Checkpoints are those of this start.
	Checkpoints Points `json:"checkpoints"`
	// Regions are the parts of the pipeline that are started again by themselves,
	// in the order of their first nodes.
	Regions []Region `json:"regions,omitempty"`
	Nodes   []Node   `json:"nodes"` // in the order of the plan
	Edges   []Edge   `json:"edges"`
}

// Node is the ledger of one node over all its subtasks.
type Node struct {
	Address     string `json:"address"`
	Block       string `json:"block"`
	Kind        string `json:"kind,omitempty"`
	Role        string `json:"role"` // source, operator or sink
	Parallelism int    `json:"parallelism"`
	Task        string `json:"task,omitempty"` // nodes of one task run together
	// Delivery is the guarantee of a sink; see gpflow.Delivery.
	Delivery gpflow.Delivery `json:"delivery,omitempty"`
	// AtEnd says that the output of a sink appears when the input has ended.
	AtEnd bool `json:"at_end,omitempty"`
	gpflow.Counts
	// Retries is how many calls of a source or a sink have failed in this start,
	// and were made again.
	Retries int64 `json:"retries,omitempty"`
	// Rate is how many records a second have come in of late; when the job has
	// ended, over all of this start. Load likewise.
	Rate float64 `json:"rate"`
	Load
	Watermark gpflow.Timestamp `json:"-"`                   // the lowest of its subtasks; MinTimestamp: none yet
	Mark      string           `json:"watermark,omitempty"` // Watermark as text
	// HeldBy is who holds the watermark back: the subtask of a source, or what
	// has not yet said what time it is; "" where that is the node itself.
	HeldBy string `json:"held_by,omitempty"`
	// Restarts is how often the node's region has been started again.
	Restarts int64 `json:"restarts,omitempty"`
	Queued   int64 `json:"queued"` // rows waiting before its task
	// StateMemory and StateDisk are about how many bytes its keyed state holds in
	// memory, and on the disk for want of memory; both are 0 where there is no
	// bound.
	StateMemory int64 `json:"state_memory,omitempty"`
	StateDisk   int64 `json:"state_disk,omitempty"`
	// Skew is how much of the input of this start went to the subtask that got
	// the most, as a multiple of an equal share: 1 is even. 0: there was no input,
	// or there is one subtask.
	Skew   float64 `json:"skew,omitempty"`
	Unread bool    `json:"late_unread,omitempty"` // late rows go nowhere
	// Missed has, by what the node reads, as Edge.From names it, the rows that
	// had left there before the pipeline was changed so that it does.
	Missed  map[string]int64 `json:"missed,omitempty"`
	emitted []int64          // by port
	taken   int64
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
	s := r.status(r.ledger())
	now := r.sample(s.Nodes)
	then := r.pulse.since(now, s.State != running)
	nodes := r.view.Load().nodes
	for i := range s.Nodes {
		s.Nodes[i].rates(then.nodes[i], now.nodes[i], now.at.Sub(then.at))
		s.Nodes[i].Skew = skew(r.pulse.first.nodes[i].subtasks, now.nodes[i].subtasks)
		s.Nodes[i].HeldBy = nodes[i].heldBy()
		s.Nodes[i].Restarts = s.Regions[r.regions.of[s.Nodes[i].Address]].Restarts
	}
	return s
}

// status is Status but for what has been the case of late.
func (r *Run) status(nodes []Node) Status {
	s := Status{Pipeline: r.plan.Pipeline, State: r.state(), Elapsed: r.elapsed(), Before: r.before, Checkpoints: r.points.read(), Regions: r.fates.read(), Nodes: nodes}
	for _, e := range r.view.Load().edges {
		s.Edges = append(s.Edges, e.status(r))
	}
	return s
}

// view is what the parts of a job publish themselves in: when a region is made
// anew, another view takes its place.
type view struct {
	nodes []*node // in the order of the plan
	edges []*edge
}

// with returns v with what has been made anew in the place of what was there: the
// edges of a region are always made in the same order. nil stands for a view of
// nothing.
func (v *view) with(b *build) *view {
	if v == nil {
		return &view{b.nodes, b.edges}
	}
	n := &view{slices.Clone(v.nodes), slices.Clone(v.edges)}
	for _, x := range b.nodes {
		x.Retries = n.nodes[x.index].status().Retries // of this start, before it was made anew
		n.nodes[x.index] = x
	}
	next := 0
	for i, e := range n.edges {
		if _, anew := b.regions[e.region]; anew {
			n.edges[i] = b.edges[next]
			next++
		}
	}
	return n
}

// ledger returns what the nodes have counted.
func (r *Run) ledger() []Node {
	all := r.view.Load().nodes
	nodes := make([]Node, len(all))
	for i, n := range all {
		nodes[i] = n.status()
	}
	return nodes
}

// sample returns what has been counted until now, or the end.
func (r *Run) sample(nodes []Node) sample {
	s := sample{at: r.started.Add(r.elapsed()), nodes: make([]nodeSample, len(nodes))}
	fates := r.fates.read()
	for i, n := range r.view.Load().nodes {
		s.nodes[i].in, s.nodes[i].subtasks = nodes[i].In, n.ins()
		s.nodes[i].restarts = fates[r.regions.of[n.Address]].Restarts
		for _, g := range n.gauges {
			for a, d := range g.read(s.at) {
				s.nodes[i].spent[a] += d
			}
		}
	}
	return s
}

// node is a node as the engine runs it.
type node struct {
	Node
	index  int             // in the plan
	ports  []string        // names
	read   []bool          // somebody reads the port
	meters []*meter        // by subtask
	gauges []*gauge        // likewise
	parts  []*draft        // likewise
	states []*state.Memory // likewise, of an operator
	inbox  []inbox
	outs   int
	before gpflow.Counts // the ledger at the checkpoint that the job goes on from
	left   []int64       // likewise, the rows that had left each port
}

// sender is who feeds a channel: a subtask of a node.
type sender struct {
	*node
	subtask int
}

func (s sender) String() string {
	if s.Parallelism == 1 {
		return s.Address
	}
	return fmt.Sprintf("%s[%d]", s.Address, s.subtask)
}

// heldBy follows the watermark of the subtask that is the furthest behind to
// whoever holds it.
func (n *node) heldBy() string {
	at := sender{n, 0}
	lowest := gpflow.MaxTimestamp
	for i, m := range n.meters {
		if t, _ := m.mark(); t < lowest {
			at.subtask, lowest = i, t
		}
	}
	if lowest == gpflow.MaxTimestamp || n.Role == "sink" {
		return ""
	}
	for at.Role != "source" {
		_, holder := at.meters[at.subtask].mark()
		senders := at.parts[at.subtask].senders
		if holder < 0 || holder >= len(senders) {
			break
		}
		at = senders[holder] // a plan has no cycles
	}
	if at.node == n {
		return ""
	}
	return at.String()
}

// ins returns how many records have come into each subtask.
func (n *node) ins() []int64 {
	in := make([]int64, len(n.meters))
	for i, m := range n.meters {
		m.mu.Lock()
		in[i] = m.counts.In
		m.mu.Unlock()
	}
	return in
}

// mark returns the watermark, and the channel that holds it.
func (m *meter) mark() (gpflow.Timestamp, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.watermark, m.holder
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
		s.Retries += m.retries
		for p, e := range m.emitted {
			s.emitted[p] += e
		}
		m.mu.Unlock()
	}
	for _, x := range n.inbox {
		s.Queued += x.Queued()
	}
	for _, m := range n.states {
		memory, disk := m.Held()
		s.StateMemory += memory
		s.StateDisk += disk
	}
	if s.Watermark != gpflow.MinTimestamp && s.Role != "sink" {
		s.Mark = s.Watermark.String()
	}
	return s
}
