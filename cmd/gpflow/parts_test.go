package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/engine"
)

// TestPartsSurvive: files in a directory, by partitions that a column or another
// expression says, hold every record once,
// in the directory of its partition, however often the job is killed, at whatever
// operation on its state, stopped, and gone on with at another parallelism. In
// each start a partition has one writer, and nothing stays staged.
func TestPartsSurvive(t *testing.T) {
	moved := 0
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "parts")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		r, err := registry()
		if err != nil {
			rt.Fatal(err)
		}
		p := partsCase{
			records: rapid.IntRange(0, 2000).Draw(rt, "records"), partitions: rapid.IntRange(1, 8).Draw(rt, "partitions"),
			roll: rapid.SampledFrom([]string{"", "roll { size = \"1KiB\" }", "roll { every = \"1h\" }"}).Draw(rt, "roll"), dir: dir,
		}
		p.by = rapid.SampledFrom([]string{"part", fmt.Sprintf("'p' + string(id %% %d)", p.partitions)}).Draw(rt, "by")
		finished, last := false, 0
		for i := 0; !finished; i++ {
			parallelism := rapid.IntRange(1, 3).Draw(rt, "parallelism now")
			operations, before, stop := int64(1<<40), false, false
			if i < 6 {
				operations = rapid.Int64Range(1, 40).Draw(rt, "operations")
				before = rapid.Bool().Draw(rt, "before")
				stop = rapid.IntRange(0, 3).Draw(rt, "stop") == 0
			}
			if last > 0 && last != parallelism {
				moved++
			}
			last = parallelism
			o := engine.Options{Registry: r, PollRows: rapid.SampledFrom([]int{1, 7, 0}).Draw(rt, "poll")}
			finished = attempt(rt, compiled(rt, p.text(parallelism)), filepath.Join(dir, "state"), o, operations, before, stop)
		}
		p.check(rt)
	})
	if moved == 0 {
		t.Error("no start had another parallelism")
	}
}

type partsCase struct {
	records, partitions int
	by, roll, dir       string
}

func (p partsCase) text(parallelism int) string {
	return fmt.Sprintf(`
pipeline "test" { parallelism = %d }

source "generate" "in" {
  count  = %d
  fields = { id = "i", part = "'p' + string(i %% %d)" }
}

sink "file" "out" {
  from   = source.in
  mode   = "parts"
  format = "json"
  path   = "%s/{%s}/"
  %s
}
`, parallelism, p.records, p.partitions, filepath.Join(p.dir, "out"), p.by, p.roll)
}

// check reads the files.
func (p partsCase) check(t *rapid.T) {
	seen := make(map[int]bool)
	writers := make(map[string]string) // by partition and start
	err := filepath.WalkDir(filepath.Join(p.dir, "out"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		partition := filepath.Base(filepath.Dir(path))
		name := strings.Split(d.Name(), "-") // out, lineage, writer, epoch, sequence
		if len(name) != 5 {
			t.Fatalf("there is a file %s", path)
		}
		at := partition + " in start " + name[3]
		if w := writers[at]; w != "" && w != name[2] {
			t.Fatalf("%s has the writers %s and %s", at, w, name[2])
		}
		writers[at] = name[2]
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			var row struct {
				ID   int    `json:"id"`
				Part string `json:"part"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if seen[row.ID] || row.Part != partition || row.Part != fmt.Sprintf("p%d", row.ID%p.partitions) {
				t.Fatalf("%s: the record %d, of %s, is there twice, or does not belong there", path, row.ID, row.Part)
			}
			seen[row.ID] = true
		}
		return nil
	})
	if err != nil && p.records > 0 {
		t.Fatal(err)
	}
	if len(seen) != p.records {
		t.Fatalf("%d records are there, and %d were made", len(seen), p.records)
	}
}
