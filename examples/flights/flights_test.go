package flights_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow/examples/flights/oracle"
)

// TestFlights runs the pipeline with the built binary, as make run does, and
// compares everything that it puts out with the oracle.
func TestFlights(t *testing.T) {
	want, err := oracle.Compute("data/flights.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	bin := build(t)
	for _, setting := range []string{"parallelism=1", "parallelism=3", "rate=100000"} {
		t.Run(setting, func(t *testing.T) {
			out := t.TempDir()
			screen := run(t, bin, "run", here(t, "flights.gp.hcl"), "--var", "data="+here(t, "data/flights.jsonl.gz"), "--var", "out="+out, "--var", setting)
			compareWindows(t, read[window](t, out, "daily.jsonl"), want.Windows)
			compareLate(t, read[late](t, out, "late.jsonl"), want.Late)
			compareBroken(t, read[broken](t, out, "broken.jsonl"), want.Broken)
			compareScreen(t, screen, want.Windows)
		})
	}
}

type window struct {
	Origin      string
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	Flights     int
	Delayed     int
	MeanDelay   float64 `json:"mean_delay"`
	Worst       int
}

type late struct {
	Date   string
	Origin string
	Route  string
	Delay  int
	Late   bool
}

type broken struct {
	Line               int
	Code, Message, Raw string
}

func compareWindows(t *testing.T, got []window, want []oracle.Window) {
	slices.SortFunc(got, func(a, b window) int {
		if c := a.WindowStart.Compare(b.WindowStart); c != 0 {
			return c
		}
		return strings.Compare(a.Origin, b.Origin)
	})
	if len(got) != len(want) {
		t.Errorf("%d windows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		mean := float64(w.TotalDelay) / float64(w.Flights)
		if g.Origin != w.Origin || !g.WindowStart.Equal(w.Start) || !g.WindowEnd.Equal(w.End) || g.Flights != w.Flights ||
			g.Delayed != w.Delayed || g.Worst != w.Worst || math.Abs(g.MeanDelay-mean) > 1e-9 {
			t.Fatalf("window %d is %+v, want %+v", i, g, w)
		}
	}
}

func compareLate(t *testing.T, got []late, want []oracle.Flight) {
	var expected []late
	for _, f := range want {
		expected = append(expected, late{f.Date.Format("2006/01/02 15:04"), f.Origin, f.Origin + "-" + f.Destination, f.Delay, f.Delay > oracle.LateBy})
	}
	slices.SortFunc(got, func(a, b late) int { return strings.Compare(a.Date, b.Date) })
	if !slices.Equal(got, expected) {
		t.Errorf("late: %+v, want %+v", got, expected)
	}
}

func compareBroken(t *testing.T, got []broken, want []oracle.Broken) {
	if len(got) != len(want) {
		t.Fatalf("%d broken lines, want %d: %+v", len(got), len(want), got)
	}
	slices.SortFunc(got, func(a, b broken) int { return a.Line - b.Line })
	for i, g := range got {
		if g.Line != want[i].Line || g.Raw != want[i].Raw || g.Code == "" || g.Message == "" {
			t.Errorf("broken line is %+v, want %+v", g, want[i])
		}
	}
}

// compareScreen expects a row for each bad day on the screen.
func compareScreen(t *testing.T, screen string, windows []oracle.Window) {
	bad := 0
	for _, w := range windows {
		if w.Flights < 5 || w.TotalDelay <= 60*w.Flights {
			continue
		}
		bad++
		found := false
		for line := range strings.Lines(screen) {
			found = found || strings.Contains(line, w.Start.Format(time.DateOnly)) &&
				slices.Contains(strings.Fields(line), w.Origin) && slices.Contains(strings.Fields(line), fmt.Sprint(w.Worst))
		}
		if !found {
			t.Errorf("no row for %+v on the screen:\n%s", w, screen)
		}
	}
	if rows := strings.Count(screen, "2001-"); bad == 0 || rows != bad {
		t.Errorf("%d bad days on the screen, want %d:\n%s", rows, bad, screen)
	}
}

// here returns the absolute path of a file of the example.
func here(t *testing.T, name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build returns the path of a new binary.
func build(t *testing.T) string {
	bin := filepath.Join(t.TempDir(), "gpflow")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/gpflow/gpflow/cmd/gpflow").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// run returns what the command writes to standard output.
func run(t *testing.T, bin string, args ...string) string {
	var talk strings.Builder
	cmd := exec.Command(bin, args...)
	cmd.Dir, cmd.Stderr = t.TempDir(), &talk // where the state of the run lies
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("gpflow %s: %v\n%s", strings.Join(args, " "), err, &talk)
	}
	return string(out)
}

// read returns the JSON lines of a file.
func read[T any](t *testing.T, dir, name string) []T {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []T
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatalf("%s: %v: %s", name, err, lines.Text())
		}
		rows = append(rows, row)
	}
	return rows
}
