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
// The line never waits: while records are being written to a terminal that does
// not take them, it is not shown.
type liveLine struct {
	w     io.Writer
	on    bool
	width func() int // columns of the terminal; 0: not known

	mu   sync.Mutex
	text string        // what is shown; guarded by mu
	in   int64         // records in at the last show
	at   time.Duration // when that was
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
	if !l.on || !l.mu.TryLock() {
		return l.w.Write(p)
	}
	defer l.mu.Unlock()
	if l.text == "" {
		return l.w.Write(p)
	}
	if _, err := fmt.Fprintf(l.w, "%s%s%s", erase, p, l.text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// clear takes the line away.
func (l *liveLine) clear() {
	if l.on && l.mu.TryLock() {
		defer l.mu.Unlock()
		l.draw("")
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
		defer l.mu.Unlock()
		l.draw(text)
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
	defer s.line.mu.Unlock()
	text := s.line.text
	s.line.draw("")
	err := s.Sink.Write(ctx, b, fail)
	s.line.draw(text)
	return err
}
