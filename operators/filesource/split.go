package filesource

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
)

// splitData is the data of a split, as JSON.
type splitData struct {
	Path        string `json:"path"`
	Bytes       []byte `json:"path_bytes,omitempty"` // of a path that is not UTF-8, which JSON cannot hold
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
	// Head is the fingerprint of the file as it was found: of one that is cut
	// into ranges, so that all are of one file, and of one that is followed.
	Head head `json:"head,omitzero"`
	// File is what the system knows a followed file by, whatever it is called;
	// "": not known. Generation counts the files of that path, from 1.
	File       string `json:"file,omitempty"`
	Generation int    `json:"generation,omitempty"`
}

// quotedPath is what a path is taken for, unless it is quoted: a quoted one, a
// range, or a generation.
var quotedPath = regexp.MustCompile(`^"|[@#][0-9]+$`)

// split returns the split. Its ID is UTF-8, as all text is that goes into a
// checkpoint: a path that is not is quoted, and so is one that could be taken for
// the ID of another split, so that no two have the same.
func (d splitData) split() gpflow.Split {
	id := d.Path
	if !utf8.ValidString(id) {
		d.Bytes = []byte(id)
	}
	if d.Bytes != nil || quotedPath.MatchString(id) {
		id = strconv.Quote(id)
	}
	switch {
	case d.From > 0 || d.To != math.MaxInt64:
		id = fmt.Sprintf("%s@%d", id, d.From)
	case d.Generation > 1:
		id = fmt.Sprintf("%s#%d", id, d.Generation)
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
	if d.Bytes != nil {
		d.Path, d.Bytes = string(d.Bytes), nil
	}
	return d, nil
}
