package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
)

// liveLine is the last line of a terminal, rewritten once a second. Whatever
// else is written goes above it. It is written to by one goroutine but for
// log lines, which come whole.
type liveLine struct {
	w    io.Writer
	on   bool
	text string
	in   int64 // records in at the last show
	at   time.Duration
}

// Write implements io.Writer, for logs.
func (l *liveLine) Write(p []byte) (int, error) {
	if !l.on {
		return l.w.Write(p)
	}
	_, err := fmt.Fprintf(l.w, "\r\x1b[K%s%s", p, l.text)
	return len(p), err
}

func (l *liveLine) clear() {
	if l.on && l.text != "" {
		l.text = ""
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}

// show rewrites the line.
func (l *liveLine) show(s engine.Status) {
	if !l.on {
		return
	}
	in, out, mark := totals(s)
	rate := float64(in-l.in) / max((s.Elapsed-l.at).Seconds(), 0.001)
	l.in, l.at = in, s.Elapsed
	parts := []string{
		s.Elapsed.Round(time.Second).String(),
		fmt.Sprintf("in %s (%s/s)", thousands(in), thousands(int64(rate))),
		"out " + thousands(out),
	}
	if mark != gpflow.MinTimestamp && mark != gpflow.MaxTimestamp {
		lag := time.Since(time.UnixMicro(int64(mark))).Round(time.Second)
		parts = append(parts, "watermark "+mark.String(), "lag "+gpflow.Duration(lag.Microseconds()).String())
	}
	l.text = strings.Join(parts, "   ")
	fmt.Fprintf(l.w, "\r\x1b[K%s", l.text)
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
