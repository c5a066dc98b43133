package filesource

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	w := newWatch([]string{dir, filepath.Join(dir, "later")})
	if w == nil {
		t.Fatal("the system has no more watches")
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
