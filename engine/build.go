package engine

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/part"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// build makes the actors of regions of a job. First come the inboxes of all
// subtasks, then the channels between them, then the operators; nothing runs
// before all of it has been made.
type build struct {
	run     *Run
	regions map[int]*region     // that are made
	at      int                 // the one that is being made
	parts   map[string][]*draft // by task, by subtask
	ops     map[string]*opInfo  // by address
	starts  []start
	sources []job.Source
	sinks   []job.Writer
	tasks   []checkpoint.Part
	former  *resume.Former // nil: they start fresh
	ctx     context.Context
	nodes   []*node
	edges   []*edge
	opened  []namedSource
	refs    part.Parts[*actor.Ref]
	taken   atomic.Bool // somebody else sees to what has been made
}

type start struct {
	ref *actor.Ref
	who actor.Actor
}

// draft is one subtask of a task while it is being built.
type draft struct {
	ref     *actor.Ref
	inbox   *exchange.Inbox
	input   []int    // of the head, by channel
	senders []sender // likewise
	gauge   *gauge
	outputs [][][]*exchange.Output // by operator, by port
}

// opInfo is what the subtasks of one operator share.
type opInfo struct {
	op        *plan.Op
	desc      *gpflow.Descriptor
	config    gpflow.Config
	constants gpflow.Constants
	policy    policy
	node      *node
}

// newBuild returns a build of regions. ctx is for what sinks do to recover.
func newBuild(ctx context.Context, r *Run, indexes []int) *build {
	b := &build{ctx: ctx, run: r, parts: make(map[string][]*draft), ops: make(map[string]*opInfo), regions: make(map[int]*region), refs: part.NewParts[*actor.Ref]()}
	for _, i := range indexes {
		ref := r.system.New(fmt.Sprintf("region %d", i), r.master)
		b.regions[i] = &region{index: i, ref: ref, master: r.master, children: make(map[*actor.Ref]func() string)}
	}
	return b
}

// makes reports whether a task is one of those to be made, and takes note that
// it is its turn.
func (b *build) makes(task string) bool {
	i := b.run.regions.of[task]
	if b.regions[i] == nil {
		return false
	}
	b.at = i
	return true
}

func (b *build) all() error {
	for i := range b.run.plan.Tasks {
		if t := &b.run.plan.Tasks[i]; b.makes(t.ID) {
			if err := b.inboxes(t); err != nil {
				return err
			}
		}
	}
	for _, e := range b.run.plan.Edges {
		if b.makes(e.From) {
			if err := b.edge(e); err != nil {
				return err
			}
		}
	}
	for i := range b.run.plan.Tasks {
		if t := &b.run.plan.Tasks[i]; b.makes(t.ID) {
			if err := b.task(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// task makes what belongs to t.
func (b *build) task(t *plan.Task) error {
	if err := b.endings(t); err != nil {
		return err
	}
	for s := range b.parts[t.ID] {
		if err := b.subtask(t, s); err != nil {
			return err
		}
	}
	return nil
}

// report returns how a part tells the job what it has come to.
func (b *build) report(kind checkpoint.Kind, name string, subtask int) part.Report {
	master := b.run.master
	return part.Report{Part: checkpoint.Part{Kind: kind, Name: name, Subtask: subtask}, Send: func(e job.Event) { master.Send(e) }}
}

// claim reports whether nobody has claimed b before. Who does sees to it that
// what has been made is started, or closed.
func (b *build) claim() bool { return b.taken.CompareAndSwap(false, true) }

// start lets everything run.
func (b *build) start() {
	for _, r := range b.regions {
		b.run.system.Start(r.ref, r)
	}
	for _, s := range b.starts {
		b.run.system.Start(s.ref, s.who)
	}
}

// discard closes what was made and does not start.
func (b *build) discard() {
	for _, s := range b.starts {
		_ = s.who.Close() // there is a failure already, or the job is over
	}
	_ = closeSources(b.opened) // likewise
}

// address returns the address of an actor that is not running yet, of the region
// that is being made.
func (b *build) address(name string) *actor.Ref {
	r := b.regions[b.at]
	ref := b.run.system.New(name, r.ref)
	r.children[ref] = func() string { return name }
	return ref
}

func (b *build) spawn(name string, who func(*actor.Ref) actor.Actor) *actor.Ref {
	ref := b.address(name)
	b.starts = append(b.starts, start{ref, who(ref)})
	return ref
}

// inboxes makes the subtasks of t, without operators.
func (b *build) inboxes(t *plan.Task) error {
	for i := range t.Ops {
		if err := b.info(t, i); err != nil {
			return err
		}
	}
	for s := range t.Parallelism {
		ref := b.address(fmt.Sprintf("task %s[%d]", t.ID, s))
		p := &draft{ref: ref, inbox: exchange.NewInbox(ref.Wake), outputs: make([][][]*exchange.Output, len(t.Ops)), gauge: &gauge{}}
		for i := range t.Ops {
			p.outputs[i] = make([][]*exchange.Output, max(1, len(t.Ops[i].Ports)))
		}
		b.parts[t.ID] = append(b.parts[t.ID], p)
		head := b.ops[t.Ops[0].ID]
		head.node.inbox = append(head.node.inbox, p.inbox)
		for i := range t.Ops {
			n := b.ops[t.Ops[i].ID].node
			n.gauges, n.parts = append(n.gauges, p.gauge), append(n.parts, p)
		}
	}
	return nil
}

// info resolves operator i of t against the registry.
func (b *build) info(t *plan.Task, i int) error {
	op := &t.Ops[i]
	d := b.run.options.Registry.Lookup(op.Block, op.Kind)
	if d == nil {
		return fmt.Errorf("%s: this program knows no %s", op.ID, (&gpflow.Descriptor{Block: op.Block, Kind: op.Kind}).Name())
	}
	config, err := gpflow.DecodeConfig(d.AllFields(), op.Config)
	if err != nil {
		return fmt.Errorf("%s: read the plan: %w", op.ID, err)
	}
	constants, err := plan.DecodeConstants(op.Constants)
	if err != nil {
		return fmt.Errorf("%s: read the plan: %w", op.ID, err)
	}
	n := &node{index: b.run.regions.place[op.ID], outs: len(op.Ports), Node: Node{
		Address: op.ID, Block: op.Block, Kind: op.Kind, Role: "operator", Parallelism: t.Parallelism, Task: t.ID,
	}}
	for _, p := range op.Ports {
		n.ports, n.read = append(n.ports, p.Name), append(n.read, p.Read)
		n.Unread = n.Unread || p.Name == "late" && !p.Read
	}
	n.left = make([]int64, len(op.Ports))
	if b.former != nil {
		n.before = b.former.Counts(op.ID)
		for p := range n.left {
			n.left[p] = b.former.Emitted(op.ID, p)
		}
	}
	switch {
	case d.IsSource():
		n.Role = "source"
	case d.IsSink():
		n.Role = "sink"
	}
	for range t.Parallelism {
		n.meters = append(n.meters, &meter{watermark: gpflow.MinTimestamp})
	}
	b.nodes = append(b.nodes, n)
	pol := policy{op: op, log: b.run.options.Log, before: n.before.Skipped + n.before.Diverted, count: new(atomic.Int64)}
	b.ops[op.ID] = &opInfo{op: op, desc: d, config: config, constants: constants, policy: pol, node: n}
	return nil
}

// subtask makes the operators of subtask s of t, and its task.
func (b *build) subtask(t *plan.Task, s int) error {
	p := b.parts[t.ID][s]
	links := make([]*task.Link, len(t.Ops))
	var list []*task.Link
	var meters []*meter
	states := make(map[string]*state.Memory)
	for i := range t.Ops {
		info := b.ops[t.Ops[i].ID]
		if info.desc.IsSink() && i > 0 {
			continue
		}
		var l *task.Link
		var st *state.Memory
		err := actor.Guard(func() (err error) {
			l, st, err = b.link(t, info, s)
			return err
		})
		if st != nil && len(info.op.State) > 0 {
			states[info.op.ID] = st
		}
		if err != nil {
			closeOperators(list)
			return fmt.Errorf("%s: %s: %w", info.op.Range, info.op.ID, err)
		}
		l.Outputs = p.outputs[i]
		links[i] = l
		list = append(list, l)
		if i > 0 {
			parent := links[info.op.Parent]
			parent.Children[info.op.ParentPort] = append(parent.Children[info.op.ParentPort], l)
			if s == 0 {
				b.line(t.Ops[info.op.Parent].ID, info.op.ParentPort, info.op.ID)
			}
		}
		m := info.node.meters[s]
		if info.desc.IsSink() {
			m = &meter{} // the writer counts
		}
		meters = append(meters, m)
	}
	head := t.Ops[0]
	var in *gpflow.Schema
	if len(head.In) > 0 {
		in = head.In[0]
	} else {
		in = head.Ports[mainPort].Schema
	}
	st := &subtask{meters: meters, waker: waker{ring: p.ref.Wake}, gauge: p.gauge}
	st.Subtask = part.NewSubtask(part.SubtaskConfig{
		Report: b.report(checkpoint.Task, t.ID, s), Task: task.New(p.inbox, list, p.input, in), States: states,
		Aside: func(do func()) { st.coding.Go(do) }, Settle: func() { st.coding.Wait() },
	})
	plant(st)
	b.starts = append(b.starts, start{p.ref, st})
	b.regions[b.at].children[p.ref] = func() string { return named(st.place(t), p.ref.Name()) }
	b.refs.Tasks[st.Report.Part] = p.ref
	b.tasks = append(b.tasks, st.Report.Part)
	if b.former == nil {
		return nil
	}
	err := b.former.Resume(t, s, st.Task, st.States)
	st.publish()
	return err
}

// closeOperators closes those of a subtask that cannot be made.
func closeOperators(links []*task.Link) {
	for _, l := range links {
		if c, ok := l.Operator.(gpflow.Closer); ok {
			_ = c.Close() // the job has failed already
		}
	}
}

// link makes an operator of subtask s of t, and its state. That of a source or
// a sink has neither.
func (b *build) link(t *plan.Task, info *opInfo, s int) (*task.Link, *state.Memory, error) {
	op := info.op
	l := &task.Link{ID: op.ID, Hold: op.Hold, Children: make([][]*task.Link, max(1, len(op.Ports)))}
	if info.desc.IsSink() {
		return l, nil, nil
	}
	schemas, out, late := make([]*gpflow.Schema, len(op.Ports)), make([]*gpflow.Schema, len(op.Ports)), 0
	for i, port := range op.Ports {
		out[i] = port.Schema
		if port.Read || i == mainPort {
			schemas[i] = port.Schema
		}
		if port.Name == "late" {
			late = i
		}
	}
	l.Out = gpflow.NewCollector(schemas, late, info.policy)
	if info.desc.IsSource() {
		return l, nil, nil
	}
	from, to := keygroup.Range(s, b.run.plan.KeyGroups, t.Parallelism)
	st, err := state.New(b.run.plan.KeyGroups, from, to, op.State)
	if err != nil {
		return nil, nil, err
	}
	st.Rest(state.YieldEvery, rest)
	if b.run.memory != nil {
		st.Limit(b.run.memory)
	}
	info.node.states = append(info.node.states, st)
	if b.former != nil {
		if err := b.former.Restore(st, op.ID, s, t.Parallelism); err != nil {
			return nil, nil, err
		}
	}
	l.Operator, err = info.desc.NewOperator(&gpflow.OperatorContext{
		Address: op.ID, Config: info.config, Constants: info.constants, In: op.In, Out: out,
		Subtask: gpflow.Subtask{Index: s, Parallelism: t.Parallelism}, State: st, Timer: l.Timer, Log: b.run.options.Log,
	})
	return l, st, err
}
