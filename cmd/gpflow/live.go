package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/operators"
)

// liveLine is the last line of a terminal, rewritten once a second. Whatever
// else is written to the terminal goes above it: log lines, which are written
// to it as to any writer, and records, for whose time it makes room. Any
// goroutine may use it.
//
// Nobody waits for the line: while records are being written to a terminal that
// does not take them, it is not shown, and whoever writes them writes the lines
// that have come meanwhile.
type liveLine struct {
	w     io.Writer
	on    bool
	width func() int // columns of the terminal; 0: not known

	mu   sync.Mutex    // held while something is written to the terminal
	text string        // what is shown; guarded by mu
	in   int64         // records in at the last show
	at   time.Duration // when that was

	queue struct {
		sync.Mutex
		lines []byte // that are to be written; guarded by the mutex
	}
}

// newLiveLine returns the line of a terminal. It is off where talk is none, or
// one that cannot rewrite a line.
func newLiveLine(talk *os.File, quiet bool) *liveLine {
	fd := int(talk.Fd())
	return &liveLine{
		w: talk, on: !quiet && term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		width: func() int {
			width, _, err := term.GetSize(fd)
			if err != nil {
				return 0
			}
			return width
		},
	}
}

// erase goes to the beginning of the line and clears it.
const erase = "\r\x1b[K"

// Write implements io.Writer, for whole lines.
func (l *liveLine) Write(p []byte) (int, error) {
	if !l.on {
		return l.w.Write(p)
	}
	l.queue.Lock()
	l.queue.lines = append(l.queue.lines, p...)
	l.queue.Unlock()
	return len(p), l.pass()
}

// queued returns the lines that are to be written, and takes them out.
func (l *liveLine) queued() []byte {
	l.queue.Lock()
	defer l.queue.Unlock()
	lines := l.queue.lines
	l.queue.lines = nil
	return lines
}

// pass writes the lines that are to be written, unless somebody writes to the
// terminal: who does calls it then.
func (l *liveLine) pass() error {
	for {
		l.queue.Lock()
		n := len(l.queue.lines)
		l.queue.Unlock()
		if n == 0 || !l.mu.TryLock() {
			return nil
		}
		err := l.insert(l.queued())
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// insert writes whole lines above the line. The caller holds mu.
func (l *liveLine) insert(lines []byte) (err error) {
	if l.text == "" {
		_, err = l.w.Write(lines)
	} else {
		_, err = fmt.Fprintf(l.w, "%s%s%s", erase, lines, l.text)
	}
	return err
}

// release ends the writing to the terminal.
func (l *liveLine) release() {
	l.mu.Unlock()
	_ = l.pass() // whoever has written them does not wait
}

// clear takes the line away. Where the terminal takes nothing, lines that wait are
// written all the same: nobody may come who does.
func (l *liveLine) clear() {
	switch {
	case !l.on:
	case l.mu.TryLock():
		l.draw("")
		l.release()
	default:
		_, _ = l.w.Write(l.queued()) // there is nobody to tell
	}
}

// draw replaces the line by text. The caller holds mu.
func (l *liveLine) draw(text string) {
	if text != "" || l.text != "" {
		fmt.Fprint(l.w, erase, text)
	}
	l.text = text
}

// show rewrites the line.
func (l *liveLine) show(s engine.Status) {
	if !l.on {
		return
	}
	in, out, mark := totals(s)
	if l.at == 0 {
		l.in = s.Before
	}
	rate := float64(max(0, in-l.in)) / max((s.Elapsed-l.at).Seconds(), 0.001) // what is started again has gone back
	l.in, l.at = in, s.Elapsed
	parts := progress(s.Elapsed, in, out, int64(rate), mark, time.Now())
	text := fit(slices.Insert(parts, 1, waiting(s.Regions, time.Now())...), l.width())
	if l.mu.TryLock() {
		l.draw(text)
		l.release()
	}
}

// progress returns the parts of the line, the most important first: ASCII only.
func progress(elapsed time.Duration, in, out, rate int64, mark gpflow.Timestamp, now time.Time) []string {
	parts := []string{
		elapsed.Round(time.Second).String(),
		fmt.Sprintf("in %s (%s/s)", thousands(in), thousands(rate)),
		"out " + thousands(out),
	}
	if mark != gpflow.MinTimestamp && mark != gpflow.MaxTimestamp {
		at := time.UnixMicro(int64(mark)).UTC()
		parts = append(parts, "watermark "+at.Format("2006-01-02 15:04:05"), "lag "+roughly(now.Sub(at)))
	}
	return parts
}

// waiting returns the parts of the line about what has failed and is started again.
func waiting(regions []engine.Region, now time.Time) (parts []string) {
	for _, r := range regions {
		if !r.Next.IsZero() {
			parts = append(parts, fmt.Sprintf("%s failed, restarts in %s", region(r), max(0, r.Next.Sub(now)).Round(time.Second)))
		}
	}
	return parts
}

// region names a region by its ends.
func region(r engine.Region) string {
	if n := len(r.Nodes); n > 2 {
		return r.Nodes[0] + " .. " + r.Nodes[n-1]
	}
	return strings.Join(r.Nodes, ", ")
}

// fit joins the parts that a terminal of the given width has room for. A line
// that is as wide as the terminal would wrap on some.
func fit(parts []string, width int) string {
	text := strings.Join(parts, "   ")
	for width > 0 && len(text) >= width && len(parts) > 0 {
		parts = parts[:len(parts)-1]
		text = strings.Join(parts, "   ")
	}
	return text
}

// roughly writes d to the second, or its two largest units where it is long.
func roughly(d time.Duration) string {
	switch days := int64(d / (24 * time.Hour)); {
	case days > 0:
		return fmt.Sprintf("%sd %dh", thousands(days), int64(d/time.Hour)%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", int64(d/time.Hour), int64(d/time.Minute)%60)
	}
	return d.Round(time.Second).String()
}

// totals returns the records that sources have read and sinks have written,
// and the lowest watermark.
func totals(s engine.Status) (in, out int64, mark gpflow.Timestamp) {
	mark = gpflow.MaxTimestamp
	for _, n := range s.Nodes {
		switch n.Role {
		case "source":
			in += n.In
			mark = min(mark, n.Watermark)
		case "operator":
			mark = min(mark, n.Watermark)
		case "sink":
			out += n.Passed
		}
	}
	return in, out, mark
}

// registry returns the registry of a run: records for the screen go above the
// line where both are on a terminal.
func (l *liveLine) registry() (*gpflow.Registry, error) {
	ds := operators.Builtin()
	for i, d := range ds {
		if l.on && d.Name() == "sink.stdout" && term.IsTerminal(int(os.Stdout.Fd())) {
			ds[i] = l.above(d)
		}
	}
	return gpflow.NewRegistry(ds...)
}

// above returns d, a sink to the terminal that the line is on, with its records
// written above the line.
func (l *liveLine) above(d *gpflow.Descriptor) *gpflow.Descriptor {
	over := *d
	over.NewSink = func(c *gpflow.SinkContext) (gpflow.Sink, error) {
		s, err := d.NewSink(c)
		if err != nil {
			return nil, err
		}
		return &screenSink{s, l}, nil
	}
	return &over
}

// screenSink is a sink that writes to the terminal with the line.
type screenSink struct {
	gpflow.Sink
	line *liveLine
}

// Write makes room, writes, and puts the line back.
func (s *screenSink) Write(ctx context.Context, b *gpflow.Batch, fail func(row int, err error) error) error {
	s.line.mu.Lock()
	defer s.line.release()
	text := s.line.text
	s.line.draw("")
	err := s.Sink.Write(ctx, b, fail)
	s.line.draw(text)
	return err
}
