package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// saved is what a checkpoint has of the nodes of a job, by address and former
// subtask. How operators were fused into tasks, and how many subtasks there
// were, may differ from now.
type saved struct {
	manifest *checkpoint.Manifest
	plan     *plan.Plan // that was run then
	// unchanged says that each subtask has the inputs that it had, so that how
	// far time had come in it holds again.
	unchanged bool
	readers   map[string][]readerData
	operators map[string][]savedOperator
	writers   map[string][]writerData
	resumed   map[string]map[string]*splitData // of each source, the splits that were being read, by id
}

// savedOperator is one subtask of an operator.
type savedOperator struct {
	task.OperatorState
	segments segments // its keyed state
}

// newSaved reads what m has, but for the segments, which read returns when they
// are needed.
func newSaved(m *checkpoint.Manifest, then, now *plan.Plan, read func(checkpoint.SegmentRef) ([]byte, error)) (*saved, error) {
	objects := &objects{read: read, kept: make(map[string][]byte), room: keptBytes}
	s := &saved{
		manifest: m, plan: then, unchanged: sameWiring(then, now), readers: make(map[string][]readerData), operators: make(map[string][]savedOperator),
		writers: make(map[string][]writerData), resumed: make(map[string]map[string]*splitData),
	}
	parts := slices.SortedFunc(slices.Values(m.Parts), func(a, b checkpoint.PartState) int { return cmp.Compare(a.Subtask, b.Subtask) })
	for _, p := range parts {
		if err := s.add(p, objects); err != nil {
			return nil, fmt.Errorf("restore %s %s[%d]: %w", p.Kind, p.Name, p.Subtask, err)
		}
	}
	return s, nil
}

func (s *saved) add(p checkpoint.PartState, o *objects) error {
	switch p.Kind {
	case checkpoint.Reader:
		var d readerData
		if err := json.Unmarshal(p.Data, &d); err != nil {
			return err
		}
		s.readers[p.Name] = append(s.readers[p.Name], d)
		if s.resumed[p.Name] == nil {
			s.resumed[p.Name] = make(map[string]*splitData)
		}
		for i := range d.Splits {
			s.resumed[p.Name][d.Splits[i].ID] = &d.Splits[i]
		}
	case checkpoint.Writer:
		var d writerData
		if err := json.Unmarshal(p.Data, &d); err != nil {
			return err
		}
		s.writers[p.Name] = append(s.writers[p.Name], d)
	case checkpoint.Task:
		return s.addTask(p, o)
	}
	return nil
}

func (s *saved) addTask(p checkpoint.PartState, from *objects) error {
	var d task.Snapshot
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return err
	}
	for address, o := range d {
		s.operators[address] = append(s.operators[address], savedOperator{o, segments{from, p, address}})
	}
	return nil
}

// operator returns what subtask i of n of an operator goes on from, but for its
// keyed state. Where the number of subtasks has changed, here or anywhere before,
// time is what all of them had come to: rows that another subtask had still to
// get may come to this one now. The first one then has the ledger of all.
func (s *saved) operator(address string, i, n int) (task.OperatorState, bool) {
	former := s.operators[address]
	switch {
	case len(former) == 0:
		return task.OperatorState{}, false
	case len(former) == n && s.unchanged:
		return former[i].OperatorState, true
	}
	o := task.OperatorState{Mark: gpflow.MaxTimestamp, Emitted: make([]int64, len(former[0].Emitted))}
	for _, x := range former {
		o.Mark = min(o.Mark, x.Mark)
		o.Timers = append(o.Timers, x.Timers...) // whoever has the keys now needs them
		if i == 0 {
			o.Counts.Add(x.Counts)
			o.Taken += x.Taken
			for p, e := range x.Emitted {
				o.Emitted[p] += e
			}
		}
	}
	return o, true
}

// restore gives subtask i of n of an operator its keyed state: its own, or the
// key groups that it owns out of that of all former subtasks.
func (s *saved) restore(m *state.Memory, address string, i, n int) error {
	former := s.operators[address]
	if len(former) == n {
		former = former[i : i+1]
	}
	for _, x := range former {
		if err := m.RestoreFrom(len(x.segments.part.Segments), x.segments.at); err != nil {
			return err
		}
	}
	return nil
}

// reader returns what subtask i of n of a source goes on from, but for its
// splits.
func (s *saved) reader(address string, i, n int) (d readerData, ok bool) {
	former := s.readers[address]
	switch {
	case len(former) == 0:
		return readerData{}, false
	case len(former) == n:
		return former[i], true
	}
	d.Watermark = gpflow.MaxTimestamp
	for _, x := range former {
		d.Watermark = min(d.Watermark, x.Watermark)
		if i == 0 {
			d.Counts.Add(x.Counts)
		}
	}
	return d, true
}

// source tells the job's machine what a source was. Splits stay where they were
// read as far as there are still readers; the others go to those that have
// fewest.
func (s *saved) source(j *job.Source) {
	i := slices.IndexFunc(s.manifest.Sources, func(x checkpoint.SourceState) bool { return x.Address == j.Address })
	if i < 0 {
		return
	}
	x := s.manifest.Sources[i]
	j.Found, j.Queue, j.Done = x.Found, x.Queue, x.Done
	load := make([]int, j.Parallelism)
	var homeless []gpflow.Split
	for r, d := range s.readers[j.Address] {
		for _, split := range d.Splits {
			p := gpflow.Split{ID: split.ID, Data: split.Data}
			if r >= j.Parallelism {
				homeless = append(homeless, p)
				continue
			}
			load[r]++
			j.Reading = append(j.Reading, job.Reading{Split: p, Subtask: r})
		}
	}
	for _, p := range homeless {
		r := slices.Index(load, slices.Min(load))
		load[r]++
		j.Reading = append(j.Reading, job.Reading{Split: p, Subtask: r})
	}
}

// writer returns what a sink's subtask i goes on from: the states of all former
// subtasks, and for the first one the ledger of all.
func (s *saved) writer(address string, i, n int) (states [][]byte, counts gpflow.Counts) {
	former := s.writers[address]
	for f, x := range former {
		states = append(states, x.State)
		if f == i && len(former) == n || i == 0 && len(former) != n {
			counts.Add(x.Counts)
		}
	}
	return states, counts
}

// emitted returns the rows that had left a port of a node.
func (s *saved) emitted(address string, port int) (n int64) {
	for _, x := range s.operators[address] {
		if port < len(x.Emitted) {
			n += x.Emitted[port]
		}
	}
	return n
}

// same reports whether t has the operators and the parallelism that it had, so
// that what changes in its state can be told relative to what was saved.
func (s *saved) same(t *plan.Task) bool {
	former := 0
	for _, p := range s.manifest.Parts {
		if p.Kind == checkpoint.Task && p.Name == t.ID {
			former++
		}
	}
	then := s.plan.Task(t.ID)
	return then != nil && former == t.Parallelism && slices.EqualFunc(t.Ops, then.Ops, func(a, b plan.Op) bool { return a.ID == b.ID })
}

// sameWiring reports whether two plans have the same tasks with the same numbers
// of subtasks, joined in the same way.
func sameWiring(a, b *plan.Plan) bool {
	tasks := slices.EqualFunc(a.Tasks, b.Tasks, func(x, y plan.Task) bool {
		return x.ID == y.ID && x.Parallelism == y.Parallelism && slices.EqualFunc(x.Ops, y.Ops, func(p, q plan.Op) bool { return p.ID == q.ID })
	})
	return tasks && slices.EqualFunc(a.Edges, b.Edges, func(x, y plan.Edge) bool {
		return x.From == y.From && x.FromOp == y.FromOp && x.FromPort == y.FromPort && x.To == y.To && x.ToInput == y.ToInput && x.Partition == y.Partition
	})
}
