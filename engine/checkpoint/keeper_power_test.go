package checkpoint_test

import (
	"errors"
	"testing"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/storagetest"
)

var errDied = errors.New("the process has died")

// begin is what a process does at its start: it begins the lineage or claims the
// next epoch, and finds the checkpoint to go on from.
func begin(t *testing.T, store storage.Store, lineage string) (*checkpoint.Keeper, error) {
	k, err := checkpoint.Open(t.Context(), store)
	if err != nil {
		return nil, err
	}
	if k.Lineage() != lineage {
		err = k.Fresh(t.Context(), lineage, "a test")
	} else {
		err = k.Claim(t.Context(), "a test")
	}
	if err != nil {
		return nil, err
	}
	var none *checkpoint.NoCheckpoint
	if _, err = k.Current(t.Context()); errors.As(err, &none) {
		err = nil
	}
	return k, err
}

// live is begin, with as many checkpoints behind it.
func live(t *testing.T, store storage.Store, lineage string, checkpoints int) error {
	k, err := begin(t, store, lineage)
	for i := 0; i < checkpoints && err == nil; i++ {
		err = k.Store(t.Context(), &checkpoint.Manifest{ID: k.NextID(), KeyGroups: 1}, nil)
	}
	return err
}

// TestPowerLostBehindADeadStart: a process dies in any operation of its start, or of
// its first checkpoint, so that what it was writing is seen and does not last. What
// the next one builds on it is there behind a loss of power.
func TestPowerLostBehindADeadStart(t *testing.T) {
	for _, c := range []struct {
		first, dies, next string // lineages
		made              int    // checkpoints that the next one makes
	}{
		{"", "aa", "aa", 0},
		{"", "aa", "aa", 1},
		{"", "aa", "bb", 0},
		{"", "aa", "bb", 1},
		{"aa", "aa", "aa", 0},
		{"aa", "aa", "aa", 1},
		{"aa", "aa", "bb", 0},
		{"aa", "aa", "bb", 1},
		{"aa", "bb", "bb", 0},
		{"aa", "bb", "bb", 1},
		{"aa", "bb", "aa", 0},
		{"aa", "bb", "aa", 1},
	} {
		for n, ended := 0, false; !ended; n++ {
			store := storagetest.NewMemory()
			if c.first != "" {
				if err := live(t, store, c.first, 1); err != nil {
					t.Fatal(err)
				}
			}
			store.Fail(storagetest.Fault{Skip: n, Times: -1, When: storagetest.Halfway, Err: errDied})
			err := live(t, store, c.dies, 1)
			if ended = err == nil; !ended && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			store.Heal()
			lineage := c.next
			if k, err := checkpoint.Open(t.Context(), store); err != nil {
				t.Fatal(err)
			} else if c.next < k.Lineage() {
				lineage = k.Lineage()
			}
			if err := live(t, store, lineage, c.made); err != nil {
				t.Fatalf("%v: behind the death in write %d: %v", c, n, err)
			}
			store.Crash(nil)
			if err := live(t, store, lineage, 1); err != nil {
				t.Errorf("%v: behind the death in write %d, and then a loss of power: %v", c, n, err)
			}
		}
	}
}

// TestClaimAgain: a process that goes on by itself claims again where a claim has
// failed, in whatever operation.
func TestClaimAgain(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for n, ended := 0, false; !ended; n++ {
			store := storagetest.NewMemory()
			k, err := begin(t, store, "aa")
			if err != nil {
				t.Fatal(err)
			}
			every := func(storagetest.Op, string) bool { return true }
			store.Fail(storagetest.Fault{Match: every, Skip: n, When: when})
			ended = k.Claim(t.Context(), "a test") == nil
			store.Heal()
			var none *checkpoint.NoCheckpoint
			if err := k.Claim(t.Context(), "a test"); err != nil {
				t.Errorf("behind a claim that failed in operation %d, %s: %v", n, when, err)
			} else if _, err := k.Current(t.Context()); !errors.As(err, &none) {
				t.Errorf("behind a claim that failed in operation %d, %s, it goes on from %v", n, when, err)
			}
		}
	}
}
