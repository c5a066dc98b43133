package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The recovery job counts by manyKeys keys at full speed, in one window, and
// writes the number of every sampled record to files that appear with a
// checkpoint every second. It goes on to its end when it has been killed often
// enough.
const (
	sampled      = 1000
	recoveryHead = `
pipeline "recovery" {
  parallelism = 1
  checkpoint { every = "1s" }
}
source "generate" "records" {
  count  = COUNT
  fields = {
    i      = "i"
    key    = "KEY"
    amount = "i % 100"
    at     = "timestamp('1970-01-01T00:00:00Z') + duration('1ms') * i"
  }
  event_time { field = "at" }
}
filter "sampled" {
  from  = source.records
  where = "i % 1000 == 0"
}
map "numbers" {
  from   = filter.sampled
  select = { i = "i" }
}
sink "file" "out" {
  from   = map.numbers
  path   = "OUT"
  mode   = "parts"
  format = "json"
}
`
	// recoveryRecords are more than are read from one kill to the next.
	recoveryRecords = 20_000_000
	// recoverySpan is the length of the window in records, which no run reaches.
	recoverySpan     = 1_000_000_000_000
	recoveryPipeline = recoveryHead + `
window "tumbling" "by_key" {
  from      = source.records
  key_by    = ["key"]
  size      = "1000000000000ms"
  aggregate = { n = "count()", sum = "sum(amount)" }
}
sink "blackhole" "sums" { from = window.by_key }
`
	patience = 2 * time.Minute // with what does not come
)

// filledKey is the key of a record of the recovery job: first come all keys.
func filledKey(i int64) int64 {
	if i < manyKeys {
		return i
	}
	return hashInt(i)
}

// rescue is the recovery job, killed again and again.
type rescue struct {
	lab     *lab
	dir     string // working directory; the state is below
	parts   string
	process *exec.Cmd
	stderr  string // file
	count   int64  // records until the job ends
}

// recovery measures how long it is from kill -9 to new output.
func (l *lab) recovery() ([]figure, error) {
	if !l.jobs.MatchString("recovery") {
		return nil, nil
	}
	dir, err := l.output()
	if err != nil {
		return nil, err
	}
	r := &rescue{lab: l, dir: dir, parts: filepath.Join(dir, "parts"), count: int64(l.runs+1) * recoveryRecords}
	defer func() {
		if r.process != nil {
			_ = r.process.Process.Kill() // it may have ended
			_ = r.process.Wait()
		}
	}()
	if _, err := r.start(); err != nil {
		return nil, err
	}
	if err := r.until(func() (bool, error) { last, err := r.last(); return last > 3*manyKeys, err }); err != nil {
		return nil, err
	}
	var restores, outputs []float64
	for range l.runs {
		time.Sleep(time.Duration(rand.Int64N(int64(time.Second)))) // anywhere between two checkpoints
		restore, output, err := r.kill()
		if err != nil {
			return nil, err
		}
		restores, outputs = append(restores, restore), append(outputs, output)
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return []figure{
		newFigure("recovery-output", "kill -9 with 1 M keys, to the first new committed output", "s", outputs).atMost(3),
		newFigure("recovery-restore", "  from the start of the process to all keys restored", "s", restores).atMost(1),
	}, nil
}

// start starts the job, and returns when.
func (r *rescue) start() (time.Time, error) {
	path := filepath.Join(r.dir, "recovery.gp.hcl")
	key := fmt.Sprintf("i < %d ? i : hash(i) %% %d", manyKeys, manyKeys)
	if err := spell(path, recoveryPipeline, "OUT", r.parts, "COUNT", strconv.FormatInt(r.count, 10), "KEY", key); err != nil {
		return time.Time{}, err
	}
	r.stderr = filepath.Join(r.dir, "stderr")
	f, err := os.Create(r.stderr)
	if err != nil {
		return time.Time{}, err
	}
	defer f.Close()
	r.process = exec.Command(r.lab.gpflow, "run", path, "--quiet", "--log-level", "debug", "--log-format", "json")
	r.process.Dir, r.process.Stderr = r.dir, f
	return time.Now(), r.process.Start()
}

// until waits for a condition, while the process lives.
func (r *rescue) until(met func() (bool, error)) error {
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ok, err := met()
		if ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(r.stderr) // for the message
			return fmt.Errorf("recovery: nothing new has come for %s\n%s", patience, said)
		}
	}
}

// kill kills the job and starts it again. It returns the seconds from the start
// to when all keys were restored, and from the kill to the first output of a
// checkpoint that came after it: what appears before was staged already.
func (r *rescue) kill() (restore, output float64, err error) {
	killed := time.Now()
	if err := r.process.Process.Kill(); err != nil {
		return 0, 0, err
	}
	if _ = r.process.Wait(); r.process.ProcessState.Exited() {
		return 0, 0, errors.New("recovery: the job ended before it was killed; it wants more records")
	}
	known, err := r.files(true)
	if err != nil {
		return 0, 0, err
	}
	began, err := r.start()
	if err != nil {
		return 0, 0, err
	}
	err = r.until(func() (bool, error) {
		now, err := r.files(false)
		return slices.ContainsFunc(now, func(f string) bool { return !slices.Contains(known, f) }), err
	})
	if err != nil {
		return 0, 0, err
	}
	output = time.Since(killed).Seconds()
	built, err := r.built()
	return built.Sub(began).Seconds(), output, err
}

// built returns when the job was built, which is when its state is restored.
func (r *rescue) built() (time.Time, error) {
	said, err := os.ReadFile(r.stderr)
	if err != nil {
		return time.Time{}, err
	}
	if !strings.Contains(string(said), "going on from checkpoint") {
		return time.Time{}, fmt.Errorf("recovery: the job began anew\n%s", said)
	}
	for line := range strings.Lines(string(said)) {
		var entry struct {
			Time time.Time
			Msg  string
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "start" {
			return entry.Time, nil
		}
	}
	return time.Time{}, fmt.Errorf("recovery: the log does not say when the job started\n%s", said)
}

// files returns the names of the files that have appeared, and on demand those
// that are staged.
func (r *rescue) files(staged bool) ([]string, error) {
	patterns := []string{"*.json"}
	if staged {
		patterns = append(patterns, ".gpflow-staged/*/*.json")
	}
	var names []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(r.parts, p))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			names = append(names, filepath.Base(f))
		}
	}
	return names, nil
}

// numbers returns the numbers in the files that have appeared, ascending.
func (r *rescue) numbers() (all []int64, err error) {
	names, err := r.files(false)
	for _, name := range names {
		f, err := os.Open(filepath.Join(r.parts, name))
		if err != nil {
			return nil, err
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var row struct{ I int64 }
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
			}
			all = append(all, row.I)
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	return all, err
}

// last returns the last number in the files that have appeared.
func (r *rescue) last() (int64, error) {
	all, err := r.numbers()
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1], nil
}

// finish waits for the end of the job. Then each number has been written once,
// and the counts are those of all records.
func (r *rescue) finish() error {
	if err := r.process.Wait(); err != nil {
		said, _ := os.ReadFile(r.stderr) // for the message
		return fmt.Errorf("recovery: run to the end: %w\n%s", err, said)
	}
	all, err := r.numbers()
	if err != nil {
		return err
	}
	for k, i := range all {
		if i != int64(k)*sampled {
			return fmt.Errorf("recovery: number %d of the output is %d, want %d", k, i, k*sampled)
		}
	}
	if want := r.count / sampled; int64(len(all)) != want {
		return fmt.Errorf("recovery: the output has %d numbers, want %d", len(all), want)
	}
	stderr, err := os.ReadFile(r.stderr)
	if err != nil {
		return err
	}
	got, err := readChecksum(stderr)
	if err != nil {
		return err
	}
	return counted(r.count, manyKeys, recoverySpan, filledKey).compare(got)
}
