package job_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

var rewrite = flag.Bool("rewrite", false, "write what the machine answers into the scripts")

// TestScripts plays testdata/*.txt. A script is a list of events, each with
// what the machine answers below a line of dashes:
//
//	job source=a/2/bounded sink=out/1    a new machine; source=ADDRESS/PARALLELISM[/bounded or /until], also
//	                                     task=ID/PARALLELISM, every=SECONDS, durable=1, and of the checkpoint to go on
//	                                     from: last=ID, commit=out/0/COMMITTABLE, read=a/0/SPLIT, queue=a/0/SPLIT, done=a/0;
//	                                     region=NAME,... and attempts=N/SECONDS
//	at SECONDS                           the time of the events to come
//	started
//	discovered a s1,s2 [done]            "-": no splits
//	split-ended a/0 s1
//	ended out/0 [stopped]                stopped: not drained
//	ack ID KIND a/0 [COMMITTABLE]        KIND: reader, task or writer
//	gone KIND a/0 [COMMITTABLE]
//	stored ID
//	store-failed ID TEXT
//	committed ID out/0
//	tick
//	stop [SAVEPOINT]
//	drain
//	savepoint NAME
//	failure TEXT
//	broken REGION TEXT
//	fallen REGION
//	due REGION
//	rebuilt REGION,... [what there is to go on from, as in job]
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

// now is the time of the script being played.
var now gpflow.Timestamp

// play returns the script with the machine's own answers.
func play(t *testing.T, path string, script []byte) []byte {
	var out bytes.Buffer
	var j *job.Job
	var answer []string
	now = 0
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
	if words[0] == "at" {
		n, err := strconv.Atoi(words[1])
		now = gpflow.Timestamp(n) * gpflow.Timestamp(gpflow.Second)
		return j, []string{"so be it"}, err
	}
	e, err := event(words)
	if err != nil {
		return j, nil, err
	}
	var answer []string
	for _, a := range j.Step(now, e) {
		answer = append(answer, describe(a))
	}
	if answer == nil {
		answer = []string{"nothing"}
	}
	return j, answer, nil
}

func newJob(words []string) (*job.Job, []string, error) {
	c, err := config(words)
	return job.New(c), []string{"made"}, err
}

// config reads what a job is made of.
func config(words []string) (c job.Config, err error) {
	source := func(address string) *job.Source {
		return &c.Sources[slices.IndexFunc(c.Sources, func(s job.Source) bool { return s.Address == address })]
	}
	for _, w := range words {
		what, value, _ := strings.Cut(w, "=")
		parts := append(strings.Split(value, "/"), "", "")
		n, _ := strconv.Atoi(parts[1])
		split := gpflow.Split{ID: parts[2]}
		switch what {
		case "source":
			c.Sources = append(c.Sources, job.Source{Address: parts[0], Parallelism: n, Bounded: parts[2] == "bounded", Until: parts[2] == "until"})
		case "task":
			for i := range n {
				c.Tasks = append(c.Tasks, checkpoint.Part{Kind: checkpoint.Task, Name: parts[0], Subtask: i})
			}
		case "sink":
			for i := range n {
				c.Sinks = append(c.Sinks, job.Writer{Sink: parts[0], Subtask: i})
			}
		case "every":
			every, _ := strconv.Atoi(value)
			c.Checkpoints.Every = gpflow.Duration(every) * gpflow.Second
		case "durable":
			c.Durable = true
		case "last":
			last, _ := strconv.Atoi(value)
			c.Last = gpflow.CheckpointID(last)
		case "commit":
			part := checkpoint.Part{Kind: checkpoint.Writer, Name: parts[0], Subtask: n}
			c.Commit = append(c.Commit, checkpoint.Pending{Part: part, ID: c.Last, Committable: gpflow.Committable(parts[2])})
		case "read":
			src := source(parts[0])
			src.Found, src.Reading = append(src.Found, split), append(src.Reading, job.Reading{Split: split, Subtask: n})
		case "queue":
			src := source(parts[0])
			src.Found, src.Queue = append(src.Found, split), append(src.Queue, split)
		case "done":
			source(parts[0]).Done = true
		case "region":
			c.Regions = append(c.Regions, strings.Split(value, ","))
		case "attempts":
			c.Restart.Attempts, _ = strconv.Atoi(parts[0])
			c.Restart.Within = gpflow.Duration(n) * gpflow.Second
		default:
			err = fmt.Errorf("no option %q", what)
		}
	}
	return c, err
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
	case "stop":
		return job.StopRequested{Savepoint: arg[0]}, nil
	case "drain":
		return job.Drain{}, nil
	case "savepoint":
		return job.Requested{Savepoint: arg[0]}, nil
	case "failure":
		return job.Failure{Err: errors.New(strings.Join(words[1:], " "))}, nil
	case "broken", "fallen", "due", "rebuilt":
		return ofRegion(words)
	}
	e, err := point(words)
	return job.Point{CoordinatorEvent: e}, err
}

// ofRegion reads an event of regions.
func ofRegion(words []string) (job.Event, error) {
	var regions []int
	for r := range strings.SplitSeq(words[1], ",") {
		i, err := strconv.Atoi(r)
		if err != nil {
			return nil, err
		}
		regions = append(regions, i)
	}
	switch words[0] {
	case "broken":
		return job.Broken{Region: regions[0], Err: errors.New(strings.Join(words[2:], " "))}, nil
	case "fallen":
		return job.Fallen{Region: regions[0]}, nil
	case "due":
		return job.Due{Region: regions[0]}, nil
	}
	c, err := config(words[2:])
	return job.Rebuilt{Regions: regions, At: c.Last, Sources: c.Sources, Committables: c.Commit}, err
}

// point reads an event of checkpoints.
func point(words []string) (checkpoint.CoordinatorEvent, error) {
	arg := append(words[1:], "", "", "")
	id, _ := strconv.Atoi(arg[0])
	part := func(kind, name string) checkpoint.Part {
		address, index, _ := strings.Cut(name, "/")
		i, _ := strconv.Atoi(index)
		return checkpoint.Part{Kind: checkpoint.Kind(kind), Name: address, Subtask: i}
	}
	snapshot := func(committable string) (s checkpoint.Snapshot) {
		if committable != "" {
			s.Committable = gpflow.Committable(committable)
		}
		return s
	}
	n := gpflow.CheckpointID(id)
	switch words[0] {
	case "tick":
		return checkpoint.Tick{}, nil
	case "ack":
		return checkpoint.Acknowledged{ID: n, Part: part(arg[1], arg[2]), Snapshot: snapshot(arg[3])}, nil
	case "gone":
		return checkpoint.Gone{Part: part(arg[0], arg[1]), Snapshot: snapshot(arg[2])}, nil
	case "stored":
		return checkpoint.Stored{ID: n}, nil
	case "store-failed":
		return checkpoint.StoreFailed{ID: n, Err: errors.New(strings.Join(words[2:], " "))}, nil
	case "committed":
		return checkpoint.Committed{ID: n, Part: part("writer", arg[1])}, nil
	}
	return nil, fmt.Errorf("no event %q", words[0])
}

func describe(a job.Action) string {
	reader := func(r job.Reader) string { return fmt.Sprintf("%s/%d", r.Source, r.Subtask) }
	switch a := a.(type) {
	case job.Discover:
		return "discover " + a.Source
	case job.Assign:
		text := "assign " + reader(a.Reader)
		if a.Resume {
			text = "resume " + reader(a.Reader)
		}
		for _, s := range a.Splits {
			text += " " + s.ID
		}
		return text
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
	case job.EndInput:
		return "end-input " + reader(a.Reader)
	case job.Save:
		return fmt.Sprintf("save %d as %s", a.ID, a.Name)
	case job.Trigger:
		if a.Stop {
			return fmt.Sprintf("trigger %d %s stop", a.ID, reader(a.Reader))
		}
		return fmt.Sprintf("trigger %d %s", a.ID, reader(a.Reader))
	case job.TriggerTasks:
		return fmt.Sprintf("trigger %d tasks", a.ID)
	case job.QuitTasks:
		return "quit tasks"
	case job.Store:
		return describeStore(a)
	case job.TearDown, job.Wait, job.Restarting, job.Rebuild:
		return describeRegion(a)
	case job.Do:
		return describePoint(a.CoordinatorAction)
	case job.Finish:
		if a.Err != nil {
			return fmt.Sprintf("finish %s: %v", a.Outcome, a.Err)
		}
		return fmt.Sprintf("finish %s", a.Outcome)
	}
	return fmt.Sprintf("%#v", a)
}

func describeRegion(a job.Action) string {
	switch a := a.(type) {
	case job.TearDown:
		return fmt.Sprintf("tear down %d", a.Region)
	case job.Wait:
		return fmt.Sprintf("wait for region %d until %d s", a.Region, int64(a.Time)/int64(gpflow.Second))
	case job.Restarting:
		whole := ""
		if a.Whole {
			whole = ", with all others"
		}
		return fmt.Sprintf("say that region %d begins anew in %s, attempt %d%s: %v", a.Region, a.Wait, a.Attempt, whole, a.Err)
	case job.Rebuild:
		claim := ""
		if a.Claim {
			claim = " from what the store has"
		}
		return fmt.Sprintf("rebuild %v%s", a.Regions, claim)
	}
	return ""
}

func describeStore(a job.Store) string {
	var b strings.Builder
	fmt.Fprintf(&b, "store %d", a.ID)
	if a.Final {
		b.WriteString(" final")
	}
	if a.Name != "" {
		b.WriteString(" named " + a.Name)
	}
	ids := func(splits []gpflow.Split) string {
		names := make([]string, len(splits))
		for i, s := range splits {
			names[i] = s.ID
		}
		return strings.Join(names, ",")
	}
	for _, s := range a.Sources {
		fmt.Fprintf(&b, " %s(found %s; queue %s; done %t)", s.Address, ids(s.Found), ids(s.Queue), s.Done)
	}
	for _, c := range a.Committables {
		fmt.Fprintf(&b, " %s/%d=%s", c.Part.Name, c.Part.Subtask, c.Committable)
	}
	return b.String()
}

func describePoint(a checkpoint.CoordinatorAction) string {
	switch a := a.(type) {
	case checkpoint.Abort:
		return fmt.Sprintf("abort %d: %v", a.ID, a.Err)
	case checkpoint.Completed:
		return fmt.Sprintf("completed %d", a.ID)
	case checkpoint.Commit:
		return fmt.Sprintf("commit %d %s/%d %s", a.ID, a.Part.Name, a.Part.Subtask, a.Committable)
	case checkpoint.WakeAt:
		return fmt.Sprintf("wake at %d s", int64(a.Time)/int64(gpflow.Second))
	}
	return fmt.Sprintf("%#v", a)
}
