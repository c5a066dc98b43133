package filesource

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

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
