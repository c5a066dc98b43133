package actor

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// probe is an actor made of functions.
type probe struct {
	receive func(m any) error
	work    func() (bool, error)
	closed  chan struct{}
}

func (p *probe) Receive(_ context.Context, m any) error { return p.receive(m) }

func (p *probe) Work(context.Context) (bool, error) {
	if p.work == nil {
		return false, nil
	}
	return p.work()
}

func (p *probe) Close() error { close(p.closed); return nil }

func newProbe() *probe {
	return &probe{receive: func(any) error { return nil }, closed: make(chan struct{})}
}

// parent starts an actor that hands what it hears to a channel, and ends at
// the first end of a child.
func parent(s *System) (*Ref, chan Exited) {
	heard := make(chan Exited, 1)
	p := newProbe()
	p.receive = func(m any) error {
		heard <- m.(Exited)
		return ErrFinished
	}
	ref := s.New("parent", nil)
	s.Start(ref, p)
	return ref, heard
}

func TestMessagesOvertakeWorkAndKeepTheirOrder(t *testing.T) {
	s := NewSystem(context.Background())
	top, heard := parent(s)
	child := s.New("child", top)
	var got []int
	p := newProbe()
	p.receive = func(m any) error { got = append(got, m.(int)); return nil }
	p.work = func() (bool, error) {
		if len(got) < 3 {
			return true, nil
		}
		return false, ErrFinished
	}
	for i := range 3 {
		child.Send(i)
	}
	s.Start(child, p)
	if e := <-heard; e.Err != nil || e.Ref != child {
		t.Errorf("the parent heard %+v", e)
	}
	s.Wait()
	<-p.closed
	if len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Errorf("got %v", got)
	}
	child.Send(9) // to nobody
}

func TestFailures(t *testing.T) {
	planted := errors.New("planted")
	for name, c := range map[string]struct {
		plant func(*probe)
		wants func(error) bool
	}{
		"an error of a message": {
			func(p *probe) { p.receive = func(any) error { return planted } },
			func(err error) bool { return errors.Is(err, planted) },
		},
		"an error of work": {
			func(p *probe) { p.work = func() (bool, error) { return false, planted } },
			func(err error) bool { return errors.Is(err, planted) },
		},
		"a panic": {
			func(p *probe) { p.work = func() (bool, error) { panic("planted") } },
			func(err error) bool {
				var p *PanicError
				return errors.As(err, &p) && p.Value == "planted" && strings.Contains(p.Error(), "actor_test.go")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSystem(context.Background())
			top, heard := parent(s)
			child := s.New("child", top)
			p := newProbe()
			c.plant(p)
			child.Send("go")
			s.Start(child, p)
			if e := <-heard; !c.wants(e.Err) {
				t.Errorf("the parent heard %v", e.Err)
			}
			s.Wait()
			<-p.closed
		})
	}
}

func TestKillEndsWhatWaits(t *testing.T) {
	s := NewSystem(context.Background())
	top, heard := parent(s)
	child := s.New("child", top)
	s.Start(child, newProbe())
	child.Kill()
	if e := <-heard; !errors.Is(e.Err, context.Canceled) {
		t.Errorf("the parent heard %v", e.Err)
	}
	s.Wait()
}

func TestAFullMailboxIsACrash(t *testing.T) {
	s := NewSystem(context.Background())
	top, heard := parent(s)
	child := s.New("child", top)
	for range MailboxLimit + 1 {
		child.Send(nil)
	}
	s.Start(child, newProbe())
	if e := <-heard; !errors.Is(e.Err, ErrOverflow) {
		t.Errorf("the parent heard %v", e.Err)
	}
	s.Wait()
}

// A wake that comes while the actor looks at its lanes is not lost.
func TestNoWakeIsLost(t *testing.T) {
	const rounds = 20_000
	s := NewSystem(context.Background())
	top, heard := parent(s)
	a, b := s.New("a", top), s.New("b", nil)
	n := 0
	pa, pb := newProbe(), newProbe()
	pa.receive = func(any) error {
		if n++; n == rounds {
			b.Kill()
			return ErrFinished
		}
		b.Send(nil)
		return nil
	}
	pb.receive = func(any) error { a.Send(nil); return nil }
	s.Start(a, pa)
	s.Start(b, pb)
	a.Send(nil)
	if e := <-heard; e.Err != nil {
		t.Error(e.Err)
	}
	s.Wait()
}
