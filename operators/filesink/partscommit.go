package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// Commit gives the parts their final names, each of which appears whole. Those
// that have them already stay as they are.
func (s *parts) Commit(_ context.Context, data gpflow.Committable) error {
	var c partsDone
	if err := decode(data, modeParts, &c); err != nil {
		return fmt.Errorf("commit what was prepared: %w", err)
	}
	own := make(map[string]bool)
	for _, p := range s.pending {
		own[p.Final] = p.own
	}
	var dirs []string
	done := make(map[string]bool)
	for i := range c.Parts {
		p := &c.Parts[i]
		p.own, done[p.Final] = own[p.Final], true
		if err := s.publish(c.Root, p); err != nil {
			return err
		}
		failpoint.Here("part-named")
		dirs = append(dirs, filepath.Dir(filepath.Join(c.Root, p.Final)))
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if err := s.disk.syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.failed("commit", err)
		}
	}
	failpoint.Here("commit-synced")
	s.pending = slices.DeleteFunc(s.pending, func(p pendingPart) bool { return done[p.Final] })
	return nil
}

// publish gives a part its final name.
func (s *parts) publish(root string, p *pendingPart) error {
	staged, final := filepath.Join(root, p.Staged), filepath.Join(root, p.Final)
	info, err := os.Stat(staged)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.disk.bug != nonIdempotentCommit:
		return s.published(root, staged, final, p)
	case err != nil:
		return fmt.Errorf("commit %s: %w", final, err)
	case info.Size() != p.Size:
		return fmt.Errorf("commit %s: its staged file %s has %d bytes and was prepared with %d; something else has written to it: start with --fresh",
			final, staged, info.Size(), p.Size)
	}
	if !p.own {
		if _, err := unchanged(staged, p.Size, p.Sum); err != nil {
			return fmt.Errorf("commit %s: %w", final, err)
		}
	}
	if _, err := os.Lstat(final); err == nil {
		return fmt.Errorf("commit %s: a file of that name has appeared, and the output is complete in %s; move one of them", final, staged)
	}
	err = s.disk.makeDir(filepath.Dir(final))
	if err == nil {
		err = s.disk.rename(staged, final)
	}
	if err != nil {
		return unnamed(staged, final, err)
	}
	return nil
}

// published makes sure of a part that is not staged any more. Whoever takes
// parts away may have done so with this one, where it can have been committed
// before.
func (s *parts) published(root, staged, final string, p *pendingPart) error {
	if _, err := os.Lstat(final); err == nil {
		return nil
	}
	if _, err := os.Stat(root); err != nil || p.own {
		return fmt.Errorf("commit %s: neither it nor its staged file %s exists; the output has been removed, or the pipeline was started in another directory", final, staged)
	}
	if s.log != nil {
		s.log.Warn("a file of the output is neither staged nor there: it was taken away after it had been committed", "file", final, "staged", staged)
	}
	return nil
}
