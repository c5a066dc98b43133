package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The resident job reads records of a megabyte as fast as it can, sends them by
// a hash from three subtasks to three, and on to the standard output, which
// nobody takes for a minute. The window keeps none of them: the first records of
// each file, which are small, are so far ahead in time that all others are late.
const (
	residentFiles = 12
	residentAhead = 64 // the watermark of a file moves with every 32nd record
	residentRows  = 100
	residentText  = 1_000_000
	residentStop  = time.Minute

	residentPipeline = `
pipeline "resident" { parallelism = 3 }
source "file" "records" {
  path   = "DIR/*.jsonl"
  schema = { key = int, at = timestamp("unix_ms"), text = string }
  event_time { field = "at" }
}
window "tumbling" "by_key" {
  from      = source.records
  key_by    = ["key"]
  size      = "1s"
  aggregate = { n = "count()" }
}
sink "blackhole" "ahead" { from = window.by_key }
sink "stdout" "late" { from = window.by_key.late }
`
)

// heavyText is the text of a record of the resident job, a different one for
// each key.
func heavyText(key int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%08d", key), residentText/8)
}

// heavyData writes the files of the resident job, which are one of several names.
func heavyData(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	for key := range residentAhead {
		fmt.Fprintf(&b, `{"key":%d,"at":4000000000000,"text":""}`+"\n", key)
	}
	for key := range residentRows {
		fmt.Fprintf(&b, `{"key":%d,"at":1600000000000,"text":"%s"}`+"\n", key, heavyText(key))
	}
	first := filepath.Join(dir, "0.jsonl")
	if err := os.WriteFile(first, b.Bytes(), 0o644); err != nil {
		return err
	}
	for i := 1; i < residentFiles; i++ {
		if err := os.Link(first, filepath.Join(dir, strconv.Itoa(i)+".jsonl")); err != nil {
			return err
		}
	}
	return nil
}

// resident measures how much memory a process has while its output is stopped,
// and after that. It looks from outside, all the time.
func (l *lab) resident() ([]figure, error) {
	if !l.jobs.MatchString("resident") {
		return nil, nil
	}
	out, err := l.output()
	if err != nil {
		return nil, err
	}
	data, path := filepath.Join(l.dir, "heavy"), filepath.Join(out, "resident.gp.hcl")
	if err := errors.Join(heavyData(data), spell(path, residentPipeline, "DIR", data)); err != nil {
		return nil, err
	}
	cmd := exec.Command(l.gpflow, "run", path, "--quiet", "--log-level", "debug", "--log-format", "json")
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = out, &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := observe(cmd.Process.Pid)
	time.Sleep(residentStop)
	rest := w.now()
	err = checkHeavy(stdout, residentFiles, residentRows)
	if err != nil {
		_ = cmd.Process.Kill() // nobody reads on
	}
	err = errors.Join(err, cmd.Wait())
	most, unseen := w.end()
	if err = errors.Join(err, unseen); err != nil {
		return nil, fmt.Errorf("resident: %w\n%s", err, stderr.Bytes())
	}
	ceiling, err := inFlight(stderr.Bytes())
	if err != nil {
		return nil, err
	}
	f := newFigure("resident", "resident memory, 1 MB records, 3 x 3 exchange, output stopped for a minute", "MB", []float64{float64(most) / million})
	f.Note = fmt.Sprintf("the bar is what can be in flight; %.0f MB at the end of the minute, the rest of %d MB read on at full speed",
		float64(rest)/million, residentFiles*residentRows*residentText/1_000_000)
	return []figure{f.atMost(float64(ceiling) / million)}, nil
}

// checkHeavy reads the output of the resident job, which has the large records of
// a file as often as there are files.
func checkHeavy(r io.Reader, files, records int) error {
	times := make([]int, records)
	for lines := bufio.NewReaderSize(r, 2*residentText); ; {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil {
			return fmt.Errorf("read the output: %w", err)
		}
		var row struct {
			Key  int
			Text string
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("read the output: %w", err)
		}
		if row.Key < 0 || row.Key >= records || row.Text != string(heavyText(row.Key)) {
			return fmt.Errorf("the output has a record of key %d and %d bytes that was not in the input", row.Key, len(row.Text))
		}
		times[row.Key]++
	}
	for key, n := range times {
		if n != files {
			return fmt.Errorf("record %d was put out %d times, want %d", key, n, files)
		}
	}
	return nil
}

// inFlight returns the bytes that the engine has logged as those that can be in
// flight at most.
func inFlight(stderr []byte) (int64, error) {
	for line := range bytes.Lines(stderr) {
		var entry struct {
			Msg  string
			Most int64 `json:"in_flight_at_most"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "start" && entry.Most > 0 {
			return entry.Most, nil
		}
	}
	return 0, fmt.Errorf("the log does not say how much can be in flight\n%s", stderr)
}

// observer looks at the resident memory of a process, every ten milliseconds.
type observer struct {
	pid  int
	stop chan struct{}
	most chan int64 // the most that was seen, when stopped
}

func observe(pid int) *observer {
	w := &observer{pid, make(chan struct{}), make(chan int64)}
	go w.look()
	return w
}

func (w *observer) look() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	most := int64(0)
	for {
		most = max(most, w.now())
		select {
		case <-tick.C:
		case <-w.stop:
			w.most <- most
			return
		}
	}
}

// now returns the resident bytes, 0 where the process has ended.
func (w *observer) now() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " kB")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// end stops looking, and returns the most bytes that were seen.
func (w *observer) end() (int64, error) {
	close(w.stop)
	most := <-w.most
	if most == 0 {
		return 0, errors.New("the system does not say in /proc how much memory a process has")
	}
	return most, nil
}
