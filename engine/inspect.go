package engine

import (
	"encoding/json"
	"fmt"
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

// Inspect reads a checkpoint. segments returns the segments of a part, which
// the Inspection keeps.
func Inspect(m *checkpoint.Manifest, segments func(checkpoint.PartState) ([][]byte, error)) (*Inspection, error) {
	p, err := plan.Decode(m.Plan)
	if err != nil {
		return nil, fmt.Errorf("read the plan of checkpoint %d: %w", m.ID, err)
	}
	read := make(map[string][]byte)
	for _, part := range m.Parts {
		all, err := segments(part)
		if err != nil {
			return nil, fmt.Errorf("read checkpoint %d: %w", m.ID, err)
		}
		for i, b := range all {
			read[part.Segments[i].Object] = b
		}
	}
	s, err := resume.New(m, p, p, func(s checkpoint.SegmentRef) ([]byte, error) { return read[s.Object], nil })
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
	// Watermark is that which the subtask had come to that was the furthest
	// behind; "" where there is none.
	Watermark string `json:"watermark,omitempty"`
	Splits    int    `json:"splits,omitempty"` // of a source: those being read
	Waiting   int    `json:"waiting,omitempty"`
	Timers    int    `json:"timers,omitempty"`
	// Bytes are those of the sink's own state, or of the keyed state as it is
	// saved, with what later changes have replaced.
	Bytes  int64   `json:"bytes"`
	Tables []Table `json:"tables,omitempty"`
}

// Table is a keyed state of an operator.
type Table struct {
	Name    string             `json:"name"`
	Kind    string             `json:"kind"`
	Version int                `json:"version"`
	Key     *gpflow.Schema     `json:"key,omitempty"`
	Value   *gpflow.Schema     `json:"value"`
	Panes   int                `json:"panes"` // over all subtasks
	Entries int64              `json:"entries"`
	times   []gpflow.Timestamp // of the panes
}

// Nodes returns what there is of each node, in the order of the plan.
func (x *Inspection) Nodes() ([]NodeState, error) {
	var all []NodeState
	for _, t := range x.plan.Tasks {
		for _, op := range t.Ops {
			n, err := x.node(op.ID)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", op.ID, err)
			}
			all = append(all, n)
		}
	}
	return all, nil
}

func (x *Inspection) node(address string) (NodeState, error) {
	n := NodeState{Address: address, Role: "operator"}
	if rs := x.former.Readers(address); rs != nil {
		x.source(&n, rs)
		return n, nil
	}
	if ws := x.former.Writers(address); ws != nil {
		n.Role, n.Subtasks = "sink", len(ws)
		for _, w := range ws {
			n.Bytes += int64(len(w.State))
		}
		return n, nil
	}
	mark := gpflow.MaxTimestamp
	for _, o := range x.former.Operators(address) {
		n.Subtasks++
		n.Timers += len(o.Timers)
		mark = min(mark, o.Mark)
		if err := n.count(o); err != nil {
			return n, err
		}
	}
	n.Watermark = markText(mark)
	return n, nil
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
			n.Waiting = len(s.Queue)
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
		n.Bytes += int64(len(s))
	}
	m, err := state.Open(segments)
	if err != nil {
		return err
	}
	for _, d := range m.Descriptors() {
		i := slices.IndexFunc(n.Tables, func(t Table) bool { return t.Name == d.Name })
		if i < 0 {
			i = len(n.Tables)
			n.Tables = append(n.Tables, Table{Name: d.Name, Kind: d.Kind, Version: d.Version, Key: d.Key, Value: d.Value})
		}
		t := &n.Tables[i]
		for _, at := range m.Times(d.Name) {
			t.Entries += int64(m.Panes(d.Name).Len(at))
			if !slices.Contains(t.times, at) {
				t.times = append(t.times, at)
			}
		}
		t.Panes = len(t.times)
	}
	return nil
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

// Entry is one of keyed state. Its values belong to the Inspection.
type Entry struct {
	Subtask int
	Table   gpflow.StateDescriptor
	Pane    gpflow.Timestamp
	Key     []gpflow.Value // by the columns of Table.Key
	Row     []gpflow.Value // by the columns of Table.Value
}

// Entries gives the entries of an operator to f, by subtask, state, pane and
// key group, until f returns an error.
func (x *Inspection) Entries(address string, f func(Entry) error) error {
	for i, o := range x.former.Operators(address) {
		segments, err := o.Segments.All()
		if err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		if len(segments) == 0 {
			continue
		}
		m, err := state.Open(segments)
		if err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		for _, d := range m.Descriptors() {
			for _, at := range m.Times(d.Name) {
				if err := entries(m, Entry{Subtask: i, Table: d, Pane: at}, f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// entries gives those of a pane to f.
func entries(m *state.Memory, e Entry, f func(Entry) error) error {
	p := m.Panes(e.Table.Name)
	columns := 0
	if e.Table.Key != nil {
		columns = e.Table.Key.Width()
	}
	var c gpflow.Cursor
	for {
		next, key, row, ok := p.Next(e.Pane, c)
		if !ok {
			return nil
		}
		var err error
		if e.Key, err = gpflow.DecodeKey(key, columns); err != nil {
			return fmt.Errorf("state %s: %w", e.Table.Name, err)
		}
		e.Row, c = row, next
		if err := f(e); err != nil {
			return err
		}
	}
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

// Ledger returns what each node has counted until the checkpoint.
func (x *Inspection) Ledger() (nodes []Node, err error) {
	err = json.Unmarshal(x.manifest.Ledger, &nodes)
	return nodes, err
}
