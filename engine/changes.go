package engine

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
)

// ChangedError says that a plan is not the one whose state there is.
type ChangedError struct {
	Changes []string // what differs, in words
}

func (e *ChangedError) Error() string {
	return "the pipeline is not the one whose state there is:\n  " + strings.Join(e.Changes, "\n  ") +
		"\n  Take the change back to go on; or begin anew with --fresh, which leaves the state aside"
}

// Compatible returns why a job of an encoded plan cannot go on from a checkpoint,
// or nil. semantics is the version of the meaning of expressions.
func Compatible(r *gpflow.Registry, m *checkpoint.Manifest, encoded []byte, semantics int) error {
	now, err := plan.Decode(encoded)
	if err != nil {
		return err
	}
	_, err = goesOn(r, m, now, semantics)
	return err
}

// goesOn is Compatible for a plan. It returns the plan of the checkpoint.
func goesOn(r *gpflow.Registry, m *checkpoint.Manifest, now *plan.Plan, semantics int) (*plan.Plan, error) {
	old, err := plan.Decode(m.Plan)
	if err != nil {
		return nil, fmt.Errorf("read the plan of checkpoint %d: %w", m.ID, err)
	}
	if m.Semantics != semantics {
		return nil, fmt.Errorf("checkpoint %d was made by a gpflow whose expressions mean something else (version %d, and this one has %d): go on with that one, or begin anew with --fresh",
			m.ID, m.Semantics, semantics)
	}
	return old, compatible(r, old, now)
}

// compatible returns a *ChangedError unless the state of old can be gone on with
// in now: the same nodes, joined in the same way, that differ in their number of
// subtasks and in fields that take effect between two records at most.
func compatible(r *gpflow.Registry, old, now *plan.Plan) error {
	var changes []string
	if old.KeyGroups != now.KeyGroups {
		changes = append(changes, fmt.Sprintf("key_groups was %d and is %d", old.KeyGroups, now.KeyGroups))
	}
	then := nodesOf(old)
	is := nodesOf(now)
	for _, address := range slices.Sorted(maps.Keys(then)) {
		n, ok := is[address]
		if !ok {
			changes = append(changes, address+" is not there any more")
			continue
		}
		changes = append(changes, nodeChanges(r, then[address], n)...)
	}
	for _, address := range slices.Sorted(maps.Keys(is)) {
		if _, ok := then[address]; !ok {
			changes = append(changes, address+" is new")
		}
	}
	if changes == nil {
		return nil
	}
	return &ChangedError{changes}
}

// planNode is a node of a plan, with what it reads.
type planNode struct {
	op   *plan.Op
	from []string // addresses with ports, by input, sorted
}

func nodesOf(p *plan.Plan) map[string]planNode {
	nodes := make(map[string]planNode)
	from := func(o *plan.Op, port int) string { return fmt.Sprintf("%s.%s", o.ID, o.Ports[port].Name) }
	for t := range p.Tasks {
		ops := p.Tasks[t].Ops
		for i := range ops {
			n := planNode{op: &ops[i]}
			if i > 0 {
				n.from = append(n.from, from(&ops[ops[i].Parent], ops[i].ParentPort))
			}
			nodes[ops[i].ID] = n
		}
	}
	for _, e := range p.Edges {
		to := p.Task(e.To).Ops[0].ID
		n := nodes[to]
		n.from = append(n.from, fmt.Sprintf("%d %s", e.ToInput, from(&p.Task(e.From).Ops[e.FromOp], e.FromPort)))
		nodes[to] = n
	}
	for address, n := range nodes {
		for i, f := range n.from {
			n.from[i] = strings.TrimPrefix(f, "0 ") // the same within a task and across an edge
		}
		slices.Sort(n.from)
		nodes[address] = n
	}
	return nodes
}

func nodeChanges(r *gpflow.Registry, old, now planNode) (changes []string) {
	a, b := old.op, now.op
	if a.Block != b.Block || a.Kind != b.Kind {
		return []string{fmt.Sprintf("%s was of another kind, %s", a.ID, strings.TrimSpace(a.Block+" "+a.Kind))}
	}
	if !slices.Equal(old.from, now.from) {
		changes = append(changes, a.ID+" reads from elsewhere")
	}
	for _, f := range changedFields(r, a, b) {
		changes = append(changes, fmt.Sprintf("%s: %s differs", a.ID, f))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Constants)) {
		if c, ok := b.Constants[name]; !ok || !bytes.Equal(c.Value, a.Constants[name].Value) {
			changes = append(changes, fmt.Sprintf("%s: %s has another value", a.ID, name))
		}
	}
	return changes
}

// changedFields returns the fields that differ, but for live ones.
func changedFields(r *gpflow.Registry, a, b *plan.Op) (names []string) {
	var was, is map[string]json.RawMessage
	if json.Unmarshal(a.Config, &was) != nil || json.Unmarshal(b.Config, &is) != nil {
		return []string{"its configuration"}
	}
	d := r.Lookup(b.Block, b.Kind)
	if d == nil {
		return nil // building it will say so
	}
	for _, f := range d.AllFields() {
		if f.Update == gpflow.Live || f.Name == "parallelism" {
			continue
		}
		if !bytes.Equal(was[f.Name], is[f.Name]) {
			names = append(names, f.Name)
		}
	}
	return names
}
