package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/job"
)

// Saved is what has become of the wish for a savepoint.
type Saved struct {
	ID  gpflow.CheckpointID // the checkpoint that it was made of
	Err error
}

// Savepoint asks for a savepoint of the job as it is now, and returns a channel
// that gets what has become of it. The job goes on.
func (r *Run) Savepoint(name string) <-chan Saved {
	return r.askFor(name, job.Requested{Savepoint: name})
}

// Checkpoint asks for a checkpoint of the job as it is now, and returns a channel
// that gets which one that is when it is complete. The job goes on.
func (r *Run) Checkpoint() <-chan Saved {
	p := r.points.read()
	after := p.Flight
	if p.Last != nil {
		after = max(after, p.Last.ID)
	}
	return r.ask(job.Requested{}, func(answer chan Saved) { r.waiting = append(r.waiting, waiter{after, answer}) })
}

// waiter waits for a checkpoint that begins behind another one.
type waiter struct {
	after  gpflow.CheckpointID
	answer chan Saved
}

// checkpointed tells those who wait for it that a checkpoint is complete.
func (r *Run) checkpointed(id gpflow.CheckpointID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = slices.DeleteFunc(r.waiting, func(w waiter) bool {
		if id > w.after {
			w.answer <- Saved{ID: id} // it has room
		}
		return id > w.after
	})
}

// StopWith is Stop, with a savepoint made of the last checkpoint.
func (r *Run) StopWith(savepoint string) <-chan Saved {
	return r.askFor(savepoint, job.StopRequested{Savepoint: savepoint})
}

// askFor asks for the savepoint of a name.
func (r *Run) askFor(name string, e job.Event) <-chan Saved {
	return r.ask(e, func(answer chan Saved) { r.asked[name] = append(r.asked[name], answer) })
}

// ask sends e, unless the job has ended. note keeps the channel of the answer,
// under r.mu.
func (r *Run) ask(e job.Event, note func(answer chan Saved)) <-chan Saved {
	answer := make(chan Saved, 1)
	if r.options.Checkpoints == nil {
		answer <- Saved{Err: errors.New("the job keeps no checkpoints, so that no savepoint can be made of one")}
		return answer
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended.IsZero() {
		answer <- Saved{Err: errEnded}
		return answer
	}
	note(answer)
	r.master.Send(e)
	return answer
}

var errEnded = errors.New("the job has ended before that was made")

// unanswered tells those who wait that the job has ended. It is called under r.mu.
func (r *Run) unanswered() {
	for _, w := range r.waiting {
		w.answer <- Saved{Err: errEnded} // it has room
	}
	for _, answers := range r.asked {
		for _, c := range answers {
			c <- Saved{Err: errEnded} // likewise
		}
	}
	r.waiting, r.asked = nil, nil
}

// saved tells those who have asked.
func (r *Run) saved(name string, s Saved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.asked[name] {
		c <- s // it has room
	}
	delete(r.asked, name)
}

// save makes a savepoint, and tells those who have asked. An error ends the job.
func (a *archivist) save(ctx context.Context, s job.Save) error {
	done, err := a.archive.Save(ctx, s)
	a.run.saved(s.Name, Saved{s.ID, done.Err})
	if err != nil {
		return err
	}
	a.retain(ctx)
	return nil
}
