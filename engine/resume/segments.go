package resume

import (
	"fmt"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/task"
)

// Operator is what one subtask of an operator was.
type Operator struct {
	task.OperatorState
	Segments Segments // its keyed state
}

// ReadSegment returns a segment. It is not changed, and may be kept.
type ReadSegment func(checkpoint.SegmentRef) ([]byte, error)

// keptBytes is how many bytes of segments are kept while a job is restored: they
// are read by each operator of a task, and by each of its new subtasks.
const keptBytes = 64 << 20

// objects reads segments.
type objects struct {
	read ReadSegment
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

// Segments are the keyed state of one subtask of an operator: a whole one, then
// what changed since, in order. They are read when they are needed, as they may
// not fit the memory.
type Segments struct {
	from    *objects
	part    checkpoint.PartState
	address string
}

// at returns what object i of the part has of the operator, nil: nothing.
func (s Segments) at(i int) ([]byte, error) {
	packed, err := s.from.get(s.part.Segments[i])
	if err != nil {
		return nil, fmt.Errorf("the state of %s: %w", s.part.Part, err)
	}
	states, err := state.Unpack(packed)
	return states[s.address], err
}

// All reads all of them.
func (s Segments) All() (all [][]byte, err error) {
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
