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
	check(14, gpflow.Second)
	check(20, 0, "b")
	check(25, 0)
	d.Rows("a", at(25))
	d.Rows("b", at(26))
	check(27, 8*gpflow.Second)
	d.Rows("a", at(28))
	check(34, gpflow.Second) // perhaps
	check(35, gpflow.Second)
	// While downstream has no room, no time passes.
	d.Block(at(35))
	d.Block(at(50))
	d.Unblock(at(1035))
	check(1035, gpflow.Second)
	check(1036, 2*gpflow.Second, "b")
	check(1038, 0, "a")
	d.Unblock(at(5000)) // it was not blocked
	d.Rows("a", at(1040))
	d.Rows("b", at(1040))
	check(1049, gpflow.Second)
	d.Forget("a")
	check(1050, 0, "b")
	never := task.NewIdleness(0)
	never.Add("a", at(0))
	if got, left := never.Silent(at(1 << 30)); got != nil || left != 0 {
		t.Errorf("%v are silent, and the next in %v; idleness is off", got, left)
	}
}
