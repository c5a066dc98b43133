package resume

import (
	"fmt"
	"io"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// Operator is what one subtask of an operator was.
type Operator struct {
	task.OperatorState
	Segments Segments // its keyed state
}

// OpenSegment returns a segment to be read piece by piece, for as long as the
// Former is used. It has been compared with its checksum.
type OpenSegment func(checkpoint.SegmentRef) (*io.SectionReader, error)

// objects opens segments, each once.
type objects struct {
	open   OpenSegment
	opened map[string]map[string]*io.SectionReader // by name: the states in it, by address
}

func (o *objects) get(s checkpoint.SegmentRef) (map[string]*io.SectionReader, error) {
	if states, ok := o.opened[s.Object]; ok {
		return states, nil
	}
	packed, err := o.open(s)
	if err != nil {
		return nil, err
	}
	states, err := state.Unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Object, err)
	}
	o.opened[s.Object] = states
	return states, nil
}

// Segments are the keyed state of one subtask of an operator: a whole one, then
// what changed since, in order. They are opened when they are needed, and read
// piece by piece, as they may not fit the memory.
type Segments struct {
	from    *objects
	part    checkpoint.PartState
	address string
}

// at returns what object i of the part has of the operator, nil: nothing.
func (s Segments) at(i int) (*io.SectionReader, error) {
	states, err := s.from.get(s.part.Segments[i])
	if err != nil {
		return nil, fmt.Errorf("the state of %s: %w", s.part.Part, err)
	}
	return states[s.address], nil
}

// All opens all of them.
func (s Segments) All() (all []*io.SectionReader, err error) {
	for i := range s.part.Segments {
		r, err := s.at(i)
		if err != nil {
			return nil, err
		}
		if r != nil {
			all = append(all, r)
		}
	}
	return all, nil
}
