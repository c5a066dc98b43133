package filesource

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// writer is who writes to a log file, and rotates it.
type writer struct {
	*following
	rt   *rapid.T
	want []string
	half bool   // the last line has no end
	old  string // the file before, which may be written to; "": none
	n    int
}

// length stands for many letters, n of them.
func length(n int) string {
	if n == 0 {
		return ""
	}
	return "x" + itoa(int64(n))
}

func (w *writer) lines(name string) {
	for range rapid.IntRange(1, 4).Draw(w.rt, "lines") {
		w.n++
		more := rapid.SampledFrom([]int{0, 10, 3000}).Draw(w.rt, "more")
		text := "<" + itoa(int64(w.n)) + ">" + strings.Repeat("x", more)
		w.want = append(w.want, text[:len(text)-more]+length(more))
		w.add(name, text+"\n")
	}
}

func (w *writer) begin() {
	w.whole()
	w.n++
	w.half = true
	w.want = append(w.want, "<"+itoa(int64(w.n))+">half")
	w.add("a.log", "<"+itoa(int64(w.n))+">")
}

func (w *writer) whole() {
	if w.half {
		w.half = false
		w.add("a.log", "half\n")
	}
}

// shift makes room for a.log.1.
func (w *writer) shift() {
	for i := int64(60); i > 0; i-- {
		from, to := "a.log."+itoa(i), "a.log."+itoa(i+1)
		if os.Rename(w.path(from), w.path(to)) == nil && w.old == from {
			w.old = to
		}
	}
}

// rotate renames the file, of which the source knows. Where it was truncated
// before, the source has seen that.
func (w *writer) rotate() {
	w.whole()
	if _, err := os.Stat(w.path("a.log")); err != nil {
		return
	}
	w.look()
	w.poll()
	w.shift()
	w.rename("a.log", "a.log.1")
	w.old = "a.log.1"
	w.lines("a.log")
}

// truncate copies the file, of which the source has read something, and
// truncates it.
func (w *writer) truncate() {
	w.whole()
	if info, err := os.Stat(w.path("a.log")); err != nil || info.Size() == 0 {
		return
	}
	w.look()
	w.poll()
	w.lines("a.log")
	w.shift()
	w.copyTruncate("a.log", "a.log.1")
}

// Whatever is done to a log file, each of its lines is read once.
func TestPropertyFollow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := follow(rt, t.TempDir(), vals{"path": []string{"a.log"}})
		defer f.close()
		w := &writer{following: f, rt: rt}
		f.mostOpen = rapid.IntRange(0, 2).Draw(rt, "open")
		f.restart()
		rt.Repeat(map[string]func(*rapid.T){
			"write":    func(*rapid.T) { w.whole(); w.lines("a.log") },
			"half":     func(*rapid.T) { w.begin() },
			"rotate":   func(*rapid.T) { w.rotate() },
			"truncate": func(*rapid.T) { w.truncate() },
			"look":     func(*rapid.T) { f.look() },
			"poll":     func(*rapid.T) { f.poll() },
			"restart":  func(*rapid.T) { f.restart() },
			"old": func(*rapid.T) {
				if w.old != "" {
					w.lines(w.old)
				}
			},
			"time passes": func(*rapid.T) { w.old = ""; f.poll(); f.clock = f.clock.Add(grace); f.poll() },
		})
		w.whole()
		f.look()
		f.poll()
		got := texts(f.got)
		for i, text := range got {
			start := strings.TrimRight(text, "x")
			got[i] = start + length(len(text)-len(start))
		}
		slices.Sort(got)
		slices.Sort(w.want)
		if !slices.Equal(got, w.want) {
			rt.Fatalf("%d lines are read of %d\ngot  %.3000q\nwant %.3000q\n%s", len(got), len(w.want), got, w.want, &f.log)
		}
	})
}
