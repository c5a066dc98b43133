package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gpflow/gpflow/engine"
)

// summary is the file that the ledger goes to. It is opened before the run, so
// that a path that cannot be written is known at once, and changed after it.
type summary struct {
	file  *os.File // nil: no summary is wanted
	fresh bool     // the file was made for this run
}

// openSummary opens the file at path, "" being none.
func openSummary(path string) (summary, error) {
	if path == "" {
		return summary{}, nil
	}
	_, missing := os.Lstat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return summary{}, fmt.Errorf("--summary %s: %w; name a file in a directory that exists and can be written. The pipeline was not started", path, cause(err))
	}
	return summary{f, errors.Is(missing, fs.ErrNotExist)}, nil
}

// write writes the ledger as JSON.
func (s summary) write(r engine.Report) error {
	if s.file == nil {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		_ = s.file.Truncate(0) // what is no regular file has no end to cut
		_, err = s.file.Write(append(data, '\n'))
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		return fmt.Errorf("write the summary to %s: %w", s.file.Name(), cause(err))
	}
	return nil
}

// discard leaves things as they were before openSummary.
func (s summary) discard() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.fresh {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// cause returns the reason in an error of package os, without the name of the
// call and the file.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
