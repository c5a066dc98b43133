package engine

import (
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/engine/state/spill"
)

// Spill says how much memory the state of a job may take, and where the rest
// goes.
type Spill struct {
	// Memory is the bytes that the state may take in memory; 0: it takes what it
	// needs.
	Memory int64
	// Dir is a directory for what memory has no room for. It is emptied at the
	// start, and removed at the end.
	Dir string
}

// spillDisk is a spill.Store as a state.Disk.
type spillDisk struct{ *spill.Store }

// View implements state.Disk.
func (d spillDisk) View() state.DiskView { return d.Store.View() }

// Writer implements state.Disk.
func (d spillDisk) Writer() (state.DiskWriter, error) { return d.Store.Writer() }

// budget makes the budget of the job's state. Nothing is opened before there is
// something to write.
func (r *Run) budget() error {
	o := r.options.Spill
	if o.Memory <= 0 {
		return nil
	}
	if err := spill.Clear(o.Dir); err != nil {
		return err
	}
	r.memory = state.NewBudget(o.Memory, func() (state.Disk, error) {
		s, err := spill.Open(o.Dir, o.Memory)
		if err != nil {
			return nil, err
		}
		r.options.Log.Info("state goes to the disk: it does not fit the memory that the pipeline's state block allows", "memory", o.Memory, "directory", o.Dir)
		r.spilled = s
		return spillDisk{s}, nil
	})
	return nil
}

// closeSpilled forgets what lies on the disk. Every part of the job is gone.
func (r *Run) closeSpilled() error {
	if r.spilled == nil {
		return nil
	}
	return r.spilled.Close()
}

// diskFailed makes an error of the panic by which a failure of the disk under
// keyed state ends an operator.
func diskFailed(err *error) {
	switch p := recover().(type) {
	case nil:
	case *state.DiskError:
		*err = p
	default:
		panic(p)
	}
}
