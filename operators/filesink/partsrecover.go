package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gpflow/gpflow/internal/failpoint"
)

// Recover goes on with the files of the checkpoint. The state of writer i goes
// to subtask i modulo their number now. Where that has changed, the files that
// were open are complete.
func (s *parts) Recover(_ context.Context, states [][]byte) error {
	known := make(map[string]bool) // names of staged files
	var mine []partsState
	for i, data := range states {
		if data == nil {
			continue
		}
		var st partsState
		if err := decode(data, modeParts, &st); err != nil {
			return s.failed("go on from the sink's state in the checkpoint", err)
		}
		if st.Root != s.root {
			return s.failed("go on with the output", fmt.Errorf("the checkpoint is of the directory %s; set the path back, or start with --fresh", st.Root))
		}
		s.next = max(s.next, st.Next)
		for _, p := range st.Open {
			known[p.Name] = true
		}
		for _, p := range st.Pending {
			known[filepath.Base(p.Staged)] = true
		}
		if i%s.sub.Parallelism == s.sub.Index {
			mine = append(mine, st)
		}
	}
	if err := s.clean(known); errors.Is(err, errHeld) {
		s.failure.err = s.held()
		return s.failure.err
	} else if err != nil {
		return s.failed("remove what dead runs have left staged", err)
	}
	failpoint.Here("staged-removed")
	for i := range mine {
		s.pending = append(s.pending, mine[i].Pending...)
		for _, p := range mine[i].Open {
			if s.disk.bug == forgetOpenPart {
				continue
			}
			if err := s.resume(&p, mine[i].Lineage, len(states) != s.sub.Parallelism); err != nil {
				return s.failed("go on with a file of the checkpoint", err)
			}
		}
	}
	s.report()
	return nil
}

// resume goes on with a part, or completes it.
func (s *parts) resume(at *openPart, lineage string, complete bool) error {
	p := &part{name: at.Name, partition: at.Partition, rows: at.Rows, opened: time.UnixMicro(at.Opened)}
	then := filepath.Join(s.root, at.Staged)
	p.output = s.output(then)
	if lineage != s.lineage { // the file stays with the lineage that it is of
		p.name = s.name(s.next)
		p.path = filepath.Join(s.dir, p.name)
		s.next++
		s.made = true
	}
	dir := filepath.Join(s.root, p.partition)
	if err := s.disk.makeDir(dir); err != nil {
		return fmt.Errorf("make the directory %s: %w", dir, reason(err))
	}
	if err := p.resume(then, at.Length, at.Sum); err != nil {
		return errors.Join(err, p.close())
	}
	if complete || s.open[p.partition] != nil {
		return s.complete(p)
	}
	s.open[p.partition] = p
	return nil
}

// clean removes the files that dead attempts of this job have left staged, of
// the writers that fall to this subtask, and refuses to go on beside one that
// lives. It removes as well what jobs without checkpoints have left.
func (s *parts) clean(known map[string]bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	mine := func(e os.DirEntry) bool {
		w, ok := s.writer(e.Name())
		return ok && w%s.sub.Parallelism == s.sub.Index && e.Type().IsRegular()
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !mine(e) })
	for _, e := range entries {
		path := filepath.Join(s.dir, e.Name())
		if !strings.HasSuffix(path, ".lock") || path == s.lock.Name() {
			continue
		}
		if err := s.disk.discard(path); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".lock") || known[e.Name()] {
			continue
		}
		if err := s.disk.remove(filepath.Join(s.dir, e.Name())); err != nil {
			return err
		}
	}
	return s.cleanTransient()
}

// cleanTransient removes what jobs without checkpoints have left staged for a
// sink of this name.
func (s *parts) cleanTransient() error {
	dirs, err := os.ReadDir(filepath.Join(s.root, stagingDir))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		id, ours := strings.CutPrefix(d.Name(), s.sink+"-"+transient)
		dir := filepath.Join(s.root, stagingDir, d.Name())
		if !ours || len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "" || dir == s.dir || !d.IsDir() {
			continue
		}
		if err := s.removeDead(dir); err != nil {
			return err
		}
	}
	return nil
}

// removeDead removes a directory of staged files, unless it is of a writer that
// lives.
func (s *parts) removeDead(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, locks := range []bool{true, false} {
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".lock") != locks {
				continue
			}
			if err := s.disk.discard(filepath.Join(dir, e.Name())); errors.Is(err, errHeld) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	_ = s.disk.remove(dir) // it is not empty where a writer has just begun
	return nil
}

// report says that other lineages have files staged here. They may be of a job
// that is stopped, and belong to it.
func (s *parts) report() {
	dirs, err := os.ReadDir(filepath.Join(s.root, stagingDir))
	if err != nil || s.log == nil || s.sub.Index != 0 {
		return
	}
	for _, d := range dirs {
		if dir := filepath.Join(s.root, stagingDir, d.Name()); dir != s.dir && strings.HasPrefix(d.Name(), s.sink+"-") && !strings.HasPrefix(d.Name(), s.sink+"-"+transient) {
			s.log.Info("another run has files staged; remove them if nobody is to go on with it", "directory", dir)
		}
	}
}

// close closes the file of an output.
func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	f := o.file
	o.file = nil
	return f.Close()
}
