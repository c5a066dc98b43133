package state

import (
	"errors"
	"fmt"
	"testing"

	"github.com/gpflow/gpflow"
)

// A failure of the disk in any of the calls for a step reaches whoever calls Upsert,
// and leaves no run open.
func TestStepFails(t *testing.T) {
	for _, call := range []string{"Writer", "Add", "Commit", "Wait"} {
		inner := tiny(t)
		d := &failingDisk{call: call}
		b := NewBudget(48<<10, func() (disk Disk, err error) {
			d.Disk, err = inner.space()
			return d, err
		})
		m, err := New(64, 0, 64, []gpflow.StateDescriptor{textDesc()})
		if err != nil {
			t.Fatal(err)
		}
		m.Limit(b)
		func() {
			defer func() {
				if err, ok := recover().(*DiskError); !ok || !errors.Is(err, errBroken) {
					t.Errorf("%s: %v", call, err)
				}
			}()
			fillTexts(m, 0, 0, 10_000)
		}()
		m.Leave()
		if d.open != 0 {
			t.Errorf("%s: %d runs are open", call, d.open)
		}
	}
}

// failingDisk fails in one kind of call.
type failingDisk struct {
	Disk
	call string
	open int
}

func (d *failingDisk) fails(call string) error {
	if d.call == call {
		return errBroken
	}
	return nil
}

func (d *failingDisk) Wait() error { return d.fails("Wait") }

func (d *failingDisk) Writer() (DiskWriter, error) {
	if err := d.fails("Writer"); err != nil {
		return nil, err
	}
	w, err := d.Disk.Writer()
	d.open++
	return &failingWriter{w, d}, err
}

type failingWriter struct {
	DiskWriter
	disk *failingDisk
}

func (w *failingWriter) Add(key, value []byte) error {
	if err := w.disk.fails("Add"); err != nil {
		return fmt.Errorf("add: %w", err)
	}
	return w.DiskWriter.Add(key, value)
}

func (w *failingWriter) Commit() error {
	w.disk.open--
	if err := w.disk.fails("Commit"); err != nil {
		w.DiskWriter.Discard()
		return err
	}
	return w.DiskWriter.Commit()
}

func (w *failingWriter) Discard() {
	w.disk.open--
	w.DiskWriter.Discard()
}
