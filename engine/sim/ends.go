package sim

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// source makes the enumerator and the readers of a source.
func (b *build) source(s *stage, parts []*part) {
	src := b.top.sources[s.source]
	js := job.Source{Address: src.address, Parallelism: s.parallelism, Bounded: src.bounded}
	if b.former != nil {
		b.former.Source(&js)
	}
	b.before(src, js)
	e := &enumerator{a: b.attempt, node: b.add("enumerator " + src.address), source: src.address, bounded: src.bounded, left: src.splits[len(js.Found):]}
	e.node.who, b.enumerators[src.address] = e, e.node
	b.sources = append(b.sources, js)
	for i, p := range parts {
		n := b.add(fmt.Sprintf("reader %s[%d]", src.address, i))
		r := &reader{
			a: b.attempt, node: n, id: job.Reader{Source: src.address, Subtask: i}, reading: gpflow.NewReading(b.rows), data: b.data, next: make(map[string]int),
			clock:  task.NewSplitClock(gpflow.Duration(s.flow.Disorder), false),
			report: reporter{b.attempt, n, checkpoint.Part{Kind: checkpoint.Reader, Name: src.address, Subtask: i}},
		}
		r.splits.Plant(b.config.Resume)
		n.who, b.readers[r.id] = r, n
		if b.former != nil {
			if x, ok := b.former.Reader(src.address, i, s.parallelism); ok {
				r.clock.Reach(x.Watermark)
				r.resumed = x.Watermark != gpflow.MinTimestamp
			}
		}
		c, l := b.open(n.name, p.inbox, n, b.rows)
		r.out, p.links, p.input = c, append(p.links, l), append(p.input, 0)
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
func (b *build) sink(s *stage, p *part, i, sub int) error {
	o := s.ops[i]
	to := b.outside[o.id]
	line, schema := rowLine, b.rows
	if o.id == s.flow.main() && s.flow.Window > 0 {
		line, schema = windowLine, b.windows
	}
	n := b.add(fmt.Sprintf("writer %s[%d]", o.id, sub))
	w := &writer{
		a: b.attempt, node: n, id: job.Writer{Sink: o.id, Subtask: sub}, inbox: exchange.NewInbox(n.wake),
		sink:   &sink{a: b.attempt, node: n, to: to, name: fmt.Sprintf("%d.%d", b.number, sub), line: line},
		report: reporter{b.attempt, n, checkpoint.Part{Kind: checkpoint.Writer, Name: o.id, Subtask: sub}},
	}
	n.who, b.writers[w.id] = w, n
	b.sinks = append(b.sinks, w.id)
	var states [][]byte
	if b.former != nil {
		w.last = b.former.Manifest().ID
		states, _ = b.former.Writer(o.id, sub, s.parallelism)
	}
	if err := w.sink.Recover(context.Background(), states); err != nil {
		return err
	}
	if b.spoiled > 0 && b.rand.IntN(2) == 0 {
		b.spoiled--
		return fmt.Errorf("%s cannot recover: %w", n.name, errBroken)
	}
	c, l := b.open(n.name, w.inbox, p.node, schema)
	w.link = l
	at, port := i, 0
	if i > 0 {
		at, port = o.parent, o.port
	}
	p.outputs[at][port] = append(p.outputs[at][port], exchange.NewForward(schema, c))
	return nil
}
