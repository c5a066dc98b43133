package optest

import (
	"context"
	"errors"

	"github.com/gpflow/gpflow"
)

// chance reports a thing that happens one time in n.
func (r *sinkRun) chance(label string, n int) bool { return r.Choose(label, n) == n-1 }

// mostFailures is how often in a row a call may fail with a Transient.
const mostFailures = 100

// over has ended.
var over = func() context.Context {
	ctx, end := context.WithCancel(context.Background())
	end()
	return ctx
}()

// call makes a call until it fails no more with a Transient, and reports whether
// it went well; false is that the process has died, or that its context had ended.
func (r *sinkRun) call(what string, f func(context.Context) error) bool {
	r.t.Helper()
	var again *gpflow.Transient
	for range mostFailures {
		ctx := context.Background()
		if r.chance("its context has ended", 60) {
			ctx = over
		}
		err := f(ctx)
		if ctx == over && errors.Is(err, context.Canceled) {
			r.close()
			return false
		}
		if !errors.As(err, &again) {
			return r.ok(what, err)
		}
		r.check("after a "+what+" that failed for the time being", false)
		if r.chance("die before it is tried again", 20) {
			r.kill()
			return false
		}
	}
	r.t.Fatalf("%s fails again and again: %v", what, again)
	return false
}

// ok reports whether a call went well; false is that the process has died.
func (r *sinkRun) ok(what string, err error) bool {
	r.t.Helper()
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrKilled):
		r.kill()
		return false
	}
	r.t.Fatalf("%s: %v", what, err)
	return false
}
