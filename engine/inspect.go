package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// Inspection is a look into a checkpoint.
type Inspection struct {
	manifest *checkpoint.Manifest
	plan     *plan.Plan
	former   *resume.Former
}

// Inspect reads what a checkpoint has, but for its keyed state, which is read when
// it is asked for, piece by piece. open returns a segment that has been compared
// with its checksum, for as long as the Inspection is used, and is asked for each
// once.
func Inspect(m *checkpoint.Manifest, open func(checkpoint.SegmentRef) (*io.SectionReader, error)) (*Inspection, error) {
	p, err := plan.Decode(m.Plan)
	if err != nil {
		return nil, fmt.Errorf("read the plan of checkpoint %d: %w", m.ID, err)
	}
	s, err := resume.New(m, p, p, open)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %d: %w", m.ID, err)
	}
	return &Inspection{m, p, s}, nil
}

// NodeState is what a checkpoint has of a node.
type NodeState struct {
	Address  string `json:"address"`
	Role     string `json:"role"` // source, operator or sink
	Subtasks int    `json:"subtasks"`
	Ended    int    `json:"ended,omitempty"` // of the subtasks: those that had come to the end of their input
	// Watermark is that which the subtask had come to that was the furthest
	// behind; "" where there is none.
	Watermark string `json:"watermark,omitempty"`
	Splits    int    `json:"splits,omitempty"` // of a source: those being read
	Waiting   int    `json:"waiting,omitempty"`
	Done      int    `json:"done,omitempty"` // of a source: splits that have been read to their end
	Timers    int    `json:"timers,omitempty"`
	// Bytes are those of the sink's own state, or of the keyed state as it is
	// saved, with what later changes have replaced.
	Bytes  int64   `json:"bytes"`
	Tables []Table `json:"tables,omitempty"`
}

// Table is a keyed state of an operator.
type Table struct {
	Name    string                    `json:"name"`
	Kind    string                    `json:"kind"`
	Version int                       `json:"version"`
	Key     *gpflow.Schema            `json:"key,omitempty"`
	Value   *gpflow.Schema            `json:"value"`
	Panes   int                       `json:"panes"` // over all subtasks; where they are counted
	Entries int64                     `json:"entries"`
	times   map[gpflow.Timestamp]bool // of the panes
}

// Nodes returns what there is of each node, in the order of the plan. It counts
// the entries, and reads those of panes that have changed since they were saved as
// a whole.
func (x *Inspection) Nodes() ([]NodeState, error) {
	var all []NodeState
	for _, address := range x.Addresses() {
		n, _ := x.Node(address)
		n.Tables = nil
		for _, o := range x.former.Operators(address) {
			if n.Role != "operator" {
				break
			}
			if err := n.count(o); err != nil {
				return nil, x.failed(address, err)
			}
		}
		all = append(all, n)
	}
	return all, nil
}

// failed says of what checkpoint and which node something could not be read.
func (x *Inspection) failed(address string, err error) error {
	return fmt.Errorf("read checkpoint %d: %s: %w", x.manifest.ID, address, err)
}

// Addresses returns those of the nodes, in the order of the plan.
func (x *Inspection) Addresses() (all []string) {
	for _, t := range x.plan.Tasks {
		for _, op := range t.Ops {
			all = append(all, op.ID)
		}
	}
	return all
}

// Node returns what there is of a node, but for its keyed state, of which it says
// how it is declared; false: there is no such node.
func (x *Inspection) Node(address string) (NodeState, bool) {
	for _, t := range x.plan.Tasks {
		for _, op := range t.Ops {
			if op.ID == address {
				return x.node(t.ID, op), true
			}
		}
	}
	return NodeState{}, false
}

func (x *Inspection) node(of string, op plan.Op) NodeState {
	n := NodeState{Address: op.ID, Role: "operator"}
	if rs := x.former.Readers(op.ID); rs != nil {
		n.Ended = x.ended(checkpoint.Reader, op.ID)
		x.source(&n, rs)
		return n
	}
	if ws := x.former.Writers(op.ID); ws != nil {
		n.Role, n.Subtasks, n.Ended = "sink", len(ws), x.ended(checkpoint.Writer, op.ID)
		for _, w := range ws {
			n.Bytes += int64(len(w.State))
		}
		return n
	}
	n.Ended = x.ended(checkpoint.Task, of)
	mark := gpflow.MaxTimestamp
	for _, o := range x.former.Operators(op.ID) {
		n.Subtasks++
		n.Timers += len(o.Timers)
		mark = min(mark, o.Mark)
	}
	n.Watermark = markText(mark)
	for _, d := range op.State {
		n.Tables = append(n.Tables, tableOf(d))
	}
	return n
}

// ended returns how many of some parts had ended for good.
func (x *Inspection) ended(kind checkpoint.Kind, name string) (n int) {
	for _, p := range x.manifest.Parts {
		if p.Kind == kind && p.Name == name && p.Gone {
			n++
		}
	}
	return n
}

func tableOf(d gpflow.StateDescriptor) Table {
	return Table{Name: d.Name, Kind: d.Kind, Version: d.Version, Key: d.Key, Value: d.Value}
}

func (x *Inspection) source(n *NodeState, rs []task.ReaderState) {
	n.Role, n.Subtasks = "source", len(rs)
	mark := gpflow.MaxTimestamp
	for _, r := range rs {
		n.Splits += len(r.Splits)
		mark = min(mark, r.Watermark)
	}
	for _, s := range x.manifest.Sources {
		if s.Address == n.Address {
			n.Waiting, n.Done = len(s.Queue), len(s.Ended)
		}
	}
	n.Watermark = markText(mark)
}

func markText(t gpflow.Timestamp) string {
	if t == gpflow.MinTimestamp {
		return ""
	}
	return t.String()
}

// count adds the keyed state of a subtask.
func (n *NodeState) count(o resume.Operator) error {
	segments, err := o.Segments.All()
	if err != nil || len(segments) == 0 {
		return err
	}
	for _, s := range segments {
		n.Bytes += s.Size()
	}
	saved, err := state.Open(segments)
	if err != nil {
		return err
	}
	for _, d := range saved.Descriptors() {
		n.table(d)
	}
	return saved.Count(func(d gpflow.StateDescriptor, at gpflow.Timestamp, entries int) {
		t := n.table(d)
		t.Entries += int64(entries)
		if t.times == nil {
			t.times = make(map[gpflow.Timestamp]bool)
		}
		t.times[at] = true
		t.Panes = len(t.times)
	})
}

// table returns the table of a state, which it adds where there is none.
func (n *NodeState) table(d gpflow.StateDescriptor) *Table {
	i := slices.IndexFunc(n.Tables, func(t Table) bool { return t.Name == d.Name })
	if i < 0 {
		i = len(n.Tables)
		n.Tables = append(n.Tables, tableOf(d))
	}
	return &n.Tables[i]
}

// Split is how far a split of a source has been read.
type Split struct {
	Subtask   int    `json:"subtask"` // -1: nobody reads it yet
	ID        string `json:"split"`
	Position  []byte `json:"-"` // the connector's own; nil: nothing has been read
	Watermark string `json:"watermark,omitempty"`
}

// Splits returns the splits of a source that are being read, and then those
// that are to be.
func (x *Inspection) Splits(address string) []Split {
	var all []Split
	for i, r := range x.former.Readers(address) {
		for _, s := range r.Splits {
			all = append(all, Split{Subtask: i, ID: s.ID, Position: s.Position, Watermark: markText(s.Time.Mark)})
		}
	}
	for _, s := range x.manifest.Sources {
		if s.Address != address {
			continue
		}
		for _, q := range s.Queue {
			all = append(all, Split{Subtask: -1, ID: q.ID})
		}
	}
	return all
}

// Writers returns the state of each subtask of a sink, in the sink's own form.
func (x *Inspection) Writers(address string) [][]byte {
	var all [][]byte
	for _, w := range x.former.Writers(address) {
		all = append(all, w.State)
	}
	return all
}

// Timers returns the times that an operator waits for.
func (x *Inspection) Timers(address string) []gpflow.Timestamp {
	var all []gpflow.Timestamp
	for _, o := range x.former.Operators(address) {
		all = append(all, o.Timers...)
	}
	slices.Sort(all)
	return all
}

// Ledger returns what each node had counted and how far time had come there, where
// the barrier of the checkpoint came by. What the manifest lists is of a moment
// later, when it was stored.
func (x *Inspection) Ledger() (nodes []Node, err error) {
	if err := json.Unmarshal(x.manifest.Ledger, &nodes); err != nil {
		return nil, fmt.Errorf("read the ledger of checkpoint %d: %w", x.manifest.ID, err)
	}
	for i := range nodes {
		n := &nodes[i]
		at, _ := x.Node(n.Address)
		n.Counts, n.Mark = x.former.Counts(n.Address), at.Watermark
		n.Queued, n.StateMemory, n.StateDisk = 0, 0, 0
	}
	return nodes, nil
}
