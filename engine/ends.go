package engine

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// endings makes the sources and sinks of t: they are actors of their own.
func (b *build) endings(t *plan.Task) error {
	if info := b.ops[t.Ops[0].ID]; info.desc.IsSource() {
		if err := actor.Guard(func() error { return b.source(t, info) }); err != nil {
			return fmt.Errorf("%s: %s: %w", info.op.Range, info.op.ID, err)
		}
	}
	for i := range t.Ops {
		info := b.ops[t.Ops[i].ID]
		if !info.desc.IsSink() {
			continue
		}
		var line *edge
		if i > 0 {
			line = b.line(t.Ops[info.op.Parent].ID, info.op.ParentPort, info.op.ID)
		}
		for s := range t.Parallelism {
			var c *exchange.Channel
			err := actor.Guard(func() (err error) {
				c, err = b.sink(t, info, i, s)
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %s: %w", info.op.Range, info.op.ID, err)
			}
			if line != nil {
				line.channels = append(line.channels, c)
			}
		}
	}
	return nil
}

// named names an actor so that its errors say where in the spec its node stands.
func named(place, name string) string {
	if place == "" {
		return name
	}
	return place + ": " + name
}

// source makes the enumerator and the readers of a source.
func (b *build) source(t *plan.Task, info *opInfo) error {
	op := info.op
	src, err := info.desc.NewSource(&gpflow.SourceContext{
		Address: op.ID, Config: info.config, Constants: info.constants, Schema: op.Ports[mainPort].Schema,
		EventTime: op.EventTime != nil && op.EventTime.Used, Parallelism: t.Parallelism, Log: b.run.options.Log,
	})
	if err != nil {
		return err
	}
	b.opened = append(b.opened, namedSource{op.ID, b.at, src})
	js := job.Source{Address: op.ID, Parallelism: t.Parallelism, Bounded: info.desc.TraitsOf(info.config).Bounded}
	js.Until = op.EventTime != nil && op.EventTime.Until != nil
	if b.former != nil {
		b.former.Source(&js)
	}
	enum, err := src.Enumerator(js.Found)
	if err != nil {
		return err
	}
	b.refs.enumerators[op.ID] = b.spawn(named(op.Range, op.ID), func(*actor.Ref) actor.Actor {
		return &enumerator{source: op.ID, in: enum, master: b.run.master}
	})
	b.sources = append(b.sources, js)
	shared := newPace(info.config.Float("rate"))
	for s := range t.Parallelism {
		if err := b.reader(t, info, src, s, shared); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) reader(t *plan.Task, info *opInfo, src gpflow.Source, s int, shared *pace) error {
	op := info.op
	if e := op.EventTime; e != nil && op.Ports[mainPort].Schema.Index(e.Column) < 0 {
		return fmt.Errorf("the plan reads no column %s, which has the event time", e.Column)
	}
	id := job.Reader{Source: op.ID, Subtask: s}
	ref := b.address(named(op.Range, fmt.Sprintf("%s[%d]", op.ID, s)))
	in, err := src.Reader(&gpflow.ReaderContext{Subtask: gpflow.Subtask{Index: s, Parallelism: t.Parallelism}, Wake: ref.Wake})
	if err != nil {
		return err
	}
	main := op.Ports[mainPort].Schema
	schemas := []*gpflow.Schema{main}
	r := &reader{
		id: id, job: b.run.master, ref: ref, in: in, reading: gpflow.NewReading(main), policy: info.policy,
		meter: info.node.meters[s], pace: shared, most: b.run.options.PollRows, times: newEventTimes(main, op.EventTime),
		gauge: &gauge{}, retry: retrier{policy: info.policy, meter: info.node.meters[s]},
	}
	info.node.gauges[s] = r.gauge
	r.dropper, _ = in.(gpflow.Dropper)
	if len(op.Ports) > errorsPort {
		schemas = append(schemas, op.Ports[errorsPort].Schema)
		if op.Ports[errorsPort].Read {
			r.errors = gpflow.NewBuilder(op.Ports[errorsPort].Schema)
		}
	}
	var disorder, idleAfter gpflow.Duration
	ordered := false
	if e := op.EventTime; e != nil {
		disorder, idleAfter, ordered = e.OutOfOrder, e.IdleAfter, e.Ordered
	}
	r.clock, r.idle = task.NewSplitClock(disorder, ordered), task.NewIdleness(idleAfter)
	r.report = b.reporter(checkpoint.Reader, op.ID, s)
	if b.former != nil {
		if d, ok := b.former.Reader(op.ID, s, t.Parallelism); ok {
			r.counts = d.Counts
			r.clock.Reach(d.Watermark)
			r.resumed = d.Watermark != gpflow.MinTimestamp
			r.meter.set(r.counts, d.Watermark)
		}
	}
	p := b.parts[t.ID][s]
	r.out = b.open(p.inbox, ref, schemas...)
	p.input = append(p.input, 0)
	p.senders = append(p.senders, sender{info.node, s})
	b.starts = append(b.starts, start{ref, r})
	b.refs.readers[id] = ref
	return nil
}

// sink makes subtask s of a sink, which is operator i of t.
func (b *build) sink(t *plan.Task, info *opInfo, i, s int) (*exchange.Channel, error) {
	op := info.op
	sub := gpflow.Subtask{Index: s, Parallelism: t.Parallelism}
	lineage, epoch := "", int64(0)
	if k := b.run.options.Checkpoints; k != nil {
		lineage, epoch = k.Keeper.Lineage(), k.Keeper.Epoch()
	}
	out, err := info.desc.NewSink(&gpflow.SinkContext{
		Address: op.ID, Config: info.config, Constants: info.constants, In: op.In[0], Subtask: sub, Log: b.run.options.Log,
		Lineage: lineage, Epoch: epoch,
	})
	if err != nil {
		return nil, err
	}
	id := job.Writer{Sink: op.ID, Subtask: s}
	w := &writer{
		id: id, job: b.run.master, sink: out, policy: info.policy, meter: info.node.meters[s], report: b.reporter(checkpoint.Writer, op.ID, s),
		gauge: &gauge{}, retry: retrier{policy: info.policy, meter: info.node.meters[s]},
	}
	w.failed = w.fail
	info.node.gauges[s] = w.gauge
	traits := info.desc.TraitsOf(info.config)
	info.node.Delivery, info.node.AtEnd = traits.Delivery, traits.NeedsEnd
	var states [][]byte
	if b.former != nil {
		states, w.counts = b.former.Writer(op.ID, s, t.Parallelism)
		w.last, w.from = b.former.Manifest().ID, b.former.Manifest().ID
	}
	if err := actor.Guard(func() error { return out.Recover(b.ctx, states) }); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	w.meter.set(w.counts, gpflow.MinTimestamp)
	ref := b.spawn(named(op.Range, fmt.Sprintf("%s[%d]", op.ID, s)), func(ref *actor.Ref) actor.Actor {
		w.ref, w.inbox = ref, exchange.NewInbox(ref.Wake)
		return w
	})
	b.refs.writers[id] = ref
	b.sinks = append(b.sinks, id)
	info.node.inbox = append(info.node.inbox, w.inbox)
	p := b.parts[t.ID][s]
	c := b.open(w.inbox, p.ref, op.In[0])
	at, port := i, 0
	if i > 0 {
		at, port = op.Parent, op.ParentPort
	}
	p.outputs[at][port] = append(p.outputs[at][port], exchange.NewForward(op.In[0], c))
	return c, nil
}
