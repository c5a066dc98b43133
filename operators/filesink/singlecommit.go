package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// Commit gives the staged file its final name. Where that has been done before,
// it does nothing.
func (s *single) Commit(_ context.Context, data gpflow.Committable) error {
	var c singleDone
	if err := decode(data, modeSingle, &c); err != nil {
		return fmt.Errorf("commit what was prepared: %w", err)
	}
	staged, err := os.Stat(c.Staged)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.disk.bug != nonIdempotentCommit:
		if err := s.committed(&c); err != nil {
			return err
		}
		return s.durable(&c)
	case err != nil:
		return fmt.Errorf("commit %s: %w", c.Final, err)
	case staged.Size() != c.Size:
		return fmt.Errorf("commit %s: its staged file %s has %d bytes and was prepared with %d; something else has written to it: run the pipeline again",
			c.Final, c.Staged, staged.Size(), c.Size)
	}
	if s.recovered {
		if _, err := unchanged(c.Staged, c.Size, c.Sum); err != nil {
			return fmt.Errorf("commit %s: %w", c.Final, err)
		}
	}
	if c.IfExists == ifExistsFail {
		err = s.publish(&c, staged)
	} else {
		err = s.disk.rename(c.Staged, c.Final)
	}
	if err != nil {
		return unnamed(c.Staged, c.Final, err)
	}
	failpoint.Here("single-named")
	return s.durable(&c)
}

// unnamed is the error of giving a file its final name.
func unnamed(staged, final string, err error) error {
	said := fmt.Errorf("commit: the output is complete in %s, and cannot be named %s: %w%s", staged, final, err, remedy(err))
	if passing(err) {
		return &gpflow.Transient{Err: said}
	}
	return said
}

// durable makes the final name last.
func (s *single) durable(c *singleDone) error {
	if err := s.disk.syncDir(filepath.Dir(c.Final)); err != nil {
		return s.failed("commit it", err)
	}
	failpoint.Here("commit-synced")
	return nil
}

// committed makes sure that the file of the final name is what was staged, since
// nothing is staged any more. A file older than that is another one.
func (s *single) committed(c *singleDone) error {
	final, err := os.Stat(c.Final)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.recovered:
		s.warn("the output is neither staged nor there: it was taken away after it had been committed", c)
		return nil
	case err != nil:
		return fmt.Errorf("commit %s: neither it nor its staged file %s exists; the output has been removed: run the pipeline again", c.Final, c.Staged)
	case modified(final) < c.Modified, modified(final) == c.Modified && final.Size() != c.Size:
		return fmt.Errorf("commit %s: the file is another one, and the staged file %s with the output is gone; put that back, or run the pipeline again with --fresh", c.Final, c.Staged)
	}
	return nil
}

func (s *single) warn(msg string, c *singleDone) {
	if s.log != nil {
		s.log.Warn(msg, "file", c.Final, "staged", c.Staged)
	}
}

// publish gives the staged file its final name unless that is taken by another
// file.
func (s *single) publish(c *singleDone, staged fs.FileInfo) error {
	const taken = "a file of that name has appeared; move one of them, or set if_exists = \"replace\""
	err := s.disk.link(c.Staged, c.Final)
	if errors.Is(err, fs.ErrExist) {
		final, err := os.Stat(c.Final)
		if err != nil {
			return err
		}
		if !os.SameFile(staged, final) {
			return errors.New(taken)
		}
	} else if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // a file system without links
		if _, err := os.Lstat(c.Final); err == nil {
			return errors.New(taken)
		}
		return s.disk.rename(c.Staged, c.Final)
	} else if err != nil {
		return err
	}
	return s.disk.remove(c.Staged)
}
