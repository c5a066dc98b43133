package checkpoint_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

var rewriteScripts = flag.Bool("rewrite-scripts", false, "write what the coordinator answers into the scripts")

// TestCoordinatorScripts plays testdata/coordinator/*.txt. A script is a list of
// events, each with what the coordinator answers below a line of dashes:
//
//	coordinator [SETTING=...] reader=a/2 task=t/1 writer=w/1    a new one, of so many subtasks;
//	                           settings: every, timeout, pause (durations), failures, last
//	@10s tick                  @: the time, from here on
//	request [NAME|-] [stop]
//	ack ID PART [SNAPSHOT]     a snapshot: DATA|- [state=S|delta=S] [commit=C]
//	decline ID PART TEXT
//	gone PART [SNAPSHOT]
//	stored ID
//	store-failed ID TEXT
//	committed ID PART
//	restored [PART ID COMMITTABLE]...
//	down NAME,... TEXT
//	up NAME,... AT [PART ID COMMITTABLE]...
//
// Lines that begin with # are comments. With -rewrite-scripts the answers are
// written, to be read before they are believed.
func TestCoordinatorScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/coordinator/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := playScript(t, path, script)
			switch {
			case *rewriteScripts:
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			case !bytes.Equal(got, script):
				t.Errorf("%s: the coordinator answers\n%s", path, got)
			}
		})
	}
}

// playScript returns the script with the coordinator's own answers.
func playScript(t *testing.T, path string, script []byte) []byte {
	var out bytes.Buffer
	p := &player{kinds: make(map[string]checkpoint.Kind)}
	var answer []string
	inAnswer := false
	finish := func() {
		if inAnswer {
			fmt.Fprintln(&out, strings.Join(answer, "\n"))
			fmt.Fprintln(&out)
			inAnswer = false
		}
	}
	for n, line := range strings.Split(string(script), "\n") {
		switch {
		case line == "----":
			fmt.Fprintln(&out, line)
			inAnswer = true
		case line == "":
			finish()
		case inAnswer: // what is expected, and compared by the caller
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintln(&out, line)
			var err error
			if answer, err = p.line(strings.Fields(line)); err != nil {
				t.Fatalf("%s:%d: %v", path, n+1, err)
			}
		}
	}
	finish()
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n')
}

// player plays the lines of a script.
type player struct {
	c     *checkpoint.Coordinator
	now   gpflow.Timestamp
	kinds map[string]checkpoint.Kind // of the names in the script
}

func (p *player) line(words []string) ([]string, error) {
	if words[0] == "coordinator" {
		return []string{"made"}, p.make(words[1:])
	}
	if at, ok := strings.CutPrefix(words[0], "@"); ok {
		d, err := gpflow.ParseDuration(at)
		if err != nil {
			return nil, err
		}
		p.now, words = gpflow.Timestamp(d), words[1:]
	}
	if p.c == nil {
		return nil, errors.New("a script begins with coordinator")
	}
	e, err := p.event(words[0], append(words[1:], "", ""))
	if err != nil {
		return nil, err
	}
	var answer []string
	for _, a := range p.c.Step(p.now, e) {
		answer = append(answer, describeAction(a)...)
	}
	if answer == nil {
		answer = []string{"nothing"}
	}
	return answer, nil
}

func (p *player) make(words []string) error {
	var c checkpoint.Config
	var parts []checkpoint.Part
	var last int
	for _, w := range words {
		what, value, _ := strings.Cut(w, "=")
		var err error
		switch what {
		case "every":
			c.Every, err = gpflow.ParseDuration(value)
		case "timeout":
			c.Timeout, err = gpflow.ParseDuration(value)
		case "pause":
			c.MinPause, err = gpflow.ParseDuration(value)
		case "failures":
			c.MaxFailures, err = strconv.Atoi(value)
		case "last":
			last, err = strconv.Atoi(value)
		default:
			name, count, _ := strings.Cut(value, "/")
			p.kinds[name] = checkpoint.Kind(what)
			var n int
			n, err = strconv.Atoi(count)
			for i := range n {
				parts = append(parts, checkpoint.Part{Kind: checkpoint.Kind(what), Name: name, Subtask: i})
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	p.c = checkpoint.NewCoordinator(c, parts, gpflow.CheckpointID(last))
	return nil
}

func (p *player) event(what string, arg []string) (checkpoint.CoordinatorEvent, error) {
	n, _ := strconv.Atoi(arg[0])
	id := gpflow.CheckpointID(n)
	switch what {
	case "tick":
		return checkpoint.Tick{}, nil
	case "request":
		return checkpoint.Requested{Name: strings.TrimPrefix(arg[0], "-"), Stop: arg[1] == "stop"}, nil
	case "ack":
		return checkpoint.Acknowledged{ID: id, Part: p.part(arg[1]), Snapshot: snapshotOf(arg[2:])}, nil
	case "decline":
		return checkpoint.Declined{ID: id, Part: p.part(arg[1]), Err: textOf(arg[2:])}, nil
	case "gone":
		return checkpoint.Gone{Part: p.part(arg[0]), Snapshot: snapshotOf(arg[1:])}, nil
	case "stored":
		return checkpoint.Stored{ID: id}, nil
	case "store-failed":
		return checkpoint.StoreFailed{ID: id, Err: textOf(arg[1:])}, nil
	case "committed":
		return checkpoint.Committed{ID: id, Part: p.part(arg[1])}, nil
	case "restored":
		return checkpoint.Restored{Committables: p.pending(arg)}, nil
	case "down":
		return checkpoint.Down{Names: strings.Split(arg[0], ","), Err: textOf(arg[1:])}, nil
	case "up":
		at, _ := strconv.Atoi(arg[1])
		return checkpoint.Up{Names: strings.Split(arg[0], ","), At: gpflow.CheckpointID(at), Committables: p.pending(arg[2:])}, nil
	}
	return nil, fmt.Errorf("no event %q", what)
}

func (p *player) pending(words []string) (list []checkpoint.Pending) {
	for ; len(words) > 3; words = words[3:] {
		n, _ := strconv.Atoi(words[1])
		list = append(list, checkpoint.Pending{Part: p.part(words[0]), ID: gpflow.CheckpointID(n), Committable: gpflow.Committable(words[2])})
	}
	return list
}

func (p *player) part(s string) checkpoint.Part {
	name, index, _ := strings.Cut(s, "/")
	i, _ := strconv.Atoi(index)
	return checkpoint.Part{Kind: p.kinds[name], Name: name, Subtask: i}
}

func textOf(words []string) error { return errors.New(strings.TrimSpace(strings.Join(words, " "))) }

func snapshotOf(words []string) checkpoint.Snapshot {
	var s checkpoint.Snapshot
	for i, w := range words {
		what, value, _ := strings.Cut(w, "=")
		switch {
		case i == 0 && w != "-":
			s.Data = []byte(w)
		case what == "state" || what == "delta":
			s.State, s.Delta = []byte(value), what == "delta"
		case what == "commit":
			s.Committable = gpflow.Committable(value)
		}
	}
	return s
}

func describeAction(a checkpoint.CoordinatorAction) []string {
	part := func(p checkpoint.Part) string { return fmt.Sprintf("%s/%d", p.Name, p.Subtask) }
	switch a := a.(type) {
	case checkpoint.Trigger:
		return []string{fmt.Sprintf("trigger %d", a.ID) + flagged(" stop", a.Stop)}
	case checkpoint.Abort:
		return []string{fmt.Sprintf("abort %d: %v", a.ID, a.Err)}
	case checkpoint.Store:
		lines := []string{fmt.Sprintf("store %d on %d", a.ID, a.Base) + flagged(" final", a.Final) + flagged(" as "+a.Name, a.Name != "")}
		for p, s := range maps.All(a.Parts) {
			line := fmt.Sprintf("  %s %s", part(p), s.Data) + flagged(" gone", slices.Contains(a.Gone, p))
			line += flagged(" delta="+string(s.State), s.Delta) + flagged(" state="+string(s.State), !s.Delta && s.State != nil)
			line += flagged(" commit="+string(s.Committable), s.Committable != nil)
			lines = append(lines, strings.TrimRight(line, " "))
		}
		slices.Sort(lines[1:])
		for _, c := range a.Committables {
			lines = append(lines, fmt.Sprintf("  to commit: %d %s %s", c.ID, part(c.Part), c.Committable))
		}
		return lines
	case checkpoint.Completed:
		return []string{fmt.Sprintf("completed %d", a.ID)}
	case checkpoint.Commit:
		return []string{fmt.Sprintf("commit %d %s %s", a.ID, part(a.Part), a.Committable)}
	case checkpoint.Done:
		return []string{fmt.Sprintf("done %d", a.ID) + flagged(" final", a.Final)}
	case checkpoint.Fail:
		return []string{fmt.Sprintf("fail: %v", a.Err)}
	case checkpoint.WakeAt:
		return []string{fmt.Sprintf("wake at %s", gpflow.Duration(a.Time))}
	}
	return []string{fmt.Sprintf("%#v", a)}
}

func flagged(s string, ok bool) string {
	if ok {
		return s
	}
	return ""
}
