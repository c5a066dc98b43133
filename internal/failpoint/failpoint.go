// Package failpoint names the places in the product's code at which a process
// can be made to die, to see that nothing is lost there and nothing doubled.
// Where no point is armed, passing one costs an atomic load.
package failpoint

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
)

// armed is what happens at points; nil: nothing.
var armed atomic.Pointer[trap]

// trap is what happens at points. All goroutines share it.
type trap struct {
	point string // at which the process dies; "": it does not
	left  atomic.Int64
	trace *os.File // gets the name of each point that is passed; nil: none
	die   func()
}

// Here passes the point of a name. It does not return where the process is to
// die there.
func Here(name string) {
	if t := armed.Load(); t != nil {
		t.pass(name)
	}
}

// Object passes the point of a step in the making of an object in a store, which
// is called FOLDER-STEP after the folder that the object lies in. It is no point
// where Points has none of that name.
func Object(object, step string) {
	if t := armed.Load(); t != nil {
		if name := path.Base(path.Dir(object)) + "-" + step; known(name) {
			t.pass(name)
		}
	}
}

// Arm has the process die at a point: "NAME:3", when that is passed for the
// third time, or "NAME", for the first. It dies as by kill -9: nothing is closed
// and nothing is written any more. If trace is not "", it is a file, to which the
// name of each point that is passed is appended, a line each; the last line is
// where the process died. Where both are "", nothing is armed. It is called once,
// before any point is passed. The error says which part is wrong.
func Arm(point, trace string) error {
	t := &trap{die: kill}
	if point != "" {
		name, times, counted := strings.Cut(point, ":")
		n := int64(1)
		if counted {
			var err error
			if n, err = strconv.ParseInt(times, 10, 64); err != nil || n < 1 {
				return fmt.Errorf("the failpoint is %q; behind the colon stands how often it is passed, from 1 on", point)
			}
		}
		if !known(name) {
			return fmt.Errorf("there is no failpoint %q; gpflow failpoints lists them", name)
		}
		t.point = name
		t.left.Store(n)
	}
	if trace != "" {
		f, err := os.OpenFile(trace, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("open the trace of failpoints: %w", err)
		}
		t.trace = f
	}
	if point != "" || trace != "" {
		armed.Store(t)
	}
	return nil
}

func (t *trap) pass(name string) {
	if t.trace != nil {
		_, _ = t.trace.WriteString(name + "\n") // for those who look on
	}
	if name == t.point && t.left.Add(-1) == 0 {
		t.die()
	}
}

// kill ends the process as kill -9 does, and never returns.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // what follows is for where it cannot be done
	}
	select {}
}
