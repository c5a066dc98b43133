package resume

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// Reader is the snapshot of a reader.
type Reader struct {
	Splits    []Split          `json:"splits,omitempty"` // those being read
	Watermark gpflow.Timestamp `json:"watermark"`
	Counts    gpflow.Counts    `json:"counts"`
}

// Split is how far a split has been read.
type Split struct {
	ID       string          `json:"id"`
	Data     []byte          `json:"data,omitempty"`
	Position gpflow.Position `json:"position,omitempty"` // none: nothing has been read
	Time     task.SplitTime  `json:"time"`
}

// Writer is the snapshot of a writer.
type Writer struct {
	State  []byte        `json:"state,omitempty"` // the sink's
	Counts gpflow.Counts `json:"counts"`
}

// Operator is what one subtask of an operator was.
type Operator struct {
	task.OperatorState
	Segments Segments // its keyed state
}

// Encode returns a Reader, a Writer or a task.Snapshot as it lies in a manifest.
func Encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode a snapshot: %v", err)) // these types always can be
	}
	return data
}

// Pack joins what the operators of a subtask keep: for each, sorted by address,
// its length and bytes.
func Pack(states map[string][]byte) []byte {
	var out []byte
	for _, address := range slices.Sorted(maps.Keys(states)) {
		out = append(AppendHead(out, address, len(states[address])), states[address]...)
	}
	return out
}

// AppendHead appends what precedes the state of an operator in what Pack returns,
// where the state has size bytes. Whoever appends that many behind it, for one
// operator after the other, sorted by address, has packed them in place.
func AppendHead(dst []byte, address string, size int) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(len(address))), address...)
	return binary.AppendUvarint(dst, uint64(size))
}

var errPacked = errors.New("the state of a subtask is damaged: it does not end where it should")

// unpack is the reverse of Pack. The states share data.
func unpack(data []byte) (map[string][]byte, error) {
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
