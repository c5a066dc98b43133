package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const dyingSpec = `
pipeline "dying" {}

source "generate" "in" {
  count  = 1000
  fields = { i = "i" }
}

sink "file" "out" {
  from = source.in
  path = "out.jsonl"
}
`

// TestFailpoint: a run dies at the point that the environment names, and the
// next one goes on.
func TestFailpoint(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	t.Setenv("GPFLOW_FAILPOINT", "checkpoint-stored")
	t.Setenv("GPFLOW_FAILPOINT_TRACE", trace)
	startIn(t, dir, dyingSpec).ends(-1)
	passed, err := os.ReadFile(trace)
	if err != nil || !strings.HasSuffix(string(passed), "\nsealed-durable\ncheckpoint-stored\n") {
		t.Errorf("the trace is %q, %v", passed, err)
	}
	t.Setenv("GPFLOW_FAILPOINT", "")
	p := startIn(t, dir, dyingSpec)
	p.ends(0)
	if !strings.Contains(p.talk.String(), "going on from checkpoint 1") {
		t.Errorf("it says\n%s", p.talk)
	}
	if rows := readRows[killedRow](t, filepath.Join(dir, "out.jsonl")); len(rows) != 1000 {
		t.Errorf("%d rows, want 1000", len(rows))
	}
	t.Setenv("GPFLOW_FAILPOINT", "nowhere")
	p = startIn(t, dir, dyingSpec)
	p.ends(1)
	if !strings.Contains(p.talk.String(), `there is no failpoint "nowhere"; gpflow failpoints lists them`) {
		t.Errorf("it says\n%s", p.talk)
	}
}

func TestFailpointsAreShown(t *testing.T) {
	text, err := exec.Command(binary(t), "failpoints").Output()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(binary(t), "failpoints", "--format", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var points []struct{ Name, Phase, Doc string }
	if err := json.Unmarshal(out, &points); err != nil || len(points) == 0 || points[0].Phase == "" || points[0].Doc == "" {
		t.Errorf("%v, %+v", err, points)
	}
	if n := strings.Count(string(text), "\n"); n != len(points) {
		t.Errorf("%d lines, and %d points", n, len(points))
	}
}
