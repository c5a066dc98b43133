package filesource

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

func ids(splits []gpflow.Split, dir string) []string {
	var out []string
	for _, s := range splits {
		out = append(out, strings.TrimPrefix(s.ID, dir+"/"))
	}
	return out
}

// tree makes files, each with its own name as its content.
func tree(t *testing.T, names ...string) string {
	dir := t.TempDir()
	for _, n := range names {
		write(t, filepath.Join(dir, n), []byte(n+"\n"))
	}
	return dir
}

func TestDiscover(t *testing.T) {
	dir := tree(t, "b.log", "a.log", ".hidden.log", "sub/c.log", "sub/.d/e.log", "x.txt", "odd[1].log")
	if err := os.Symlink(filepath.Join(dir, "x.txt"), filepath.Join(dir, "sub", "link.txt")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		paths []string
		want  []string
	}{
		{[]string{"a.log"}, []string{"a.log"}},
		{[]string{"b.log", "a.log", "./a.log"}, []string{"a.log", "b.log"}},
		{[]string{"*.log"}, []string{"a.log", "b.log", "odd[1].log"}},
		{[]string{"[ab].log", "x.*"}, []string{"a.log", "b.log", "x.txt"}},
		{[]string{".*.log"}, []string{".hidden.log"}},
		{[]string{".hidden.log"}, []string{".hidden.log"}},
		{[]string{"odd[1].log"}, []string{"odd[1].log"}},
		{[]string{"sub"}, []string{"sub/c.log", "sub/link.txt"}},
		{[]string{"*"}, []string{"a.log", "b.log", "odd[1].log", "sub/c.log", "sub/link.txt", "x.txt"}},
		{[]string{"*/*.log"}, []string{"sub/c.log"}},
	} {
		var paths []string
		for _, p := range c.paths {
			paths = append(paths, dir+"/"+p)
		}
		s := open(t, options{vals: vals{"path": paths, "format": "lines"}})
		if got := ids(discover(t, s), dir); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.paths, got, c.want)
		}
	}
}

// A link to a directory is read where a path names it, and passed over below one,
// which is said.
func TestDiscoverLinkedDirectory(t *testing.T) {
	dir := tree(t, "a.log", "real/b.log", "real/c/d.log")
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"link": {"link/b.log", "link/c/d.log"}, "link/": {"link/b.log", "link/c/d.log"}, "lin*": {"link/b.log", "link/c/d.log"},
		".": {"a.log", "real/b.log", "real/c/d.log"},
	} {
		s := open(t, options{vals: vals{"path": []string{dir + "/" + path}, "format": "lines"}})
		var log bytes.Buffer
		s.log = slog.New(slog.NewTextHandler(&log, nil))
		if got := ids(discover(t, s), dir); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
		if said := strings.Contains(log.String(), "it is a symbolic link to a directory"); said != (path == ".") {
			t.Errorf("%s: %s", path, &log)
		}
	}
}

func TestDiscoverIsOnce(t *testing.T) {
	dir := tree(t, "a.log")
	e, _ := open(t, options{vals: vals{"path": []string{dir}, "format": "lines"}}).Enumerator(nil)
	for i, want := range []int{1, 0} {
		splits, done, err := e.Discover(context.Background())
		if len(splits) != want || !done || err != nil {
			t.Errorf("call %d: %d splits, %v, %v", i, len(splits), done, err)
		}
	}
}

// A file that appears while the pipeline is stopped is not read, which is said.
func TestDiscoverLater(t *testing.T) {
	dir := tree(t, "a.log", "b.log")
	s := open(t, options{vals: vals{"path": []string{dir + "/*.log"}, "format": "lines"}})
	known := discover(t, s)
	var log bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	for _, c := range []struct{ name, want string }{
		{"c.txt", ""},
		{"c.log", "files have appeared since the pipeline began, and are not read"},
	} {
		write(t, filepath.Join(dir, c.name), []byte("x\n"))
		log.Reset()
		e, _ := s.Enumerator(known)
		if splits, done, err := e.Discover(context.Background()); len(splits) > 0 || !done || err != nil {
			t.Errorf("%s: %d splits, %v, %v", c.name, len(splits), done, err)
		}
		if got := log.String(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDiscoverRefuses(t *testing.T) {
	dir := tree(t, "a.log", "b.dat", "c.json")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		vals vals
		want string
	}{
		{vals{"path": []string{dir + "/none.log"}}, "none.log: no such file or directory"},
		{vals{"path": []string{dir + "/*.none"}, "format": "lines"}, "no file matches " + dir + "/*.none"},
		{vals{"path": []string{dir + "/empty"}, "format": "lines"}, "empty holds no files to read"},
		{vals{"path": []string{dir + "/b.dat"}, "schema": userSchema}, "b.dat: its name does not say the format"},
		{vals{"path": []string{dir + "/a.log"}, "schema": userSchema}, "a.log: the format lines cannot carry the schema"},
	} {
		e, _ := open(t, options{vals: c.vals}).Enumerator(nil)
		_, _, err := e.Discover(context.Background())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want an error with %q", c.vals, err, c.want)
		}
	}
}

func TestOrderByTime(t *testing.T) {
	dir := tree(t, "a.log", "b.log", "c.log", "d.log")
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, n := range []string{"c.log", "b.log", "a.log"} {
		if err := os.Chtimes(filepath.Join(dir, n), at, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "d.log"), at, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s := open(t, options{vals: vals{"path": []string{dir}, "format": "lines", "order": "mtime"}})
	if got, want := ids(discover(t, s), dir), []string{"c.log", "b.log", "d.log", "a.log"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCut(t *testing.T) {
	file := func(format, compression string, size int64) splitData {
		return splitData{Format: format, Compression: compression, To: 1<<63 - 1, Size: size}
	}
	for _, c := range []struct {
		name  string
		files []splitData
		parts int
		want  int
	}{
		{"one subtask", []splitData{file("json", "none", 1000)}, 1, 1},
		{"one file", []splitData{file("json", "none", 1000)}, 4, 4},
		{"too small", []splitData{file("json", "none", 19)}, 4, 1},
		{"small", []splitData{file("json", "none", 29)}, 4, 2},
		{"csv", []splitData{file("csv", "none", 1000)}, 4, 1},
		{"compressed", []splitData{file("json", "gzip", 1000)}, 4, 1},
		{"a large and a small one", []splitData{file("lines", "none", 1000), file("lines", "none", 10)}, 2, 3},
	} {
		got := cut(c.files, c.parts, 10)
		if len(got) != c.want {
			t.Errorf("%s: %d splits, want %d: %+v", c.name, len(got), c.want, got)
		}
		var at int64
		for _, d := range got {
			if d.From != 0 && d.From != at {
				t.Errorf("%s: a range begins at %d and the last ended at %d", c.name, d.From, at)
			}
			at = d.To
		}
	}
}

func TestRangesOnlyWithoutEventTime(t *testing.T) {
	path := write(t, "a.log", []byte(strings.Repeat("line\n", 100)))
	for _, c := range []struct {
		o    options
		want int
	}{
		{options{parallelism: 4}, 4},
		{options{parallelism: 4, eventTime: true}, 1},
		{options{parallelism: 1}, 1},
	} {
		c.o.vals, c.o.minRange = vals{"path": []string{path}}, 16
		if got := len(discover(t, open(t, c.o))); got != c.want {
			t.Errorf("%+v: %d splits, want %d", c.o, got, c.want)
		}
	}
}
