package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// refused runs the pipeline, which has to end with exit code 1, to say all of
// these words, and to write neither output nor a checkpoint. It may show these
// files, which are part of a checkpoint that is complete.
func (r *round) refused(pending []pendingFile, words ...string) error {
	before, err := r.kept()
	if err != nil {
		return err
	}
	p, err := r.start(r.draw(pace), "")
	if err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return err
	}
	said := p.said()
	if p.code() != 1 {
		return fmt.Errorf("exit code %d, want 1; it says\n%s", p.code(), said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			return fmt.Errorf("it does not say %q, but\n%s", w, said)
		}
	}
	if strings.Contains(said, "goroutine ") {
		return fmt.Errorf("it panics:\n%s", said)
	}
	after, err := r.kept()
	if err != nil {
		return err
	}
	for name, sum := range before {
		if is, ok := after[name]; !ok || is != sum {
			return fmt.Errorf("it was refused, and %s was changed or removed all the same; it says\n%s", name, said)
		}
	}
	for name := range after {
		shown := slices.ContainsFunc(pending, func(f pendingFile) bool { return filepath.Join(r.dir, f.final) == name })
		if _, ok := before[name]; !ok && !claims(name) && !shown {
			return fmt.Errorf("it was refused, and wrote %s all the same; it says\n%s", name, said)
		}
	}
	return nil
}

// claims reports whether an object is what a start leaves that goes on from
// nothing: its epoch and its fence, which show nothing to anybody.
func claims(name string) bool {
	folder := filepath.Base(filepath.Dir(name))
	return folder == "epochs" || folder == "current"
}

// kept returns a checksum of every file of the output that is shown, and of the
// state, but for the lock, the socket and the mark of a process that lives.
func (r *round) kept() (map[string]uint32, error) {
	all := make(map[string]uint32)
	for _, root := range []string{filepath.Join(r.dir, "out"), r.state()} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && d.IsDir() && d.Name() == ".gpflow-staged" {
				return fs.SkipDir // is taken back to the checkpoint
			}
			if err != nil || !d.Type().IsRegular() || filepath.Dir(path) == r.state() || d.Name()[0] == '.' {
				return err
			}
			data, err := os.ReadFile(path)
			all[path] = crc32.ChecksumIEEE(data)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// damage is a way to damage a file.
type damage struct {
	name string
	do   func(r *round, path string) error
}

var damages = []damage{
	{"flipped", func(r *round, path string) error { return r.flip(path, math.MaxInt) }},
	{"truncated", func(r *round, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, r.rng.Int64N(info.Size()))
	}},
	{"removed", func(_ *round, path string) error { return os.Remove(path) }},
}

// flip changes one bit of the first bytes of a file, of at most so many.
func (r *round) flip(path string, within int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[r.rng.IntN(min(len(data), within))] ^= 1 << r.rng.IntN(8)
	return os.WriteFile(path, data, 0o600)
}

// damagedCheckpoint damages each object that the current checkpoint consists of,
// in each way, and puts it back.
func damagedCheckpoint(r *round) (string, error) {
	if err := r.killedInTheMidst(); err != nil {
		return "", err
	}
	c, err := readCurrent(r.state())
	if err != nil {
		return "", err
	}
	heads, err := filepath.Glob(filepath.Join(r.state(), "head", "*"))
	if err != nil {
		return "", err
	}
	if len(c.segments) == 0 {
		return "", errors.New("the checkpoint has no segments")
	}
	objects := append([]string{c.note, c.sealed, c.manifest, heads[0]}, c.segments...)
	objects = objects[:min(len(objects), 7)]
	times := 0
	for _, path := range objects {
		for _, d := range damages {
			if path == c.sealed && d.name == "removed" {
				continue // which is how a start that died before it wrote that leaves it
			}
			if err := r.damaged(d, path); err != nil {
				return "", err
			}
			times++
		}
	}
	return fmt.Sprintf("%d times: named, refused with exit code 1, nothing written but claim and fence", times), nil
}

// damaged damages a file, sees that it is refused by its name, and puts it back.
func (r *round) damaged(d damage, path string) error {
	good, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a start that died before it wrote it
	}
	if err != nil {
		return err
	}
	if err := d.do(r, path); err != nil {
		return err
	}
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, good) {
		return fmt.Errorf("%s was to be %s, and is as it was", path, d.name)
	}
	object, err := filepath.Rel(r.state(), path)
	if err != nil || strings.HasPrefix(object, "..") {
		object = filepath.Base(path)
	}
	if err := r.refused(nil, filepath.ToSlash(object)); err != nil {
		return fmt.Errorf("%s was %s: %w", path, d.name, err)
	}
	if said, err := r.verify(); strings.HasPrefix(path, r.state()) && (err == nil || !strings.Contains(said, filepath.ToSlash(object))) {
		return fmt.Errorf("%s was %s, and gpflow state verify does not name it: %v; it says\n%s", path, d.name, err, said)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil { // empty ones are removed
		return err
	}
	return os.WriteFile(path, good, 0o600)
}

// damagedStaged flips a bit of what a sink has staged before the checkpoint, cuts
// it and removes it.
func damagedStaged(r *round) (string, error) {
	if err := r.killedInTheMidst(); err != nil {
		return "", err
	}
	c, err := readCurrent(r.state())
	if err != nil {
		return "", err
	}
	times := 0
	for _, p := range c.staged[:min(len(c.staged), 4)] {
		cut := damage{"cut", func(r *round, path string) error { return os.Truncate(path, r.rng.Int64N(p.length)) }}
		flipped := damage{"flipped", func(r *round, path string) error { return r.flip(path, int(p.length)) }}
		for _, d := range []damage{flipped, cut, damages[len(damages)-1]} {
			if err := r.damaged(d, filepath.Join(r.dir, p.path)); err != nil {
				return "", err
			}
			times++
		}
	}
	if times == 0 {
		return "", errors.New("nothing is staged")
	}
	return fmt.Sprintf("%d times: named, refused with exit code 1, nothing shown", times), nil
}

// verify has gpflow look at every byte of the state, and returns what it says. It
// is an error where it finds something.
func (r *round) verify() (said string, err error) {
	out, err := exec.CommandContext(r.ctx, r.bin, "state", "verify", "--state", r.state()).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
