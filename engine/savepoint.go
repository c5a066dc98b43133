package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
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
	return r.ask(name, job.Requested{Savepoint: name})
}

// StopWith is Stop, with a savepoint made of the last checkpoint.
func (r *Run) StopWith(savepoint string) <-chan Saved {
	return r.ask(savepoint, job.StopRequested{Savepoint: savepoint})
}

func (r *Run) ask(name string, e job.Event) <-chan Saved {
	answer := make(chan Saved, 1)
	if r.options.Checkpoints == nil {
		answer <- Saved{Err: errors.New("the job keeps no checkpoints, so that no savepoint can be made of one")}
		return answer
	}
	r.mu.Lock()
	over := !r.ended.IsZero()
	if !over {
		r.asked[name] = append(r.asked[name], answer)
	}
	r.mu.Unlock()
	if over {
		answer <- Saved{Err: errEnded(name)}
		return answer
	}
	r.master.Send(e)
	return answer
}

func errEnded(name string) error {
	return fmt.Errorf("the job has ended before the savepoint %s was made", name)
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

// save makes a savepoint. An error ends the job: others are told to those who
// have asked.
func (a *archivist) save(ctx context.Context, s job.Save) error {
	m := a.named[s.ID]
	delete(a.named, s.ID)
	var err error
	if m.Outcome == checkpoint.OutcomeFinished {
		err = fmt.Errorf("the input had come to its end when the savepoint %s was to be made: there is nothing to go on with", s.Name)
	} else {
		err = a.Keeper.Savepoint(ctx, s.Name, m)
	}
	a.run.saved(s.Name, Saved{s.ID, err})
	if err != nil && checkpoint.IsFatal(err) {
		return fmt.Errorf("make the savepoint %s: %w", s.Name, err)
	}
	return nil
}
