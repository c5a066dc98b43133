package part

import (
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
)

// mostBackoff is the longest pause before a call is made again.
const mostBackoff = time.Minute

// Retry decides when a call is made again that failed with a gpflow.Transient. It
// keeps nobody waiting: its part goes on taking messages meanwhile.
type Retry struct {
	On plan.OnError
	// Told is told of each call that is to be made again: which retry in a row that
	// is, after which pause, and what the call has failed with.
	Told   func(retry int, pause time.Duration, err error)
	failed int       // calls, since the last that went well
	due    time.Time // of the next call
}

// left returns how long it is until the next call may be made; what is not
// positive is at once.
func (r *Retry) left(now time.Time) time.Duration {
	if r.failed == 0 {
		return 0
	}
	return r.due.Sub(now)
}

// Exhausted is the end of a job because a call of a source or a sink has failed more
// often in a row than on_error allows.
type Exhausted struct {
	Retries int
	Err     error // of the last
}

// Error says how often the call was made again, and what it failed with.
func (e *Exhausted) Error() string {
	return fmt.Sprintf("given up after %d retries: %v", e.Retries, e.Err)
}

// Unwrap returns the error of the last call.
func (e *Exhausted) Unwrap() error { return e.Err }

// again takes the error of a call. It returns the pause before the call is made
// again, or the error that ends the part.
func (r *Retry) again(now time.Time, err error) (time.Duration, error) {
	var passing *gpflow.Transient
	if r.On.Action != gpflow.ActionRetry || !errors.As(err, &passing) {
		return 0, err
	}
	if r.failed >= r.On.Retries {
		return 0, &Exhausted{r.failed, err}
	}
	pause := mostBackoff
	if first := span(r.On.Backoff); r.failed < 16 {
		pause = min(pause, first<<r.failed)
	}
	r.failed++
	r.due = now.Add(pause)
	r.Told(r.failed, pause, err)
	return pause, nil
}

// succeeded says that a call went well.
func (r *Retry) succeeded() { r.failed = 0 }

// span returns d as the clock has it.
func span(d gpflow.Duration) time.Duration { return time.Duration(d) * time.Microsecond }
