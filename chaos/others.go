package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// twoRuns starts a second run on the state of one that lives. The first goes on.
func twoRuns(r *round) (string, error) {
	p, err := r.running(r.draw(pace), 3)
	if err != nil {
		return "", err
	}
	defer p.kill()
	if err := r.second(p); err != nil {
		return "", err
	}
	if err := r.awaits(p, 3); err != nil {
		return "", err
	}
	p.kill()
	if _, err := r.bury(); err != nil {
		return "", err
	}
	return "the second is refused with exit code 1 and names the holder, and the first goes on", nil
}

// second starts a second run, which has to be refused and to name the first.
func (r *round) second(first *process) error {
	p, err := r.start(r.draw(pace), "")
	if err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return err
	}
	said := p.said()
	for _, w := range []string{"running already", fmt.Sprintf("process %d ", first.cmd.Process.Pid)} {
		if p.code() != 1 || !strings.Contains(said, w) {
			return fmt.Errorf("a second run ended with code %d, want 1, and does not say %q, but\n%s", p.code(), w, said)
		}
	}
	return nil
}

// stoppedProcess stops the process for longer than a checkpoint may take, and
// lets it go on. Nobody can take over meanwhile, for it still has the lock.
func stoppedProcess(r *round) (string, error) {
	const timeout = 300 * time.Millisecond
	s := r.draw(pace)
	s.checkpoint = fmt.Sprintf("    timeout      = \"%dms\"\n    max_failures = 0\n", timeout.Milliseconds())
	p, err := r.running(s, 3)
	if err != nil {
		return "", err
	}
	defer p.kill()
	const times = 3
	for range times {
		if err := p.send("STOP"); err != nil {
			return "", err
		}
		if err := r.second(p); err != nil {
			return "", err
		}
		time.Sleep(3 * timeout) // for this is what is tried
		if err := p.send("CONT"); err != nil {
			return "", err
		}
		if err := r.awaits(p, 2); err != nil {
			return "", err
		}
	}
	p.kill()
	if _, err := r.bury(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d times for %s, with a time-out of %s: a second run is refused meanwhile, the first goes on", times, 3*timeout, timeout), nil
}

// copiedState starts a run on a copy of the state of a process that is stopped,
// which so has another lock. It writes to the same place, and is refused there.
func copiedState(r *round) (string, error) {
	p, err := r.running(r.draw(pace), 3)
	if err != nil {
		return "", err
	}
	defer p.kill()
	if err := p.send("STOP"); err != nil {
		return "", err
	}
	if out, err := exec.Command("cp", "-a", r.state(), filepath.Join(r.dir, "copy")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy the state: %w: %s", err, out)
	}
	s := r.draw(pace)
	s.checkpoint = "    storage = \"file:copy\"\n"
	other, err := r.start(s, "")
	if err != nil {
		return "", err
	}
	if err := other.wait(); err != nil {
		return "", err
	}
	if said := other.said(); other.code() != 1 || !strings.Contains(said, "another run of this pipeline") {
		return "", fmt.Errorf("a run on a copy of the state ended with code %d, want 1, and says\n%s", other.code(), said)
	}
	if err := p.send("CONT"); err != nil {
		return "", err
	}
	if err := r.awaits(p, 3); err != nil {
		return "", err
	}
	p.kill()
	if _, err := r.bury(); err != nil {
		return "", err
	}
	return "the run on the copy is refused by the output, with exit code 1, and the first goes on", nil
}

// replacedInput replaces a file of the input by another of the same size.
func replacedInput(r *round) (string, error) {
	return r.spoiled("replaced", func(path string, good []byte) error {
		other := []byte(strings.Replace(string(good), `"id":`, `"ID":`, 1))
		if err := os.WriteFile(path+".new", other, 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	})
}

// truncatedInput cuts a file of the input.
func truncatedInput(r *round) (string, error) {
	return r.spoiled("cut", func(path string, _ []byte) error { return os.Truncate(path, 100) })
}

// removedInput removes a file of the input.
func removedInput(r *round) (string, error) {
	return r.spoiled("removed", func(path string, _ []byte) error { return os.Remove(path) })
}

// spoiled does something to the input between two starts. The second is refused,
// and names the file; with the file as it was, a third goes on.
func (r *round) spoiled(what string, do func(path string, good []byte) error) (string, error) {
	if err := r.killedInTheMidst(); err != nil {
		return "", err
	}
	c, err := readCurrent(r.state())
	if err != nil {
		return "", err
	}
	path := inputFile(r.dir, 0)
	good, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if err := do(path, good); err != nil {
		return "", err
	}
	if err := r.refused(c.pending, filepath.Base(path)); err != nil {
		return "", fmt.Errorf("an input file was %s: %w", what, err)
	}
	if err := os.WriteFile(path, good, 0o644); err != nil {
		return "", err
	}
	return "refused with exit code 1, the file is named, nothing is written but what the checkpoint was to show; with the file put back it goes on", nil
}
