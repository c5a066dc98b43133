package state

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
)

// TestPack: what is packed, at once or in a piece for each operator, comes out
// again, lies in the buffer where that is large enough, and is refused where it is
// cut.
func TestPack(t *testing.T) {
	frozen, want := make(map[string]*Frozen), make(map[string][]byte)
	for i, address := range []string{"window.b", "window.a", "join.c"} {
		schema := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
		m, err := New(8, 0, 8, []gpflow.StateDescriptor{{Name: "s", Kind: "panes", Version: 1, Key: schema, Value: schema}})
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
	var pieces []byte
	if err := PackPieces(frozen)(func(piece []byte) error { pieces = append(pieces, piece...); return nil }); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 0, 1<<16)
	got, err := Pack(buffer, frozen)
	if err != nil || !bytes.Equal(got, pieces) {
		t.Errorf("%d bytes are packed at once, and %d in pieces: %v", len(got), len(pieces), err)
	}
	if &got[0] != &buffer[:1][0] {
		t.Error("the buffer was not used")
	}
	of := func(b []byte) *io.SectionReader { return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))) }
	same := func(r *io.SectionReader, want []byte) bool {
		b, err := io.ReadAll(r)
		return err == nil && bytes.Equal(b, want)
	}
	if out, err := Unpack(of(got)); err != nil || !maps.EqualFunc(out, want, same) {
		t.Errorf("%d states come out of a pack of %d: %v", len(out), len(want), err)
	}
	whole := []int{0}
	for _, address := range slices.Sorted(maps.Keys(want)) {
		n := len(want[address])
		whole = append(whole, whole[len(whole)-1]+len(behind(address)(nil, n))+n)
	}
	for n := range got {
		if _, err := Unpack(of(got[:n])); (err == nil) != slices.Contains(whole, n) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, err := frozen["join.c"].Encode(); err == nil {
		t.Error("what was packed has not been released")
	}
}
