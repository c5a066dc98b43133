package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

func stateVerifyCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use:   "verify [PATH]",
		Short: "Read all checkpoints and savepoints, and check them",
		Long: `Read all checkpoints that are retained and all savepoints, compare every byte with
its checksum, and decode the keyed state of the current checkpoint. Nothing is
changed. The exit code is 1 if anything is damaged.

` + whichState,
		Example: `  gpflow state verify
  gpflow state verify --state /backup/flights`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := f.find(append(args, "")[0])
			if err != nil {
				return err
			}
			return verify(context.Background(), dir, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	return cmd
}

func verify(ctx context.Context, dir string, w io.Writer) (err error) {
	p, err := look(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	found, err := p.verify(ctx)
	if err != nil {
		return err
	}
	for _, fault := range found.Faults {
		fmt.Fprintln(os.Stderr, fault)
	}
	if n := len(found.Faults); n > 0 {
		return fmt.Errorf("the state in %s is not sound: what is named above, %d in number", dir, n)
	}
	l, err := (&lookFlags{}).readCurrent(ctx, p)
	if err != nil {
		return err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.held.close()) }()
		for _, address := range l.Addresses() {
			if err := l.Entries(address, nil, func(engine.Entry) error { return nil }); err != nil {
				return fmt.Errorf("decode the state in %s: %w", dir, err)
			}
		}
	}
	fmt.Fprintf(w, "the state in %s is sound: %d checkpoints, %d savepoints, %d segments, %s\n",
		dir, found.Checkpoints, found.Savepoints, found.Segments, size(found.Bytes))
	return nil
}

// verify reads all that is retained. What a run that goes on removes meanwhile
// is no fault: a fault is found twice.
func (p *peek) verify(ctx context.Context) (checkpoint.Verified, error) {
	found, err := p.keeper.Verify(ctx)
	if err != nil || len(found.Faults) == 0 {
		return found, err
	}
	again, err := p.keeper.Verify(ctx)
	again.Faults = slices.DeleteFunc(again.Faults, func(fault error) bool {
		return !slices.ContainsFunc(found.Faults, func(o error) bool { return o.Error() == fault.Error() })
	})
	return again, err
}

// readCurrent reads the current checkpoint; nil: there is none.
func (f *lookFlags) readCurrent(ctx context.Context, p *peek) (*looked, error) {
	m, err := p.current(ctx)
	if err != nil || m == nil {
		return nil, err
	}
	return f.read(ctx, p)
}

func stateExportCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "export [PATH] FILE",
		Short: "Write what a checkpoint has into a file, as JSON lines",
		Long: `Write what a checkpoint has into a file, as JSON lines, for other tools to read; "-"
is the standard output. The first line says which checkpoint it is; each of the others has
"node", and what gpflow state show says of it. A file that exists is replaced, unless it is
a specification by its name.

To keep a state that a pipeline can go on from, make a savepoint.

` + whichState,
		Example: `  gpflow state export state.jsonl
  gpflow state export pipeline.hcl - --savepoint before-upgrade`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, file := "", args[0]
			if len(args) == 2 {
				path, file = args[0], args[1]
			}
			if err := sparesSpecification(file); err != nil {
				return err
			}
			return f.with(cmd.Context(), path, func(l *looked) error {
				if file == "-" {
					return l.export(cmd.OutOrStdout())
				}
				return intoFile(file, l.export)
			})
		},
	}
	f.add(cmd)
	return cmd
}

// sparesSpecification refuses to replace a file that is a specification by its
// name: it was meant as the first of two arguments.
func sparesSpecification(file string) error {
	switch filepath.Ext(file) {
	case ".hcl", ".yaml", ".yml":
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s is there, and is a specification by its name, which would be replaced; write gpflow state export %[1]s FILE, or name another file", file)
		}
	}
	return nil
}

// intoFile writes a file that is there whole, or not at all.
func intoFile(name string, write func(io.Writer) error) error {
	temp := name + ".partial"
	f, err := os.Create(temp)
	if err != nil {
		return fmt.Errorf("write %s: %w; name a file in a directory that exists and can be written", name, cause(err))
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if info, serr := os.Stat(name); err != nil && serr == nil && info.IsDir() {
		err = errors.New("it is a directory; name a file")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(temp))
	}
	return nil
}

// export writes all that there is, a line each.
func (l *looked) export(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	e := json.NewEncoder(buffered)
	if err := e.Encode(l.about()); err != nil {
		return err
	}
	for _, address := range l.Addresses() {
		n, _ := l.Node(address)
		if err := l.exportNode(n, e, buffered); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func (l *looked) exportNode(n engine.NodeState, e *json.Encoder, w io.Writer) error {
	type of struct {
		Node string `json:"node"`
	}
	for _, s := range l.Splits(n.Address) {
		if err := e.Encode(struct {
			of
			splitLine
		}{of{n.Address}, splitLine{s, opaqueJSON(s.Position)}}); err != nil {
			return err
		}
	}
	for i, s := range l.Writers(n.Address) {
		if err := e.Encode(struct {
			of
			writerLine
		}{of{n.Address}, writerLine{i, opaqueJSON(s)}}); err != nil {
			return err
		}
	}
	for _, at := range l.Timers(n.Address) {
		if err := e.Encode(struct {
			of
			Timer string `json:"timer"`
		}{of{n.Address}, at.String()}); err != nil {
			return err
		}
	}
	if n.Role != "operator" {
		return nil
	}
	begin := append(gpflow.AppendQuoted([]byte(`{"node":`), n.Address), ',')
	return l.Entries(n.Address, nil, func(entry engine.Entry) error {
		line := entryJSON(begin[:len(begin):len(begin)], entry)
		line = append(line[:len(begin)], line[len(begin)+1:]...) // one object of the two
		_, err := w.Write(append(line, '\n'))
		return err
	})
}
