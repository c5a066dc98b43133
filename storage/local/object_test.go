package local

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// TestObject: an object that was opened is read in parts, and is what it was
// whatever becomes of its name.
func TestObject(t *testing.T) {
	s := opened(t, t.TempDir())
	data := bytes.Repeat([]byte("0123456789"), 1000)
	must(t, s.Put(t.Context(), "a/b", data))
	o, err := s.OpenObject(t.Context(), "a/b")
	must(t, err)
	look := func() {
		t.Helper()
		got, err := io.ReadAll(io.NewSectionReader(o, 0, math.MaxInt64))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("it has %d bytes, and not what it had: %v", len(got), err)
		}
		part := make([]byte, 7)
		if n, err := o.ReadAt(part, 9995); n != 5 || err != io.EOF || string(part[:5]) != "56789" {
			t.Errorf("its end is %q, %v", part[:n], err)
		}
	}
	look()
	if runtime.GOOS != "windows" { // where a file that is open keeps its name
		must(t, s.Put(t.Context(), "a/b", []byte("another one")))
		look()
	}
	must(t, s.Remove(t.Context(), "a/b"))
	look()
	if _, err := s.OpenObject(t.Context(), "a/b"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := s.OpenObject(t.Context(), "a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := s.OpenObject(t.Context(), "../a"); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
	must(t, o.Close())
	if _, err := o.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), `read 1 bytes of "a/b" from `+s.Dir()) {
		t.Errorf("when it is closed: %v", err)
	}
}
