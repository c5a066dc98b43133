package filesource

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
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

// following is a followed source, whose looks and polls the test drives, with a
// clock of its own.
type following struct {
	t     failure
	vals  vals
	dir   string
	src   *source
	scan  *scanner
	read  *follower
	known []gpflow.Split
	at    map[string]gpflow.Position // of the splits that have not ended
	got   []record
	ended []string
	clock time.Time
	log   bytes.Buffer

	mostOpen int
	most     int // files that were open at once
}

// open returns how many files are open.
func (f *following) open() (n int) {
	for _, x := range f.read.tails {
		if x.file != nil {
			n++
		}
	}
	return n
}

func follow(t failure, dir string, v vals) *following {
	f := &following{t: t, dir: dir, mostOpen: mostOpen, vals: vals{"follow": true}, at: make(map[string]gpflow.Position)}
	for k, x := range v {
		f.vals[k] = x
	}
	var paths []string
	for _, p := range f.vals["path"].([]string) {
		paths = append(paths, filepath.Join(dir, p))
	}
	f.vals["path"] = paths
	f.start()
	return f
}

// start makes everything anew, as a new process does.
func (f *following) start() {
	c := gpflow.NewConfig(fields, f.vals)
	s, err := Descriptor.NewSource(&gpflow.SourceContext{
		Address: "source.test", Config: c, Schema: declared(c), Parallelism: 1, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	f.must(err)
	f.src = s.(*source)
	f.src.watches = false
	f.src.now = func() time.Time { return f.clock }
	f.src.wait = func(context.Context, time.Duration) error { return errors.New("nothing new") }
	e, err := f.src.Enumerator(f.known)
	f.must(err)
	f.scan = e.(*scanner)
	r, err := f.src.Reader(&gpflow.ReaderContext{})
	f.must(err)
	f.read = r.(*follower)
	f.read.mostOpen = f.mostOpen
	for _, k := range f.known {
		if pos, ok := f.at[k.ID]; ok {
			f.must(f.read.Assign(k, pos))
		}
	}
}

func (f *following) restart() {
	f.close()
	f.start()
}

func (f *following) close() { f.must(f.read.Close()) }

func (f *following) must(err error) {
	if err != nil {
		f.t.Fatal(err)
	}
}

// look looks for new files.
func (f *following) look() {
	splits, err := f.scan.scan(context.Background())
	f.must(err)
	f.scan.scanned = true
	for _, s := range splits {
		f.known = append(f.known, s)
		f.at[s.ID] = nil
		f.must(f.read.Assign(s, nil))
	}
}

// poll reads what there is.
func (f *following) poll() {
	for len(f.read.tails) > 0 {
		out := gpflow.NewReading(f.src.decoder.Read)
		out.Limit(3)
		p, err := f.read.Poll(context.Background(), out)
		f.must(err)
		f.most = max(f.most, f.open())
		b, failed, split, pos := out.TakeReading()
		f.got = take(f.got, b, failed, split)
		if pos != nil {
			f.at[split] = pos
		}
		if p.Ended != "" {
			f.ended = append(f.ended, filepath.Base(p.Ended))
			delete(f.at, p.Ended)
		}
		if p.Idle {
			return
		}
	}
}

// new looks and polls, and returns what came, as split@position:text.
func (f *following) new() []string {
	f.got = nil
	f.look()
	f.poll()
	var out []string
	for _, r := range f.got {
		out = append(out, filepath.Base(r.split)+"@"+itoa(r.pos)+":"+itoa(r.line)+":"+r.text+r.code)
	}
	return out
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func (f *following) expect(what string, want ...string) {
	if got := f.new(); !slices.Equal(got, want) {
		f.t.Fatal(what, ": got ", got, ", want ", want, "\n", f.log.String())
	}
}

func (f *following) path(name string) string { return filepath.Join(f.dir, name) }

func (f *following) add(name, text string) {
	w, err := os.OpenFile(f.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	f.must(err)
	_, err = w.WriteString(text)
	f.must(errors.Join(err, w.Close()))
}

func (f *following) rename(from, to string) { f.must(os.Rename(f.path(from), f.path(to))) }

func (f *following) copyTruncate(name, to string) {
	data, err := os.ReadFile(f.path(name))
	f.must(err)
	if to != "" {
		f.must(os.WriteFile(f.path(to), data, 0o644))
	}
	f.must(os.Truncate(f.path(name), 0))
}

// stops runs the test with and without new processes at each stop.
func stops(t *testing.T, run func(t *testing.T, stop func(*following))) {
	t.Run("running", func(t *testing.T) { run(t, func(*following) {}) })
	t.Run("stopped", func(t *testing.T) { run(t, (*following).restart) })
}

func TestFollowGrowth(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
		defer f.close()
		f.expect("nothing is there")
		f.add("a.log", "")
		f.expect("it is empty")
		f.add("a.log", "one\ntw")
		f.expect("half a line", "a.log@0:1:one")
		stop(f)
		f.expect("nothing has come")
		f.add("a.log", "o\r")
		f.expect("half a line end")
		stop(f)
		f.add("a.log", "\n\nthree\n")
		f.expect("the rest", "a.log@4:2:two", "a.log@9:3:", "a.log@10:4:three")
		stop(f)
		f.must(os.Truncate(f.path("a.log"), 16))
		f.add("a.log", "fo")
		f.expect("half a line")
		f.must(os.Truncate(f.path("a.log"), 16))
		f.add("a.log", "4\n")
		f.expect("half a line that was taken back", "a.log@16:5:4")
		if strings.Contains(f.log.String(), "truncated") {
			t.Error(f.log.String())
		}
	})
}

func TestFollowDirectory(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{".", "b/*.log"}, "schema": linesSchema()})
		defer f.close()
		f.expect("nothing is there")
		f.add("a.log", "one\n")
		f.expect("a file", "a.log@0:1:one")
		stop(f)
		f.must(os.Mkdir(f.path("b"), 0o755))
		f.add("b/b.log", "two\n")
		f.add("c.log.gz", "x")
		f.add("README", "x\n")
		f.add(".hidden.log", "x\n")
		f.expect("a folder", "b.log@0:1:two")
		stop(f)
		f.add("a.log", "three\n")
		f.add("b/b.log", "four\n")
		f.expect("both", "a.log@4:2:three", "b.log@4:2:four")
		for _, name := range []string{"c.log.gz", "README"} {
			if !strings.Contains(f.log.String(), `msg="a file is passed over" path=`+f.path(name)) {
				t.Errorf("%s is not said to be passed over: %s", name, &f.log)
			}
		}
	})
}

func TestFollowRotation(t *testing.T) {
	for _, path := range []string{"a.log", "a.log*"} { // the renamed file is seen, or is not
		stops(t, func(t *testing.T, stop func(*following)) {
			f := follow(t, t.TempDir(), vals{"path": []string{path}, "format": "lines"})
			defer f.close()
			f.add("a.log", "one\n")
			f.expect("the first", "a.log@0:1:one")
			stop(f)
			f.add("a.log", "two\n")
			f.rename("a.log", "a.log.1")
			f.add("a.log.1", "three\nfo")
			stop(f)
			f.expect("renamed", "a.log@4:2:two", "a.log@8:3:three")
			f.add("a.log", "1\n")
			f.expect("a new one", "a.log#2@0:1:1")
			stop(f)
			f.add("a.log.1", "ur\n")
			f.add("a.log", "2\n")
			f.add("a.log.1", "fi")
			f.expect("both grow", "a.log@14:4:four", "a.log#2@2:2:2")
			f.clock = f.clock.Add(grace - 1)
			f.expect("the old one may grow yet")
			f.add("a.log.1", "ve")
			f.clock = f.clock.Add(1)
			f.expect("it does")
			f.clock = f.clock.Add(grace)
			f.expect("it has ended", "a.log@19:5:five")
			stop(f)
			f.rename("a.log", "a.log.2")
			f.add("a.log", "3\n")
			f.expect("another", "a.log#3@0:1:3")
			stop(f)
			f.expect("nothing more")
			if !slices.Equal(f.ended, []string{"a.log"}) {
				t.Errorf("ended: %q", f.ended)
			}
		})
	}
}

func TestFollowTruncated(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
		defer f.close()
		f.add("a.log", "one\ntwo\n")
		f.expect("the first", "a.log@0:1:one", "a.log@4:2:two")
		stop(f)
		f.copyTruncate("a.log", "")
		stop(f)
		f.add("a.log", "three\n")
		f.expect("shorter", "a.log@8:3:three")
		stop(f)
		f.copyTruncate("a.log", "")
		stop(f)
		f.add("a.log", "four, and longer\n")
		f.expect("longer", "a.log@14:4:four, and longer")
		stop(f)
		f.copyTruncate("a.log", "")
		f.add("a.log", "five,and longer\n!")
		f.must(os.Chtimes(f.path("a.log"), time.Time{}, time.Now().Add(time.Minute)))
		f.expect("as long", "a.log@31:5:five,and longer")
		stop(f)
		f.copyTruncate("a.log", "")
		stop(f)
		f.add("a.log", "6\n")
		switch got := strings.Join(f.new(), " "); got { // half a line, whose end cannot come, if it has been read
		case "a.log@47:6:! a.log@48:6:6", "a.log@47:6:6":
		default:
			t.Errorf("half a line: %q", got)
		}
		if n := strings.Count(f.log.String(), "a followed file was truncated"); n != 4 {
			t.Errorf("%d truncations are logged: %s", n, &f.log)
		}
	})
}

// What a copy holds is not lost.
func TestFollowCopyTruncate(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
		defer f.close()
		f.add("a.log", "one\ntw")
		f.expect("the first", "a.log@0:1:one")
		f.add("a.log", "o\nthree\n")
		f.copyTruncate("a.log", "a.log.1")
		f.add("a.log", "1\n")
		stop(f)
		f.expect("copied", "a.log@4:2:two", "a.log@8:3:three", "a.log@14:4:1")
		stop(f)
		f.rename("a.log.1", "a.log.2")
		f.add("a.log", "2\n3")
		f.copyTruncate("a.log", "a.log.1")
		stop(f)
		f.add("a.log", "4\n")
		f.expect("copied again", "a.log@16:5:2", "a.log@18:6:3", "a.log@19:6:4")
		if strings.Contains(f.log.String(), "lost") {
			t.Error(f.log.String())
		}
	})
}

// A file that takes the place of one that was removed is a new one, though the
// system may know it by the same number.
func TestFollowReplaced(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
		defer f.close()
		var want []string
		for _, text := range []string{"one", "two", "three", "four"} {
			f.add("a.log", text+"\n")
			f.look()
			f.poll()
			want = append(want, text)
			f.must(os.Remove(f.path("a.log")))
			f.look()
			f.poll()
			f.clock = f.clock.Add(grace)
			f.poll()
			stop(f)
		}
		if got := texts(f.got); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// A file that was removed while nobody looked has ended, which is said.
func TestFollowGone(t *testing.T) {
	f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
	f.add("a.log", "one\n")
	f.expect("the first", "a.log@0:1:one")
	f.close()
	f.must(os.Remove(f.path("a.log")))
	f.add("b.log", "x\n") // takes the number
	f.add("a.log", "another\n")
	f.start()
	defer f.close()
	f.expect("another", "a.log#2@0:1:another")
	if !slices.Equal(f.ended, []string{"a.log"}) || !strings.Contains(f.log.String(), "a followed file is gone") {
		t.Errorf("ended: %q; %s", f.ended, &f.log)
	}
}

func TestFollowCSV(t *testing.T) {
	stops(t, func(t *testing.T, stop func(*following)) {
		f := follow(t, t.TempDir(), vals{"path": []string{"a.csv"}, "format": "csv", "schema": userSchema})
		defer f.close()
		f.add("a.csv", "n,us")
		f.expect("half a header")
		stop(f)
		f.add("a.csv", "er\n1,\"a\n")
		f.expect("half a record")
		stop(f)
		f.add("a.csv", "b\"\n")
		f.expect("the first", "a.csv@7:2:a\nb|1")
		stop(f)
		f.copyTruncate("a.csv", "")
		f.add("a.csv", "user,n\nc,2\n")
		f.expect("another header", "a.csv@22:5:c|2")
		stop(f)
		f.add("a.csv", "d,3\n")
		f.expect("a record", "a.csv@26:6:d|3")
	})
}

// Few files are open, however many there are.
func TestFollowManyFiles(t *testing.T) {
	f := follow(t, t.TempDir(), vals{"path": []string{"."}, "format": "lines"})
	defer f.close()
	f.mostOpen = 3
	f.restart()
	const files = 50
	for round := range 3 {
		for i := range files {
			f.add("a"+itoa(int64(i)), "line "+itoa(int64(round))+"\n")
		}
		if got := f.new(); len(got) != files {
			t.Errorf("%d lines", len(got))
		}
		f.poll()
		if open := f.open(); open != 3 || f.most > 4 {
			t.Errorf("%d files are open, and %d were at once", open, f.most)
		}
	}
}

func TestDiscoverWaits(t *testing.T) {
	f := follow(t, t.TempDir(), vals{"path": []string{"a.log", "b.log"}})
	defer f.close()
	splits, done, err := f.scan.Discover(context.Background())
	if len(splits) > 0 || done || err != nil {
		t.Fatal(splits, done, err)
	}
	waits := 0
	f.src.wait = func(context.Context, time.Duration) error {
		if waits++; waits == 3 {
			f.add("b.log", "x\n")
		}
		return nil
	}
	splits, done, err = f.scan.Discover(context.Background())
	if got := ids(splits, f.dir); !slices.Equal(got, []string{"b.log"}) || done || err != nil || waits != 3 {
		t.Fatal(got, done, err, waits)
	}
	f.src.wait = pause
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := f.scan.Discover(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
