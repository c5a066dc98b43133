package engine

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/resume"
)

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
		out, err := b.output(e, port.Schema, cs)
		if err != nil {
			return err
		}
		line.channels = append(line.channels, cs...)
		from.outputs[e.FromOp][e.FromPort] = append(from.outputs[e.FromOp][e.FromPort], out)
	}
	return nil
}

// output makes the output of one subtask of an edge, whose rows are of s.
func (b *build) output(e plan.Edge, s *gpflow.Schema, cs []*exchange.Channel) (*exchange.Output, error) {
	switch e.Partition {
	case plan.Forward:
		return exchange.NewForward(s, cs[0]), nil
	case plan.Rebalance:
		return exchange.NewRebalance(s, cs), nil
	case plan.Broadcast:
		return exchange.NewBroadcast(s, cs), nil
	case plan.Hash:
		out, err := b.hash(e, s, cs)
		if err != nil {
			return nil, fmt.Errorf("the edge from %s to %s: %w", e.From, e.To, err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the edge from %s to %s has the partitioning %q, which this version does not know", e.From, e.To, e.Partition)
}

// hash makes the output of an edge whose rows go to the owners of their keys.
func (b *build) hash(e plan.Edge, s *gpflow.Schema, cs []*exchange.Channel) (*exchange.Output, error) {
	groups := b.run.plan.KeyGroups
	if to := b.ops[b.run.plan.Task(e.To).Ops[0].ID]; to.desc.NewKey != nil {
		key, err := to.desc.NewKey(&gpflow.KeyContext{Config: to.config, Constants: to.constants, In: s})
		if err != nil {
			return nil, err
		}
		if key != nil {
			return exchange.NewHashComputed(s, cs, key, groups), nil
		}
	}
	key, err := gpflow.NewKeyer(s, e.Key)
	if err != nil {
		return nil, err
	}
	return exchange.NewHash(s, cs, key, groups), nil
}

// line adds an edge to the ledger.
func (b *build) line(from string, port int, to string) *edge {
	f := b.ops[from].node
	e := &edge{from: f, to: b.ops[to].node, port: port, name: f.ports[port], copies: 1, region: b.at}
	if b.former != nil {
		e.left = b.former.Emitted(from, port)
		e.before = b.former.Sent(from, port, e.name, to)
		if n := e.left - e.before; n > 0 {
			if e.to.Missed == nil {
				e.to.Missed = make(map[string]int64)
			}
			e.to.Missed[resume.Output(from, e.name)] = n
		}
	}
	b.edges = append(b.edges, e)
	return e
}
