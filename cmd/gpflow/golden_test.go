package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGoldenStates: a run goes on from the state that a pipeline had, when it was
// stopped in the midst of its input by the build that first wrote a version of the
// format, with what was staged then, and puts out what it would have without.
//
// Each folder of testdata/golden is such a pipeline as its stop has left it, with
// windows that are open, files that are open and such that are shown, and with the
// lines of all of its output in the folder want. Folders are added, and stay.
func TestGoldenStates(t *testing.T) {
	versions, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(versions) == 0 {
		t.Fatalf("no golden states: %v", err)
	}
	for _, version := range versions {
		for _, parallelism := range []string{"1", "2", "3"} {
			t.Run(filepath.Base(version)+" by "+parallelism, func(t *testing.T) {
				dir := goldenCopy(t, version)
				gpflowIn(t, dir, "state", "verify", "--state", "state")
				goldenEnd(t, dir, "going on from checkpoint 34 ", parallelism)
			})
		}
		t.Run(filepath.Base(version)+" from a savepoint", func(t *testing.T) {
			dir := goldenCopy(t, version)
			gpflowIn(t, dir, "savepoint", "restore", "noon", "--state", "state")
			goldenEnd(t, dir, "going on from checkpoint 34 ", "2")
		})
		t.Run(filepath.Base(version)+" from a savepoint elsewhere", func(t *testing.T) {
			dir := goldenCopy(t, version)
			if err := os.Rename(filepath.Join(dir, "state"), filepath.Join(dir, "copied")); err != nil {
				t.Fatal(err)
			}
			goldenEnd(t, dir, "going on from the savepoint noon ", "3", "--from", "copied/savepoints/noon")
		})
	}
}

// goldenCopy copies a golden state to where it may be changed.
func goldenCopy(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(version)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// goldenEnd runs a golden pipeline to its end, which has to say what it goes on
// from, and compares all of its output.
func goldenEnd(t *testing.T, dir, from, parallelism string, args ...string) {
	t.Helper()
	said := gpflowIn(t, dir, append([]string{"run", "golden.hcl", "--quiet", "--var", "parallelism=" + parallelism}, args...)...)
	if !strings.Contains(said, from) {
		t.Errorf("it says\n%swant %q", said, from)
	}
	for _, kind := range []string{"users", "late", "ticks"} {
		want := goldenLines(t, filepath.Join(dir, "want"), kind)
		if got := goldenLines(t, filepath.Join(dir, "out"), kind); !slices.Equal(got, want) {
			t.Errorf("%s: %d lines\n%s\nwant %d\n%s", kind, len(got), strings.Join(got, "\n"), len(want), strings.Join(want, "\n"))
		}
	}
}

// gpflowIn runs the program in a directory, and returns what it says.
func gpflowIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("gpflow %v: %v; it says\n%s", args, err, out)
	}
	return string(out)
}

// goldenLines returns the records, sorted, in the files that can be seen of a
// kind: those below a directory of that name, and those that are called so.
func goldenLines(t *testing.T, dir, kind string) []string {
	t.Helper()
	var lines []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() || !strings.HasPrefix(path, kind):
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		if err == nil && strings.HasSuffix(path, ".gz") {
			data, err = gunzipped(data)
		}
		for line := range strings.Lines(string(data)) {
			if line != "n,word\n" { // the header of a file of CSV
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func gunzipped(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
