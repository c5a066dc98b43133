package actor

import (
	"context"
	"errors"
	"testing"
)

// closer is an actor that ends at once and cannot be closed.
type closer struct {
	*probe
	fail func() error
}

func (c closer) Close() error { return errors.Join(c.probe.Close(), c.fail()) }

// TestCloseFails: the parent hears of it, unless there is a cause before it.
func TestCloseFails(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	for name, c := range map[string]struct {
		work  error
		close func() error
		wants func(error) bool
	}{
		"error": {ErrFinished, func() error { return second }, func(err error) bool { return errors.Is(err, second) }},
		"panic": {ErrFinished, func() error { panic("planted") }, func(err error) bool {
			var p *PanicError
			return errors.As(err, &p) && p.Value == "planted"
		}},
		"second error": {first, func() error { return second }, func(err error) bool { return errors.Is(err, first) && !errors.Is(err, second) }},
		"in order":     {ErrFinished, func() error { return nil }, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSystem(context.Background())
			top, heard := parent(s)
			child := s.New("child", top)
			p := newProbe()
			p.work = func() (bool, error) { return false, c.work }
			if child.Err() != nil {
				t.Error("an actor that has not begun has failed")
			}
			s.Start(child, closer{p, c.close})
			if e := <-heard; e.Ref != child || !c.wants(e.Err) {
				t.Errorf("the parent heard %v", e.Err)
			}
			s.Wait()
			if !c.wants(child.Err()) {
				t.Errorf("the actor ended with %v", child.Err())
			}
		})
	}
}
