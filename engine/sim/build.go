package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// build makes the actors of regions of a job. None runs before all have been
// made.
type build struct {
	*attempt
	number  int // of all builds of the world
	regions map[int]*region
	at      int            // the one that is being made
	former  *resume.Former // nil: they start fresh
	same    bool           // former is of a job that is wired in the same way
	parts   map[int][]*draft
	sources []job.Source
	sinks   []job.Writer
	members []checkpoint.Part // its subtasks
	part.Parts[*node]
}

// draft is a subtask of a stage while it is being built.
type draft struct {
	node    *node
	inbox   *exchange.Inbox
	links   []*link
	input   []int
	outputs [][][]*exchange.Output // by operator, by port
}

func newBuild(a *attempt, regions []int) *build {
	a.builds++
	b := &build{attempt: a, number: a.builds, regions: make(map[int]*region), parts: make(map[int][]*draft), Parts: part.NewParts[*node]()}
	for _, i := range regions {
		b.regions[i] = &region{index: i}
	}
	return b
}

// makes reports whether a stage is one of those to be made, and takes note that it
// is its turn.
func (b *build) makes(stage int) bool {
	i := slices.IndexFunc(b.attempt.regions, func(names []string) bool { return slices.Contains(names, b.top.stages[stage].id) })
	if b.regions[i] == nil {
		return false
	}
	b.at = i
	return true
}

// add makes an actor of the region that is being made, on a worker.
func (b *build) add(name string, worker int) *node {
	n := b.fresh(name)
	n.worker, n.to = worker, worker
	r := b.regions[b.at]
	n.region, r.nodes = r, append(r.nodes, n)
	return n
}

// goOn reads the checkpoint that is gone on from.
func (b *build) goOn(m *checkpoint.Manifest) error {
	then, err := plan.Decode(m.Plan)
	if err != nil {
		return err
	}
	b.same = bytes.Equal(m.Plan, b.encoded())
	mine := resume.Of(m, then, func(node string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(b.regions)), func(i int) bool { return slices.Contains(b.attempt.regions[i], node) })
	})
	b.former, err = resume.New(mine, then, b.top.plan(), func(s checkpoint.SegmentRef) (*io.SectionReader, error) {
		return b.keeper.OpenSegment(context.Background(), s)
	})
	if err == nil {
		b.former.Plant(b.config.Resume)
	}
	return err
}

// all makes everything.
func (b *build) all() error {
	for i := range b.top.stages {
		if b.makes(i) {
			b.inboxes(i)
		}
	}
	for i := range b.top.stages {
		for _, e := range b.top.stages[i].in {
			if !b.makes(i) {
				continue
			}
			if err := b.join(e, i); err != nil {
				return err
			}
		}
	}
	for i := range b.top.stages {
		if !b.makes(i) {
			continue
		}
		if err := b.stage(i); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) inboxes(i int) {
	s := &b.top.stages[i]
	for sub := range s.parallelism {
		n := b.add(fmt.Sprintf("%s[%d]", s.id, sub), b.rand.IntN(b.workers.count))
		p := &draft{node: n, inbox: exchange.NewInbox(n.wake), outputs: make([][][]*exchange.Output, len(s.ops))}
		for o := range s.ops {
			p.outputs[o] = make([][]*exchange.Output, 2)
		}
		b.parts[i] = append(b.parts[i], p)
	}
}

// schema returns that of the main port of an operator of a stage.
func (b *build) schema(s *stage, at int) *gpflow.Schema {
	if k := s.ops[at].kind; k == windowOp || k == holdOp || k == lateOp {
		return b.windows
	}
	for ; s.ops[at].parent >= 0; at = s.ops[at].parent {
		if s.ops[s.ops[at].parent].kind == windowOp && s.ops[at].port == 0 {
			return b.windows
		}
	}
	if len(s.in) > 0 {
		return b.carried(s.in[0])
	}
	return b.rows
}

// carried returns the schema of the rows of an edge.
func (b *build) carried(e edge) *gpflow.Schema {
	if e.port == 1 {
		return b.rows
	}
	return b.schema(&b.top.stages[e.from], e.op)
}

// join makes the channels of an edge.
func (b *build) join(e edge, to int) error {
	schema := b.carried(e)
	for i, sender := range b.parts[e.from] {
		var cs []*exchange.Channel
		for k, receiver := range b.parts[to] {
			if e.kind == plan.Forward && i != k {
				continue
			}
			c, l := b.open(sender.node.name+">"+receiver.node.name, receiver.inbox, sender.node, receiver.node, schema)
			receiver.links = append(receiver.links, l)
			receiver.input = append(receiver.input, 0)
			cs = append(cs, c)
		}
		var out *exchange.Output
		switch e.kind {
		case plan.Forward:
			out = exchange.NewForward(schema, cs[0])
		case plan.Rebalance:
			out = exchange.NewRebalance(schema, cs)
		case plan.Broadcast:
			out = exchange.NewBroadcast(schema, cs)
		default:
			key, err := gpflow.NewKeyer(schema, []string{"key"})
			if err != nil {
				return err
			}
			out = exchange.NewHash(schema, cs, key, b.top.keyGroups)
		}
		sender.outputs[e.op][e.port] = append(sender.outputs[e.op][e.port], out)
	}
	return nil
}

// stage makes the subtasks of a stage, and the readers and writers with it.
func (b *build) stage(i int) error {
	s := &b.top.stages[i]
	if s.source >= 0 {
		b.source(s, b.parts[i])
	}
	for sub, p := range b.parts[i] {
		for o := range s.ops {
			if s.ops[o].kind == sinkOp {
				if err := b.sink(s, p, o, sub); err != nil {
					return err
				}
			}
		}
	}
	for sub, p := range b.parts[i] {
		if err := b.subtask(s, p, sub); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) subtask(s *stage, p *draft, sub int) error {
	t := &subtask{
		a: b.attempt, node: p.node, head: s.ops[0].id, links: p.links, mark: gpflow.MinTimestamp,
	}
	p.node.who = t
	states := make(map[string]*state.Memory)
	links := make([]*task.Link, len(s.ops))
	var list []*task.Link
	for i, o := range s.ops {
		if o.kind == sinkOp && i > 0 {
			continue
		}
		l, err := b.link(t, states, s, i, sub)
		if err != nil {
			return fmt.Errorf("%s: %w", o.id, err)
		}
		l.Outputs = p.outputs[i]
		links[i], list = l, append(list, l)
		if i > 0 {
			links[o.parent].Children[o.port] = append(links[o.parent].Children[o.port], l)
		}
	}
	head := b.rows
	if len(s.in) > 0 {
		head = b.carried(s.in[0])
	}
	who := checkpoint.Part{Kind: checkpoint.Task, Name: s.id, Subtask: sub}
	t.Subtask = part.NewSubtask(part.SubtaskConfig{
		Report: b.report(p.node, who), Task: task.New(p.inbox, list, p.input, head), States: states, Plant: b.config.Part,
		Aside: t.aside, Settle: t.settle,
	})
	t.Task.Plant(b.config.Task)
	t.Task.OnBarrier = t.barrier
	b.Tasks[who] = p.node
	b.members = append(b.members, who)
	return b.resume(t, s, sub)
}

// resume has a subtask go on from the checkpoint, if there is one.
func (b *build) resume(t *subtask, s *stage, sub int) error {
	if b.former == nil {
		return nil
	}
	if err := b.former.Resume(b.top.plan().Task(s.id), sub, t.Task, t.States); err != nil {
		return err
	}
	t.base = t.Task.Flow(0).Taken
	t.mark, _ = t.Task.Watermark()
	m := b.former.Manifest()
	want := b.marks.reached(point{m.Epoch, m.ID}, t.Report.Part, b.same)
	switch {
	case s.ops[0].kind == sinkOp:
	case t.mark < want:
		b.broken("watermark", "%s goes on from checkpoint %d at %d, and had come to %d there", t.node.name, m.ID, t.mark, want)
	case t.mark > want:
		b.broken("watermark", "%s goes on from checkpoint %d at %d, and may get rows from behind %d", t.node.name, m.ID, t.mark, want)
	}
	return nil
}

// link makes an operator of a subtask, and its state.
func (b *build) link(t *subtask, states map[string]*state.Memory, s *stage, i, sub int) (*task.Link, error) {
	o := s.ops[i]
	ports := 1
	if o.kind == windowOp {
		ports = 2
	}
	l := &task.Link{ID: o.id, Children: make([][]*task.Link, ports)}
	if o.kind == sinkOp {
		return l, nil
	}
	schemas := []*gpflow.Schema{b.schema(s, i)}
	late := 0
	if ports == 2 {
		schemas, late = append(schemas, nil), 1
		if s.flow.Late {
			schemas[1] = b.rows
		}
	}
	l.Out = gpflow.NewCollector(schemas, late, nil)
	switch o.kind {
	case sourceOp:
	case windowOp:
		m, err := b.state(t, states, o.id, sub, s.parallelism, windowState())
		if err != nil {
			return nil, err
		}
		l.Operator = &window{size: gpflow.Timestamp(s.flow.Window), panes: m.Panes("windows")}
	case holdOp:
		m, err := b.state(t, states, o.id, sub, s.parallelism, holdState())
		if err != nil {
			return nil, err
		}
		h := &hold{delay: b.delay, now: func() gpflow.Timestamp { return b.now }, timer: l.Timer, panes: m.Panes("rows")}
		l.Operator, t.holds = h, append(t.holds, h)
	default:
		l.Operator = rowOp{o.kind, gpflow.Subtask{Index: sub, Parallelism: s.parallelism}}
	}
	return l, nil
}

func (b *build) state(t *subtask, states map[string]*state.Memory, address string, i, n int, descs []gpflow.StateDescriptor) (*state.Memory, error) {
	from, to := keygroup.Range(i, b.top.keyGroups, n)
	m, err := state.New(b.top.keyGroups, from, to, descs)
	if err != nil {
		return nil, err
	}
	m.Plant(b.config.State)
	m.Rest(1, t.rest)
	if b.budget != nil {
		m.Limit(b.budget)
	}
	states[address] = m
	if b.former == nil {
		return m, nil
	}
	return m, b.former.Restore(m, address, i, n)
}
