package filesink

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

// at makes a sink of a lineage and an epoch, and has it go on from states.
func at(v vals, lineage string, epoch int64, sub gpflow.Subtask, states ...[]byte) (gpflow.Sink, error) {
	s, err := newSink(&gpflow.SinkContext{
		Address: "sink.test", Config: gpflow.NewConfig(fields, v), In: itemSchema, Subtask: sub, Lineage: lineage, Epoch: epoch,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	if err := s.Recover(context.Background(), states); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

var alone = gpflow.Subtask{Parallelism: 1}

func must(t *testing.T, s gpflow.Sink, err error) gpflow.Sink {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// write writes items of partitions.
func write(t *testing.T, s gpflow.Sink, partitions ...string) {
	t.Helper()
	b := gpflow.NewBuilder(itemSchema)
	for i, p := range partitions {
		row := b.Row(0)
		row[0], row[1] = gpflow.Int(int64(i)), gpflow.String(p)
	}
	if err := s.Write(context.Background(), b.Take(), noFailures); err != nil {
		t.Fatal(err)
	}
}

func prepared(t *testing.T, s gpflow.Sink, final bool) gpflow.Prepared {
	t.Helper()
	p, err := s.Prepare(context.Background(), 1, final)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tree returns the files below dir that a reader sees.
func tree(dir string) (names []string) {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err == nil && d.Name() == stagingDir:
			return filepath.SkipDir
		case err == nil && !d.IsDir():
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return nil
	})
	return names
}

// staged returns the files that are staged below dir.
func staged(dir string) (names []string) {
	all, _ := filepath.Glob(filepath.Join(dir, stagingDir, "*", "*"))
	for _, p := range all {
		if !strings.HasSuffix(p, ".lock") {
			names = append(names, filepath.Base(p))
		}
	}
	return names
}

func partsIn(dir string, more vals) vals {
	v := vals{"mode": modeParts, "path": dir, "format": "json"}
	for k, x := range more {
		v[k] = x
	}
	return v
}

func TestPartitions(t *testing.T) {
	dir := t.TempDir()
	s, err := at(vals{"mode": modeParts, "path": dir + "/day={part}/x/", "format": "csv"}, "ab", 2, gpflow.Subtask{Index: 1, Parallelism: 2})
	s = must(t, s, err)
	write(t, s, "a", "b/../c", "a", "", "..", "__null__", ".hidden", "é", "__empty__")
	if got := tree(dir); got != nil {
		t.Errorf("before the commit there are %q", got)
	}
	commitAll(t, s, prepared(t, s, false))
	var want []string
	for i, p := range []string{"a", "b%2F..%2Fc", "__empty__", "%2E.", "%5F_null__", "%2Ehidden", "%C3%A9", "%5F_empty__"} {
		want = append(want, "day="+p+"/x/test-ab-0001-0002-0000000"+strconv.Itoa(i)+".csv")
	}
	slices.Sort(want)
	if got := tree(dir); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := content(t, filepath.Join(dir, want[6])); got != "item,part\n0,a\n2,a\n" {
		t.Errorf("%s has %q", want[6], got)
	}
}

func commitAll(t *testing.T, s gpflow.Sink, p gpflow.Prepared) {
	t.Helper()
	if err := s.Commit(context.Background(), p.Committable); err != nil {
		t.Fatal(err)
	}
}

func TestRollEvery(t *testing.T) {
	dir := t.TempDir()
	roll := gpflow.NewConfig(rollFields, vals{"every": gpflow.Minute})
	s, err := at(partsIn(dir, vals{"roll": roll}), "ab", 1, alone)
	s = must(t, s, err)
	now := time.Unix(1000, 0)
	s.(*parts).now = func() time.Time { return now }
	write(t, s, "a")
	p := prepared(t, s, false)
	if p.Committable != nil || len(staged(dir)) != 1 {
		t.Errorf("before its time, %s is to be committed, and staged is %q", p.Committable, staged(dir))
	}
	now = now.Add(time.Minute)
	write(t, s, "b")
	p = prepared(t, s, false)
	commitAll(t, s, p)
	if got := tree(dir); len(got) != 1 || content(t, filepath.Join(dir, got[0])) != "{\"item\":0,\"part\":\"a\"}\n" {
		t.Errorf("after a minute there are %q", got)
	}
	_ = s.Close()
	again, err := at(partsIn(dir, vals{"roll": roll}), "ab", 2, alone, p.State)
	s = must(t, again, err)
	s.(*parts).now = func() time.Time { return now.Add(time.Minute) }
	commitAll(t, s, prepared(t, s, false))
	if got := tree(dir); len(got) != 2 {
		t.Errorf("a minute later, in another process, there are %q", got)
	}
}

func TestOpenFilesAreFew(t *testing.T) {
	dir := t.TempDir()
	s, err := at(partsIn(dir+"/{part}", vals{"roll": rolls(1 << 20)}), "ab", 1, alone)
	s = must(t, s, err)
	for i := range 3 * maxOpen {
		write(t, s, "p"+strconv.Itoa(i), "always")
		open := 0
		for _, p := range s.(*parts).open {
			if p.file != nil {
				open++
			}
		}
		if open > maxOpen || len(s.(*parts).open) > maxOpen+2 {
			t.Fatalf("%d files are open, and %d partitions are written to", open, len(s.(*parts).open))
		}
	}
	commitAll(t, s, prepared(t, s, true))
	if n := len(tree(dir + "/always")); n != 1 || len(tree(dir)) != 3*maxOpen+1 {
		t.Errorf("%d files of the partition that is always written to, and %d in all", n, len(tree(dir)))
	}
}

// What dead attempts have left is removed; what others have is not.
func TestPartsLeftovers(t *testing.T) {
	dir := t.TempDir()
	other, err := at(partsIn(dir, nil), "cd", 1, alone)
	other = must(t, other, err)
	write(t, other, "x")
	prepared(t, other, false)

	dead, err := at(partsIn(dir, nil), "", 0, alone)
	dead = must(t, dead, err)
	write(t, dead, "x")
	prepared(t, dead, false)
	_ = dead.Close()

	s, err := at(partsIn(dir, nil), "ab", 1, alone)
	s = must(t, s, err)
	write(t, s, "a")
	p := prepared(t, s, false)
	write(t, s, "b")
	prepared(t, s, false) // of no completed checkpoint
	if _, err := at(partsIn(dir, nil), "ab", 2, alone); err == nil || !strings.Contains(err.Error(), "another run of this pipeline") {
		t.Errorf("beside a writer that lives: %v", err)
	}
	if third, err := at(partsIn(dir, nil), "ab", 2, gpflow.Subtask{Index: 2, Parallelism: 3}, p.State); err != nil {
		t.Errorf("a writer that nothing falls to: %v", err)
	} else {
		_ = third.Close()
	}
	_ = s.Close()
	again, err := at(partsIn(dir, nil), "ab", 2, alone, p.State)
	s = must(t, again, err)
	if got := staged(dir); len(got) != 2 {
		t.Errorf("staged are %q", got)
	}
	commitAll(t, s, p)
	if got := tree(dir); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
}

// Whoever takes files away does not stop the job, but output that was lost before
// it was seen does.
func TestPartsTakenAway(t *testing.T) {
	dir := t.TempDir()
	s, err := at(partsIn(dir, nil), "ab", 1, alone)
	s = must(t, s, err)
	write(t, s, "a")
	p := prepared(t, s, false)
	file := filepath.Join(dir, stagingDir, "test-ab", staged(dir)[0])
	if err := os.Rename(file, file+"x"); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background(), p.Committable); err == nil || !strings.Contains(err.Error(), "neither it nor its staged file") {
		t.Error(err)
	}
	if err := os.Rename(file+"x", file); err != nil {
		t.Fatal(err)
	}
	commitAll(t, s, p)
	_ = s.Close()
	if err := os.Remove(filepath.Join(dir, tree(dir)[0])); err != nil {
		t.Fatal(err)
	}
	again, err := at(partsIn(dir, nil), "ab", 2, alone, p.State)
	s = must(t, again, err)
	commitAll(t, s, p)
}

// A lineage that begins with the checkpoint of another takes nothing from it.
func TestAnotherLineage(t *testing.T) {
	for name, v := range map[string]vals{
		"parts":  {"mode": modeParts, "path": "", "format": "csv", "roll": rolls(1 << 20)},
		"single": {"path": "out.csv"},
	} {
		dir := t.TempDir()
		v["path"] = dir + "/" + v["path"].(string)
		s, err := at(v, "ab", 1, alone)
		s = must(t, s, err)
		write(t, s, "a", "b")
		p := prepared(t, s, false)
		write(t, s, "c")
		prepared(t, s, false)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := at(v, "cd", 1, alone, p.State)
		s = must(t, again, err)
		write(t, s, "d")
		commitAll(t, s, prepared(t, s, true))
		if got := tree(dir); len(got) == 0 || !strings.HasSuffix(content(t, filepath.Join(dir, got[0])), "item,part\n0,a\n1,b\n0,d\n") {
			t.Errorf("%s: %q", name, got)
		}
		if got := staged(dir); name == "parts" && len(got) != 1 {
			t.Errorf("of the other lineage is left %q", got)
		}
	}
}

// After an fsync that failed a sink does nothing more, and a second one that goes
// well is no way out; nor is there any where half of a write cannot be taken back.
func TestFailsForGood(t *testing.T) {
	for _, v := range []vals{{"path": "out.json"}, {"mode": modeParts, "path": "", "format": "json"}} {
		for _, op := range []string{"sync", "truncate", "write"} {
			dir := t.TempDir()
			config := vals{}
			for k, x := range v {
				config[k] = x
			}
			config["path"] = dir + "/" + v["path"].(string)
			s, err := at(config, "ab", 1, alone)
			s = must(t, s, err)
			broken := true
			d := &disk{before: func(o, path string) error {
				switch {
				case broken && o == op:
					broken = false
					err := &os.PathError{Op: op, Path: path, Err: syscall.EIO}
					if op == "write" {
						return halfway{err}
					}
					return err
				case !broken && o == "truncate":
					return syscall.EPERM
				}
				return nil
			}}
			switch s := s.(type) {
			case *single:
				s.disk, s.out.disk = d, d
			case *parts:
				s.disk = d
			}
			row := gpflow.NewBuilder(itemSchema)
			row.Row(0)[0] = gpflow.Int(1)
			err = s.Write(context.Background(), row.Take(), noFailures)
			if err == nil {
				_, err = s.Prepare(context.Background(), 1, false)
			}
			if broken {
				continue // this sink does no such thing
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%s: %v", op, err)
			}
			if final := new(gpflow.FinalError); errors.As(err, &final) != (op == "sync") {
				t.Errorf("%s: %v is final: %t", op, err, op != "sync")
			}
			if _, again := s.Prepare(context.Background(), 2, false); !errors.Is(again, syscall.EIO) {
				t.Errorf("%s: the next checkpoint gives %v", op, again)
			}
			if len(tree(dir)) > 1 {
				t.Errorf("%s: there are %q", op, tree(dir))
			}
		}
	}
}

func TestSafeValues(t *testing.T) {
	for want, v := range map[string]gpflow.Value{
		"true": gpflow.Bool(true), "-5": gpflow.Int(-5), "a_b-c.d=e": gpflow.String("a_b-c.d=e"), "%00%FF": gpflow.Bytes([]byte{0, 255}),
		"1970-01-01T00%3A00%3A01Z": gpflow.Time(1e6), "1h30m": gpflow.Span(90 * gpflow.Minute), nullSegment: gpflow.Null,
	} {
		if got := string(appendSafe(nil, v)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLongValueIsARecordsError(t *testing.T) {
	dir := t.TempDir()
	s, err := at(partsIn(dir+"/x/{part}/", nil), "ab", 1, alone)
	s = must(t, s, err)
	b := gpflow.NewBuilder(itemSchema)
	for _, n := range []int{255, 256} {
		b.Row(0)[1] = gpflow.StringOf(bytes.Repeat([]byte("a"), n))
	}
	var failed []int
	err = s.Write(context.Background(), b.Take(), func(row int, err error) error {
		var r *gpflow.RecordError
		if !errors.As(err, &r) || r.Code != "path" {
			t.Errorf("%v", err)
		}
		failed = append(failed, row)
		return nil
	})
	if err != nil || !slices.Equal(failed, []int{1}) {
		t.Errorf("failed are %v, %v", failed, err)
	}
	commitAll(t, s, prepared(t, s, true))
}

func TestPartsInfer(t *testing.T) {
	odd := gpflow.NewSchema(gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat)}, gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)})
	for _, c := range []struct {
		vals vals
		want string
	}{
		{vals{"path": "out/{s}/"}, ""},
		{vals{"path": "out/{y}/"}, "Unknown name y"},
		{vals{"path": "out/", "if_exists": ifExistsReplace}, "if_exists does not apply"},
		{vals{"path": "out/", "roll": gpflow.NewConfig(rollFields, nil)}, "neither a size nor a time"},
		{vals{"path": "out.json", "mode": modeSingle, "roll": rolls(1)}, "there is one file"},
		{vals{"path": "out/", "mode": modeSingle}, "is a directory"},
		{vals{"path": "out.json", "format": nil}, "has to say the format"},
	} {
		v := vals{"mode": modeParts, "format": "json"}
		for k, x := range c.vals {
			v[k] = x
		}
		var got []string
		Descriptor.Infer(&gpflow.Inference{
			Config: gpflow.NewConfig(fields, v), In: []*gpflow.Schema{odd}, Report: func(p gpflow.Problem) { got = append(got, p.Summary) },
		})
		if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%v: %q, want %q", c.vals, got, c.want)
		}
	}
}

func TestPartsAllocateNothing(t *testing.T) {
	s, err := at(partsIn(t.TempDir()+"/{part}", nil), "ab", 1, alone)
	s = must(t, s, err)
	b := gpflow.NewBuilder(itemSchema)
	for i := range 1000 {
		row := b.Row(0)
		row[0], row[1] = gpflow.Int(int64(i)), gpflow.String("p"+strconv.Itoa(i%7))
	}
	batch := b.Take()
	run := func() {
		if err := s.Write(context.Background(), batch, noFailures); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 { // buffers grow
		run()
	}
	if n := testing.AllocsPerRun(20, run); n > 1 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}
