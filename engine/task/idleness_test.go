package task_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

func TestIdleness(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(1000+int64(seconds), 0) }
	d := task.NewIdleness(10 * gpflow.Second)
	d.Add("a", at(0))
	d.Add("b", at(5))
	check := func(seconds int, next gpflow.Duration, want ...string) {
		t.Helper()
		got, left := d.Silent(at(seconds))
		slices.Sort(got)
		if !slices.Equal(got, want) || left != next {
			t.Errorf("after %d s: %v are silent, and the next in %v; want %v and %v", seconds, got, left, want, next)
		}
	}
	check(9, gpflow.Second)
	check(10, 5*gpflow.Second, "a")
	check(20, 0, "a", "b")
	d.Rows("a", at(20))
	check(29, gpflow.Second, "b")
	// While downstream has no room, no time passes.
	d.Block(at(29))
	d.Block(at(50))
	d.Unblock(at(1029))
	check(1029, gpflow.Second, "b")
	check(1030, 0, "a", "b")
	d.Unblock(at(5000)) // it was not blocked
	d.Forget("a")
	check(1030, 0, "b")
	never := task.NewIdleness(0)
	never.Add("a", at(0))
	if got, left := never.Silent(at(1 << 30)); got != nil || left != 0 {
		t.Errorf("%v are silent, and the next in %v; idleness is off", got, left)
	}
}
