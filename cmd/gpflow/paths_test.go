package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/engine"
)

// written is what a sink has written to one path.
type written struct {
	ids     []int    // sorted
	writers []string // the subtasks
}

// writtenTo reads the directories below dir, by path.
func writtenTo(t *testing.T, dir string) map[string]written {
	t.Helper()
	all := make(map[string]written)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		at, err := filepath.Rel(dir, filepath.Dir(name))
		if err != nil {
			return err
		}
		w := all[at]
		if by := strings.Split(d.Name(), "-")[2]; !slices.Contains(w.writers, by) { // out, lineage, writer, epoch, sequence
			w.writers = append(w.writers, by)
		}
		for line := range bytes.Lines(data) {
			var row struct{ ID int }
			if err := json.Unmarshal(line, &row); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			w.ids = append(w.ids, row.ID)
		}
		slices.Sort(w.ids)
		all[at] = w
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPathsOfExpressions: with three subtasks, what is written to a path is what a
// plain computation says, by one of them; records for which an expression has no
// result are skipped. Different values come to one path here, 1 and 11 as well as
// 11 and 1, and still have one writer.
func TestPathsOfExpressions(t *testing.T) {
	const records, parallelism = 3000, 3
	dir := t.TempDir()
	encoded := compiled(t, fmt.Sprintf(`
pipeline "test" { parallelism = %d }

variable "step" { default = 7 }

source "generate" "in" {
  count  = %d
  fields = { id = "i", a = "i %% 2 == 0 ? '1' : '11'", word = "i %% 4 == 0 ? nil : 'Word ' + string(i %% 4)" }
}

sink "file" "out" {
  from     = source.in
  mode     = "parts"
  format   = "json"
  path     = "%s/{a}{id %% 3 == 0 ? 1 : 11}/{ lower(word ?? 'None') }-{word}/rest={100 / (id %% var.step) > 20.0}"
  on_error = "skip"
}
`, parallelism, records, dir))
	r, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	run, err := engine.Start(t.Context(), encoded, engine.Options{Registry: r})
	if err != nil {
		t.Fatal(err)
	}
	report, err := run.Wait()
	if err != nil {
		t.Fatal(err)
	}
	want, skipped := make(map[string][]int), int64(0)
	for i := range records {
		if i%7 == 0 {
			skipped++
			continue
		}
		path := [2]string{"1", "11"}[i%2]
		if i%3 == 0 {
			path += "1"
		} else {
			path += "11"
		}
		if i%4 == 0 {
			path += "/none-__null__"
		} else {
			path += fmt.Sprintf("/word%%20%d-Word%%20%d", i%4, i%4)
		}
		path += fmt.Sprintf("/rest=%t", i%7 < 5)
		want[path] = append(want[path], i)
	}
	got := writtenTo(t, dir)
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Fatalf("there are the paths\n%q, want\n%q", g, w)
	}
	writers := make(map[string]bool)
	for path, w := range got {
		if !slices.Equal(w.ids, want[path]) || len(w.writers) != 1 {
			t.Errorf("%s has %d records of the writers %q, want %d of one", path, len(w.ids), w.writers, len(want[path]))
		}
		writers[w.writers[0]] = true
	}
	if len(writers) != parallelism {
		t.Errorf("%d of %d subtasks have written", len(writers), parallelism)
	}
	for _, n := range report.Status.Nodes {
		if n.Address == "sink.out" && n.Counts.Skipped != skipped {
			t.Errorf("%d records were skipped, want %d", n.Counts.Skipped, skipped)
		}
	}
}
