package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

// opened returns all of a segment, by OpenSegment.
func opened(t *testing.T, store storage.Store, s SegmentRef) []byte {
	t.Helper()
	r, err := OpenSegment(t.Context(), store, s)
	must(t, err)
	b, err := io.ReadAll(r)
	must(t, err)
	return b
}

// large returns bytes for several pieces of a check.
func large() []byte {
	b := make([]byte, 2*checkBytes+17)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// A segment is read piece by piece when all of it has been compared with its
// checksum, and never as a whole.
func TestOpenSegment(t *testing.T) {
	store := newMemStore()
	data := large()
	ref := SegmentRef{"a/b", int64(len(data)), SumOf(data)}
	view := memView{memStore: store, hook: func(op, _ string) memFault {
		if op == "get" {
			t.Error("it is read as a whole")
		}
		return memNone
	}}
	must(t, view.Put(t.Context(), ref.Object, data))
	r, err := OpenSegment(t.Context(), view, ref)
	must(t, err)
	if r.Size() != ref.Size {
		t.Errorf("it has %d bytes", r.Size())
	}
	for _, c := range [][2]int{{0, 10}, {checkBytes - 5, 10}, {len(data) - 3, 3}, {0, len(data)}} {
		got := make([]byte, c[1])
		if n, err := r.ReadAt(got, int64(c[0])); n != c[1] || err != nil && err != io.EOF || !bytes.Equal(got, data[c[0]:c[0]+c[1]]) {
			t.Errorf("%v is read as %d bytes, %v", c, n, err)
		}
	}
	if n, err := r.ReadAt(make([]byte, 10), ref.Size-3); n != 3 || err != io.EOF {
		t.Errorf("across the end are %d bytes, %v", n, err)
	}
	must(t, view.Remove(t.Context(), ref.Object))
	var damaged *Damaged
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.As(err, &damaged) || damaged.Object != ref.Object {
		t.Errorf("when it is gone: %v", err)
	}
}

// What is not as it was written is named, wherever it differs.
func TestOpenSegmentDamaged(t *testing.T) {
	data := large()
	for _, n := range []int{0, 1, 31, 32, checkBytes, len(data)} {
		ref := SegmentRef{"a/b", int64(n), SumOf(data[:n])}
		cases := map[string][]byte{
			fmt.Sprintf("it has %d bytes, and had %d", n+1, n):          append(bytes.Clone(data[:n]), 'x'),
			fmt.Sprintf("it has %d bytes, and had %d", n+checkBytes, n): append(bytes.Clone(data[:n]), data[:checkBytes]...),
			"not there": nil,
		}
		if n > 0 {
			cases[fmt.Sprintf("it has %d bytes, and had %d", n-1, n)] = bytes.Clone(data[:n-1])
			flipped := bytes.Clone(data[:n])
			flipped[n/2] ^= 4
			cases["and was "+ref.Sum.String()] = flipped
		}
		for want, is := range cases {
			store := storagetest.NewMemory()
			if is != nil {
				must(t, store.Put(t.Context(), ref.Object, is))
			}
			_, err := OpenSegment(t.Context(), store, ref)
			var damaged *Damaged
			if !errors.As(err, &damaged) || damaged.Object != ref.Object || !strings.Contains(err.Error(), want) {
				t.Errorf("%d bytes: %v; want %q", n, err, want)
			}
		}
		store := storagetest.NewMemory()
		must(t, store.Put(t.Context(), ref.Object, data[:n]))
		if got := opened(t, store, ref); !bytes.Equal(got, data[:n]) {
			t.Errorf("%d bytes are read as %d", n, len(got))
		}
	}
}

// Who has been overtaken is told so, where a segment is not there any more: when it
// is opened, and when it is read.
func TestOpenSegmentOvertaken(t *testing.T) {
	h, store := newTruth(), newMemStore()
	j := memJobOf(t, h, memView{memStore: store}, 1)
	var ref SegmentRef
	for _, p := range mustCurrent(t, j.k).Parts {
		for _, s := range p.Segments {
			ref = s
		}
	}
	r, err := j.k.OpenSegment(t.Context(), ref)
	must(t, err)
	later, err := Open(t.Context(), memView{memStore: store})
	must(t, err)
	must(t, later.Claim(t.Context(), "somebody else"))
	must(t, memView{memStore: store}.Remove(t.Context(), ref.Object))
	var stale *StaleEpoch
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.As(err, &stale) {
		t.Errorf("reading: %v", err)
	}
	if _, err := j.k.OpenSegment(t.Context(), ref); !errors.As(err, &stale) {
		t.Errorf("opening: %v", err)
	}
}
