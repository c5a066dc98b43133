package filesink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/gpflow/gpflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type vals = map[string]any

var schema = gpflow.NewSchema(
	gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat).Opt()},
)

func batch(n int) *gpflow.Batch {
	b := gpflow.NewBuilder(schema)
	for i := range n {
		row := b.Row(0)
		row[0], row[1] = gpflow.String("u"+strconv.Itoa(i)), gpflow.Float(float64(i))
	}
	return b.Take()
}

// tryOpen makes a sink of a job without checkpoints.
func tryOpen(v vals) (*single, error) {
	s, err := Descriptor.NewSink(&gpflow.SinkContext{
		Address: "sink.test", Config: gpflow.NewConfig(fields, v), In: schema, Subtask: gpflow.Subtask{Parallelism: 1},
	})
	if err != nil {
		return nil, err
	}
	return s.(*single), s.Recover(context.Background(), nil)
}

func open(t *testing.T, v vals) *single {
	t.Helper()
	s, err := tryOpen(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noFailures(_ int, err error) error { return err }

func put(t *testing.T, s *single, n int) {
	t.Helper()
	if err := s.Write(context.Background(), batch(n), noFailures); err != nil {
		t.Fatal(err)
	}
}

func prepare(t *testing.T, s *single) gpflow.Committable {
	t.Helper()
	p, err := s.Prepare(context.Background(), 1, true)
	if err != nil || p.Committable == nil {
		t.Fatal(p.Committable, err)
	}
	return p.Committable
}

func commit(t *testing.T, s *single, c gpflow.Committable) {
	t.Helper()
	if err := s.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func closed(t *testing.T, s *single) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestAppearsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "dir", "out.json")
	s := open(t, vals{"path": path})
	put(t, s, 2)
	if p, err := s.Prepare(context.Background(), 1, false); p.Committable != nil || err != nil {
		t.Errorf("a checkpoint gives %s, %v", p.Committable, err)
	}
	put(t, s, 1)
	c := prepare(t, s)
	if exists(path) {
		t.Error("the file is there before the commit")
	}
	if m, _ := filepath.Glob(filepath.Dir(path) + "/[^.]*"); len(m) > 0 {
		t.Errorf("a reader of the directory sees %q", m)
	}
	commit(t, s, c)
	closed(t, s)
	want := `{"user":"u0","x":0}` + "\n" + `{"user":"u1","x":1}` + "\n" + `{"user":"u0","x":0}` + "\n"
	if got := content(t, path); got != want {
		t.Errorf("got %s", got)
	}
	if exists(stagedName(path, "")) {
		t.Error("the staged file is left over")
	}
}

func TestCompressed(t *testing.T) {
	for _, c := range []struct {
		name   string
		reader func(io.Reader) (io.Reader, error)
		tool   []string
	}{
		{"out.json.gz", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, []string{"gzip", "-t"}},
		{"out.json.zst", func(r io.Reader) (io.Reader, error) {
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			return z, err
		}, []string{"zstd", "-q", "-t"}},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		s := open(t, vals{"path": path})
		for range 40 {
			put(t, s, 1000)
		}
		commit(t, s, prepare(t, s))
		closed(t, s)
		r, err := c.reader(strings.NewReader(content(t, path)))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || bytes.Count(data, []byte("\n")) != 40000 {
			t.Errorf("%s: %d lines, %v", c.name, bytes.Count(data, []byte("\n")), err)
		}
		if tool, err := exec.LookPath(c.tool[0]); err == nil {
			if out, err := exec.Command(tool, append(c.tool[1:], path)...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", c.tool[0], err, out)
			}
		}
	}
}

func TestNoRecords(t *testing.T) {
	for name, want := range map[string]string{"out.json": "", "out.csv": "user,x\n"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, vals{"path": path})
		commit(t, s, prepare(t, s))
		closed(t, s)
		if got := content(t, path); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCSVOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	block := fields[slices.IndexFunc(fields, func(f gpflow.Field) bool { return f.Name == "csv" })].Fields
	s := open(t, vals{"path": path, "csv": gpflow.NewConfig(block, vals{"header": false, "delimiter": ";"})})
	put(t, s, 2)
	commit(t, s, prepare(t, s))
	closed(t, s)
	if got := content(t, path); got != "u0;0\nu1;1\n" {
		t.Errorf("%q", got)
	}
}

// What was prepared can be committed by another process, any number of times.
func TestCommitIsIdempotent(t *testing.T) {
	for _, ifExists := range []string{ifExistsReplace, ifExistsFail} {
		path := filepath.Join(t.TempDir(), "out.json")
		v := vals{"path": path, "if_exists": ifExists}
		s := open(t, v)
		put(t, s, 3)
		c := prepare(t, s)
		closed(t, s) // the process dies here

		s = open(t, v)
		commit(t, s, c)
		commit(t, s, c)
		want := content(t, path)
		if strings.Count(want, "\n") != 3 {
			t.Errorf("%q", want)
		}
		put(t, s, 1) // what comes next does not reach the file that is visible
		if got := content(t, path); got != want {
			t.Errorf("after a further record: %q", got)
		}
		closed(t, s)
		if ifExists == ifExistsFail {
			if err := os.Link(path, stagedName(path, "")+"2"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(stagedName(path, "")+"2", stagedName(path, "")); err != nil { // died between link and remove
				t.Fatal(err)
			}
			commit(t, s, c)
			if exists(stagedName(path, "")) || content(t, path) != want {
				t.Error("the second name of the file is left over")
			}
		}
	}
}

func TestStagedLeftoverIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	s := open(t, vals{"path": path})
	put(t, s, 100)
	closed(t, s)
	if !exists(stagedName(path, "")) {
		t.Fatal("what was not committed does not stay staged")
	}
	s = open(t, vals{"path": path})
	put(t, s, 1)
	commit(t, s, prepare(t, s))
	closed(t, s)
	if got := content(t, path); got != `{"user":"u0","x":0}`+"\n" {
		t.Errorf("%q", got)
	}
}

func TestUnusedLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	closed(t, open(t, vals{"path": path}))
	if exists(path) || exists(stagedName(path, "")) {
		t.Error("a sink that was never used leaves a file")
	}
}

func TestReplaces(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "out.json"), filepath.Join(dir, "link.json")
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o644), os.Symlink("out.json", link)); err != nil {
		t.Fatal(err)
	}
	s := open(t, vals{"path": link})
	put(t, s, 1)
	c := prepare(t, s)
	if got := content(t, path); got != "old" {
		t.Errorf("before the commit: %q", got)
	}
	commit(t, s, c)
	closed(t, s)
	if got := content(t, path); got != `{"user":"u0","x":0}`+"\n" {
		t.Errorf("%q", got)
	}
	if to, err := os.Readlink(link); to != "out.json" {
		t.Errorf("the link is gone: %v", err)
	}
}

func TestRefusesToOpen(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.json")
	fifo := filepath.Join(dir, "fifo.json")
	if err := errors.Join(os.WriteFile(old, nil, 0o644), syscall.Mkfifo(fifo, 0o600),
		os.Symlink("nowhere", filepath.Join(dir, "link.json")), os.Mkdir(filepath.Join(dir, "d.json"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		vals vals
		want string
	}{
		{vals{"path": old, "if_exists": "fail"}, "the file exists"},
		{vals{"path": filepath.Join(dir, "d.json")}, "it is a directory"},
		{vals{"path": fifo}, "no regular file"},
		{vals{"path": "/dev/null", "format": "json"}, "no regular file"},
		{vals{"path": filepath.Join(dir, "link.json")}, "leads nowhere"},
		{vals{"path": old + "/out.json"}, "not a directory"},
		{vals{"path": "/proc/gpflow/out.json"}, "make the directory"},
		{vals{"path": "/proc/out.json"}, "stage the output"},
	} {
		if _, err := tryOpen(c.vals); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want an error with %q", c.vals, err, c.want)
		}
	}
}

func TestFileThatAppearsMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	s := open(t, vals{"path": path, "if_exists": "fail"})
	put(t, s, 1)
	c := prepare(t, s)
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.Commit(context.Background(), c)
	if err == nil || !strings.Contains(err.Error(), "has appeared") || content(t, path) != "mine" || !exists(stagedName(path, "")) {
		t.Errorf("got %v", err)
	}
	closed(t, s)
}

func TestCommitRefusesAnotherContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	s := open(t, vals{"path": path})
	put(t, s, 2)
	c := prepare(t, s)
	closed(t, s)
	if err := os.WriteFile(stagedName(path, ""), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background(), c); err == nil || !strings.Contains(err.Error(), "something else has written to it") {
		t.Error(err)
	}
	if err := os.Remove(stagedName(path, "")); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background(), c); err == nil || !strings.Contains(err.Error(), "neither it nor its staged file") {
		t.Error(err)
	}
}

func TestDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	for _, name := range []string{"out.json", "out.json.gz", "out.json.zst"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, vals{"path": path})
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.begin(); err != nil {
			t.Fatal(err)
		}
		_ = s.out.file.Close() // another takes its place
		s.out.file = full
		err = s.Write(context.Background(), batch(1000), noFailures)
		if err == nil {
			_, err = s.Prepare(context.Background(), 1, true)
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := s.Prepare(context.Background(), 2, true); again == nil {
			t.Error("after an error the file is completed")
		}
		closed(t, s)
		if exists(path) {
			t.Error("the file is visible")
		}
	}
}

func TestRecordsThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	s := open(t, vals{"path": path})
	b := gpflow.NewBuilder(schema)
	for i := range 3 {
		row := b.Row(0)
		row[0], row[1] = gpflow.String("u"), gpflow.Float(0/float64(i))
	}
	var failed []int
	err := s.Write(context.Background(), b.Take(), func(row int, err error) error {
		failed = append(failed, row)
		return nil
	})
	commit(t, s, prepare(t, s))
	closed(t, s)
	if err != nil || !slices.Equal(failed, []int{0}) || strings.Count(content(t, path), "\n") != 2 {
		t.Errorf("failed rows %v, %v, %q", failed, err, content(t, path))
	}
	s = open(t, vals{"path": path})
	stop := errors.New("stop")
	b = gpflow.NewBuilder(schema)
	b.Row(0)[1] = gpflow.Float(0)
	row := b.Row(0)
	zero := 0.0
	row[0], row[1] = gpflow.String("u"), gpflow.Float(zero/zero)
	if err := s.Write(context.Background(), b.Take(), func(int, error) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	closed(t, s)
}

func TestInfer(t *testing.T) {
	list := gpflow.NewSchema(gpflow.Column{Name: "xs", Type: gpflow.ListOf(gpflow.T(gpflow.KindInt))})
	for _, c := range []struct {
		vals   vals
		schema *gpflow.Schema
		want   []string
	}{
		{vals{"path": "out.json"}, list, nil},
		{vals{"path": "out", "format": "csv"}, schema, nil},
		{vals{"path": "out.dat"}, schema, []string{"the extension of the path does not say the format"}},
		{vals{"path": "out.csv.gz"}, list, []string{"the format csv cannot carry these records"}},
		{vals{"path": "out.log"}, schema, []string{"the format lines cannot carry these records"}},
		{vals{"path": "out.json", "csv": gpflow.Config{}}, schema, []string{"the records are not comma-separated values"}},
	} {
		var got []string
		in := Descriptor.Infer(&gpflow.Inference{
			Config: gpflow.NewConfig(fields, c.vals), In: []*gpflow.Schema{c.schema},
			Report: func(p gpflow.Problem) { got = append(got, p.Summary) },
		})
		if !slices.Equal(got, c.want) || !slices.Equal(in.Uses[0], c.schema.Names()) {
			t.Errorf("%v: %q, uses %q", c.vals, got, in.Uses)
		}
	}
	if _, err := gpflow.NewRegistry(&Descriptor); err != nil {
		t.Error(err)
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	s := open(t, vals{"path": filepath.Join(t.TempDir(), "out.json")})
	defer s.Close()
	b := batch(1000)
	put(t, s, 1)
	ctx := context.Background()
	if n := testing.AllocsPerRun(20, func() {
		if err := s.Write(ctx, b, noFailures); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}
