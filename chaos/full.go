package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// volume is a small file system of its own, which can be filled.
type volume struct{ dir string }

// mount makes one, until the round is closed. Where this process may not, it says
// so: a fault that cannot be tried has not been survived.
func (r *round) mount(dir, size string) (*volume, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := mountAt(dir, size); err != nil {
		return nil, err
	}
	r.mounted = append(r.mounted, dir)
	return &volume{dir}, nil
}

func mountAt(dir, size string) error {
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount a small tmpfs on %s: %w: %s", dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// mayMount reports whether this process may mount.
func mayMount(dir string) bool {
	if mountAt(dir, "1m") != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
}

// elsewhere runs the same command where it may mount: in namespaces of its own.
// Where that cannot be, it is an error, for a fault that cannot be tried has not
// been survived.
func elsewhere() error {
	const inside = "GPFLOW_CHAOS_INSIDE"
	const remedy = "a full disk cannot be tried, for nothing can be mounted here; run make chaos as root, or where `unshare -rm true` works"
	if os.Getenv(inside) != "" {
		return errors.New(remedy)
	}
	cmd := exec.Command("unshare", append([]string{"-rm"}, os.Args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdout, os.Stderr, append(os.Environ(), inside+"=yes")
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode()) // it has said why
	case err != nil:
		return fmt.Errorf("%s: %w", remedy, err)
	}
	return nil
}

// unmount takes away what was mounted. If keep is set, a copy of what was on it
// stays, in a directory whose name ends in -kept.
func (r *round) unmount(keep bool) {
	for _, dir := range r.mounted {
		if keep {
			_ = exec.Command("cp", "-a", dir, dir+"-kept").Run() // what failed is said all the same
		}
		_ = exec.Command("umount", "-l", dir).Run() // of no use to anybody
	}
}

func (v *volume) ballast() string { return filepath.Join(v.dir, ".ballast") }

// fill takes all the room that is left.
func (v *volume) fill() error {
	f, err := os.OpenFile(v.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // a part of it is enough
	for _, n := range []int{64 << 10, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, n))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
	}
	return nil
}

// free gives the room back.
func (v *volume) free() error { return os.Remove(v.ballast()) }

// full is how the tests of a full disk begin: a pipeline of which a directory is
// a volume runs, and the volume is filled.
func (r *round) full(dir, size string, s settings) (*volume, *process, error) {
	v, err := r.mount(dir, size)
	if err != nil {
		return nil, nil, err
	}
	p, err := r.running(s, 3)
	if err != nil {
		return nil, nil, err
	}
	if err := v.fill(); err != nil {
		p.kill()
		return nil, nil, err
	}
	return v, p, nil
}

// fullStateFreed fills the state directory until checkpoints fail, and frees it
// again while the process lives: it goes on.
func fullStateFreed(r *round) (string, error) {
	s := r.draw(pace)
	s.checkpoint = "    max_failures = 0\n"
	v, p, err := r.full(r.state(), "2m", s)
	if err != nil {
		return "", err
	}
	defer p.kill()
	err = p.until("a checkpoint that fails", func() (bool, error) {
		s := r.look()
		return s != nil && s.Checkpoints.Failed > 0, nil
	})
	if err == nil {
		err = v.free()
	}
	if err == nil {
		err = r.awaits(p, 3)
	}
	if err != nil {
		return "", err
	}
	p.kill()
	_, err = r.bury()
	return "no space: checkpoints fail, and complete again when there is room", err
}

// fullStateStopped fills the state directory until the process gives up. Nothing
// is shown meanwhile. With room again it goes on.
func fullStateStopped(r *round) (string, error) {
	s := r.draw(pace)
	s.checkpoint = "    max_failures = 3\n"
	v, p, err := r.full(r.state(), "2m", s)
	if err != nil {
		return "", err
	}
	if err := r.givesUp(p); err != nil {
		return "", err
	}
	if err := v.free(); err != nil {
		return "", err
	}
	if _, err := r.bury(); err != nil {
		return "", err
	}
	return "no space: exit code 1 with the cause after 3 checkpoints that failed; with room again it goes on", nil
}

// fullOutput fills the file system of the output. With room again it goes on.
func fullOutput(r *round) (string, error) {
	v, p, err := r.full(filepath.Join(r.dir, "out"), "64m", r.draw(pace))
	if err != nil {
		return "", err
	}
	if err := r.givesUp(p); err != nil {
		return "", err
	}
	if err := v.free(); err != nil {
		return "", err
	}
	if _, err := r.bury(); err != nil {
		return "", err
	}
	return "no space: exit code 1, with the cause and the path; with room again it goes on", nil
}

// givesUp waits until a process ends for want of room, and says so.
func (r *round) givesUp(p *process) error {
	if err := p.wait(); err != nil {
		return err
	}
	if said := p.said(); p.code() != 1 || !strings.Contains(said, "no space left on device") || !strings.Contains(said, r.dir) && !strings.Contains(said, "out/") && !strings.Contains(said, ".gpflow") {
		return fmt.Errorf("it ended with code %d, want 1, and to say that there is no space, and where; it says\n%s", p.code(), said)
	}
	return nil
}
