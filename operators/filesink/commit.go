package filesink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gpflow/gpflow"
)

// Commit gives the staged file its final name. Where that has been done before,
// it does nothing.
func (s *sink) Commit(_ context.Context, data gpflow.Committable) error {
	var c committable
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("commit: what was prepared cannot be read: %w", err)
	}
	staged, err := os.Stat(c.Staged)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(c.Final); err != nil {
			return fmt.Errorf("commit %s: neither it nor its staged file %s exists; the output has been removed: run the pipeline again", c.Final, c.Staged)
		}
		return nil
	case err != nil:
		return fmt.Errorf("commit %s: %w", c.Final, err)
	case staged.Size() != c.Size:
		return fmt.Errorf("commit %s: its staged file %s has %d bytes and was prepared with %d; something else has written to it: run the pipeline again",
			c.Final, c.Staged, staged.Size(), c.Size)
	}
	if c.IfExists == ifExistsFail {
		err = publish(c, staged)
	} else {
		err = os.Rename(c.Staged, c.Final)
	}
	if err != nil {
		return fmt.Errorf("commit: the output is complete in %s, and cannot be named %s: %w", c.Staged, c.Final, err)
	}
	return syncDir(filepath.Dir(c.Final))
}

// publish gives the staged file its final name unless that is taken by another
// file.
func publish(c committable, staged fs.FileInfo) error {
	err := os.Link(c.Staged, c.Final)
	if errors.Is(err, fs.ErrExist) {
		final, err := os.Stat(c.Final)
		if err != nil {
			return err
		}
		if !os.SameFile(staged, final) {
			return errors.New("a file of that name has appeared; move one of them, or set if_exists = \"replace\"")
		}
	} else if err != nil { // a file system without links
		if _, err := os.Lstat(c.Final); err == nil {
			return errors.New("a file of that name has appeared; move one of them, or set if_exists = \"replace\"")
		}
		return os.Rename(c.Staged, c.Final)
	}
	return os.Remove(c.Staged)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("commit: make the name durable: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("commit: make the name durable: %w", err)
	}
	return nil
}
