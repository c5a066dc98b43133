package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/spec/load"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

// stateFlags say which pipeline's state is meant.
type stateFlags struct {
	specFlags
	dir string
}

// whichState is the help for stateFlags.
const whichState = `The pipeline is named by the path of its specification, or by --state and its
state directory. With neither it is the only one that has state in .gpflow.`

func (f *stateFlags) add(cmd *cobra.Command) {
	f.specFlags.add(cmd)
	cmd.Flags().StringVar(&f.dir, "state", "", "the state `directory` of the pipeline")
}

// find returns the state directory that is meant; path is "" where none was
// given.
func (f *stateFlags) find(path string) (string, error) {
	switch {
	case f.dir != "" && path != "":
		return "", errors.New("name the specification or --state, not both")
	case f.dir != "":
		return f.dir, isDirectory(f.dir)
	case path == "":
		return onlyState()
	}
	r, err := registry()
	if err != nil {
		return "", err
	}
	p, list := load.Load([]string{path}, load.Options{Vars: f.vars, VarFiles: f.varFiles, Env: os.Environ(), Registry: r})
	if p == nil || p.Name == "" {
		show(os.Stderr, list, p)
		return "", errSaid
	}
	dir := stateDir(p)
	if err := isDirectory(dir); err != nil {
		return "", fmt.Errorf("the pipeline %s has no state yet: %w", p.Name, err)
	}
	return dir, nil
}

func isDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory, as the state of a pipeline is", dir)
	}
	return nil
}

// onlyState returns the state directory in .gpflow, if there is one only.
func onlyState() (string, error) {
	entries, err := os.ReadDir(stateRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(stateRoot, e.Name()))
		}
	}
	switch len(dirs) {
	case 0:
		return "", fmt.Errorf("no pipeline has state in %s here; name a specification, or a state directory with --state", stateRoot)
	case 1:
		return dirs[0], nil
	}
	return "", fmt.Errorf("several pipelines have state here; name a specification, or one of these with --state:\n  %s", strings.Join(dirs, "\n  "))
}

// peek is the state of a pipeline that is only looked at.
type peek struct {
	dir    string
	store  *local.Store
	keeper *checkpoint.Keeper
}

// look opens a state directory for looking: no lock is needed, and nothing is
// changed.
func look(ctx context.Context, dir string) (*peek, error) {
	store, err := local.OpenExisting(dir)
	if err != nil {
		return nil, err
	}
	k, err := checkpoint.Open(ctx, store)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the state in %s: %w", dir, err), store.Close())
	}
	return &peek{dir, store, k}, nil
}

func (p *peek) close() error { return p.store.Close() }

// current returns the checkpoint that a run would go on from; nil: there is
// none.
func (p *peek) current(ctx context.Context) (*checkpoint.Manifest, error) {
	m, err := p.keeper.Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("the state in %s: %w", p.dir, err)
	}
	return m, nil
}

// mustCurrent is current where there has to be one.
func (p *peek) mustCurrent(ctx context.Context) (*checkpoint.Manifest, error) {
	m, err := p.current(ctx)
	if err == nil && m == nil {
		err = fmt.Errorf("the state in %s has no checkpoint yet", p.dir)
	}
	return m, err
}

// timeOf returns when a checkpoint was taken.
func timeOf(m *checkpoint.Manifest) time.Time { return time.UnixMicro(int64(m.Time)) }

// taken complains about a name that a savepoint of this state cannot get.
func taken(ctx context.Context, dir, name string) (err error) {
	p, err := look(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	_, err = p.keeper.LoadSavepoint(ctx, name)
	var none *checkpoint.NoCheckpoint
	var damaged *checkpoint.Damaged
	switch {
	case errors.As(err, &none), errors.Is(err, storage.ErrNotFound):
		return nil
	case err == nil, errors.As(err, &damaged):
		return &checkpoint.NameTaken{Name: name}
	}
	return err
}

// checkFormat complains about a --format that is neither of two.
func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format is text or json, not %q", format)
	}
	return nil
}
