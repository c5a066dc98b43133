package gpflow

// Transient is the error of a call of a Reader or a Sink that failed for a reason
// outside of the pipeline, such as a full disk or a server that does not answer,
// and that has had no effect: the call may be made again as it was, and may then
// go well. What else a connector returns is final.
//
// The calls that may return it are Poll, Write, Prepare and Commit. Whether they
// are made again is up to on_error of the node.
type Transient struct{ Err error }

// Error returns the text of the cause.
func (t *Transient) Error() string { return t.Err.Error() }

// Unwrap returns the cause.
func (t *Transient) Unwrap() error { return t.Err }
