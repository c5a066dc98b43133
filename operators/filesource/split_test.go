package filesource

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
)

// TestSplitPaths: a split keeps its path, byte for byte, through a checkpoint, where
// its ID is JSON, and no two paths have one ID.
func TestSplitPaths(t *testing.T) {
	seen := make(map[string]string)
	for _, path := range []string{"in/a.jsonl", "in/a.jsonl@7", "in/a.jsonl#2", "in/a@b#3c", "in/\xff", "in/\xfe", "in/\ufffd", `"in/\xff"`, `"in/\\xff"`, "\"in/\xff\"", "in/sp ace\n", "-"} {
		for _, d := range []splitData{
			{Path: path, To: math.MaxInt64},
			{Path: path, From: 7, To: 9},
			{Path: path, To: math.MaxInt64, Generation: 2},
		} {
			s := d.split()
			text, err := json.Marshal(s.ID)
			var id string
			if err == nil {
				err = json.Unmarshal(text, &id)
			}
			if err != nil || id != s.ID || !utf8.ValidString(id) {
				t.Errorf("%q: the ID %q becomes %q in JSON: %v", path, s.ID, id, err)
			}
			if other, ok := seen[id]; ok {
				t.Errorf("%q and %q have the ID %q", path, other, id)
			}
			seen[id] = path
			got, err := decodeSplit(gpflow.Split{ID: id, Data: s.Data})
			if err != nil || got.Path != path || got.split().ID != s.ID {
				t.Errorf("%q: got %q, %v", path, got.Path, err)
			}
		}
	}
}
