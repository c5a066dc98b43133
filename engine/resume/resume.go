// Package resume decides who goes on from what: of what a checkpoint has of the
// parts of a job, it says which part of the job as it is now goes on from which
// of it. How operators were fused into tasks, and how many subtasks there were,
// may differ from now.
//
// What it decides is a function of the manifest, its segments, and the two plans.
// Which checkpoint that is while a job runs is known to its Archive, which keeps
// all of them. The package knows no clock, and does no I/O but by the keeper, or
// the function, that it is given.
package resume

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/task"
)

// Former is what a checkpoint has of the nodes of a job, by address and former
// subtask.
type Former struct {
	manifest  *checkpoint.Manifest
	then, now *plan.Plan
	// unchanged says that each subtask has the inputs that it had, so that how
	// far time had come in it holds again.
	unchanged bool
	readers   map[string][]task.ReaderState
	operators map[string][]Operator
	writers   map[string][]task.WriterState
	splits    map[splitName]*task.SplitState // that were being read
	forgotten map[string]bool                // see Forget
	// missed has, by node and by what it read, the rows that had left there
	// before it was read.
	missed map[string]map[string]int64
	bug    Bug
}

// Of returns m with no other parts than those of some nodes. then is its plan, and
// made says which nodes, by address: a task's part counts where one of the task's
// nodes does.
func Of(m *checkpoint.Manifest, then *plan.Plan, made func(address string) bool) *checkpoint.Manifest {
	mine := *m
	mine.Parts = slices.DeleteFunc(slices.Clone(m.Parts), func(p checkpoint.PartState) bool {
		if p.Kind != checkpoint.Task {
			return !made(p.Name)
		}
		t := then.Task(p.Name)
		return t == nil || !slices.ContainsFunc(t.Ops, func(o plan.Op) bool { return made(o.ID) })
	})
	return &mine
}

type splitName struct{ source, id string }

// New reads what m has, but for the segments, which are opened when they are needed,
// each once. then is its plan, and now the one that is to go on from it.
func New(m *checkpoint.Manifest, then, now *plan.Plan, open OpenSegment) (*Former, error) {
	from := &objects{open: open, opened: make(map[string]map[string]*io.SectionReader)}
	f := &Former{
		manifest: m, then: then, now: now, unchanged: sameWiring(then, now), readers: make(map[string][]task.ReaderState),
		operators: make(map[string][]Operator), writers: make(map[string][]task.WriterState), splits: make(map[splitName]*task.SplitState), forgotten: make(map[string]bool),
	}
	parts := slices.SortedFunc(slices.Values(m.Parts), func(a, b checkpoint.PartState) int { return cmp.Compare(a.Subtask, b.Subtask) })
	for _, p := range parts {
		if err := f.add(p, from); err != nil {
			return nil, fmt.Errorf("restore %s %s[%d]: %w", p.Kind, p.Name, p.Subtask, err)
		}
	}
	return f, f.addLedger()
}

// addLedger reads what of the ledger cannot be told from the parts.
func (f *Former) addLedger() error {
	if len(f.manifest.Ledger) == 0 {
		return nil
	}
	var nodes []struct {
		Address string
		Missed  map[string]int64
	}
	if err := json.Unmarshal(f.manifest.Ledger, &nodes); err != nil {
		return fmt.Errorf("read the ledger of checkpoint %d: %w", f.manifest.ID, err)
	}
	f.missed = make(map[string]map[string]int64)
	for _, n := range nodes {
		f.missed[n.Address] = n.Missed
	}
	return nil
}

func (f *Former) add(p checkpoint.PartState, from *objects) error {
	switch p.Kind {
	case checkpoint.Reader:
		var r task.ReaderState
		if err := decode(p.Data, &r); err != nil {
			return err
		}
		f.readers[p.Name] = append(f.readers[p.Name], r)
		for i := range r.Splits {
			f.splits[splitName{p.Name, r.Splits[i].ID}] = &r.Splits[i]
		}
	case checkpoint.Writer:
		var w task.WriterState
		if err := decode(p.Data, &w); err != nil {
			return err
		}
		f.writers[p.Name] = append(f.writers[p.Name], w)
	case checkpoint.Task:
		return f.addTask(p, from)
	}
	return nil
}

func (f *Former) addTask(p checkpoint.PartState, from *objects) error {
	var snapshot task.Snapshot
	if err := decode(p.Data, &snapshot); err != nil {
		return err
	}
	for address, o := range snapshot {
		f.operators[address] = append(f.operators[address], Operator{o, Segments{from, p, address}})
	}
	return nil
}

// decode reads what a part has said of itself. What it cannot take in may be what a
// later version keeps, and going on without it would be a guess.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		err = errors.New("there is more behind it")
	}
	if err != nil {
		return fmt.Errorf("take in its state: %w. Use the gpflow that wrote it, or a later one", err)
	}
	return nil
}

// Manifest returns that of the checkpoint.
func (f *Former) Manifest() *checkpoint.Manifest { return f.manifest }

// Readers returns what each former subtask of a source was; nil: it was no
// source.
func (f *Former) Readers(address string) []task.ReaderState { return f.readers[address] }

// Operators returns what each former subtask of an operator was, or of the place
// of a source or sink in its task; nil: there was none.
func (f *Former) Operators(address string) []Operator { return f.operators[address] }

// Writers returns what each former subtask of a sink was; nil: it was no sink.
func (f *Former) Writers(address string) []task.WriterState { return f.writers[address] }

// Split returns how far a split of a source had been read; nil: it was not being
// read.
func (f *Former) Split(source, id string) *task.SplitState { return f.splits[splitName{source, id}] }

// Read returns how many records the readers had read.
func (f *Former) Read() (n int64) {
	for _, readers := range f.readers {
		for _, r := range readers {
			n += r.Counts.In
		}
	}
	return n
}

// sameWiring reports whether two plans have the same tasks with the same numbers
// of subtasks, joined in the same way.
func sameWiring(a, b *plan.Plan) bool {
	tasks := slices.EqualFunc(a.Tasks, b.Tasks, func(x, y plan.Task) bool {
		return x.ID == y.ID && x.Parallelism == y.Parallelism && slices.EqualFunc(x.Ops, y.Ops, func(p, q plan.Op) bool { return p.ID == q.ID })
	})
	return tasks && slices.EqualFunc(a.Edges, b.Edges, func(x, y plan.Edge) bool {
		return x.From == y.From && x.FromOp == y.FromOp && x.FromPort == y.FromPort && x.To == y.To && x.ToInput == y.ToInput && x.Partition == y.Partition
	})
}
