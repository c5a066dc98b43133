package filesource

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	w := newWatch([]string{dir, filepath.Join(dir, "later")})
	if w == nil {
		t.Skip("the system tells nobody of files that appear")
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := w.wait(ctx, 0); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.log"), []byte("one\n"))
	if err := w.wait(ctx, time.Hour); err != nil { // or it is heard of in an hour
		t.Fatal(err)
	}
	cancel()
	if err := w.wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

// A file is found that is empty when it appears.
func TestDiscoverWatches(t *testing.T) {
	f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
	defer f.close()
	f.src.watches = true
	f.src.now = time.Now
	if splits, done, err := f.scan.Discover(context.Background()); len(splits) > 0 || done || err != nil {
		t.Fatal(splits, done, err)
	}
	f.add("a.log", "")
	if f.look(); !f.scan.empty {
		t.Error("it is not looked at again soon")
	}
	f.add("a.log", "one\n")
	splits, _, err := f.scan.Discover(context.Background())
	if got := ids(splits, f.dir); !slices.Equal(got, []string{"a.log"}) || err != nil {
		t.Error(got, err)
	}
	if err := errors.Join(f.scan.Close(), f.scan.Close()); err != nil {
		t.Error(err)
	}
}
