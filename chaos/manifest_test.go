package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// store is one that every build has to read, and golden is a note in it.
const (
	store  = "../engine/checkpoint/testdata/golden/1/store"
	golden = store + "/lineages/0123456789abcdef/current/0000000006"
)

// TestBody: a byte that has changed anywhere is noticed, but for those of the
// checksum that is not computed here.
func TestBody(t *testing.T) {
	good, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "note")
	try := func(data []byte) error {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := body(name, "gpflowNT")
		return err
	}
	if err := try(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		if i >= 8 && i < 12 || i >= len(good)-12 && i < len(good)-4 {
			continue
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= 4
		if try(bad) == nil {
			t.Errorf("byte %d has changed, and nobody noticed", i)
		}
	}
	if try(good[:len(good)-1]) == nil || try(nil) == nil {
		t.Error("a note that is cut is taken for whole")
	}
}

// TestReadCurrent reads the golden store, in which the parts of the job keep
// what only a test does.
func TestReadCurrent(t *testing.T) {
	c := &current{id: 3, manifest: store + "/lineages/0123456789abcdef/manifests/0000000003-0000000002"}
	if err := c.readManifest(store); err != nil {
		t.Fatal(err)
	}
	parts := []part{{readerPart, "at the end"}, {2, "watermark 3"}, {2, ""}, {writerPart, "sequence 3"}}
	if !slices.Equal(c.parts, parts) || !slices.Equal(c.prepared, []string{"part-2", "part-3"}) || len(c.segments) != 4 || c.finished {
		t.Errorf("it has read %+v", c)
	}
	for _, s := range c.segments {
		if _, err := os.Stat(s); err != nil {
			t.Error(err)
		}
	}
	if c, err := readCurrent(t.TempDir()); err != nil || c.id != 0 || c.settled {
		t.Errorf("of nothing it reads %+v, %v", c, err)
	}
}

func TestUnderstand(t *testing.T) {
	c := &current{
		parts: []part{
			{readerPart, `{"counts":{"in":7}}`},
			{readerPart, `{"counts":{"in":5}}`},
			{2, "whatever"},
			{writerPart, `{"state":"` + base64.StdEncoding.EncodeToString([]byte(`{"root":"out","open":[{"staged":"a","length":9}]}`)) + `"}`},
		},
		prepared: []string{`{"root":"out","parts":[{"staged":"b","final":"c"}]}`},
	}
	if err := c.understand(); err != nil {
		t.Fatal(err)
	}
	if c.read != 12 || !slices.Equal(c.staged, []stagedFile{{"out/a", 9}}) || !slices.Equal(c.pending, []pendingFile{{"out/b", "out/c"}}) {
		t.Errorf("it has understood %+v", c)
	}
}
