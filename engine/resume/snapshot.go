package resume

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/gpflow/gpflow/engine/task"
)

// Operator is what one subtask of an operator was.
type Operator struct {
	task.OperatorState
	Segments Segments // its keyed state
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
