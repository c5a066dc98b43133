package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// numbers is a schema of one integer.
func numbers() *gpflow.Schema {
	return gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
}

// count returns a batch of the numbers [from, to).
func count(s *gpflow.Schema, from, to int) *gpflow.Batch {
	w := gpflow.NewBuilder(s)
	for i := from; i < to; i++ {
		w.Row(gpflow.Timestamp(i))[0] = gpflow.Int(int64(i))
	}
	return w.TakeAlways()
}

// plenty is a limit that is never reached.
var plenty = exchange.Limit{Rows: 1 << 40, Bytes: 1 << 40}

func TestInboxKeepsOrderAndKind(t *testing.T) {
	s := numbers()
	x := exchange.NewInbox(func() {})
	c := x.Open(plenty, func() {})
	c.Send(exchange.Event{Batch: count(s, 0, 2), Port: 1})
	c.Send(exchange.Event{Kind: exchange.Idle})
	c.Send(exchange.Event{Kind: exchange.End, Drained: true})
	if c.Sent() != 2 || c.Received() != 0 || x.Queued() != 2 || x.Empty() {
		t.Errorf("sent %d, received %d, queued %d, empty %t", c.Sent(), c.Received(), x.Queued(), x.Empty())
	}
	_, e, ok := x.Take()
	if !ok || e.Kind != exchange.Data || e.Batch.N != 2 || e.Port != 1 {
		t.Errorf("first came %+v", e)
	}
	if rows, bytes := c.InFlight(); rows != 2 || bytes != int64(e.Batch.Bytes()) || c.Received() != 2 {
		t.Errorf("%d rows and %d bytes are in flight before they have been processed; %d received", rows, bytes, c.Received())
	}
	if _, e, ok = x.Take(); !ok || e.Kind != exchange.Idle {
		t.Errorf("then came %+v", e)
	}
	if rows, bytes := c.InFlight(); rows != 0 || bytes != 0 {
		t.Errorf("%d rows and %d bytes are in flight after they have been processed", rows, bytes)
	}
	if _, e, ok = x.Take(); !ok || e.Kind != exchange.End || !e.Drained {
		t.Errorf("last came %+v", e)
	}
	if _, _, ok = x.Take(); ok || !x.Empty() {
		t.Error("something came out of an empty inbox")
	}
}

func TestInboxWakesOnceForEachWait(t *testing.T) {
	s, woken := numbers(), 0
	x := exchange.NewInbox(func() { woken++ })
	c := x.Open(plenty, func() {})
	c.Send(exchange.Event{Batch: count(s, 0, 1)})
	if woken != 0 || c.ReceiverIdle() {
		t.Error("a receiver that has not looked yet is woken")
	}
	for range 2 {
		x.Take()
	}
	if !c.ReceiverIdle() {
		t.Error("a receiver that found nothing does not count as idle")
	}
	c.Send(exchange.Event{Batch: count(s, 1, 2)})
	c.Send(exchange.Event{Batch: count(s, 2, 3)})
	if woken != 1 || c.ReceiverIdle() {
		t.Errorf("woken %d times, idle %t", woken, c.ReceiverIdle())
	}
}

// TestCredit: the last batch may overdraw the credit, and the sender is woken
// once when half of it is free again, in rows and in bytes.
func TestCredit(t *testing.T) {
	s := numbers()
	size := int64(count(s, 0, 3).Bytes())
	for name, limit := range map[string]exchange.Limit{
		"rows":  {Rows: 10, Bytes: 1 << 40},
		"bytes": {Rows: 1 << 40, Bytes: 10 * size / 3},
	} {
		t.Run(name, func(t *testing.T) {
			woken, sent := 0, 0
			x := exchange.NewInbox(func() {})
			c := x.Open(limit, func() { woken++ })
			for c.Ready() {
				c.Send(exchange.Event{Batch: count(s, 0, 3)})
				sent++
			}
			if rows, bytes := c.InFlight(); sent != 4 || rows != 12 || bytes != 4*size {
				t.Fatalf("%d batches, %d rows and %d bytes were sent on a credit of %+v", sent, rows, bytes, limit)
			}
			// What needs no credit passes.
			c.Send(exchange.Event{Kind: exchange.Idle})
			for taken, want := range []int{0, 0, 0, 1, 1} {
				_, e, _ := x.Take() // gives back what was taken before it
				if woken != want {
					t.Errorf("%d batches given back: woken %d times, not %d", taken, woken, want)
				}
				if e.Batch != nil {
					e.Batch.Release()
				}
			}
			if !c.Ready() {
				t.Error("no credit after everything has been processed")
			}
		})
	}
}

// TestCreditBehindTheEnd: who has sent the end of time need not wait, unless the
// marks mean nothing.
func TestCreditBehindTheEnd(t *testing.T) {
	for _, timeless := range []bool{false, true} {
		x := exchange.NewInbox(func() {})
		c := x.Open(exchange.Limit{Rows: 1, Bytes: 1}, func() {})
		if timeless {
			c.Timeless()
		}
		b := count(numbers(), 0, 3)
		b.Marks = append(b.Marks, gpflow.Mark{Row: 3, Time: 7})
		c.Send(exchange.Event{Batch: b})
		if c.Ready() {
			t.Error("there is credit, and three rows are on the way where one may be")
		}
		b = count(numbers(), 3, 4)
		b.Marks = append(b.Marks, gpflow.Mark{Row: 1, Time: gpflow.MaxTimestamp})
		c.Send(exchange.Event{Batch: b})
		c.Send(exchange.Event{Batch: count(numbers(), 0, 0)}) // as where something is said again
		if c.Ready() == timeless {
			t.Errorf("that there is credit behind the end of time is %t, where marks mean nothing is %t", c.Ready(), timeless)
		}
	}
}

// TestEncodedLink: a channel that encodes counts and carries the same.
func TestEncodedLink(t *testing.T) {
	s := numbers()
	x := exchange.NewInbox(func() {})
	c := x.Open(plenty, func() {})
	c.Encode(s)
	b := count(s, 0, 5)
	c.Send(exchange.Event{Batch: b})
	if rows, _ := c.InFlight(); c.Sent() != 5 || rows != 5 {
		t.Errorf("%d rows sent, %d in flight, of 5", c.Sent(), rows)
	}
	_, e, _ := x.Take()
	if e.Batch == b {
		t.Error("the batch was passed as it is")
	}
	checkEqual(t, e.Batch, count(s, 0, 5))
}

// crowd runs senders that send n numbers each, in batches of their own sizes,
// to one receiver, all of them goroutines that park as actors do. It returns
// the most that was in flight on any channel when a batch was taken.
func crowd(t *testing.T, senders, n int, limit exchange.Limit, size func(sender, at int) int) (most int64) {
	s := numbers()
	wake := make(chan struct{}, 1)
	ring := func(c chan struct{}) func() {
		return func() {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	x := exchange.NewInbox(ring(wake))
	var channels []*exchange.Channel
	var bells []chan struct{}
	for range senders {
		bell := make(chan struct{}, 1)
		bells = append(bells, bell)
		channels = append(channels, x.Open(limit, ring(bell)))
	}
	for i, c := range channels {
		go func() {
			for at := 0; at < n; {
				if !c.Ready() {
					c.Ready() // who waits may ask again, and forgo nothing
					<-bells[i]
					continue
				}
				to := min(n, at+size(i, at))
				c.Send(exchange.Event{Batch: count(s, at, to)})
				at = to
			}
			c.Send(exchange.Event{Kind: exchange.End})
		}()
	}
	next := make([]int64, senders)
	for live := senders; live > 0; {
		i, e, ok := x.Take()
		switch {
		case !ok:
			<-wake
		case e.Kind == exchange.End:
			live--
		default:
			rows, _ := channels[i].InFlight()
			most = max(most, rows)
			for r := range e.Batch.N {
				if got := e.Batch.Row(r)[0].Int(); got != next[i] {
					t.Fatalf("sender %d: %d came where %d was next", i, got, next[i])
				}
				next[i]++
			}
			e.Batch.Release()
		}
	}
	for i, c := range channels {
		if rows, bytes := c.InFlight(); next[i] != int64(n) || c.Sent() != int64(n) || c.Received() != int64(n) || rows != 0 || bytes != 0 {
			t.Errorf("sender %d: %d came, %d sent, %d received, %d in flight", i, next[i], c.Sent(), c.Received(), rows)
		}
	}
	return most
}

// TestSendersAtOnce: nothing is lost, doubled or reordered, nobody waits for
// ever, and nobody has more in flight than the limit and a batch.
func TestSendersAtOnce(t *testing.T) {
	for _, rows := range []int64{1, 2, 7, 64} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			// A deadlock ends the bubble with a panic.
			synctest.Test(t, func(t *testing.T) {
				most := crowd(t, 4, 50000, exchange.Limit{Rows: rows, Bytes: 1 << 40}, func(sender, at int) int { return 1 + (at*7+sender)%9 })
				if most > rows-1+9 {
					t.Errorf("%d rows were in flight, with a limit of %d and batches of 9 at most", most, rows)
				}
			})
		})
	}
}

// TestLimits: whatever the limits and sizes, the sender that asks before each
// batch has no more in flight than the limit less one, and a batch.
func TestLimits(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		limit := exchange.Limit{Rows: rapid.Int64Range(1, 50).Draw(t, "rows"), Bytes: rapid.Int64Range(1, 2000).Draw(t, "bytes")}
		x := exchange.NewInbox(func() {})
		ready := true
		c := x.Open(limit, func() { ready = true })
		sent, taken := 0, 0
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "send") {
				if ready = ready && c.Ready(); !ready {
					continue
				}
				before, bytes := c.InFlight()
				if before >= limit.Rows || bytes >= limit.Bytes {
					t.Fatalf("%d rows, %d bytes in flight, and there is credit, of %+v", before, bytes, limit)
				}
				c.Send(exchange.Event{Batch: count(s, 0, rapid.IntRange(0, 20).Draw(t, "size"))})
				sent++
			} else if _, _, ok := x.Take(); ok {
				taken++
			}
		}
		for taken < sent {
			x.Take()
			taken++
		}
		x.Take()
		if !ready {
			t.Fatalf("everything has been processed, and the sender still waits")
		}
		if rows, bytes := c.InFlight(); rows != 0 || bytes != 0 || !c.Ready() {
			t.Fatalf("%d rows and %d bytes are in flight at the end", rows, bytes)
		}
	})
}

// TestHold: what comes on a held channel waits, without credit, for Free, and
// comes then before what came later, in order.
func TestHold(t *testing.T) {
	x := exchange.NewInbox(func() {})
	var cs []*exchange.Channel
	for range 3 {
		cs = append(cs, x.Open(exchange.Limit{Rows: 2, Bytes: 1 << 20}, func() {}))
	}
	send := func(c int, ns ...int64) {
		for _, n := range ns {
			w := gpflow.NewBuilder(numbers())
			w.Row(0)[0] = gpflow.Int(n)
			cs[c].Send(exchange.Event{Batch: w.Take()})
		}
	}
	taken := func() (got []int64) {
		for {
			_, e, ok := x.Take()
			if !ok {
				return got
			}
			got = append(got, e.Batch.Row(0)[0].Int())
			e.Batch.Release()
		}
	}
	want := func(got []int64, want ...int64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	send(0, 1)
	x.Hold(1)
	send(1, 2, 3)
	send(0, 4)
	want(taken(), 1, 4)
	if cs[1].Ready() || !cs[0].Ready() {
		t.Error("the held channel has credit, or the other has none")
	}
	x.Hold(0)
	send(0, 5)
	send(2, 6)
	want(taken(), 6)
	send(2, 7)
	x.Free()
	want(taken(), 2, 3, 5, 7)
	if !cs[1].Ready() {
		t.Error("what was held has not given its credit back")
	}
	x.Free()
	send(1, 8)
	want(taken(), 8)
}
