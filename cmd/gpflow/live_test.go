package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
)

func status(elapsed time.Duration, in, out int64, mark gpflow.Timestamp) engine.Status {
	return engine.Status{Elapsed: elapsed, Nodes: []engine.Node{
		{Role: "source", Counts: gpflow.Counts{In: in}, Watermark: mark + 10},
		{Role: "operator", Watermark: mark},
		{Role: "sink", Counts: gpflow.Counts{Passed: out}, Watermark: gpflow.MinTimestamp},
	}}
}

func TestLineIsRewritten(t *testing.T) {
	var w bytes.Buffer
	l := &liveLine{w: &w, on: true, width: func() int { return 0 }}
	shows := func(want string) {
		t.Helper()
		if got := w.String(); got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		w.Reset()
	}
	l.clear()
	shows("")
	if n, err := l.Write([]byte("before\n")); n != 7 || err != nil {
		t.Error(n, err)
	}
	shows("before\n")
	l.show(status(2*time.Second, 5000, 70, gpflow.MinTimestamp))
	shows("\r\x1b[K2s   in 5,000 (2,500/s)   out 70")
	if n, err := l.Write([]byte("a log\n")); n != 6 || err != nil {
		t.Error(n, err)
	}
	shows("\r\x1b[Ka log\n2s   in 5,000 (2,500/s)   out 70")
	l.show(status(3*time.Second, 6000, 71, gpflow.MaxTimestamp-10))
	w.Reset()
	l.clear()
	l.clear()
	shows("\r\x1b[K")
}

// While somebody is writing records, the line gives way, and waits for nothing;
// lines that come meanwhile stand on lines of their own behind.
func TestLineGivesWay(t *testing.T) {
	var w bytes.Buffer
	l := &liveLine{w: &w, on: true, width: func() int { return 0 }}
	l.mu.Lock()
	l.draw("2s")
	l.show(status(time.Second, 1, 1, 0))
	for range 2 {
		if n, err := l.Write([]byte("a log\n")); n != 6 || err != nil || w.String() != erase+"2s" {
			t.Errorf("%d, %v; wrote %q", n, err, w.String())
		}
	}
	w.Reset()
	l.release()
	if want := erase + "a log\na log\n2s"; w.String() != want {
		t.Errorf("wrote %q, want %q", w.String(), want)
	}
	l.mu.Lock()
	w.Reset()
	if _, err := l.Write([]byte("the last\n")); err != nil {
		t.Error(err)
	}
	l.clear() // somebody still writes records
	if w.String() != "the last\n" {
		t.Errorf("wrote %q at the end", w.String())
	}
}

func TestLineIsOff(t *testing.T) {
	var w bytes.Buffer
	l := &liveLine{w: &w}
	l.show(status(time.Second, 1, 1, 0))
	l.clear()
	if _, err := l.Write([]byte("a log\n")); err != nil || w.String() != "a log\n" {
		t.Errorf("%v; wrote %q", err, w.String())
	}
	l = &liveLine{w: fails{}, on: true, text: "x"}
	if _, err := l.Write([]byte("a log\n")); err == nil {
		t.Error("an error of the terminal is lost")
	}
}

type fails struct{}

func (fails) Write([]byte) (int, error) { return 0, errors.New("gone") }

// A region that is down is named, with the time until it is started again, and
// going back is no negative rate.
func TestLineOfARestart(t *testing.T) {
	var w bytes.Buffer
	l := &liveLine{w: &w, on: true, width: func() int { return 0 }}
	l.show(status(2*time.Second, 5000, 70, gpflow.MinTimestamp))
	w.Reset()
	s := status(3*time.Second, 4000, 60, gpflow.MinTimestamp)
	s.Regions = []engine.Region{
		{Nodes: []string{"source.a", "filter.b", "sink.c"}, Next: time.Now().Add(7800 * time.Millisecond)},
		{Nodes: []string{"source.x", "sink.y"}},
	}
	l.show(s)
	if want := "\r\x1b[K3s   source.a .. sink.c failed, restarts in 8s   in 4,000 (0/s)   out 60"; w.String() != want {
		t.Errorf("wrote %q, want %q", w.String(), want)
	}
}

func TestFit(t *testing.T) {
	parts := []string{"12s", "in 5", "out 7"}
	for width, want := range map[int]string{0: "12s   in 5   out 7", 19: "12s   in 5   out 7", 18: "12s   in 5", 10: "12s", 3: ""} {
		if got := fit(parts, width); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-2 * time.Second: "-2s", 1300 * time.Millisecond: "1s", 61 * time.Second: "1m1s",
		time.Hour + 59*time.Minute + 59*time.Second: "1h 59m", 24*1000*time.Hour + 2*time.Hour: "1,000d 2h",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
