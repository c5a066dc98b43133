package filesink

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// One file has one sink at a time, whatever the paths that lead to it.
func TestOneSinkAFile(t *testing.T) {
	dir := t.TempDir()
	path, link, way := filepath.Join(dir, "out.json"), filepath.Join(dir, "link.json"), filepath.Join(dir, "way")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, l := range [][2]string{{"out.json", link}, {".", way}} {
		if err := os.Symlink(l[0], l[1]); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	first := open(t, vals{"path": path})
	for _, other := range []string{path, link, "out.json", "./way/../out.json", filepath.Join(way, "out.json"), filepath.Join(way, "link.json")} {
		_, err := tryOpen(vals{"path": other})
		if err == nil || !strings.Contains(err.Error(), "another sink of this pipeline, or another run, is writing the same file") {
			t.Errorf("%s: got %v", other, err)
		}
	}
	put(t, first, 3)
	c := prepare(t, first)
	commit(t, first, c)
	closed(t, first)
	second := open(t, vals{"path": link})
	put(t, second, 1)
	commit(t, second, prepare(t, second))
	closed(t, second)
	if got := content(t, path); strings.Count(got, "\n") != 1 {
		t.Errorf("the file has %q", got)
	}
}

// Errors of the file system come with what can be done about them.
func TestRemedy(t *testing.T) {
	for err, want := range map[error]string{
		syscall.ENOSPC: "make room there", syscall.EACCES: "give it the permission", syscall.EPERM: "give it the permission",
		syscall.EROFS: "choose another path", syscall.ENOTDIR: "is a file", syscall.EIO: "",
	} {
		if got := remedy(&os.PathError{Op: "write", Path: "x", Err: err}); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
