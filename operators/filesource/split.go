package filesource

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gpflow/gpflow"
)

// splitData is the data of a split, as JSON.
type splitData struct {
	Path        string `json:"path"`
	Format      string `json:"format"`
	Compression string `json:"compression"`
	// From and To bound the offsets at which the split's records start:
	// [From, To). A whole file is from 0 to math.MaxInt64.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	Size int64 `json:"size"` // of the file, as it was found
	// Stream says that the bytes come once, as they are written: a pipe, a
	// terminal.
	Stream bool `json:"stream,omitempty"`
}

func (d splitData) split() gpflow.Split {
	id := d.Path
	if d.From > 0 || d.To != math.MaxInt64 {
		id = fmt.Sprintf("%s@%d", d.Path, d.From)
	}
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers can be marshalled
	}
	return gpflow.Split{ID: id, Data: data}
}

func decodeSplit(s gpflow.Split) (d splitData, err error) {
	if err := json.Unmarshal(s.Data, &d); err != nil {
		return d, fmt.Errorf("split %s: its data cannot be read: %w", s.ID, err)
	}
	return d, nil
}

// place is a position: two unsigned varints.
type place struct {
	offset int64 // in the content, behind any compression
	line   int64 // of the next record, from 1; 0: not known
}

func (p place) encode() gpflow.Position {
	b := make([]byte, 0, 12)
	b = binary.AppendUvarint(b, uint64(p.offset))
	return binary.AppendUvarint(b, uint64(p.line))
}

func decodePlace(split string, pos gpflow.Position) (place, error) {
	if pos == nil {
		return place{}, nil
	}
	offset, n := binary.Uvarint(pos)
	if n > 0 {
		line, m := binary.Uvarint(pos[n:])
		if m > 0 && n+m == len(pos) && offset <= math.MaxInt64 && line <= math.MaxInt64 {
			return place{int64(offset), int64(line)}, nil
		}
	}
	return place{}, fmt.Errorf("split %s: its position %x cannot be read", split, []byte(pos))
}
