package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// savepointDir returns where a savepoint lies.
func savepointDir(dir, name string) string { return filepath.Join(dir, "savepoints", name) }

// noSavepoint is the error of a savepoint that is not there.
func (p *peek) noSavepoint(ctx context.Context, name string) error {
	all, err := p.keeper.Savepoints(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no savepoint %q, nor any other", name)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return fmt.Errorf("there is no savepoint %q; there are %s", name, strings.Join(names, ", "))
}
