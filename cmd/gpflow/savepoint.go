package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/control"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

func savepointCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "savepoint",
		Short: "Keep states of a pipeline, and go back to them",
		Long: `Keep states of a pipeline, and go back to them. A savepoint is a checkpoint with a
name, that stays until it is removed. It lies in a directory of its own, in
savepoints/ of the state directory, which can be copied to anywhere: gpflow run
--from goes on from it. What sinks have staged, and not yet shown, is not in it.`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(savepointCreateCommand(), savepointListCommand(), savepointRestoreCommand(), savepointRemoveCommand())
	return cmd
}

// savepointDir returns where a savepoint lies.
func savepointDir(dir, name string) string { return filepath.Join(dir, "savepoints", name) }

// named makes a command that is given the state directory and the name of a
// savepoint.
func named(cmd *cobra.Command, do func(ctx context.Context, dir, name string, w io.Writer) error) *cobra.Command {
	var f stateFlags
	cmd.Args = cobra.RangeArgs(1, 2)
	cmd.Long += "\n\n" + whichState
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, name := "", args[len(args)-1]
		if len(args) == 2 {
			path = args[0]
		}
		dir, err := f.find(path)
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		return do(ctx, dir, name, cmd.OutOrStdout())
	}
	f.add(cmd)
	return cmd
}

func savepointCreateCommand() *cobra.Command {
	cmd := named(&cobra.Command{
		Use:   "create [PATH] NAME",
		Short: "Make a savepoint",
		Long: `Make a savepoint: of a running pipeline as it is now, which goes on; of one that does
not run, of its last checkpoint, unless output may have to be shown for that.`,
		Example: `  gpflow savepoint create before-upgrade
  gpflow savepoint create pipeline.hcl friday`,
	}, createSavepoint)
	create := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if info, err := os.Stat(args[0]); len(args) == 1 && err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file, and not a name for a savepoint; write gpflow savepoint create %[1]s NAME", args[0])
		}
		return create(cmd, args)
	}
	return cmd
}

func createSavepoint(ctx context.Context, dir, name string, w io.Writer) error {
	a, err := control.Ask(ctx, dir, control.Request{Do: control.Savepoint, Savepoint: name})
	var none *control.NotRunning
	id := int64(a.Checkpoint)
	switch {
	case errors.As(err, &none):
		if id, err = saveAtRest(ctx, dir, name); err != nil {
			return err
		}
	case err != nil:
		return err
	case a.Error != "":
		return errors.New(a.Error)
	}
	fmt.Fprintf(w, "savepoint %s of checkpoint %d is in %s\n", name, id, savepointDir(dir, name))
	return nil
}

// holding gives f the state in a directory, and makes sure that nobody runs it.
func holding(ctx context.Context, dir string, f func(*local.Store, *checkpoint.Keeper) error) (err error) {
	store, err := local.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	unlock, err := store.Lock()
	var held *local.HeldError
	if errors.As(err, &held) {
		return fmt.Errorf("the pipeline is running: %w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	k, err := checkpoint.Open(ctx, store)
	if err != nil {
		return fmt.Errorf("the state in %s: %w", dir, err)
	}
	return f(store, k)
}

// saveAtRest makes a savepoint of a pipeline that does not run.
func saveAtRest(ctx context.Context, dir, name string) (id int64, err error) {
	if err := taken(ctx, dir, name); err != nil {
		return 0, err
	}
	err = holding(ctx, dir, func(_ *local.Store, k *checkpoint.Keeper) error {
		m, err := (&peek{dir: dir, keeper: k}).mustCurrent(ctx)
		switch {
		case err != nil:
			return err
		case m.Outcome == checkpoint.OutcomeFinished:
			return fmt.Errorf("the pipeline has finished with checkpoint %d: a savepoint of it would have nothing to go on with", m.ID)
		case len(m.Committables) > 0:
			return fmt.Errorf("the pipeline does not run, and output may still have to be shown for checkpoint %d, which the next run does: "+
				"start it and make the savepoint then, or stop it with gpflow stop --savepoint %s", m.ID, name)
		}
		id = int64(m.ID)
		return k.Savepoint(ctx, name, m)
	})
	return id, err
}

func savepointListCommand() *cobra.Command {
	var f stateFlags
	var format string
	cmd := &cobra.Command{
		Use:   "list [PATH]",
		Short: "List the savepoints",
		Long:  "List the savepoints of a pipeline, by name.\n\n" + whichState,
		Example: `  gpflow savepoint list
  gpflow savepoint list --state .gpflow/flights --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			dir, err := f.find(append(args, "")[0])
			if err != nil {
				return err
			}
			return listSavepoints(context.Background(), dir, format, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// savepoint is one in a list.
type savepoint struct {
	Name       string    `json:"name"`
	Directory  string    `json:"directory"`
	Pipeline   string    `json:"pipeline,omitempty"`
	Checkpoint int64     `json:"checkpoint,omitempty"`
	Time       time.Time `json:"time,omitzero"`
	Bytes      int64     `json:"bytes"` // of keyed state
	Error      string    `json:"error,omitempty"`
}

func listSavepoints(ctx context.Context, dir, format string, w io.Writer) (err error) {
	p, err := look(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	saved, err := p.keeper.Savepoints(ctx)
	if err != nil {
		return err
	}
	all := make([]savepoint, 0, len(saved))
	for _, s := range saved {
		one := savepoint{Name: s.Name, Directory: savepointDir(dir, s.Name)}
		if s.Err != nil {
			one.Error = s.Err.Error()
		} else {
			one.describe(s.Manifest)
		}
		all = append(all, one)
	}
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintf(w, "there are no savepoints in %s; gpflow savepoint create makes one\n", dir)
		return nil
	}
	rows := [][]string{{"savepoint", "checkpoint", "time", "state"}}
	for _, s := range all {
		row := []string{s.Name, "", "damaged", ""}
		if s.Error == "" {
			row = []string{s.Name, strconv.FormatInt(s.Checkpoint, 10), s.Time.Format(time.DateTime), size(s.Bytes)}
		}
		rows = append(rows, row)
	}
	writeTable(w, rows, []bool{true, true, true, true})
	for _, s := range all {
		if s.Error != "" {
			fmt.Fprintf(w, "\n%s: %s\n", s.Name, s.Error)
		}
	}
	return nil
}

func (s *savepoint) describe(m *checkpoint.Manifest) {
	s.Pipeline, s.Checkpoint, s.Time = m.Pipeline, int64(m.ID), timeOf(m)
	for _, part := range m.Parts {
		for _, x := range part.Segments {
			s.Bytes += x.Size
		}
	}
}

func savepointRemoveCommand() *cobra.Command {
	return named(&cobra.Command{
		Use:     "rm [PATH] NAME",
		Short:   "Remove a savepoint",
		Long:    `Remove a savepoint for good. The pipeline may be running.`,
		Example: `  gpflow savepoint rm before-upgrade`,
	}, removeSavepoint)
}

func removeSavepoint(ctx context.Context, dir, name string, w io.Writer) (err error) {
	store, err := local.Open(dir)
	if err != nil {
		return err
	}
	p := &peek{dir: dir, store: store}
	defer func() { err = errors.Join(err, p.close()) }()
	if p.keeper, err = checkpoint.Open(ctx, store); err != nil {
		return fmt.Errorf("the state in %s: %w", dir, err)
	}
	err = p.keeper.RemoveSavepoint(ctx, name)
	var none *checkpoint.NoCheckpoint
	if errors.As(err, &none) {
		return p.noSavepoint(ctx, name)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "savepoint %s is removed\n", name)
	return nil
}

func savepointRestoreCommand() *cobra.Command {
	return named(&cobra.Command{
		Use:   "restore [PATH] NAME",
		Short: "Go back to a savepoint",
		Long: `Go back to a savepoint: the next run goes on from there. The pipeline must not be
running. What the pipeline has put out since is not taken back, and is put out
again. The state that it leaves stays in the directory, aside.`,
		Example: `  gpflow stop && gpflow savepoint restore before-upgrade`,
	}, restoreSavepoint)
}

func restoreSavepoint(ctx context.Context, dir, name string, w io.Writer) error {
	return holding(ctx, dir, func(store *local.Store, k *checkpoint.Keeper) error {
		m, err := k.LoadSavepoint(ctx, name)
		var none *checkpoint.NoCheckpoint
		if errors.As(err, &none) {
			return (&peek{dir: dir, keeper: k}).noSavepoint(ctx, name)
		}
		if err != nil {
			return err
		}
		if _, err := adopt(ctx, k, store, m); err != nil {
			return fmt.Errorf("go back to the savepoint %s: %w", name, err)
		}
		fmt.Fprintf(w, "the next run of %s goes on from the savepoint %s of %s\n", m.Pipeline, name, timeOf(m).Format(time.DateTime))
		return nil
	})
}

// adopt begins a lineage with a savepoint, whose segments are in from. Before
// anything is changed, all of it is read: what is damaged does not take the
// place of a state that is sound.
func adopt(ctx context.Context, k *checkpoint.Keeper, from storage.Store, m *checkpoint.Manifest) (*checkpoint.Manifest, error) {
	for _, part := range m.Parts {
		for _, s := range part.Segments {
			if _, err := checkpoint.OpenSegment(ctx, from, s); err != nil {
				return nil, fmt.Errorf("the state of %s: %w", part.Part, err)
			}
		}
	}
	lineage, err := newLineage()
	if err != nil {
		return nil, err
	}
	if err := k.Fresh(ctx, lineage, whoami()); err != nil {
		return nil, err
	}
	return k.Adopt(ctx, from, m)
}

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

// savedAt opens a savepoint by its directory.
func savedAt(ctx context.Context, path string) (*local.Store, *checkpoint.Manifest, error) {
	store, err := local.OpenExisting(path)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, fmt.Errorf("--from %s: there is no such directory; name that of a savepoint, as gpflow savepoint list --format json does", path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("--from %s: %w", path, err)
	}
	m, err := checkpoint.LoadSavepoint(ctx, store, "")
	var none *checkpoint.NoCheckpoint
	switch {
	case errors.As(err, &none):
		err = fmt.Errorf("--from %s: it is not the directory of a savepoint, which has an object \"manifest\"", path)
	case err != nil:
		err = fmt.Errorf("--from %s: %w", path, err)
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, m, nil
}
