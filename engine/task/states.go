package task

import (
	"encoding/json"
	"fmt"

	"github.com/gpflow/gpflow"
)

// ReaderState is the snapshot of a reader.
type ReaderState struct {
	Splits    []SplitState     `json:"splits,omitempty"` // those being read
	Watermark gpflow.Timestamp `json:"watermark"`
	Counts    gpflow.Counts    `json:"counts"`
}

// SplitState is how far a split has been read.
type SplitState struct {
	ID       string          `json:"id"`
	Data     []byte          `json:"data,omitempty"`
	Position gpflow.Position `json:"position,omitempty"` // none: nothing has been read
	Time     SplitTime       `json:"time"`
}

// WriterState is the snapshot of a writer.
type WriterState struct {
	State  []byte        `json:"state,omitempty"` // the sink's
	Counts gpflow.Counts `json:"counts"`
}

// Encode returns a ReaderState, a WriterState or a Snapshot as it lies in a
// manifest.
func Encode(state any) []byte {
	data, err := json.Marshal(state)
	if err != nil {
		panic(fmt.Sprintf("encode a snapshot: %v", err)) // these types always can be
	}
	return data
}
