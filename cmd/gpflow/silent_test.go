package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage/local"
)

// TestSilentProcess: a run that has the state, and does not answer yet, is told
// from one that is not there.
func TestSilentProcess(t *testing.T) {
	dir := t.TempDir()
	store, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ask := func(command string, code int) string {
		t.Helper()
		cmd := exec.Command(binary(t), command, "--state", dir)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%s ends with code %d, and should with %d; it says\n%s", command, got, code, out)
		}
		return string(out)
	}
	unlock, err := store.Lock()
	if err != nil {
		t.Fatal(err)
	}
	who := fmt.Sprintf("does not answer: process %d on ", os.Getpid())
	for command, code := range map[string]int{"status": 0, "stop": 1} {
		if said := ask(command, code); !strings.Contains(said, who) || !strings.Contains(said, "it is starting, or about to end") {
			t.Errorf("%s says\n%s", command, said)
		}
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if said := ask("status", 0); !strings.Contains(said, "is not running") {
		t.Errorf("status says\n%s", said)
	}
	if said := ask("stop", 1); !strings.Contains(said, "there is nothing to stop") {
		t.Errorf("stop says\n%s", said)
	}
}
