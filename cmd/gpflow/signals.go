package main

import "time"

// echo is for how long signals behind the first are taken for the same one:
// timeout(1), for one, sends its signal to the process, and then to the group that
// it is in.
const echo = 200 * time.Millisecond

// What a signal asks for.
const (
	toStop = iota
	nothingNew
	toQuit
)

// stopRequests are the signals that have come to a run.
type stopRequests struct{ first time.Time }

// next says what the signal asks for that has come now.
func (r *stopRequests) next(now time.Time) int {
	switch {
	case r.first.IsZero():
		r.first = now
		return toStop
	case now.Sub(r.first) < echo:
		return nothingNew
	}
	return toQuit
}
