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
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// build makes the actors of a job. First come the inboxes of all subtasks, then
// the channels between them, then the operators; nothing runs before all of it
// has been made.
type build struct {
	run     *Run
	master  *master
	parts   map[string][]*part // by task, by subtask
	ops     map[string]*opInfo // by address
	starts  []start
	sources []job.Source
	sinks   []job.Writer
	tasks   []checkpoint.Part
	saved   *saved // nil: the job starts fresh
	ctx     context.Context
}

type start struct {
	ref *actor.Ref
	who actor.Actor
}

// part is one subtask of a task while it is being built.
type part struct {
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

func newBuild(ctx context.Context, r *Run) *build {
	b := &build{ctx: ctx, run: r, parts: make(map[string][]*part), ops: make(map[string]*opInfo)}
	b.master = &master{
		log: r.options.Log, points: &r.points, failed: make(chan error, 1), cancel: r.cancel, enumerators: make(map[string]*actor.Ref), readers: make(map[job.Reader]*actor.Ref),
		writers: make(map[job.Writer]*actor.Ref),
	}
	r.boss = b.master
	r.master = r.system.New("job", nil)
	b.master.ref = r.master
	return b
}

func (b *build) all() error {
	for i := range b.run.plan.Tasks {
		if err := b.inboxes(&b.run.plan.Tasks[i]); err != nil {
			return err
		}
	}
	for _, e := range b.run.plan.Edges {
		if err := b.edge(e); err != nil {
			return err
		}
	}
	for i := range b.run.plan.Tasks {
		t := &b.run.plan.Tasks[i]
		if err := b.endings(t); err != nil {
			return err
		}
		for s := range b.parts[t.ID] {
			if err := b.subtask(t, s); err != nil {
				return err
			}
		}
	}
	b.master.job = job.New(b.config())
	return nil
}

// reporter returns how a part hands in its snapshots.
func (b *build) reporter(kind checkpoint.Kind, name string, subtask int) reporter {
	return reporter{checkpoint.Part{Kind: kind, Name: name, Subtask: subtask}, b.run.master}
}

// start lets everything run, the job first.
func (b *build) start() {
	b.master.alive = len(b.starts)
	for _, s := range b.starts {
		b.master.children = append(b.master.children, s.ref)
	}
	for _, s := range b.starts {
		b.run.system.Start(s.ref, s.who)
	}
	b.run.system.Start(b.run.master, b.master)
}

// discard closes what was made for a job that does not start.
func (b *build) discard() {
	for _, s := range b.starts {
		_ = s.who.Close() // the job has failed already
	}
	_ = b.run.closeSources() // likewise
}

func (b *build) spawn(name string, who func(*actor.Ref) actor.Actor) *actor.Ref {
	ref := b.run.system.New(name, b.run.master)
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
		ref := b.run.system.New(fmt.Sprintf("task %s[%d]", t.ID, s), b.run.master)
		p := &part{ref: ref, inbox: exchange.NewInbox(ref.Wake), outputs: make([][][]*exchange.Output, len(t.Ops)), gauge: &gauge{}}
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
	n := &node{index: len(b.run.nodes), outs: len(op.Ports), Node: Node{
		Address: op.ID, Block: op.Block, Kind: op.Kind, Role: "operator", Parallelism: t.Parallelism, Task: t.ID,
	}}
	for _, p := range op.Ports {
		n.ports, n.read = append(n.ports, p.Name), append(n.read, p.Read)
		n.Unread = n.Unread || p.Name == "late" && !p.Read
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
	b.run.nodes = append(b.run.nodes, n)
	pol := policy{op: op, log: b.run.options.Log, count: new(atomic.Int64)}
	b.ops[op.ID] = &opInfo{op: op, desc: d, config: config, constants: constants, policy: pol, node: n}
	return nil
}

// open makes a channel into an inbox.
func (b *build) open(x *exchange.Inbox, sender *actor.Ref, schemas ...*gpflow.Schema) *exchange.Channel {
	c := x.Open(b.run.options.Limit, sender.Wake)
	if b.run.options.EncodeLinks {
		c.Encode(schemas...)
	}
	return c
}

// edge joins the subtasks of two tasks.
func (b *build) edge(e plan.Edge) error {
	from, to := b.run.plan.Task(e.From), b.run.plan.Task(e.To)
	if e.Partition == plan.Forward && from.Parallelism != to.Parallelism {
		return fmt.Errorf("the forward edge from %s to %s joins %d and %d subtasks", e.From, e.To, from.Parallelism, to.Parallelism)
	}
	port := from.Ops[e.FromOp].Ports[e.FromPort]
	line := b.line(from.Ops[e.FromOp].ID, e.FromPort, to.Ops[0].ID)
	if e.Partition == plan.Broadcast {
		line.copies = int64(to.Parallelism)
	}
	for s, from := range b.parts[e.From] {
		var cs []*exchange.Channel
		for r, receiver := range b.parts[e.To] {
			if e.Partition == plan.Forward && r != s {
				continue
			}
			cs = append(cs, b.open(receiver.inbox, from.ref, port.Schema))
			receiver.input = append(receiver.input, e.ToInput)
			receiver.senders = append(receiver.senders, sender{line.from, s})
		}
		out, err := output(e, port.Schema, cs, b.run.plan.KeyGroups)
		if err != nil {
			return err
		}
		line.channels = append(line.channels, cs...)
		from.outputs[e.FromOp][e.FromPort] = append(from.outputs[e.FromOp][e.FromPort], out)
	}
	return nil
}

func output(e plan.Edge, s *gpflow.Schema, cs []*exchange.Channel, groups int) (*exchange.Output, error) {
	switch e.Partition {
	case plan.Forward:
		return exchange.NewForward(s, cs[0]), nil
	case plan.Rebalance:
		return exchange.NewRebalance(s, cs), nil
	case plan.Broadcast:
		return exchange.NewBroadcast(s, cs), nil
	case plan.Hash:
		key, err := gpflow.NewKeyer(s, e.Key)
		if err != nil {
			return nil, fmt.Errorf("the edge from %s to %s: %w", e.From, e.To, err)
		}
		return exchange.NewHash(s, cs, key, groups), nil
	}
	return nil, fmt.Errorf("the edge from %s to %s has the partitioning %q, which this version does not know", e.From, e.To, e.Partition)
}

// line adds an edge to the ledger.
func (b *build) line(from string, port int, to string) *edge {
	f := b.ops[from].node
	e := &edge{from: f, to: b.ops[to].node, port: port, name: f.ports[port], copies: 1}
	if b.saved != nil {
		e.before = b.saved.emitted(from, port)
	}
	b.run.edges = append(b.run.edges, e)
	return e
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
		l, st, err := b.link(t, info, s)
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
	st := &subtask{
		ref: p.ref, task: task.New(p.inbox, list, p.input, in), meters: meters, states: states, gauge: p.gauge,
		report: b.reporter(checkpoint.Task, t.ID, s), frozen: make(map[gpflow.CheckpointID]map[string]*state.Frozen),
	}
	st.task.OnBarrier = st.barrier
	b.starts = append(b.starts, start{p.ref, st})
	b.master.tasks = append(b.master.tasks, p.ref)
	b.tasks = append(b.tasks, st.report.part)
	return b.resume(t, s, st)
}

// resume has subtask s of t go on from the checkpoint, if there is one.
func (b *build) resume(t *plan.Task, s int, st *subtask) error {
	if b.saved == nil {
		return nil
	}
	snapshot := make(task.Snapshot)
	for i := range t.Ops {
		if o, ok := b.saved.operator(t.Ops[i].ID, s, t.Parallelism); ok {
			snapshot[t.Ops[i].ID] = o
		}
	}
	if !b.saved.same(t) {
		for _, m := range st.states {
			m.Rebase()
		}
	}
	if err := st.task.Restore(snapshot); err != nil {
		return fmt.Errorf("restore %w", err)
	}
	return nil
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
	if b.run.memory != nil {
		st.Limit(b.run.memory)
	}
	info.node.states = append(info.node.states, st)
	if b.saved != nil {
		if err := b.saved.restore(st, op.ID, s, t.Parallelism); err != nil {
			return nil, nil, err
		}
	}
	l.Operator, err = info.desc.NewOperator(&gpflow.OperatorContext{
		Address: op.ID, Config: info.config, Constants: info.constants, In: op.In, Out: out,
		Subtask: gpflow.Subtask{Index: s, Parallelism: t.Parallelism}, State: st, Timer: l.Timer, Log: b.run.options.Log,
	})
	return l, st, err
}
