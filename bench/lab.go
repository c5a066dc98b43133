package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// lab is where jobs are run: a directory with the data, and the programs.
type lab struct {
	*options
	dir    string // has the data, and the pipelines
	self   string // this program
	gpflow string // the command
	places int    // output directories made so far
	// taken has the samples of each trial by its name, of all rounds so far.
	taken map[string][]sample
}

// newLab makes the data.
func newLab(dir string, o *options) (*lab, error) {
	l := &lab{options: o, dir: dir, taken: make(map[string][]sample)}
	var err error
	if l.gpflow, err = absolute(o.gpflow); err != nil {
		return nil, err
	}
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "making %d orders in %s\n", orderCount, dir)
	_, err = (&trial{name: "data", argv: []string{l.self, "data", dir}}).run()
	return l, err
}

// output makes a new directory to write to.
func (l *lab) output() (string, error) {
	l.places++
	dir := filepath.Join(l.dir, "out"+strconv.Itoa(l.places))
	return dir, os.Mkdir(dir, 0o755)
}

// figures measures everything that was asked for.
func (l *lab) figures() ([]figure, error) {
	var all []figure
	for _, measure := range []func() ([]figure, error){l.speed, l.latencies, l.starts, l.heap, l.checkpoints, l.pauses, l.keyedState, l.recovery, l.resident, l.spilling} {
		fs, err := measure()
		if err != nil {
			return nil, err
		}
		all = append(all, fs...)
	}
	return all, nil
}

// pipeline writes a pipeline of j to a file.
func (l *lab) pipeline(j *job, name, text, out string, parallelism int) (path string, err error) {
	path = filepath.Join(l.dir, strings.ReplaceAll(name, "/", "-")+".gp.hcl")
	return path, spell(path, text, "DIR", l.dir, "OUT", out,
		"COUNT", strconv.FormatInt(j.records, 10), "PARALLELISM", strconv.Itoa(parallelism), "EVERY", cmp.Or(j.every, defaultEvery))
}

// engine returns the trial of a job through gpflow. cores limits it, 0 does not.
func (l *lab) engine(j *job, name string, want answer, parallelism, cores int) (*trial, error) {
	out, err := l.output()
	if err != nil {
		return nil, err
	}
	path, err := l.pipeline(j, name, j.pipeline, out, parallelism)
	if err != nil {
		return nil, err
	}
	t := &trial{name: name, argv: []string{l.gpflow, "run", path, "--quiet", "--log-level", "debug", "--log-format", "json"}, dir: out}
	if cores > 0 {
		t.env = []string{"GOMAXPROCS=" + strconv.Itoa(cores)}
	}
	t.check = func(_, stderr []byte) (any, error) {
		got, err := readChecksum(stderr)
		if j.out != "" {
			got, err = readOutput(j, filepath.Join(out, j.out))
		}
		if err != nil {
			return nil, err
		}
		return checkpointsIn(stderr), want.compare(got)
	}
	return t, nil
}

// generator returns the trial of making the records of a job.
func (l *lab) generator(j *job, name string) (*trial, error) {
	path, err := l.pipeline(j, name, j.generator, "", 1)
	return &trial{name: name, argv: []string{l.self, "engine", path}}, err
}

// yardstick returns the trial of a job in one of the yardsticks.
func (l *lab) yardstick(j *job, kind string, want answer) (*trial, error) {
	out, err := l.output()
	if err != nil {
		return nil, err
	}
	t := &trial{name: j.name + "/" + kind, argv: []string{l.self, kind, j.name, l.dir, out}}
	t.check = func(stdout, _ []byte) (any, error) {
		d, err := said[done](stdout)
		if err == nil && j.out != "" {
			d.answer, err = readOutput(j, filepath.Join(out, j.out))
		}
		if err != nil {
			return nil, err
		}
		return d.CPU, want.compare(d.answer)
	}
	return t, nil
}

// machine says where all this was measured.
func machine() string {
	model := runtime.GOARCH
	info, _ := os.ReadFile("/proc/cpuinfo") // there is none on every system
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d cores, %s", model, runtime.NumCPU(), runtime.Version())
}

// results is what is written as JSON.
type results struct {
	Machine string   `json:"machine"`
	Time    string   `json:"time"`
	Runs    int      `json:"runs"`
	Figures []figure `json:"figures"`
}

func report(l *lab, figures []figure) results {
	return results{machine(), time.Now().UTC().Format(time.RFC3339), l.runs, figures}
}
