package control

import (
	"context"
	"fmt"

	"github.com/gpflow/gpflow/engine"
)

// errLeaving is the answer of a process that ends before what was asked for.
const errLeaving = "the process has ended before that was done; run gpflow status to see what there is to go on from"

// For returns the handler of a run. Somebody else calls its Wait. said is told
// in words of what was asked for that ends the run; taken is asked whether the
// name of a savepoint can be used.
func For(run *engine.Run, said func(text string), taken func(ctx context.Context, savepoint string) error) Handler {
	h := &handler{run, said, taken}
	return h.answer
}

type handler struct {
	run   *engine.Run
	said  func(string)
	taken func(context.Context, string) error
}

func (h *handler) answer(ctx context.Context, r Request) Answer {
	switch r.Do {
	case Status:
		s := h.run.Status()
		return Answer{Status: &s}
	case Stop:
		return h.stop(ctx, r)
	case Savepoint:
		return h.savepoint(ctx, r.Savepoint)
	case Checkpoint:
		return h.made(ctx, h.run.Checkpoint())
	}
	return Answer{Error: fmt.Sprintf("the running gpflow does not know how to %q: it is of another version than the one that asks", r.Do)}
}

func (h *handler) savepoint(ctx context.Context, name string) Answer {
	if err := h.taken(ctx, name); err != nil {
		return Answer{Error: err.Error()}
	}
	return h.made(ctx, h.run.Savepoint(name))
}

// made waits for a savepoint.
func (h *handler) made(ctx context.Context, answer <-chan engine.Saved) Answer {
	select {
	case s := <-answer:
		if s.Err != nil {
			return Answer{Error: s.Err.Error()}
		}
		return Answer{Checkpoint: s.ID}
	case <-ctx.Done():
		return Answer{Error: errLeaving}
	}
}

// stop ends the run, and waits until it has ended.
func (h *handler) stop(ctx context.Context, r Request) (a Answer) {
	switch {
	case r.Drain && r.Savepoint != "":
		return Answer{Error: "a drain ends the input, so that a savepoint would have nothing to go on with; make one before"}
	case r.Drain:
		h.said("ending the input where it is, on request: windows close, and the run finishes")
		h.run.Drain()
	case r.Savepoint != "":
		if err := h.taken(ctx, r.Savepoint); err != nil {
			return Answer{Error: err.Error()}
		}
		h.said("stopping in order, on request, with the savepoint " + r.Savepoint)
		a = h.made(ctx, h.run.StopWith(r.Savepoint))
	default:
		h.said("stopping in order, on request: no window closes early")
		h.run.Stop()
	}
	select {
	case <-h.run.Done():
	case <-ctx.Done():
		// The process leaves behind the end of the run, or without it.
		select {
		case <-h.run.Done():
		default:
			return Answer{Error: errLeaving}
		}
	}
	report, err := h.run.Wait()
	a.Status, a.Outcome = &report.Status, report.Outcome
	if err != nil && a.Error == "" {
		a.Error = err.Error()
	}
	return a
}
