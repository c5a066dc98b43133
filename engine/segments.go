package engine

import (
	"fmt"

	"github.com/gpflow/gpflow/engine/checkpoint"
)

// keptBytes is how many bytes of segments are kept while a job is restored: they
// are read by each operator of a task, and by each of its new subtasks.
const keptBytes = 64 << 20

// objects reads segments.
type objects struct {
	read func(checkpoint.SegmentRef) ([]byte, error)
	kept map[string][]byte // by name
	room int64             // bytes that may still be kept
}

func (o *objects) get(s checkpoint.SegmentRef) ([]byte, error) {
	if b, ok := o.kept[s.Object]; ok {
		return b, nil
	}
	b, err := o.read(s)
	if err == nil && s.Size <= o.room {
		o.room -= s.Size
		o.kept[s.Object] = b
	}
	return b, err
}

// segments are those of an operator of a part. They are read when they are
// needed, as they may not fit the memory.
type segments struct {
	from    *objects
	part    checkpoint.PartState
	address string
}

// at returns what object i of the part has of the operator, nil: nothing.
func (s segments) at(i int) ([]byte, error) {
	packed, err := s.from.get(s.part.Segments[i])
	if err != nil {
		return nil, fmt.Errorf("the state of %s: %w", s.part.Part, err)
	}
	states, err := unpackStates(packed)
	return states[s.address], err
}

// all returns the segments.
func (s segments) all() (all [][]byte, err error) {
	for i := range s.part.Segments {
		b, err := s.at(i)
		if err != nil {
			return nil, err
		}
		if b != nil {
			all = append(all, b)
		}
	}
	return all, nil
}
