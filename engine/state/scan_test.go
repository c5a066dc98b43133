package state

import (
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/gpflow/gpflow"
)

// scannable returns the bytes of the heap that the garbage collector looks
// through.
func scannable() int64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// TestScalarsAreNotScanned: the garbage collector does not look through the rows
// of a state of numbers, nor through copies of them.
func TestScalarsAreNotScanned(t *testing.T) {
	const keys = 100_000
	for _, c := range []struct {
		kind    gpflow.Kind
		scanned bool
	}{{gpflow.KindInt, false}, {gpflow.KindString, true}} {
		d := gpflow.StateDescriptor{
			Name: "counts", Kind: "panes", Version: 1,
			Key:   gpflow.NewSchema(gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)}),
			Value: gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindInt)}, gpflow.Column{Name: "b", Type: gpflow.T(c.kind)}),
		}
		before := scannable()
		m, err := New(128, 0, 128, []gpflow.StateDescriptor{d})
		if err != nil {
			t.Fatal(err)
		}
		keyer, err := gpflow.NewKeyer(d.Key, []string{"k"})
		if err != nil {
			t.Fatal(err)
		}
		p := m.Panes("counts")
		touch := func() {
			for i := range int64(keys) {
				key := keyer.Append(nil, []gpflow.Value{gpflow.Int(i)})
				row, _ := p.Upsert(0, key, gpflow.HashKey(key))
				row[0] = gpflow.Int(i)
			}
		}
		touch()
		f := m.Freeze(true)
		touch() // which copies every chunk
		rows := int64(2 * keys * 2 * valueSize)
		if more := scannable() - before; more > rows/2 != c.scanned {
			t.Errorf("of rows of %v, %d bytes in all, %d are looked through", c.kind, rows, more)
		}
		f.Release()
		runtime.KeepAlive(m)
	}
}
