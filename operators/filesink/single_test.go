package filesink

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

// What the checkpoint needs and is not there is an error that says so.
func TestSingleLost(t *testing.T) {
	for want, harm := range map[string]func(staged string) error{
		"is gone, and with it the first 22 bytes":              os.Remove,
		"has 5 bytes, and had 22 at the checkpoint; what is":   func(p string) error { return os.Truncate(p, 5) },
		"is writing the same file, staged in":                  nil,
		"the checkpoint is of the file":                        func(string) error { return nil },
		"of version 1 and mode \"parts\", and this is version": func(string) error { return nil },
	} {
		path := filepath.Join(t.TempDir(), "out.json")
		v := vals{"path": path}
		s, err := at(v, "ab", 1, alone)
		s = must(t, s, err)
		write(t, s, "a")
		p := prepared(t, s, false)
		if harm != nil {
			closeSink(t, s)
			if err := harm(stagedName(path, "ab")); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(want, "is of the file") {
			v["path"] = path + "l"
		}
		if strings.Contains(want, "parts") {
			p.State = []byte(`{"version": 1, "mode": "parts"}`)
		}
		lineage := map[bool]string{true: "cd", false: "ab"}[harm == nil] // another run of another lineage
		states := [][]byte{p.State}
		if harm == nil {
			states = nil
		}
		if _, err := at(v, lineage, 2, alone, states...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func closeSink(t *testing.T, s interface{ Close() error }) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What was complete is committed by whoever comes first, and again by the others.
func TestSingleEnded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	v := vals{"path": path, "if_exists": ifExistsFail}
	s, err := at(v, "ab", 1, alone)
	s = must(t, s, err)
	write(t, s, "a")
	p := prepared(t, s, true)
	closeSink(t, s)
	for epoch := range int64(3) {
		s, err := at(v, "ab", epoch+2, alone, p.State)
		s = must(t, s, err)
		again := prepared(t, s, true)
		if string(again.Committable) != string(p.Committable) {
			t.Errorf("prepared again: %s, not %s", again.Committable, p.Committable)
		}
		commitAll(t, s, p)
		commitAll(t, s, p)
		closeSink(t, s)
		if got := tree(dir); len(got) != 1 || content(t, path) != "{\"item\":0,\"part\":\"a\"}\n" {
			t.Errorf("there are %q", got)
		}
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(path, old, old); err != nil { // the file of an earlier run, and what was staged is lost
		t.Fatal(err)
	}
	s, err = at(v, "ab", 9, alone, p.State)
	s = must(t, s, err)
	if err := s.Commit(context.Background(), p.Committable); err == nil || !strings.Contains(err.Error(), "the file is another one") {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	commitAll(t, s, p) // taken away
}

// What dead runs have staged for the same file is removed, and nothing else.
func TestSingleLeftovers(t *testing.T) {
	dir := t.TempDir()
	keep := []string{".out.json.gpflow-staged-xy", ".out.json.gpflow-staged-ab.gpflow-staged", ".out.json.gpflow-stagedab", ".out.jso.gpflow-staged-ab"}
	for _, name := range append([]string{".out.json.gpflow-staged", ".out.json.gpflow-staged-cd"}, keep...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := at(vals{"path": dir + "/out.json"}, "ab", 1, alone)
	s = must(t, s, err)
	write(t, s, "a")
	commitAll(t, s, prepared(t, s, true))
	if got := tree(dir); len(got) != len(keep)+1 {
		t.Errorf("there are %q", got)
	}
}

// A file that is to be made by this sink alone is found when it was made by
// somebody else before a later start.
func TestSingleExistsAtALaterStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	v := vals{"path": path, "if_exists": ifExistsFail}
	s, err := at(v, "ab", 1, alone)
	s = must(t, s, err)
	p := prepared(t, s, false)
	closeSink(t, s)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := at(v, "ab", 2, alone, p.State); err == nil || !strings.Contains(err.Error(), "the file exists") {
		t.Error(err)
	}
}

// At the first start of a job, a file that was there before is found before
// anything is read.
func TestSingleExistsAtTheFirstStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	for epoch, refused := range map[int64]bool{1: true, 2: false} {
		s, err := newSink(&gpflow.SinkContext{
			Address: "sink.test", Config: gpflow.NewConfig(fields, vals{"path": path, "if_exists": ifExistsFail}), In: itemSchema, Subtask: alone, Lineage: "ab", Epoch: epoch,
		})
		if (err != nil) != refused {
			t.Errorf("start %d: %v", epoch, err)
		}
		if err == nil {
			closeSink(t, s)
		}
	}
}
