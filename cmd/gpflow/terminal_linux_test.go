package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal returns the two ends of a pseudo terminal of 80 columns.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	control := func(request uintptr, argument unsafe.Pointer) {
		if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, user.Fd(), request, uintptr(argument)); no != 0 {
			t.Fatalf("control the terminal: %v", no)
		}
	}
	var locked, number int32
	control(syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := [4]uint16{24, 80} // rows, columns
	control(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return user, program
}

// onTerminal runs gpflow on a terminal. What it shows is in talk, as bytes.
func onTerminal(t *testing.T, spec string, environment []string, args ...string) *process {
	t.Helper()
	user, program := openTerminal(t)
	p := &process{t: t, dir: t.TempDir(), talk: newTranscript(), exited: make(chan struct{})}
	if err := os.WriteFile(filepath.Join(p.dir, "p.hcl"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(binary(t), append([]string{"run", "p.hcl"}, args...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = p.dir, program, program, append(os.Environ(), environment...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	shown := make(chan struct{})
	go func() {
		_, _ = io.Copy(p.talk, user) // it ends with an error when the program has gone
		close(shown)
	}()
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		<-shown
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.exited
		user.Close()
	})
	return p
}

// screenLines returns the lines that a terminal shows: a return and an erase
// begin the line anew.
func screenLines(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\r\n") {
		if i := strings.LastIndex(line, erase); i >= 0 {
			line = line[i+len(erase):]
		}
		lines = append(lines, line)
	}
	return lines
}

// paced is endless, slow enough for the line to be seen.
var paced = strings.Replace(endless, `fields = {`, "rate   = 20000\n  fields = {", 1)

var linePattern = regexp.MustCompile(`\r\x1b\[K2s   in [\d,]+ \([\d,]+/s\)   out [\d,]+   watermark 2024-01-01 00:00:\d\d\r?(\x1b|$)`)

// On a terminal there is a line that is rewritten every second and fits the
// terminal, with everything else above it, and a table at the end.
func TestLiveLine(t *testing.T) {
	p := onTerminal(t, paced, []string{"TERM=xterm", "NO_COLOR=1"}, "--log-level", "debug")
	p.talk.await(t, erase+"2s   in ")
	p.signal(os.Interrupt)
	p.ends(0)
	text := p.talk.String()
	if !linePattern.MatchString(text) {
		t.Errorf("no line like %s in\n%q", linePattern, text)
	}
	if strings.Contains(text, "\x1b[1m") || strings.Contains(text, "\x1b[3") {
		t.Errorf("NO_COLOR is set, and there are colours in\n%q", text)
	}
	records, logs, stopping := 0, 0, 0
	for _, line := range screenLines(text) {
		switch {
		case strings.Contains(line, " | "): // a warning's line of the specification
		case strings.Contains(line, "{"):
			records++
			if !json.Valid([]byte(line)) {
				t.Errorf("a record is not on a line of its own: %q", line)
			}
		case strings.HasPrefix(line, "time="):
			logs++
		case strings.HasPrefix(line, "stopping in order"):
			stopping++
		case strings.Contains(line, "\x1b") || strings.HasPrefix(line, "1s") || strings.HasPrefix(line, "2s"):
			t.Errorf("the line was left behind: %q", line)
		}
	}
	if records < 10 || logs == 0 || stopping != 1 || !strings.Contains(text, "node") {
		t.Errorf("%d records, %d logs and %d times stopping on the screen:\n%s", records, logs, stopping, text)
	}
}

// A terminal that cannot rewrite lines gets none, nor does one with --quiet.
func TestNoLiveLine(t *testing.T) {
	short := strings.Replace(paced, "rate   = 20000", "rate = 20000\n  count = 30000", 1)
	for _, c := range []struct {
		term string
		args []string
		want string
	}{
		{"TERM=dumb", nil, "The ledger adds up"},
		{"TERM=xterm", []string{"--quiet"}, `"count":1000`},
	} {
		p := onTerminal(t, short, []string{c.term}, c.args...)
		p.ends(0)
		if text := p.talk.String(); strings.Contains(text, erase) || !strings.Contains(text, c.want) {
			t.Errorf("%s %v: it shows\n%q", c.term, c.args, text)
		}
	}
}

// Diagnostics have colours on a terminal, unless it or the user wants none.
func TestColours(t *testing.T) {
	for environment, colours := range map[string]bool{"TERM=xterm": true, "TERM=dumb": false, "NO_COLOR=1": false} {
		p := onTerminal(t, `pipeline "p" {} nonsense`, []string{"TERM=xterm", "NO_COLOR=", environment})
		p.ends(1)
		if text := p.talk.String(); strings.Contains(text, "\x1b[") != colours || !strings.Contains(text, "Error") {
			t.Errorf("%s: it shows\n%q", environment, text)
		}
	}
}
