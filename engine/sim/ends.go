package sim

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
)

// source makes the enumerator and the readers of a source.
func (b *build) source(s *stage, parts []*draft) {
	src := b.top.sources[s.source]
	js := job.Source{Address: src.address, Parallelism: s.parallelism, Bounded: src.bounded}
	if b.former != nil {
		b.former.Source(&js)
	}
	b.Former[src.address] = b.former
	b.before(src, js)
	e := &enumerator{a: b.attempt, node: b.add("enumerator "+src.address, 0), source: src.address, bounded: src.bounded, left: src.splits[len(js.Found):]}
	e.node.who, b.Enumerators[src.address] = e, e.node
	b.sources = append(b.sources, js)
	pace := part.NewPace(src.rate)
	for i, p := range parts {
		n := b.add(fmt.Sprintf("reader %s[%d]", src.address, i), p.node.worker)
		who := checkpoint.Part{Kind: checkpoint.Reader, Name: src.address, Subtask: i}
		c := part.ReaderConfig{
			Name: job.Reader{Source: src.address, Subtask: i}, Report: b.report(n, who), Schema: b.rows,
			EventTime: &plan.EventTime{Column: "at", OutOfOrder: gpflow.Duration(s.flow.Disorder), MaxFuture: -1},
			Failures:  skips{}, Retry: b.retry(), Pace: pace, Most: b.top.most, Plant: b.config.Part,
			Publish: func(c gpflow.Counts, _ gpflow.Timestamp) { b.publish(n, who, c) },
		}
		if s.flow.pauses() {
			c.EventTime.IdleAfter = src.idle
		}
		delete(b.ledger, who)
		var l *link
		c.Out, l = b.open(n.name, p.inbox, n, p.node, b.rows)
		p.links, p.input = append(p.links, l), append(p.input, 0)
		r := &reader{Reader: part.NewReader(c), a: b.attempt, node: n, pauses: s.flow.pauses(), data: b.data, next: make(map[string]int)}
		n.who, b.Readers[c.Name] = r, n
		if b.former != nil {
			if x, ok := b.former.Reader(src.address, i, s.parallelism); ok {
				r.Resume(x)
			}
		}
	}
}

// before notes what of a source had been read before it begins, or begins anew. A
// split that was being read is cut there until a reader has it.
func (b *build) before(src source, s job.Source) {
	var was map[string]int
	if b.former != nil {
		was = maps.Clone(b.cuts[b.former.Manifest().Epoch])
	}
	for _, split := range src.splits {
		b.read[split.ID] = 0
		delete(b.cut, split.ID)
	}
	for _, split := range s.Found {
		b.read[split.ID] = len(b.data[split.ID])
		if n, ok := was[split.ID]; ok {
			b.read[split.ID], b.cut[split.ID] = n, n
		}
	}
	for _, split := range s.Queue {
		b.read[split.ID], b.cut[split.ID] = 0, 0
	}
	for _, r := range s.Reading {
		n, _ := strconv.Atoi(string(b.former.Split(s.Address, r.Split.ID).Position)) // none: the beginning
		b.read[r.Split.ID], b.cut[r.Split.ID] = n, n
	}
}

// sink makes a writer of a sink, which is operator i of a stage.
func (b *build) sink(s *stage, p *draft, i, sub int) error {
	o := s.ops[i]
	to := b.outside[o.id]
	line, schema := rowLine, b.rows
	if o.id == s.flow.main() && s.flow.Window > 0 {
		line, schema = windowLine, b.windows
	}
	n := b.add(fmt.Sprintf("writer %s[%d]", o.id, sub), p.node.worker)
	who := checkpoint.Part{Kind: checkpoint.Writer, Name: o.id, Subtask: sub}
	c := part.WriterConfig{
		Name: job.Writer{Sink: o.id, Subtask: sub}, Report: b.report(n, who), Inbox: exchange.NewInbox(n.wake), Failures: skips{}, Retry: b.retry(),
		Publish: func(c gpflow.Counts) { b.publish(n, who, c) }, Plant: b.config.Part,
	}
	var states [][]byte
	if b.former != nil {
		states, c.Counts = b.former.Writer(o.id, sub, s.parallelism)
		c.From = b.former.Manifest().ID
	}
	w := &writer{
		Writer: part.NewWriter(c), a: b.attempt, node: n,
		sink: &sink{a: b.attempt, node: n, to: to, name: fmt.Sprintf("%d.%d", b.number, sub), line: line},
	}
	n.who, b.Writers[c.Name] = w, n
	b.sinks = append(b.sinks, c.Name)
	if err := w.sink.Recover(context.Background(), states); err != nil {
		return err
	}
	if b.spoiled > 0 && b.rand.IntN(2) == 0 {
		b.spoiled--
		return fmt.Errorf("%s cannot recover: %w", n.name, errBroken)
	}
	channel, l := b.open(n.name, c.Inbox, p.node, n, schema)
	channel.Timeless()
	l.out.Timeless()
	l.timeless = true
	w.link = l
	at, port := i, 0
	if i > 0 {
		at, port = o.parent, o.port
	}
	p.outputs[at][port] = append(p.outputs[at][port], exchange.NewForward(schema, channel))
	return nil
}

// skips has every record that fails left out.
type skips struct{}

// Failed implements gpflow.FailurePolicy.
func (skips) Failed(*gpflow.Batch, int, error, *gpflow.Builder) (gpflow.Action, error) {
	return gpflow.ActionSkip, nil
}

// Undecoded implements part.Failures.
func (skips) Undecoded(string, gpflow.FailedRecord, *gpflow.Builder) (gpflow.Action, error) {
	return gpflow.ActionSkip, nil
}

// retry has calls that fail for the time being made again, for as long as it takes.
func (b *build) retry() part.Retry {
	return part.Retry{
		On:   plan.OnError{Action: gpflow.ActionRetry, Retries: maxSteps, Backoff: 100},
		Told: func(int, time.Duration, error) { b.stats.Retried++ },
	}
}

// report returns how a part tells the master what it has come to. A task declines
// sometimes.
func (b *build) report(n *node, who checkpoint.Part) part.Report {
	a := b.attempt
	return part.Report{Part: who, Send: func(e job.Event) {
		p, _ := e.(job.Point)
		if ack, ok := p.CoordinatorEvent.(checkpoint.Acknowledged); ok && who.Kind == checkpoint.Task {
			n.who.(*subtask).handed.note(ack)
			if ack.Snapshot.Pieces != nil {
				a.stats.Spilled++
			}
			if !a.config.Calm && a.rand.IntN(150) == 0 {
				e = job.Point{CoordinatorEvent: checkpoint.Declined{ID: ack.ID, Part: who, Err: errDeclined}}
			}
		}
		a.send(n, a.master.node, e)
	}}
}

// publish looks at the ledger of a reader or a writer: every record has met one
// fate.
func (a *attempt) publish(n *node, who checkpoint.Part, c gpflow.Counts) {
	if left := c.Balance(); left != 0 {
		a.broken("ledger", "%s has not accounted for %d records of %d", n.name, left, c.In)
	}
	a.ledger[who] = c.Passed
}
