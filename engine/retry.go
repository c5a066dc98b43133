package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gpflow/gpflow"
)

// mostBackoff is the longest pause before a call is made again.
const mostBackoff = time.Minute

// retrier decides when a reader or a writer makes a call again that failed with a
// gpflow.Transient. It only tells the time: its actor goes on taking messages, and
// has itself woken. The zero due is at once.
type retrier struct {
	policy policy
	meter  *meter
	failed int       // calls, since the last that went well
	due    time.Time // of the next call
}

// left returns how long it is until the next call may be made.
func (r *retrier) left() time.Duration {
	if r.failed == 0 {
		return 0
	}
	return time.Until(r.due)
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
// again, or the error that ends the actor.
func (r *retrier) again(err error) (time.Duration, error) {
	var passing *gpflow.Transient
	on := r.policy.op.OnError
	if on.Action != gpflow.ActionRetry || !errors.As(err, &passing) {
		return 0, err
	}
	if r.failed >= on.Retries {
		return 0, &Exhausted{r.failed, err}
	}
	pause := mostBackoff
	if first := time.Duration(on.Backoff) * time.Microsecond; r.failed < 16 {
		pause = min(pause, first<<r.failed)
	}
	r.failed++
	r.due = time.Now().Add(pause)
	r.meter.retried()
	if r.failed <= warnings {
		r.policy.log.Warn("a call failed, and is made again", "node", r.policy.op.ID, "in", pause, "retry", r.failed, "of", on.Retries, "error", err.Error())
	}
	return pause, nil
}

// succeeded says that a call went well.
func (r *retrier) succeeded() { r.failed = 0 }

// again takes the error of a poll, for which some records were allowed: what it has
// read is dropped, and it is made again, or the error is final.
func (r *reader) again(allowed int, err error) error {
	pause, err := r.retry.again(err)
	if err != nil {
		return err
	}
	b, _, _, _ := r.reading.TakeReading()
	unread(b)
	r.pace.give(allowed)
	r.idle.Block(time.Now())
	r.wakeAfter(pause)
	return nil
}
