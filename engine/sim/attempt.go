package sim

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// attempt is one start of the job, until it ends or dies.
type attempt struct {
	*world
	keeper *checkpoint.Keeper
	store  *hooked        // of keeper
	former *resume.Former // nil: it starts fresh
	same   bool           // former is of a job that is wired in the same way
	master *master
	parts  [][]*part // by stage, by subtask
	job    job.Config
	last   *job.Store       // the last that was to be stored
	began  gpflow.Timestamp // when it was
	phase  phase
	read   map[string]int // rows of each split that count
	cut    map[string]int // see world.cuts
}

// part is a subtask of a stage while it is being built.
type part struct {
	node    *node
	inbox   *exchange.Inbox
	links   []*link
	input   []int
	outputs [][][]*exchange.Output // by operator, by port
}

// build makes all actors.
func (a *attempt) build() error {
	a.nodes = nil
	a.master = &master{
		a: a, node: a.add("master"), enumerators: make(map[string]*node), readers: make(map[job.Reader]*node),
		writers: make(map[job.Writer]*node), committing: make(map[checkpoint.Part]gpflow.CheckpointID),
	}
	a.master.node.who = a.master
	a.configure()
	v := &archivist{a: a, node: a.add("archivist"), retain: 1 + a.rand.IntN(3), named: make(map[gpflow.CheckpointID]*checkpoint.Manifest)}
	v.node.who, a.master.archivist = v, v.node
	for i := range a.top.stages {
		a.inboxes(&a.top.stages[i])
	}
	for i := range a.top.stages {
		for _, e := range a.top.stages[i].in {
			if err := a.join(e, i); err != nil {
				return err
			}
		}
	}
	for i := range a.top.stages {
		if err := a.stage(i); err != nil {
			return err
		}
	}
	a.master.job = job.New(a.job)
	return nil
}

// recover reads the checkpoint that the attempt goes on from.
func (a *attempt) recover(m *checkpoint.Manifest) error {
	then, err := plan.Decode(m.Plan)
	if err != nil {
		return err
	}
	a.same = bytes.Equal(m.Plan, a.encoded())
	a.former, err = resume.New(m, then, a.top.plan(), func(s checkpoint.SegmentRef) ([]byte, error) { return a.keeper.Segment(context.Background(), s) })
	if err == nil {
		a.former.Plant(a.config.Resume)
	}
	return err
}

// encoded is the job as it lies in a manifest.
func (a *attempt) encoded() []byte {
	data, err := plan.Encode(a.top.plan())
	if err != nil {
		a.broken("simulation", "%v", err)
	}
	return data
}

// configure draws when checkpoints are taken.
func (a *attempt) configure() {
	a.job = job.Config{Durable: true, Last: a.keeper.NextID() - 1}
	c := &a.job.Checkpoints
	c.Every = gpflow.Duration(50 + a.rand.IntN(1000))
	if !a.config.Calm {
		c.Timeout = gpflow.Duration(a.rand.IntN(2)) * gpflow.Duration(1000+a.rand.IntN(6000))
		c.MinPause = gpflow.Duration(a.rand.IntN(300))
	}
	c.Plant = a.config.Coordinator
	if a.former != nil {
		a.job.Commit = a.former.Commit()
	}
}

func (a *attempt) inboxes(s *stage) {
	var all []*part
	for i := range s.parallelism {
		n := a.add(fmt.Sprintf("%s[%d]", s.id, i))
		p := &part{node: n, inbox: exchange.NewInbox(n.wake), outputs: make([][][]*exchange.Output, len(s.ops))}
		for o := range s.ops {
			p.outputs[o] = make([][]*exchange.Output, 2)
		}
		all = append(all, p)
	}
	a.parts = append(a.parts, all)
}

// schema returns that of the main port of an operator of a stage.
func (a *attempt) schema(s *stage, at int) *gpflow.Schema {
	if k := s.ops[at].kind; k == windowOp || k == holdOp {
		return a.windows
	}
	for ; s.ops[at].parent >= 0; at = s.ops[at].parent {
		if s.ops[s.ops[at].parent].kind == windowOp && s.ops[at].port == 0 {
			return a.windows
		}
	}
	if len(s.in) > 0 && s.ops[at].kind != windowOp {
		from := &a.top.stages[s.in[0].from]
		return a.schema(from, from.out())
	}
	return a.rows
}

// join makes the channels of an edge.
func (a *attempt) join(e edge, to int) error {
	from := &a.top.stages[e.from]
	at := from.out()
	schema := a.schema(from, at)
	for i, sender := range a.parts[e.from] {
		var cs []*exchange.Channel
		for k, receiver := range a.parts[to] {
			if e.kind == plan.Forward && i != k {
				continue
			}
			c, l := a.open(sender.node.name+">"+receiver.node.name, receiver.inbox, sender.node, schema)
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
			out = exchange.NewHash(schema, cs, key, a.top.keyGroups)
		}
		sender.outputs[at][0] = append(sender.outputs[at][0], out)
	}
	return nil
}

// stage makes the subtasks of a stage, and the readers and writers with it.
func (a *attempt) stage(i int) error {
	s := &a.top.stages[i]
	if s.source >= 0 {
		a.source(s, a.parts[i])
	}
	for sub, p := range a.parts[i] {
		for o := range s.ops {
			if s.ops[o].kind == sinkOp {
				if err := a.sink(s, p, o, sub); err != nil {
					return err
				}
			}
		}
	}
	for sub, p := range a.parts[i] {
		if err := a.subtask(s, p, sub); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt) subtask(s *stage, p *part, sub int) error {
	t := &subtask{
		a: a, node: p.node, head: s.ops[0].id, links: p.links, mark: gpflow.MinTimestamp, states: make(map[string]*state.Memory),
		report: reporter{a, p.node, checkpoint.Part{Kind: checkpoint.Task, Name: s.id, Subtask: sub}},
		frozen: make(map[gpflow.CheckpointID]map[string]*state.Frozen),
	}
	p.node.who = t
	links := make([]*task.Link, len(s.ops))
	var list []*task.Link
	for i, o := range s.ops {
		if o.kind == sinkOp && i > 0 {
			continue
		}
		l, err := a.link(t, s, i, sub)
		if err != nil {
			return fmt.Errorf("%s: %w", o.id, err)
		}
		l.Outputs = p.outputs[i]
		links[i], list = l, append(list, l)
		if i > 0 {
			links[o.parent].Children[o.port] = append(links[o.parent].Children[o.port], l)
		}
	}
	head := a.rows
	if len(s.in) > 0 {
		from := &a.top.stages[s.in[0].from]
		head = a.schema(from, from.out())
	}
	t.task = task.New(p.inbox, list, p.input, head)
	t.task.Plant(a.config.Task)
	t.task.OnBarrier = t.barrier
	a.master.tasks = append(a.master.tasks, p.node)
	a.job.Tasks = append(a.job.Tasks, t.report.part)
	return a.resume(t, s, sub)
}

// resume has a subtask go on from the checkpoint, if there is one.
func (a *attempt) resume(t *subtask, s *stage, sub int) error {
	if a.former == nil {
		return nil
	}
	snapshot := make(task.Snapshot)
	for _, o := range s.ops {
		if x, ok := a.former.Operator(o.id, sub, s.parallelism); ok {
			snapshot[o.id] = x
		}
	}
	if !a.former.Same(a.top.plan().Task(s.id)) {
		for _, m := range t.states {
			m.Rebase()
		}
	}
	if err := t.task.Restore(snapshot); err != nil {
		return fmt.Errorf("restore %w", err)
	}
	t.base = t.task.Flow(0).Taken
	t.mark, _ = t.task.Watermark()
	m := a.former.Manifest()
	want := a.marks.reached(point{m.Epoch, m.ID}, checkpoint.Part{Kind: checkpoint.Task, Name: s.id, Subtask: sub}, a.same)
	switch {
	case s.ops[0].kind == sinkOp:
	case t.mark < want:
		a.broken("watermark", "%s goes on from checkpoint %d at %d, and had come to %d there", t.node.name, m.ID, t.mark, want)
	case t.mark > want:
		a.broken("watermark", "%s goes on from checkpoint %d at %d, and may get rows from behind %d", t.node.name, m.ID, t.mark, want)
	}
	return nil
}

// link makes an operator of a subtask, and its state.
func (a *attempt) link(t *subtask, s *stage, i, sub int) (*task.Link, error) {
	o := s.ops[i]
	ports := 1
	if o.kind == windowOp {
		ports = 2
	}
	l := &task.Link{ID: o.id, Children: make([][]*task.Link, ports)}
	if o.kind == sinkOp {
		return l, nil
	}
	schemas := []*gpflow.Schema{a.schema(s, i)}
	late := 0
	if ports == 2 {
		schemas, late = append(schemas, nil), 1
		if a.top.Late {
			schemas[1] = a.rows
		}
	}
	l.Out = gpflow.NewCollector(schemas, late, nil)
	switch o.kind {
	case sourceOp:
	case windowOp:
		m, err := a.state(t, o.id, sub, s.parallelism, windowState())
		if err != nil {
			return nil, err
		}
		l.Operator = &window{size: gpflow.Timestamp(a.top.Window), panes: m.Panes("windows")}
	case holdOp:
		m, err := a.state(t, o.id, sub, s.parallelism, holdState())
		if err != nil {
			return nil, err
		}
		h := &hold{delay: a.delay, now: func() gpflow.Timestamp { return a.now }, timer: l.Timer, panes: m.Panes("rows")}
		l.Operator, t.holds = h, append(t.holds, h)
	default:
		l.Operator = rowOp{o.kind, gpflow.Subtask{Index: sub, Parallelism: s.parallelism}}
	}
	return l, nil
}

func (a *attempt) state(t *subtask, address string, i, n int, descs []gpflow.StateDescriptor) (*state.Memory, error) {
	from, to := keygroup.Range(i, a.top.keyGroups, n)
	m, err := state.New(a.top.keyGroups, from, to, descs)
	if err != nil {
		return nil, err
	}
	m.Plant(a.config.State)
	t.states[address], t.order = m, append(t.order, address)
	if a.former == nil {
		return m, nil
	}
	return m, a.former.Restore(m, address, i, n)
}

// source makes the enumerator and the readers of a source.
func (a *attempt) source(s *stage, parts []*part) {
	src := a.top.sources[s.source]
	js := job.Source{Address: src.address, Parallelism: s.parallelism, Bounded: src.bounded}
	if a.former != nil {
		a.former.Source(&js)
	}
	a.before(js)
	e := &enumerator{a: a, node: a.add("enumerator " + src.address), source: src.address, bounded: src.bounded, left: src.splits[len(js.Found):]}
	e.node.who, a.master.enumerators[src.address] = e, e.node
	a.job.Sources = append(a.job.Sources, js)
	for i, p := range parts {
		n := a.add(fmt.Sprintf("reader %s[%d]", src.address, i))
		r := &reader{
			a: a, node: n, id: job.Reader{Source: src.address, Subtask: i}, reading: gpflow.NewReading(a.rows), data: a.data, next: make(map[string]int),
			clock:  task.NewSplitClock(gpflow.Duration(a.top.Disorder), false),
			report: reporter{a, n, checkpoint.Part{Kind: checkpoint.Reader, Name: src.address, Subtask: i}},
		}
		r.splits.Plant(a.config.Resume)
		n.who, a.master.readers[r.id] = r, n
		if a.former != nil {
			if x, ok := a.former.Reader(src.address, i, s.parallelism); ok {
				r.clock.Reach(x.Watermark)
				r.resumed = x.Watermark != gpflow.MinTimestamp
			}
		}
		c, l := a.open(n.name, p.inbox, n, a.rows)
		r.out, p.links, p.input = c, append(p.links, l), append(p.input, 0)
	}
}

// before notes what of a source had been read before this attempt.
func (a *attempt) before(s job.Source) {
	for _, split := range s.Found {
		a.read[split.ID] = len(a.data[split.ID])
		if n, ok := a.cuts[a.former.Manifest().Epoch][split.ID]; ok {
			a.read[split.ID], a.cut[split.ID] = n, n
		}
	}
	for _, split := range s.Queue {
		a.read[split.ID], a.cut[split.ID] = 0, 0
	}
	for _, r := range s.Reading {
		delete(a.cut, r.Split.ID)
		a.read[r.Split.ID], _ = strconv.Atoi(string(a.former.Split(s.Address, r.Split.ID).Position)) // none: the beginning
	}
}

// sink makes a writer of a sink, which is operator i of a stage.
func (a *attempt) sink(s *stage, p *part, i, sub int) error {
	o := s.ops[i]
	to := a.outside[o.id]
	line, schema := rowLine, a.rows
	if o.id == "main" && a.top.Window > 0 {
		line, schema = windowLine, a.windows
	}
	n := a.add(fmt.Sprintf("writer %s[%d]", o.id, sub))
	w := &writer{
		a: a, node: n, id: job.Writer{Sink: o.id, Subtask: sub}, inbox: exchange.NewInbox(n.wake),
		sink:   &sink{a: a, to: to, name: fmt.Sprintf("%d.%d", a.keeper.Epoch(), sub), line: line},
		report: reporter{a, n, checkpoint.Part{Kind: checkpoint.Writer, Name: o.id, Subtask: sub}},
	}
	n.who, a.master.writers[w.id] = w, n
	a.job.Sinks = append(a.job.Sinks, w.id)
	var states [][]byte
	if a.former != nil {
		w.last = a.former.Manifest().ID
		states, _ = a.former.Writer(o.id, sub, s.parallelism)
	}
	if err := w.sink.Recover(context.Background(), states); err != nil {
		return err
	}
	c, l := a.open(n.name, w.inbox, p.node, schema)
	w.link = l
	at, port := i, 0
	if i > 0 {
		at, port = o.parent, o.port
	}
	p.outputs[at][port] = append(p.outputs[at][port], exchange.NewForward(schema, c))
	return nil
}

// home returns the writer that commits what a part has prepared.
func (a *attempt) home(p checkpoint.Part) job.Writer {
	n := 0
	for a.master.writers[job.Writer{Sink: p.Name, Subtask: n}] != nil {
		n++
	}
	return job.Writer{Sink: p.Name, Subtask: resume.Home(p, n)}
}
