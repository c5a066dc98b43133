package filesink

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

// itemSchema is of rows with an item's number, and a partition.
var itemSchema = gpflow.NewSchema(
	gpflow.Column{Name: "item", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "part", Type: gpflow.T(gpflow.KindString).Opt()},
)

// world is a directory that a sink writes to, in processes that die.
type world struct {
	config vals
	root   string
	bug    bug
	choose func(string, int) int
	deaths int
	// What a loss of power leaves: the length of files that is durable, and the
	// names that are not.
	length map[string]int64
	loose  map[string]bool
	known  map[string][]int // the items of visible files, by path
	// full lets the disk be full from time to time; left is for how many changes it
	// is so yet, and failed counts those that it has refused.
	full         bool
	left, failed int
}

// onDisk is a sink on a disk that may fill up before any call.
type onDisk struct {
	gpflow.Sink
	*world
}

func (s onDisk) fill() {
	if s.full && s.choose("the disk is full", 5) == 4 {
		s.left = 1 + s.choose("for how long", 3)
	}
}

func (s onDisk) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	s.fill()
	return s.Sink.Write(ctx, b, fail)
}

func (s onDisk) Prepare(ctx context.Context, id gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	s.fill()
	return s.Sink.Prepare(ctx, id, final)
}

func (s onDisk) Commit(ctx context.Context, c gpflow.Committable) error {
	s.fill()
	return s.Sink.Commit(ctx, c)
}

// refuse returns the error of a disk that is full, or nil.
func (w *world) refuse(op string) error {
	if w.left == 0 || op != "write" && op != "create" && op != "mkdir" && op != "rename" && op != "link" {
		return nil
	}
	if w.left--; w.choose("there is room for this", 3) == 2 {
		return nil
	}
	w.failed++
	if op == "write" && w.choose("half of it fits", 2) == 1 {
		return halfway{syscall.ENOSPC}
	}
	return syscall.ENOSPC
}

func newWorld(t testing.TB, config vals, b bug, choose func(string, int) int) *world {
	dir, err := os.MkdirTemp("/dev/shm", "gpflow") // where an fsync takes no time
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{config: vals{}, root: dir, bug: b, choose: choose, length: map[string]int64{}, loose: map[string]bool{}, known: map[string][]int{}}
	for k, v := range config {
		w.config[k] = v
	}
	w.config["path"] = filepath.Join(dir, "out") + "/" + config["path"].(string)
	return w
}

// before lets the process die before a change of the disk, and notes what is
// durable.
func (w *world) before(op, path string) error {
	if w.deaths < 30 && w.choose("die before "+op, 150) == 149 {
		w.deaths++
		return optest.ErrKilled
	}
	if err := w.refuse(op); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case op == "create" && err != nil:
		w.loose[path] = true
	case op == "sync" && w.bug == noSync:
	case op == "sync" && info.IsDir():
		for name := range w.loose {
			if filepath.Dir(name) == path {
				delete(w.loose, name)
			}
		}
	case op == "sync":
		w.length[path] = info.Size()
	}
	return nil
}

func (w *world) open(lineage string, epoch int64, sub gpflow.Subtask) (gpflow.Sink, error) {
	s, err := newSink(&gpflow.SinkContext{
		Address: "sink.test", Config: gpflow.NewConfig(fields, w.config), In: itemSchema, Subtask: sub, Lineage: lineage, Epoch: epoch,
	})
	d := &disk{before: w.before, bug: w.bug}
	switch s := s.(type) {
	case *single:
		s.disk, s.out.disk = d, d
		if s.fresh {
			w.loose[s.out.path] = true
		}
	case *parts:
		s.disk, s.max = d, 3
	}
	if err != nil {
		return nil, err
	}
	w.left = 0
	return onDisk{s, w}, nil
}

// kill ends what a process holds. The power may go too: then what was not made
// durable is lost.
func (w *world) kill(s gpflow.Sink) {
	w.left = 0 // by the time of the next start there is room
	switch s := s.(onDisk).Sink.(type) {
	case *single:
		_ = s.out.close()
	case *parts:
		s.release()
		if s.lock != nil {
			_ = s.lock.Close()
		}
	}
	if w.choose("the power goes", 2) == 0 {
		return
	}
	for path := range w.loose {
		_ = os.Remove(path)
		delete(w.loose, path)
	}
	_ = filepath.WalkDir(w.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && strings.Contains(path, stagedSuffix) {
			if info, err := e.Info(); err == nil && info.Size() > w.length[path] {
				return os.Truncate(path, w.length[path])
			}
		}
		return err
	})
}

// visible reads the items of all files that a reader sees.
func (w *world) visible() (items []int, err error) {
	err = filepath.WalkDir(w.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") && e.IsDir() {
			return filepath.SkipDir
		}
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return nil
		}
		if _, ok := w.known[path]; !ok {
			if w.known[path], err = itemsOf(path); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		items = append(items, w.known[path]...)
		return nil
	})
	return items, err
}

// itemsOf reads the items of a file, as whoever knows its format.
func itemsOf(path string) (items []int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r io.Reader = bytes.NewReader(data)
	switch filepath.Ext(path) {
	case ".gz":
		if r, err = gzip.NewReader(r); err != nil {
			return nil, err
		}
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	}
	lines := bufio.NewReader(r)
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			return items, nil
		}
		if err != nil {
			return nil, err
		}
		if strings.Contains(path, ".csv") && n == 0 {
			if line != "item,part\n" {
				return nil, fmt.Errorf("the header is %q", line)
			}
			continue
		}
		line = strings.TrimPrefix(line, `{"item":`)
		item, err := strconv.Atoi(line[:strings.IndexByte(line, ',')])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		items = append(items, item)
	}
}

func (w *world) sinkCase(items int) optest.SinkCase {
	c := optest.SinkCase{
		Schema: itemSchema, Items: items, Choose: w.choose, Open: w.open, Kill: w.kill, Visible: w.visible,
		Row: func(item int, row []gpflow.Value) {
			row[0], row[1] = gpflow.Int(int64(item)), gpflow.String("p"+strconv.Itoa(item%5))
			if item%7 == 0 {
				row[1] = gpflow.Null
			}
		},
	}
	switch _, rolls := w.config["roll"]; {
	case w.config["mode"] != modeParts:
		c.Appears = optest.AtEnd
		return c
	case rolls:
		c.Appears = optest.Later
	}
	c.Parallelism = []int{1, 3, 2}
	return c
}

var rollFields = blockFields("roll")

func blockFields(name string) []gpflow.Field {
	for _, f := range fields {
		if f.Name == name {
			return f.Fields
		}
	}
	return nil
}

func rolls(size int64) gpflow.Config { return gpflow.NewConfig(rollFields, vals{"size": size}) }

// configs are the ways to write files.
var configs = map[string]vals{
	"single json":                 {"path": "out.json"},
	"single csv":                  {"path": "out.csv"},
	"single gzip":                 {"path": "out.json.gz"},
	"single zstd, no replacement": {"path": "out.csv.zst", "if_exists": ifExistsFail},
	"parts json":                  {"mode": modeParts, "path": "", "format": "json"},
	"parts csv, partitioned":      {"mode": modeParts, "path": "p={part}/", "format": "csv"},
	"parts csv, by an expression": {"mode": modeParts, "path": "p={upper(part ?? 'none')}/{item % 3 == 0 ? nil : item % 3}", "format": "csv"},
	"parts rolled":                {"mode": modeParts, "path": "", "format": "csv", "roll": rolls(300)},
	"parts gzip, rolled":          {"mode": modeParts, "path": "", "format": "json", "roll": rolls(300), "compression": "gzip"},
	"parts rolled, partitioned":   {"mode": modeParts, "path": "{part}/x/", "format": "json", "roll": rolls(200)},
	"parts zstd, partitioned":     {"mode": modeParts, "path": "{part}", "format": "csv", "roll": rolls(100), "compression": "zstd"},
}

// Each item is there exactly once, whatever happens.
func TestExactlyOnce(t *testing.T) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w := newWorld(t, config, noBug, func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, label) })
				optest.RunSink(rt, w.sinkCase(20))
			})
			w := newWorld(t, config, noBug, random(1))
			optest.RunSink(t, w.sinkCase(1000))
			leftovers(t, w)
		})
	}
}

// A disk that is full, and freed again, costs no item and shows none twice,
// wherever it happens and whoever dies of it.
func TestFullAndFreed(t *testing.T) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				w := newWorld(t, config, noBug, random(seed))
				w.full = true
				optest.RunSink(t, w.sinkCase(150))
				if w.failed == 0 {
					t.Error("the disk has refused nothing")
				}
				leftovers(t, w)
			}
		})
	}
}

func random(seed uint64) func(string, int) int {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(_ string, n int) int { return r.IntN(n) }
}

// leftovers complains about what is still staged.
func leftovers(t *testing.T, w *world) {
	t.Helper()
	_ = filepath.WalkDir(w.root, func(path string, e fs.DirEntry, err error) error {
		if strings.Contains(path, stagedSuffix) && !e.IsDir() {
			t.Errorf("%s is left over", path)
		}
		return err
	})
}

// Mistakes of the sink are found: a test that finds none proves nothing.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct {
		bug     bug
		configs []string
	}{
		{nonIdempotentCommit, []string{"single json", "parts json", "parts zstd, partitioned"}},
		{noTruncate, []string{"single csv", "single gzip", "parts rolled", "parts gzip, rolled"}},
		{forgetOpenPart, []string{"parts rolled", "parts rolled, partitioned"}},
		{noSync, []string{"single json", "parts json", "parts rolled"}},
		{noTakingBack, []string{"single json", "parts json", "parts rolled, partitioned"}},
	} {
		for _, name := range c.configs {
			found := uint64(0)
			for seed := uint64(1); seed <= 20 && found == 0; seed++ {
				w := newWorld(t, configs[name], c.bug, random(seed))
				w.full = c.bug == noTakingBack
				if fails(w.sinkCase(100)) {
					found = seed
				}
			}
			if found == 0 {
				t.Errorf("%s: the mistake %d is not found in 20 runs", name, c.bug)
			}
			t.Logf("%s: the mistake %d is found in run %d", name, c.bug, found)
		}
	}
}

// quiet is a test that fails without a word.
type quiet struct{ failed string }

func (q *quiet) Helper() {}

func (q *quiet) Errorf(format string, args ...any) { q.failed = fmt.Sprintf(format, args...) }

func (q *quiet) Fatalf(format string, args ...any) {
	q.Errorf(format, args...)
	panic(q)
}

func fails(c optest.SinkCase) bool {
	q := &quiet{}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(q) {
				panic(r)
			}
		}()
		optest.RunSink(q, c)
	}()
	return q.failed != ""
}
