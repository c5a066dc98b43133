package failpoint

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is the process that dies, where the environment says at which point.
func TestMain(m *testing.M) {
	point, trace := os.Getenv("TEST_FAILPOINT"), os.Getenv("TEST_TRACE")
	if point == "" && trace == "" {
		os.Exit(m.Run())
	}
	if err := Arm(point, trace); err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(2)
	}
	for range 3 {
		Here("task-frozen")
		Object("lineages/ab/manifests/0000000001-0000000001", "synced")
		Object("savepoints/x/manifest", "synced") // is no point
		os.Stdout.WriteString("alive\n")
	}
}

func dying(t *testing.T, point, trace string) (code int, out, errs string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_FAILPOINT="+point, "TEST_TRACE="+trace)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	_ = cmd.Run() // its state says how it ended
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func TestDies(t *testing.T) {
	const turn = "task-frozen\nmanifests-synced\n"
	for _, c := range []struct {
		point, alive, trace string
		code                int
	}{
		{"task-frozen", "", "task-frozen\n", -1},
		{"task-frozen:3", "alive\nalive\n", turn + turn + "task-frozen\n", -1},
		{"manifests-synced:2", "alive\n", turn + turn, -1},
		{"task-frozen:4", "alive\nalive\nalive\n", turn + turn + turn, 0},
		{"", "alive\nalive\nalive\n", turn + turn + turn, 0},
	} {
		trace := filepath.Join(t.TempDir(), "trace")
		code, out, errs := dying(t, c.point, trace)
		if code != c.code || out != c.alive {
			t.Errorf("%q: exit code %d, it printed %q, want %d, %q; %s", c.point, code, out, c.code, c.alive, errs)
		}
		if got, err := os.ReadFile(trace); err != nil || string(got) != c.trace {
			t.Errorf("%q: the trace is %q, %v, want %q", c.point, got, err, c.trace)
		}
	}
}

func TestArmRefuses(t *testing.T) {
	for point, want := range map[string]string{
		"task-frozn":    `there is no failpoint "task-frozn"`,
		"task-frozen:0": "how often it is passed",
		"task-frozen:x": "how often it is passed",
	} {
		if code, _, errs := dying(t, point, ""); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d, %q, want 2, %q", point, code, errs, want)
		}
	}
	if code, _, errs := dying(t, "", t.TempDir()); code != 2 || !strings.Contains(errs, "open the trace") {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

func TestOffIsFree(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		Here("task-frozen")
		Object("lineages/ab/manifests/0000000001-0000000001", "synced")
	}); n != 0 {
		t.Errorf("a point that is not armed makes %v allocations", n)
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range Points() {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
	}
}
