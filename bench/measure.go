package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// usage is what a process has taken.
type usage struct {
	CPU  float64 `json:"cpu"`  // seconds, user and system, of all threads
	Wall float64 `json:"wall"` // seconds
	RSS  int64   `json:"rss"`  // bytes, at most
}

// trial is something to run and measure again and again.
type trial struct {
	name string
	argv []string
	env  []string
	dir  string
	// check looks at what one run has put out; nil: the exit code is enough.
	check func(stdout, stderr []byte) (any, error)
}

// sample is one run of a trial.
type sample struct {
	usage
	got any // what check has returned
}

// run runs the trial once, under a process that measures it: the kernel counts
// to a new process the memory of the one that starts it, so that has to be
// small.
func (t *trial) run() (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return sample{}, err
	}
	defer r.Close()
	cmd := exec.Command(self, append([]string{"measure"}, t.argv...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &stdout, &stderr, []*os.File{w}
	cmd.Env, cmd.Dir = append(os.Environ(), t.env...), t.dir
	err = cmd.Run()
	w.Close()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %s: %w\n%s", t.name, strings.Join(t.argv, " "), err, stderr.Bytes())
	}
	var s sample
	if err := json.NewDecoder(r).Decode(&s.usage); err != nil {
		return s, fmt.Errorf("%s: read what was measured: %w", t.name, err)
	}
	if t.check != nil {
		if s.got, err = t.check(stdout.Bytes(), stderr.Bytes()); err != nil {
			return s, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return s, nil
}

// timerSlack is PR_SET_TIMERSLACK of prctl(2).
const timerSlack = 29

// measured runs a command and writes its usage to file descriptor 3. The
// command's sleeps end to the nanosecond, not to the 50 microseconds that a
// process has by default: otherwise they would be the latencies.
func measured(args []string) error {
	if len(args) == 0 {
		return errors.New("measure what?")
	}
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, timerSlack, 1, 0); errno != 0 {
		return fmt.Errorf("set the timer slack: %w", errno)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return err
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return json.NewEncoder(os.NewFile(3, "usage")).Encode(usage{
		CPU: seconds(u.Utime) + seconds(u.Stime), Wall: wall.Seconds(), RSS: u.Maxrss << 10,
	})
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// cpu returns the CPU time that this process has taken, in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return seconds(u.Utime) + seconds(u.Stime)
}

// say writes v to standard output as JSON, for the process that measures.
func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// said reads what a part has said.
func said[T any](stdout []byte) (v T, err error) {
	err = json.Unmarshal(stdout, &v)
	return v, err
}

// talk is where progress is shown: a terminal, or nowhere.
func talk() io.Writer {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return io.Discard
	}
	return os.Stderr
}

// rounds runs all trials runs times, in turn, so that a machine that is busy for
// a while hits them alike, and adds what they took to samples.
func rounds(trials []*trial, runs int, samples map[string][]sample) error {
	progress := talk()
	for r := range runs {
		for i, t := range trials {
			fmt.Fprintf(progress, "\r\x1b[Krun %d of %d, %d of %d: %s", r+1, runs, i+1, len(trials), t.name)
			s, err := t.run()
			if err != nil {
				return err
			}
			samples[t.name] = append(samples[t.name], s)
		}
	}
	fmt.Fprint(progress, "\r\x1b[K")
	return nil
}
