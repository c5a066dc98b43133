package engine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/actor"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// The messages to the parts of a job about its checkpoints.
type (
	// trigger tells a reader to take part in a checkpoint, and to read no more
	// behind it where that is a stop.
	trigger struct {
		id   gpflow.CheckpointID
		stop bool
	}
	abort     struct{ id gpflow.CheckpointID }
	completed struct{ id gpflow.CheckpointID }
)

// reporter is how a part hands in its snapshots. Any goroutine may use it.
type reporter struct {
	part   checkpoint.Part
	master *actor.Ref
}

// acknowledge hands in the snapshot behind the barrier of a checkpoint.
func (r reporter) acknowledge(id gpflow.CheckpointID, s checkpoint.Snapshot) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Acknowledged{ID: id, Part: r.part, Snapshot: s}})
}

// decline says that there is no snapshot.
func (r reporter) decline(id gpflow.CheckpointID, err error) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Declined{ID: id, Part: r.part, Err: err}})
}

// gone hands in the last snapshot of a part whose input has been read to its
// end.
func (r reporter) gone(s checkpoint.Snapshot) {
	r.master.Send(job.Point{CoordinatorEvent: checkpoint.Gone{Part: r.part, Snapshot: s}})
}

// readerData is the snapshot of a reader.
type readerData struct {
	Splits    []splitData      `json:"splits,omitempty"` // those being read
	Watermark gpflow.Timestamp `json:"watermark"`
	Counts    gpflow.Counts    `json:"counts"`
}

// splitData is how far a split has been read.
type splitData struct {
	ID       string          `json:"id"`
	Data     []byte          `json:"data,omitempty"`
	Position gpflow.Position `json:"position,omitempty"` // none: nothing has been read
	Time     task.SplitTime  `json:"time"`
}

// writerData is the snapshot of a writer.
type writerData struct {
	State  []byte        `json:"state,omitempty"` // the sink's
	Counts gpflow.Counts `json:"counts"`
}

// encode returns the JSON of a snapshot, which always can be made.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode a snapshot: %v", err))
	}
	return data
}

// packStates joins what the operators of a subtask keep: for each, sorted by
// address, its length and bytes.
func packStates(states map[string][]byte) []byte {
	var out []byte
	for _, address := range slices.Sorted(maps.Keys(states)) {
		out = binary.AppendUvarint(out, uint64(len(address)))
		out = append(out, address...)
		out = binary.AppendUvarint(out, uint64(len(states[address])))
		out = append(out, states[address]...)
	}
	return out
}

var errPacked = errors.New("the state of a subtask is damaged: it does not end where it should")

// unpackStates is the reverse of packStates. The states share data.
func unpackStates(data []byte) (map[string][]byte, error) {
	states := make(map[string][]byte)
	field := func() []byte {
		n, used := binary.Uvarint(data)
		if used <= 0 || n > uint64(len(data)-used) {
			return nil
		}
		f := data[used : used+int(n) : used+int(n)]
		data = data[used+int(n):]
		return f
	}
	for len(data) > 0 {
		address := field()
		state := field()
		if address == nil || state == nil {
			return nil, errPacked
		}
		states[string(address)] = state
	}
	return states, nil
}
