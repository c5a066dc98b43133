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
	"github.com/gpflow/gpflow/engine/part"
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
	b.refs.Former[op.ID] = b.former
	enum, err := src.Enumerator(js.Found)
	if err != nil {
		return err
	}
	b.refs.Enumerators[op.ID] = b.spawn(named(op.Range, op.ID), func(*actor.Ref) actor.Actor {
		return &enumerator{source: op.ID, in: enum, master: b.run.master}
	})
	b.sources = append(b.sources, js)
	shared := part.NewPace(info.config.Float("rate"))
	for s := range t.Parallelism {
		if err := b.reader(t, info, src, s, shared); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) reader(t *plan.Task, info *opInfo, src gpflow.Source, s int, shared *part.Pace) error {
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
	p, m := b.parts[t.ID][s], info.node.meters[s]
	c := part.ReaderConfig{
		Name: id, Report: b.report(checkpoint.Reader, op.ID, s), Schema: op.Ports[mainPort].Schema, EventTime: op.EventTime,
		Failures: info.policy, Retry: info.policy.retry(m), Pace: shared, Most: b.run.options.PollRows, Publish: m.set,
	}
	c.Dropper, _ = in.(gpflow.Dropper)
	schemas := []*gpflow.Schema{c.Schema}
	if len(op.Ports) > errorsPort {
		schemas = append(schemas, op.Ports[errorsPort].Schema)
		if op.Ports[errorsPort].Read {
			c.Errors = gpflow.NewBuilder(op.Ports[errorsPort].Schema)
		}
	}
	c.Out = b.open(p.inbox, ref, schemas...)
	r := &reader{Reader: part.NewReader(c), in: in, waker: waker{ring: ref.Wake}, gauge: &gauge{}}
	info.node.gauges[s] = r.gauge
	if b.former != nil {
		if d, ok := b.former.Reader(op.ID, s, t.Parallelism); ok {
			r.Resume(d)
		}
	}
	p.input = append(p.input, 0)
	p.senders = append(p.senders, sender{info.node, s})
	b.starts = append(b.starts, start{ref, r})
	b.refs.Readers[id] = ref
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
	id, m := job.Writer{Sink: op.ID, Subtask: s}, info.node.meters[s]
	c := part.WriterConfig{
		Name: id, Report: b.report(checkpoint.Writer, op.ID, s), Failures: info.policy, Retry: info.policy.retry(m),
		Publish: func(c gpflow.Counts) { m.set(c, gpflow.MinTimestamp) },
	}
	traits := info.desc.TraitsOf(info.config)
	info.node.Delivery, info.node.AtEnd = traits.Delivery, traits.NeedsEnd
	var states [][]byte
	if b.former != nil {
		states, c.Counts = b.former.Writer(op.ID, s, t.Parallelism)
		c.From = b.former.Manifest().ID
	}
	if err := actor.Guard(func() error { return out.Recover(b.ctx, states) }); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	w := &writer{sink: out, gauge: &gauge{}}
	info.node.gauges[s] = w.gauge
	ref := b.spawn(named(op.Range, fmt.Sprintf("%s[%d]", op.ID, s)), func(ref *actor.Ref) actor.Actor {
		w.waker.ring, c.Inbox = ref.Wake, exchange.NewInbox(ref.Wake)
		w.Writer = part.NewWriter(c)
		w.fail = w.Fail
		return w
	})
	b.refs.Writers[id] = ref
	b.sinks = append(b.sinks, id)
	info.node.inbox = append(info.node.inbox, c.Inbox)
	p := b.parts[t.ID][s]
	channel := b.open(c.Inbox, p.ref, op.In[0])
	channel.Timeless()
	at, port := i, 0
	if i > 0 {
		at, port = op.Parent, op.ParentPort
	}
	p.outputs[at][port] = append(p.outputs[at][port], exchange.NewForward(op.In[0], channel))
	return channel, nil
}
