package engine

import (
	"bytes"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/resume"
	"github.com/gpflow/gpflow/engine/state"
)

// TestPackInPlace: what a subtask packs in place is what resume packs, and lies in
// the buffer where that is large enough.
func TestPackInPlace(t *testing.T) {
	frozen, want := make(map[string]*state.Frozen), make(map[string][]byte)
	for i, address := range []string{"window.b", "window.a", "join.c"} {
		schema := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
		m, err := state.New(8, 0, 8, []gpflow.StateDescriptor{{Name: "s", Kind: "panes", Version: 1, Key: schema, Value: schema}})
		if err != nil {
			t.Fatal(err)
		}
		for k := range 10 * i {
			row, _ := m.Panes("s").Upsert(0, []byte{byte(k)}, gpflow.HashKey([]byte{byte(k)}))
			row[0] = gpflow.Int(int64(k))
		}
		frozen[address] = m.Freeze(true)
		if want[address], err = frozen[address].Encode(); err != nil {
			t.Fatal(err)
		}
	}
	buffer := make([]byte, 0, 1<<16)
	got, err := pack(buffer, frozen)
	if err != nil || !bytes.Equal(got, resume.Pack(want)) {
		t.Errorf("%d bytes are packed, and not the %d of the states (%v)", len(got), len(resume.Pack(want)), err)
	}
	if &got[0] != &buffer[:1][0] {
		t.Error("the buffer was not used")
	}
	if _, err := frozen["join.c"].Encode(); err == nil {
		t.Error("what was packed has not been released")
	}
}
