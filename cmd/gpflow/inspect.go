package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/control"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

// lookFlags say which checkpoint is looked into.
type lookFlags struct {
	stateFlags
	checkpoint int64
	savepoint  string
	now        bool
	format     string
}

func (f *lookFlags) add(cmd *cobra.Command) {
	f.stateFlags.add(cmd)
	cmd.Flags().Int64Var(&f.checkpoint, "checkpoint", 0, "look into a retained checkpoint by its `number`, not the current one")
	cmd.Flags().StringVar(&f.savepoint, "savepoint", "", "look into a savepoint by its `name`")
	cmd.Flags().BoolVar(&f.now, "now", false, "have the running pipeline take a checkpoint first, and look into that")
	cmd.MarkFlagsMutuallyExclusive("checkpoint", "savepoint", "now")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("checkpoint") && f.checkpoint < 1 {
			return fmt.Errorf("--checkpoint is the number of a checkpoint, from 1 on, not %d", f.checkpoint)
		}
		return nil
	}
}

func stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look into the state of a pipeline",
		Long: `Look into the state of a pipeline: what its last checkpoint has. It is read from
the state directory, and not changed; the pipeline may be running or not. With
--now, one that runs takes a checkpoint first.`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(stateListCommand(), stateShowCommand(), stateVerifyCommand(), stateExportCommand())
	return cmd
}

func stateListCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "list [PATH]",
		Short: "List what each node keeps",
		Long: `List what the checkpoint has of each node: the splits that a source reads, the
entries that an operator keeps, the bytes of a sink's own state; and the
checkpoints that are retained.

` + whichState,
		Example: `  gpflow state list
  gpflow state list pipeline.hcl --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), append(args, "")[0], func(l *looked) error { return l.list(cmd.OutOrStdout(), f.format) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	return cmd
}

// looked is a checkpoint that is looked into.
type looked struct {
	*peek
	savepoint string // its name; "": it is none
	manifest  *checkpoint.Manifest
	*engine.Inspection
	held held
}

// held are the segments of a checkpoint, by name. A run that goes on may remove
// them: what is open can be read all the same.
type held map[string]*local.Object

// hold opens all segments of a checkpoint.
func hold(ctx context.Context, store *local.Store, m *checkpoint.Manifest) (h held, err error) {
	h = make(held)
	for _, p := range m.Parts {
		for _, s := range p.Segments {
			o, err := store.OpenObject(ctx, s.Object)
			if errors.Is(err, storage.ErrNotFound) {
				err = checkpoint.Missing(s.Object, err)
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("read checkpoint %d: the state of %s: %w", m.ID, p.Part, err), h.close())
			}
			h[s.Object] = o
		}
	}
	return h, nil
}

// open returns a segment that has been compared with its checksum.
func (h held) open(s checkpoint.SegmentRef) (*io.SectionReader, error) {
	o := h[s.Object]
	if err := checkpoint.CheckSegment(o, s); err != nil {
		return nil, err
	}
	return io.NewSectionReader(o, 0, s.Size), nil
}

func (h held) close() (err error) {
	for _, o := range h {
		err = errors.Join(err, o.Close())
	}
	return err
}

// with opens the checkpoint that is meant, and gives it to f.
func (f *lookFlags) with(ctx context.Context, path string, do func(*looked) error) (err error) {
	if ctx == nil {
		ctx = context.Background()
	}
	if f.format != "" {
		if err := checkFormat(f.format); err != nil {
			return err
		}
	}
	dir, err := f.find(path)
	if err != nil {
		return err
	}
	if f.now {
		if f.checkpoint, err = takeNow(ctx, dir); err != nil {
			return err
		}
	}
	p, err := look(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	l, err := f.read(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.held.close()) }()
	return l.named(do(l))
}

// named says of which state something could not be read.
func (l *looked) named(err error) error {
	var damaged *checkpoint.Damaged
	if errors.As(err, &damaged) {
		return fmt.Errorf("the state in %s: %w", l.dir, err)
	}
	return err
}

// takeNow has the running pipeline take a checkpoint, and returns its number.
func takeNow(ctx context.Context, dir string) (int64, error) {
	a, err := control.Ask(ctx, dir, control.Request{Do: control.Checkpoint})
	switch {
	case err != nil:
		return 0, err
	case a.Error != "":
		return 0, errors.New(a.Error)
	}
	return int64(a.Checkpoint), nil
}

// read reads the checkpoint that is meant. One that is removed meanwhile, by a
// run that goes on, is looked for again.
func (f *lookFlags) read(ctx context.Context, p *peek) (*looked, error) {
	for last := gpflow.CheckpointID(0); ; {
		m, err := f.manifest(ctx, p)
		if err != nil {
			return nil, err
		}
		h, err := hold(ctx, p.store, m)
		var damaged *checkpoint.Damaged
		switch {
		case err == nil:
			x, err := engine.Inspect(m, h.open)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("the state in %s: %w", p.dir, err), h.close())
			}
			return &looked{p, f.savepoint, m, x, h}, nil
		case !errors.As(err, &damaged) || m.ID == last:
			return nil, fmt.Errorf("the state in %s: %w", p.dir, err)
		}
		last = m.ID
	}
}

func (f *lookFlags) manifest(ctx context.Context, p *peek) (m *checkpoint.Manifest, err error) {
	switch {
	case f.savepoint != "":
		m, err = p.keeper.LoadSavepoint(ctx, f.savepoint)
		var none *checkpoint.NoCheckpoint
		if errors.As(err, &none) {
			err = p.noSavepoint(ctx, f.savepoint)
		}
	case f.checkpoint > 0:
		m, err = p.keeper.Load(ctx, gpflow.CheckpointID(f.checkpoint))
	default:
		return p.mustCurrent(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("the state in %s: %w", p.dir, err)
	}
	return m, nil
}

// node returns what there is of the node of an address, but for its keyed state.
func (l *looked) node(address string) (engine.NodeState, error) {
	n, ok := l.Node(address)
	if ok {
		return n, nil
	}
	names := l.Addresses()
	if s := diag.Suggest(address, names); s != "" {
		return engine.NodeState{}, fmt.Errorf("checkpoint %d has no node %q; did you mean %s?", l.manifest.ID, address, s)
	}
	return engine.NodeState{}, fmt.Errorf("checkpoint %d has no node %q; it has %s", l.manifest.ID, address, strings.Join(names, ", "))
}

// about is what a listing says of a checkpoint.
type about struct {
	Pipeline   string    `json:"pipeline"`
	Directory  string    `json:"directory"`
	Checkpoint int64     `json:"checkpoint"`
	Savepoint  string    `json:"savepoint,omitempty"`
	Time       time.Time `json:"time"`
	Lineage    string    `json:"lineage"`
	Finished   bool      `json:"finished,omitempty"`
	KeyGroups  int       `json:"key_groups"`
}

func (l *looked) about() about {
	m := l.manifest
	return about{
		m.Pipeline, l.dir, int64(m.ID), l.savepoint, timeOf(m), m.Lineage, m.Outcome == checkpoint.OutcomeFinished, m.KeyGroups,
	}
}

// title returns what is looked into as text.
func (a about) title() string {
	what := fmt.Sprintf("checkpoint %d of %s", a.Checkpoint, a.Time.Format(time.DateTime))
	if a.Savepoint != "" {
		what = fmt.Sprintf("savepoint %s, of %s", a.Savepoint, a.Time.Format(time.DateTime))
	}
	return fmt.Sprintf("%s: %s in %s", a.Pipeline, what, a.Directory)
}

func (l *looked) list(w io.Writer, format string) error {
	nodes, err := l.Nodes()
	if err != nil {
		return err
	}
	retained, err := l.retained()
	if err != nil {
		return err
	}
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			about
			Retained []int64            `json:"retained"`
			Nodes    []engine.NodeState `json:"nodes"`
		}{l.about(), retained, nodes})
	}
	fmt.Fprintf(w, "%s\n\n", l.about().title())
	rows := [][]string{{"node", "subtasks", "keeps", "bytes", "watermark"}}
	for _, n := range nodes {
		rows = append(rows, []string{n.Address, subtasks(n), keeps(n), size(n.Bytes), n.Watermark})
	}
	writeTable(w, rows, []bool{true, true, true, true, true})
	fmt.Fprintf(w, "\nretained: %s\n", strings.Trim(fmt.Sprint(retained), "[]"))
	return nil
}

// subtasks says how many a node has, and how many of them have ended.
func subtasks(n engine.NodeState) string {
	switch {
	case n.Ended == 0:
		return strconv.Itoa(n.Subtasks)
	case n.Ended == n.Subtasks:
		return fmt.Sprintf("%d, ended", n.Subtasks)
	}
	return fmt.Sprintf("%d, %d ended", n.Subtasks, n.Ended)
}

// retained returns the numbers of the checkpoints that are there, newest first.
func (l *looked) retained() ([]int64, error) {
	all, err := l.keeper.List(context.Background())
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, c := range all {
		if c.Err == nil && !slices.Contains(ids, int64(c.ID)) {
			ids = append(ids, int64(c.ID))
		}
	}
	return ids, nil
}

// keeps says in words what a node keeps.
func keeps(n engine.NodeState) string {
	var parts []string
	add := func(count int64, what string) {
		if count > 1 {
			what += "s"
		}
		if count > 0 {
			parts = append(parts, thousands(count)+" "+what)
		}
	}
	add(int64(n.Splits), "split")
	if n.Waiting > 0 {
		parts = append(parts, thousands(int64(n.Waiting))+" waiting")
	}
	if n.Done > 0 {
		parts = append(parts, thousands(int64(n.Done))+" read to the end")
	}
	for _, t := range n.Tables {
		entries := "entries"
		if t.Entries == 1 {
			entries = "entry"
		}
		text := fmt.Sprintf("%s %s", thousands(t.Entries), entries)
		if t.Panes > 0 {
			text += fmt.Sprintf(" in %s pane", thousands(int64(t.Panes)))
		}
		if t.Panes > 1 {
			text += "s"
		}
		parts = append(parts, text)
	}
	add(int64(n.Timers), "timer")
	if parts == nil {
		return "-"
	}
	return strings.Join(parts, ", ")
}
