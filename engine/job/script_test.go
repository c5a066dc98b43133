package job_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
)

var rewrite = flag.Bool("rewrite", false, "write what the machine answers into the scripts")

// TestScripts plays testdata/*.txt. A script is a list of events, each with
// what the machine answers below a line of dashes:
//
//	job source=a/2/bounded sink=out/1    a new machine; source=ADDRESS/PARALLELISM[/bounded]
//	started
//	discovered a s1,s2 [done]            "-": no splits
//	split-ended a/0 s1
//	ended out/0 [stopped]                stopped: not drained
//	prepared out/0 [COMMITTABLE]
//	committed out/0
//	stop
//	failure TEXT
//
// Lines that begin with # are comments.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, path, script)
			switch {
			case *rewrite:
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			case !bytes.Equal(got, script):
				t.Errorf("%s: the machine answers\n%s", path, got)
			}
		})
	}
}

// play returns the script with the machine's own answers.
func play(t *testing.T, path string, script []byte) []byte {
	var out bytes.Buffer
	var j *job.Job
	var answer []string
	inAnswer := false
	finish := func() {
		if inAnswer {
			for _, a := range answer {
				fmt.Fprintln(&out, a)
			}
			fmt.Fprintln(&out)
			inAnswer, answer = false, nil
		}
	}
	for n, line := range strings.Split(string(script), "\n") {
		switch {
		case line == "----":
			fmt.Fprintln(&out, line)
			inAnswer = true
		case inAnswer && line != "":
			// what is expected, and compared by the caller
		case line == "":
			finish()
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintln(&out, line)
			var err error
			if j, answer, err = step(j, strings.Fields(line)); err != nil {
				t.Fatalf("%s:%d: %v", path, n+1, err)
			}
		}
	}
	finish()
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n')
}

// step plays one line and returns the machine and its answer.
func step(j *job.Job, words []string) (*job.Job, []string, error) {
	if words[0] == "job" {
		return newJob(words[1:])
	}
	if j == nil {
		return nil, nil, errors.New("a script begins with job")
	}
	e, err := event(words)
	if err != nil {
		return j, nil, err
	}
	var answer []string
	for _, a := range j.Step(e) {
		answer = append(answer, describe(a))
	}
	if answer == nil {
		answer = []string{"nothing"}
	}
	return j, answer, nil
}

func newJob(words []string) (*job.Job, []string, error) {
	var sources []job.Source
	var sinks []job.Writer
	for _, w := range words {
		what, value, _ := strings.Cut(w, "=")
		parts := append(strings.Split(value, "/"), "")
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, nil, err
		}
		switch what {
		case "source":
			sources = append(sources, job.Source{Address: parts[0], Parallelism: n, Bounded: parts[2] == "bounded"})
		case "sink":
			for i := range n {
				sinks = append(sinks, job.Writer{Sink: parts[0], Subtask: i})
			}
		}
	}
	return job.New(sources, sinks), []string{"made"}, nil
}

func event(words []string) (job.Event, error) {
	arg := append(words[1:], "", "")
	address, index, _ := strings.Cut(arg[0], "/")
	i, _ := strconv.Atoi(index)
	r, w := job.Reader{Source: address, Subtask: i}, job.Writer{Sink: address, Subtask: i}
	switch words[0] {
	case "started":
		return job.Started{}, nil
	case "discovered":
		var splits []gpflow.Split
		for _, id := range strings.Split(arg[1], ",") {
			if id != "-" {
				splits = append(splits, gpflow.Split{ID: id})
			}
		}
		return job.Discovered{Source: address, Splits: splits, Done: arg[2] == "done"}, nil
	case "split-ended":
		return job.SplitEnded{Reader: r, Split: arg[1]}, nil
	case "ended":
		return job.Ended{Writer: w, Drained: arg[1] != "stopped"}, nil
	case "prepared":
		return job.Prepared{Writer: w, Committable: gpflow.Committable(arg[1])}, nil
	case "committed":
		return job.Committed{Writer: w}, nil
	case "stop":
		return job.StopRequested{}, nil
	case "failure":
		return job.Failure{Err: errors.New(strings.Join(words[1:], " "))}, nil
	}
	return nil, fmt.Errorf("no event %q", words[0])
}

func describe(a job.Action) string {
	reader := func(r job.Reader) string { return fmt.Sprintf("%s/%d", r.Source, r.Subtask) }
	writer := func(w job.Writer) string { return fmt.Sprintf("%s/%d", w.Sink, w.Subtask) }
	switch a := a.(type) {
	case job.Discover:
		return "discover " + a.Source
	case job.Assign:
		return "assign " + reader(a.Reader) + " " + a.Split.ID
	case job.Pending:
		if a.Left {
			return "pending " + reader(a.Reader)
		}
		return "none-pending " + reader(a.Reader)
	case job.Rest:
		return "rest " + reader(a.Reader)
	case job.NoMore:
		return "no-more " + reader(a.Reader)
	case job.StopReading:
		return "stop-reading " + reader(a.Reader)
	case job.Prepare:
		return "prepare " + writer(a.Writer)
	case job.Commit:
		return strings.TrimRight("commit "+writer(a.Writer)+" "+string(a.Committable), " ")
	case job.Finish:
		if a.Err != nil {
			return fmt.Sprintf("finish %s: %v", a.Outcome, a.Err)
		}
		return fmt.Sprintf("finish %s", a.Outcome)
	}
	return fmt.Sprintf("%#v", a)
}
