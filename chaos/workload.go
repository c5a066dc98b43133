package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// workload is a pipeline whose output is known without running it. Its source is
// source.in, its input lies below in/, its output below out/.
type workload struct {
	name, about string
	rows        int64 // of the input
	// drained says that the input never ends by itself: the pipeline is told to
	// end it when all rows are read.
	drained bool
	// make writes the input, and returns what belongs to the round.
	make func(dir string, rng *rand.Rand) (job, error)
}

// job is a workload with an input of its own.
type job interface {
	// spec returns what stands behind the pipeline block; rate is that of the
	// source, 0 for none.
	spec(rate int) string
	// moment checks what holds for what has been committed at any moment: the
	// files that are shown, and those that are pending.
	moment(shown *reader, pending []pendingFile) error
	// check compares all output with what it should be.
	check(shown *reader) *verdict
}

// workloads are all of them.
func workloads() []workload {
	return []workload{countPerKey, transfers, lateData, partitioned}
}

// settings are the settings of a start.
type settings struct {
	parallelism int
	rate        int
	checkpoint  string // more lines of the checkpoint block
}

// write writes the specification for a start.
func write(dir string, j job, s settings) error {
	text := fmt.Sprintf("pipeline \"chaos\" {\n  parallelism = %d\n\n  checkpoint {\n    every  = \"20ms\"\n    retain = 2\n%s  }\n}\n%s",
		s.parallelism, s.checkpoint, j.spec(s.rate))
	return os.WriteFile(filepath.Join(dir, "pipeline.hcl"), []byte(text), 0o644)
}

// paced returns the line of a source that sets its rate.
func paced(rate int) string {
	if rate == 0 {
		return ""
	}
	return fmt.Sprintf("  rate   = %d\n", rate)
}

// writeLines writes files below in/, of which row i goes into file i modulo
// their number.
func writeLines(dir string, files int, rows int64, line func(i int64) string) error {
	all := make([]strings.Builder, files)
	for i := range rows {
		b := &all[i%int64(files)]
		b.WriteString(line(i))
		b.WriteByte('\n')
	}
	if err := os.MkdirAll(filepath.Join(dir, "in"), 0o755); err != nil {
		return err
	}
	for i := range all {
		if err := os.WriteFile(inputFile(dir, i), []byte(all[i].String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inputFile returns the path of an input file.
func inputFile(dir string, i int) string {
	return filepath.Join(dir, "in", fmt.Sprintf("%02d.jsonl", i))
}

// verdict is what a comparison has found.
type verdict struct {
	rows             int // compared
	missing, doubled int
	others           int // that should not be there, or not so
	examples         []string
	err              error
}

// missed, twice and wrong note a row of the kind.
func (v *verdict) missed(format string, args ...any) { v.missing++; v.note("missing: "+format, args) }

func (v *verdict) twice(format string, args ...any) { v.doubled++; v.note("doubled: "+format, args) }
func (v *verdict) wrong(format string, args ...any) { v.others++; v.note("wrong: "+format, args) }

func (v *verdict) note(format string, args []any) {
	if len(v.examples) < 5 {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

// fault returns nil where everything is as it should be.
func (v *verdict) fault() error {
	if v.err != nil {
		return v.err
	}
	if v.missing+v.doubled+v.others == 0 {
		return nil
	}
	return fmt.Errorf("of %d rows, %d are missing, %d doubled, %d wrong:\n  %s", v.rows, v.missing, v.doubled, v.others, strings.Join(v.examples, "\n  "))
}

// compare notes where the counts of got differ from those of want.
func (v *verdict) compare(what string, got, want map[string]int) {
	for key, n := range want {
		v.rows += n
		switch g := got[key]; {
		case g < n:
			v.missed("%s %s is there %d times, not %d", what, key, g, n)
		case g > n:
			v.twice("%s %s is there %d times, not %d", what, key, g, n)
		}
	}
	for key, n := range got {
		if want[key] == 0 {
			v.wrong("%s %s is there %d times, and should not be", what, key, n)
		}
	}
}

// growing is a job whose input grows while the pipeline runs.
type growing interface {
	// grow makes the input longer, or all that it will ever be.
	grow(dir string, all bool) error
}

// anyTime is the moment of workloads of which nothing is known before the end.
type anyTime struct{}

func (anyTime) moment(*reader, []pendingFile) error { return nil }
