package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// saved is what a checkpoint has of the parts of a job, by address and former
// subtask. It decides as the engine's does who goes on from what.
type saved struct {
	manifest  *checkpoint.Manifest
	readers   map[string][]readerData
	operators map[string][]savedOperator
	writers   map[string][][]byte
	resumed   map[string]*splitData // by split

	timersToOne bool // see Bug
}

type savedOperator struct {
	task.OperatorState
	segments [][]byte
}

func newSaved(m *checkpoint.Manifest, segments func(checkpoint.PartState) ([][]byte, error)) (*saved, error) {
	s := &saved{
		manifest: m, readers: make(map[string][]readerData), operators: make(map[string][]savedOperator),
		writers: make(map[string][][]byte), resumed: make(map[string]*splitData),
	}
	parts := slices.SortedFunc(slices.Values(m.Parts), func(a, b checkpoint.PartState) int { return cmp.Compare(a.Subtask, b.Subtask) })
	for _, p := range parts {
		if err := s.add(p, segments); err != nil {
			return nil, fmt.Errorf("restore %s: %w", p.Part, err)
		}
	}
	return s, nil
}

func (s *saved) add(p checkpoint.PartState, segments func(checkpoint.PartState) ([][]byte, error)) error {
	switch p.Kind {
	case checkpoint.Reader:
		var d readerData
		if err := json.Unmarshal(p.Data, &d); err != nil {
			return err
		}
		s.readers[p.Name] = append(s.readers[p.Name], d)
		for i := range d.Splits {
			s.resumed[d.Splits[i].ID] = &d.Splits[i]
		}
	case checkpoint.Writer:
		s.writers[p.Name] = append(s.writers[p.Name], p.Data)
	case checkpoint.Task:
		var d task.Snapshot
		if err := json.Unmarshal(p.Data, &d); err != nil {
			return err
		}
		packed, err := segments(p)
		if err != nil {
			return err
		}
		states := make(map[string][][]byte)
		for _, data := range packed {
			var byAddress map[string][]byte
			if err := json.Unmarshal(data, &byAddress); err != nil {
				return err
			}
			for address, segment := range byAddress {
				states[address] = append(states[address], segment)
			}
		}
		for address, o := range d {
			s.operators[address] = append(s.operators[address], savedOperator{o, states[address]})
		}
	}
	return nil
}

// operator returns what subtask i of n of an operator goes on from.
func (s *saved) operator(address string, i, n int) (task.OperatorState, bool) {
	former := s.operators[address]
	switch {
	case len(former) == 0:
		return task.OperatorState{}, false
	case len(former) == n:
		return former[i].OperatorState, true
	}
	o := task.OperatorState{Mark: gpflow.MaxTimestamp, Emitted: make([]int64, len(former[0].Emitted))}
	for f, x := range former {
		o.Mark = min(o.Mark, x.Mark)
		if !s.timersToOne || f%n == i {
			o.Timers = append(o.Timers, x.Timers...) // whose key groups may be here now
		}
	}
	return o, true
}

// restore gives subtask i of n of an operator its keyed state.
func (s *saved) restore(m *state.Memory, address string, i, n int) error {
	former := s.operators[address]
	if len(former) == n {
		former = former[i : i+1]
	}
	for _, x := range former {
		if len(x.segments) == 0 {
			continue
		}
		if err := m.Restore(x.segments); err != nil {
			return err
		}
	}
	return nil
}

// reader returns the watermark that subtask i of n of a source had reached.
func (s *saved) reader(address string, i, n int) (t gpflow.Timestamp, ok bool) {
	former := s.readers[address]
	switch {
	case len(former) == 0:
		return 0, false
	case len(former) == n:
		return former[i].Watermark, true
	}
	t = gpflow.MaxTimestamp
	for _, x := range former {
		t = min(t, x.Watermark)
	}
	return t, true
}

// source tells the job's machine what a source was.
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

// same reports whether a task has the operators and the parallelism that it
// had, so that what changes in its state can be told relative to what was saved.
func (s *saved) same(now shape) bool {
	var then []shape
	if err := json.Unmarshal(s.manifest.Plan, &then); err != nil {
		return false
	}
	i := slices.IndexFunc(then, func(x shape) bool { return x.ID == now.ID })
	return i >= 0 && then[i].Parallelism == now.Parallelism && slices.Equal(then[i].Ops, now.Ops)
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode a snapshot: %v", err))
	}
	return data
}
