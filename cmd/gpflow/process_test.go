package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gpflow/gpflow/engine"
)

// patience is how long a test waits for something that has to happen.
const patience = 60 * time.Second

// buildBinary builds gpflow as make build does, once.
var buildBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gpflow-bin")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", dir, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return filepath.Join(dir, "gpflow"), nil
})

// binary returns the path of the built program.
func binary(t *testing.T) string {
	t.Helper()
	bin, err := buildBinary()
	if err != nil {
		t.Fatalf("go build: %v", err)
	}
	return bin
}

// process is a running gpflow.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	pipe   *os.File      // its standard output
	screen *bufio.Reader // reads pipe
	talk   *transcript   // its standard error
	exited chan struct{}
}

// start runs `gpflow run p.hcl` with more arguments in a directory of its own.
// It is killed at the end of the test.
func start(t *testing.T, spec string, args ...string) *process {
	t.Helper()
	return startIn(t, t.TempDir(), spec, args...)
}

// startIn is start in a directory that may have been used before.
func startIn(t *testing.T, dir, spec string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: dir, talk: newTranscript(), exited: make(chan struct{})}
	if err := os.WriteFile(filepath.Join(p.dir, "p.hcl"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(binary(t), append([]string{"run", "p.hcl"}, args...)...)
	p.cmd.Dir, p.cmd.Stderr = p.dir, p.talk
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.pipe, p.screen = w, r, bufio.NewReader(r)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.exited
		_ = r.Close() // it may have been closed
	})
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

// ends waits for the end of the process, and checks its exit code.
func (p *process) ends(code int) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("the process does not end; it says\n%s", p.talk)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit code %d, want %d; it says\n%s", got, code, p.talk)
	}
}

// transcript keeps what is written to it, and lets others wait for a part of it.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and replaced with each write
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

// Write implements io.Writer.
func (x *transcript) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	close(x.grown)
	x.grown = make(chan struct{})
	return x.text.Write(p)
}

// String returns all of it.
func (x *transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// await waits until text has been written.
func (x *transcript) await(t *testing.T, text string) {
	t.Helper()
	x.awaitTimes(t, text, 1)
}

// awaitTimes waits until text has been written n times.
func (x *transcript) awaitTimes(t *testing.T, text string, n int) {
	t.Helper()
	x.awaitOr(t, text, n, nil)
}

// awaitOr waits until text has been written n times, or ended is closed, and
// reports which.
func (x *transcript) awaitOr(t *testing.T, text string, n int, ended <-chan struct{}) bool {
	t.Helper()
	late := time.After(patience)
	for {
		x.mu.Lock()
		have, grown := x.text.String(), x.grown
		x.mu.Unlock()
		if strings.Count(have, text) >= n {
			return true
		}
		select {
		case <-grown:
		case <-ended:
			return false
		case <-late:
			t.Fatalf("waited for %q, and have\n%s", text, have)
		}
	}
}

// endless is a pipeline without an end: a thousand records make a window.
const endless = `
pipeline "endless" {
  parallelism = 2
}

source "generate" "in" {
  fields = {
    n  = "i"
    at = "timestamp('2024-01-01T00:00:00Z') + duration('1ms') * i"
  }

  event_time {
    field        = "at"
    out_of_order = "1s"
  }
}

window "tumbling" "w" {
  from      = source.in
  size      = "1s"
  aggregate = { count = "count()", least = "min(n)" }
}

sink "file" "late" {
  from = window.w.late
  path = "late.jsonl"
}

sink "file" "out" {
  from = window.w
  path = "out.jsonl"
}

sink "stdout" "screen" {
  from = window.w
}
`

// One signal stops a pipeline in order: every window that was shown is whole,
// nothing is committed, and the ledger adds up.
func TestStopInOrder(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, endless, "--summary", "ledger.json")
			first, err := p.screen.ReadBytes('\n')
			if err != nil {
				t.Fatalf("%v; it says\n%s", err, p.talk)
			}
			p.signal(s)
			rest, err := io.ReadAll(p.screen)
			if err != nil {
				t.Fatal(err)
			}
			p.ends(0)
			windows := wholeWindows(t, append(first, rest...))
			for _, said := range []string{"stopping in order", "Stopped on request. The ledger adds up"} {
				if !strings.Contains(p.talk.String(), said) {
					t.Errorf("it does not say %q:\n%s", said, p.talk)
				}
			}
			if _, err := os.Stat(filepath.Join(p.dir, "out.jsonl")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file of a stopped run is there: %v", err)
			}
			if staged, _ := filepath.Glob(filepath.Join(p.dir, ".out.jsonl.gpflow-staged-*")); len(staged) != 1 {
				t.Errorf("what was staged is not there: %v", staged)
			}
			stoppedLedger(t, p.dir, windows)
		})
	}
}

// wholeWindows checks that the windows are the first ones, in order and with
// all of their records, and returns their number.
func wholeWindows(t *testing.T, screen []byte) int {
	t.Helper()
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(screen)); lines.Scan(); n++ {
		var w struct{ Count, Least int }
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		if w.Count != 1000 || w.Least != 1000*n {
			t.Fatalf("window %d is %s", n, lines.Text())
		}
	}
	return n
}

// stoppedLedger checks the summary of a stopped run that showed so many windows.
func stoppedLedger(t *testing.T, dir string, windows int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r engine.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Outcome != "stopped" || len(r.Imbalances) > 0 || len(r.Nodes) != 5 || len(r.Edges) == 0 {
		t.Fatalf("the ledger is %s", data)
	}
	for _, e := range r.Edges {
		if e.Sent != e.Received {
			t.Errorf("%s to %s: %d sent, %d received", e.From, e.To, e.Sent, e.Received)
		}
	}
	for _, n := range r.Nodes {
		if n.Balance() != 0 {
			t.Errorf("%s: %+v", n.Address, n.Counts)
		}
		switch n.Address {
		case "sink.screen", "sink.out":
			if n.Passed != int64(windows) {
				t.Errorf("%s wrote %d records, and %d windows were shown", n.Address, n.Passed, windows)
			}
		case "window.w":
			if n.Created != int64(windows) || n.Late > 0 || n.Absorbed != n.In {
				t.Errorf("window.w made %+v, and %d windows were shown", n.Counts, windows)
			}
		}
	}
}

// Who ends a process may signal it twice at once, itself and with its group: that
// is one request to stop in order.
func TestStoppedByTwoSignalsAtOnce(t *testing.T) {
	p := start(t, endless)
	if _, err := p.screen.ReadBytes('\n'); err != nil {
		t.Fatalf("%v; it says\n%s", err, p.talk)
	}
	p.signal(os.Interrupt)
	p.signal(syscall.SIGTERM)
	if _, err := io.ReadAll(p.screen); err != nil {
		t.Fatal(err)
	}
	p.ends(0)
	p.talk.await(t, "Stopped on request. The ledger adds up")
}

// large is a pipeline whose first record does not fit a pipe.
var large = `
pipeline "large" {}

locals {
  big = "` + strings.Repeat("0123456789", 100_000) + `"
}

source "generate" "in" {
  fields = { text = "local.big + string(i)" }
}

sink "file" "out" {
  from = source.in
  path = "out.jsonl"
}

sink "stdout" "screen" {
  from = source.in
}
`

// A second signal quits at once, even where a sink will never come back.
func TestQuitAtOnce(t *testing.T) {
	p := start(t, large)
	if _, err := p.screen.ReadByte(); err != nil { // the first record is being written, and will not be
		t.Fatalf("%v; it says\n%s", err, p.talk)
	}
	p.signal(os.Interrupt)
	p.talk.await(t, "press Ctrl-C again")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-tick.C:
			_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
		case <-p.exited:
			over = true
		}
	}
	p.ends(1)
	p.talk.await(t, "quit at once on the second signal")
	if _, err := os.Stat(filepath.Join(p.dir, "out.jsonl")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of a run that was quit is there: %v", err)
	}
}

// A reader of the standard output that has had enough ends the run, with an
// error that says so.
func TestOutputClosed(t *testing.T) {
	p := start(t, endless)
	if _, err := p.screen.ReadBytes('\n'); err != nil {
		t.Fatalf("%v; it says\n%s", err, p.talk)
	}
	if err := p.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	p.ends(1)
	talk := p.talk.String()
	if !strings.Contains(talk, ": sink.screen[0]: write to the standard output: whoever read it has gone") ||
		!strings.Contains(talk, "The run failed: what was not committed stays staged") || strings.Contains(talk, "panic") {
		t.Errorf("it says\n%s", talk)
	}
}

// A failure ends the run with its cause, even where a sink will never come back
// from writing.
func TestFailureBesideABlockedSink(t *testing.T) {
	p := start(t, large+`
source "generate" "other" {
  fields = { n = "7 % (1000 - i)" }
}

sink "blackhole" "other" {
  from = source.other
}
`)
	p.ends(1)
	p.talk.await(t, "divide by zero")
}
