// Package actor runs the living parts of the engine: each is one goroutine with
// a mailbox, state that nobody else touches, and a parent that hears of its
// end. It is local to a process.
//
// An actor has two lanes: messages, which overtake, and its own work, such as
// an inbox of batches. It parks when both are empty.
package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Actor is the behaviour of one actor. Its methods are called by one
// goroutine.
type Actor interface {
	// Receive handles a message. An error ends the actor.
	Receive(ctx context.Context, message any) error
	// Work does a piece of the actor's own work and reports whether there may
	// be more at once; after false it is called again when the actor is woken.
	// ErrFinished ends the actor in order, any other is its failure.
	Work(ctx context.Context) (more bool, err error)
	// Close is called last, once, on every way out.
	Close() error
}

// ErrFinished is returned by an actor that has finished.
var ErrFinished = errors.New("the actor has finished")

// ErrOverflow is the failure of an actor whose mailbox was full. Mailboxes are
// bounded by protocol, so that this is a bug in the sender.
var ErrOverflow = errors.New("the mailbox is full")

// MailboxLimit is the number of messages that a mailbox holds.
const MailboxLimit = 1 << 16

// Exited is sent to an actor's parent when the actor has ended.
type Exited struct {
	Ref *Ref
	Err error // nil: in order
}

// PanicError is the failure of an actor that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Ref is the address of an actor. All methods may be called from any
// goroutine, and none blocks.
type Ref struct {
	name   string
	parent *Ref
	cancel context.CancelFunc
	wake   chan struct{}

	mu     sync.Mutex
	box    []any
	over   bool // a message did not fit
	closed bool
	err    error // what it ended with
}

// Name returns the name that the actor was spawned with.
func (r *Ref) Name() string { return r.name }

// Send puts a message into the mailbox. Messages of one sender arrive in
// order; those to an actor that has ended are lost.
func (r *Ref) Send(message any) {
	r.mu.Lock()
	switch {
	case r.closed:
	case len(r.box) >= MailboxLimit:
		r.over = true
	default:
		r.box = append(r.box, message)
	}
	r.mu.Unlock()
	r.Wake()
}

// Err returns what the actor failed with: nil while it lives, and where it
// ended in order.
func (r *Ref) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Wake makes the actor look at its lanes.
func (r *Ref) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Kill ends the actor at its next look, and cancels the context of whatever it
// is doing.
func (r *Ref) Kill() { r.cancel(); r.Wake() }

// take returns the messages that have come, or nil.
func (r *Ref) take(spare []any) ([]any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, ErrOverflow
	}
	box := r.box
	r.box = spare[:0]
	return box, nil
}

// System starts actors and waits for them.
type System struct {
	ctx context.Context
	wg  sync.WaitGroup
}

// NewSystem returns a system whose actors end when ctx does.
func NewSystem(ctx context.Context) *System { return &System{ctx: ctx} }

// Wait returns when every actor has ended.
func (s *System) Wait() { s.wg.Wait() }

// New returns the address of an actor that is not running yet, so that others
// can be given it. parent may be nil.
func (s *System) New(name string, parent *Ref) *Ref {
	return &Ref{name: name, parent: parent, wake: make(chan struct{}, 1), cancel: func() {}}
}

// Start runs a behind r. It is called once.
func (s *System) Start(r *Ref, a Actor) {
	ctx, cancel := context.WithCancel(s.ctx)
	r.cancel = cancel
	s.wg.Go(func() {
		defer cancel()
		err := run(ctx, r, a)
		r.mu.Lock()
		r.closed, r.box, r.err = true, nil, err
		r.mu.Unlock()
		if r.parent != nil {
			r.parent.Send(Exited{r, err})
		}
	})
}

// run is the life of an actor. It returns nil where it ended in order.
func run(ctx context.Context, r *Ref, a Actor) (err error) {
	if err = Guard(func() error { return loop(ctx, r, a) }); errors.Is(err, ErrFinished) {
		err = nil
	}
	if cerr := Guard(a.Close); err == nil {
		err = cerr
	}
	return err
}

// Guard calls f and turns a panic into a *PanicError.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
	}()
	return f()
}

func loop(ctx context.Context, r *Ref, a Actor) error {
	var box []any
	for {
		var err error
		if box, err = r.take(box); err != nil {
			return err
		}
		for _, m := range box {
			if err := a.Receive(ctx, m); err != nil {
				return err
			}
		}
		clear(box)
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := a.Work(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
	}
}
