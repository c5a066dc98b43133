package resume

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/task"
)

// Loss is state of a node that nobody can go on from.
type Loss struct {
	Address string // of the node that had it
	What    string // the state, in words
	Why     string // what has changed
}

func (l Loss) String() string { return fmt.Sprintf("%s, %s: %s", l.Address, l.What, l.Why) }

// LossError says that a pipeline was changed so that state would be lost.
type LossError struct{ Losses []Loss }

func (e *LossError) Error() string {
	var b strings.Builder
	b.WriteString("the pipeline was changed, so that state would be lost:\n")
	for _, l := range e.Losses {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	b.WriteString("  Take the change back to go on; give up that state, and go on with the rest, with --allow-state-loss; or begin anew with --fresh, which leaves all of it aside")
	return b.String()
}

// The states of nodes in words.
const (
	positions = "how far it was read"
	keyed     = "what it keeps"
	prepared  = "what it may still have to show"
)

// Changes is what has become of the nodes of a checkpoint.
type Changes struct {
	// Lost is in the order of addresses.
	Lost []Loss
	// anew are the nodes that begin as if they had never been, with or without
	// a loss.
	anew map[string]bool
}

// Compare returns what a pipeline whose plan is now can go on with of checkpoint
// m, whose plan was then. Nodes are compared by their addresses.
//
// A source keeps its positions, an operator its state and a sink what it has
// staged, unless it is gone, or of another kind, or one of its fields has changed
// whose update class says so: Drop or Replace. An operator whose state is described in another way
// than it was, or is made of records of other sources, has lost it. The
// number of subtasks, nodes without state, and what lies between nodes may change
// freely; nodes that are new begin with what comes.
func Compare(r *gpflow.Registry, m *checkpoint.Manifest, then, now *plan.Plan) Changes {
	was, is := nodesOf(then), nodesOf(now)
	c := Changes{anew: make(map[string]bool)}
	for _, address := range slices.Sorted(maps.Keys(was)) {
		old := was[address]
		n, ok := is[address]
		why := "it is not there any more"
		if ok {
			why = changed(r, old, n)
		}
		if why == "" && len(old.op.State) > 0 && then.KeyGroups != now.KeyGroups {
			why = fmt.Sprintf("key_groups was %d and is %d", then.KeyGroups, now.KeyGroups)
		}
		c.anew[address] = why != "" || !old.desc(r).IsSink() && !slices.Equal(old.sources, n.sources)
		if what := old.state(r, m); what != "" && why != "" {
			c.Lost = append(c.Lost, Loss{address, what, why})
		}
	}
	for i := range c.Lost {
		if l := &c.Lost[i]; l.What == positions {
			l.Why += c.added(l.Address, is)
		}
	}
	return c
}

// added says what keeps its state though a source that it is made of is read from
// the beginning again.
func (c Changes) added(source string, is map[string]node) string {
	var keep []string
	for _, address := range slices.Sorted(maps.Keys(is)) {
		anew, old := c.anew[address]
		if n := is[address]; old && !anew && len(n.op.State) > 0 && slices.Contains(n.sources, source) {
			keep = append(keep, address)
		}
	}
	if keep == nil {
		return ""
	}
	return ", so that what it reads, from its beginning, is added to the state that is kept of " + strings.Join(keep, ", ")
}

// node is a node of a plan.
type node struct {
	op      *plan.Op
	from    []string // addresses of the nodes that it reads
	sources []string // those that its records come from, sorted
}

// desc returns the descriptor of the node; a zero one where the program has none.
func (n node) desc(r *gpflow.Registry) *gpflow.Descriptor {
	if d := r.Lookup(n.op.Block, n.op.Kind); d != nil {
		return d
	}
	return &gpflow.Descriptor{}
}

// state says in words what m has of the node; "": nothing that could be lost.
func (n node) state(r *gpflow.Registry, m *checkpoint.Manifest) string {
	of := func(p checkpoint.Part) bool { return p.Name == n.op.ID && p.Kind != checkpoint.Task }
	part := slices.IndexFunc(m.Parts, func(p checkpoint.PartState) bool { return of(p.Part) })
	switch {
	case len(n.op.State) > 0:
		return keyed
	case part >= 0 && m.Parts[part].Kind == checkpoint.Reader:
		return positions
	case slices.ContainsFunc(m.Committables, func(p checkpoint.Pending) bool { return of(p.Part) }):
		return prepared
	}
	staged := slices.ContainsFunc(m.Parts, func(p checkpoint.PartState) bool {
		var w task.WriterState
		return of(p.Part) && p.Kind == checkpoint.Writer && json.Unmarshal(p.Data, &w) == nil && len(w.State) > 0
	})
	if staged {
		return prepared
	}
	return ""
}

func nodesOf(p *plan.Plan) map[string]node {
	nodes := make(map[string]node)
	for t := range p.Tasks {
		ops := p.Tasks[t].Ops
		for i := range ops {
			n := node{op: &ops[i]}
			if i > 0 {
				n.from = append(n.from, ops[ops[i].Parent].ID)
			}
			nodes[ops[i].ID] = n
		}
	}
	for _, e := range p.Edges {
		to := p.Task(e.To).Ops[0].ID
		n := nodes[to]
		n.from = append(n.from, p.Task(e.From).Ops[e.FromOp].ID)
		nodes[to] = n
	}
	for address, n := range nodes {
		found := make(map[string]bool)
		n.origins(nodes, found)
		n.sources = slices.Sorted(maps.Keys(found))
		nodes[address] = n
	}
	return nodes
}

// origins adds the sources of n to found.
func (n node) origins(nodes map[string]node, found map[string]bool) {
	if len(n.from) == 0 {
		found[n.op.ID] = true
	}
	for _, from := range n.from {
		nodes[from].origins(nodes, found)
	}
}

// changed says why a node cannot have its state any more; "": it can.
func changed(r *gpflow.Registry, old, now node) string {
	a, b := old.op, now.op
	keeps := len(a.State) > 0
	switch {
	case a.Block != b.Block || a.Kind != b.Kind:
		return "it was of another kind, " + strings.TrimSpace(a.Block+" "+a.Kind)
	case keeps && !slices.Equal(old.sources, now.sources):
		return fmt.Sprintf("its records came from %s, and come from %s", strings.Join(old.sources, ", "), strings.Join(now.sources, ", "))
	}
	if fields := dropped(now.desc(r).AllFields(), a.Config, b.Config); fields != nil {
		return strings.Join(fields, ", ") + " changed"
	}
	if keeps {
		for _, name := range slices.Sorted(maps.Keys(a.Constants)) {
			if c, ok := b.Constants[name]; ok && !bytes.Equal(c.Value, a.Constants[name].Value) {
				return name + " has another value"
			}
		}
	}
	if now.desc(r).IsSink() && !slices.EqualFunc(a.In, b.In, (*gpflow.Schema).Equal) {
		return fmt.Sprintf("its records had the columns %s, and have %s", columns(a.In...), columns(b.In...))
	}
	was, err := json.Marshal(a.State)
	if err != nil {
		return "its state cannot be described"
	}
	if is, err := json.Marshal(b.State); err != nil || !bytes.Equal(was, is) {
		if x, y := kept(a.State), kept(b.State); x != y {
			return fmt.Sprintf("it kept %s, and keeps %s", x, y)
		}
		return "it keeps the same in another form"
	}
	return ""
}

// columns lists columns with their types.
func columns(schemas ...*gpflow.Schema) string {
	var all []string
	for _, s := range schemas {
		for _, c := range s.Columns {
			all = append(all, c.Name+" "+c.Type.String())
		}
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

// kept says in words what states are.
func kept(states []gpflow.StateDescriptor) string {
	var all []string
	for _, s := range states {
		text := columns(s.Value)
		if s.Key != nil && s.Key.Width() > 0 {
			text += " for each " + columns(s.Key)
		}
		all = append(all, text)
	}
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, "; ")
}

// dropped returns the fields that differ and whose change takes the state away.
// What differs within a block is judged by the fields of the block.
func dropped(fields []gpflow.Field, a, b json.RawMessage) (names []string) {
	var was, is map[string]json.RawMessage
	if unmarshal(a, &was) != nil || unmarshal(b, &is) != nil {
		return nil
	}
	for _, f := range fields {
		x, y := was[f.Name], is[f.Name]
		switch {
		case bytes.Equal(x, y):
		case f.Kind == gpflow.FieldBlock && !f.Many:
			for _, name := range dropped(f.Fields, x, y) {
				names = append(names, f.Name+"."+name)
			}
		case f.Update == gpflow.Drop || f.Update == gpflow.Replace:
			names = append(names, f.Name)
		}
	}
	return names
}

// unmarshal takes what is not there for an empty object.
func unmarshal(data json.RawMessage, into *map[string]json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, into)
}

// Forget has the nodes begin anew that cannot go on with what they were. It is
// called before f is used.
func (f *Former) Forget(c Changes) {
	for address, anew := range c.anew {
		if !anew {
			continue
		}
		f.forgotten[address] = true
		delete(f.readers, address)
		delete(f.operators, address)
		delete(f.writers, address)
		maps.DeleteFunc(f.splits, func(s splitName, _ *task.SplitState) bool { return s.source == address })
	}
}
