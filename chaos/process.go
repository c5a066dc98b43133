package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long something that has to happen is waited for. It is never
// waited for in full where things are in order.
const patience = 3 * time.Minute

// tick is the time between two looks at what is waited for.
const tick = 2 * time.Millisecond

// process is a gpflow that has been started.
type process struct {
	cmd    *exec.Cmd
	talk   string        // the file with its output and error output
	exited chan struct{} // closed when it is gone
}

// launch starts gpflow in a directory, where its output goes to the file talk. It
// is killed when ctx is done.
func launch(ctx context.Context, bin, dir, talk string, env []string, args ...string) (*process, error) {
	out, err := os.OpenFile(talk, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the process has its own
	p := &process{cmd: exec.CommandContext(ctx, bin, args...), talk: talk, exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = dir, out, out, append(os.Environ(), env...)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", bin, err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.exited)
	}()
	return p, nil
}

// gone reports whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// wait waits for the end of the process.
func (p *process) wait() error {
	select {
	case <-p.exited:
		return nil
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("process %d does not end; it says\n%s", p.cmd.Process.Pid, p.said())
	}
}

// kill kills the process as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.exited
}

// killed reports whether a process that is gone was killed, by whomever.
func (p *process) killed() bool {
	s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && s.Signal() == syscall.SIGKILL
}

// code returns the exit code of a process that is gone.
func (p *process) code() int { return p.cmd.ProcessState.ExitCode() }

// said returns what the process has written.
func (p *process) said() string {
	text, err := os.ReadFile(p.talk)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// send sends a signal by its name.
func (p *process) send(signal string) error {
	return exec.Command("kill", "-"+signal, strconv.Itoa(p.cmd.Process.Pid)).Run()
}

// until waits until a condition holds, and is an error where the process ends
// before, or patience does.
func (p *process) until(what string, holds func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(tick) {
		gone := p.gone() // before the last look
		ok, err := holds()
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		case gone:
			return fmt.Errorf("the process ended with code %d before %s; it says\n%s", p.code(), what, p.said())
		case time.Now().After(deadline):
			return fmt.Errorf("in %s there was not: %s; the process says\n%s", patience, what, p.said())
		}
	}
}

// status is what a running gpflow says of itself over its socket.
type status struct {
	Checkpoints struct {
		Completed, Failed int64
	}
	Nodes []struct {
		Address string
		In      int64
	}
}

// read returns how many rows the source has read, over all starts.
func (s *status) read() int64 {
	for _, n := range s.Nodes {
		if n.Address == "source.in" {
			return n.In
		}
	}
	return 0
}

// ask asks the process that runs on a state directory for its status. An error
// says that none answers.
func ask(state string) (*status, error) {
	path := filepath.Join(state, ".control")
	if target, err := os.Readlink(path); err == nil {
		path = target
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close() // it is only read from
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte("{\"do\":\"status\"}\n")); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(c).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var a struct{ Status *status }
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, err
	}
	if a.Status == nil {
		return nil, errors.New("the answer has no status")
	}
	return a.Status, nil
}
