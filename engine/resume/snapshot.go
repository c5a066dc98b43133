package resume

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// unpack is the reverse of Pack, but that it reads the lengths and the addresses,
// and no state.
func unpack(packed *io.SectionReader) (map[string]*io.SectionReader, error) {
	states := make(map[string]*io.SectionReader)
	for at := int64(0); at < packed.Size(); {
		address, n, err := field(packed, at)
		if err != nil {
			return nil, err
		}
		name := make([]byte, n)
		if _, err := packed.ReadAt(name, address); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		state, n, err := field(packed, address+n)
		if err != nil {
			return nil, err
		}
		states[string(name)] = io.NewSectionReader(packed, state, n)
		at = state + n
	}
	return states, nil
}

// field reads a length, and returns it and where what it is of begins, all of which
// is there.
func field(packed *io.SectionReader, at int64) (begin, n int64, err error) {
	b := make([]byte, min(binary.MaxVarintLen64, packed.Size()-at))
	if _, err := packed.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	size, used := binary.Uvarint(b)
	if used <= 0 || size > uint64(packed.Size()-at-int64(used)) {
		return 0, 0, errPacked
	}
	return at + int64(used), int64(size), nil
}
