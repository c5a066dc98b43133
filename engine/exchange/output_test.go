package exchange_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/exchange"
)

// receivers are inboxes with one channel each.
type receivers struct {
	inboxes  []*exchange.Inbox
	channels []*exchange.Channel
}

func receive(n int) *receivers {
	r := &receivers{}
	for range n {
		x := exchange.NewInbox(func() {})
		r.inboxes = append(r.inboxes, x)
		r.channels = append(r.channels, x.Open(plenty, func() {}))
	}
	return r
}

// take empties inbox i and returns what came: numbers, and marks as "<7".
func (r *receivers) take(i int) (got []string) {
	for {
		_, e, ok := r.inboxes[i].Take()
		if !ok {
			return got
		}
		switch e.Kind {
		case exchange.Idle:
			got = append(got, "idle")
			continue
		case exchange.End:
			got = append(got, "end")
			continue
		}
		b, m := e.Batch, 0
		for row := range b.N + 1 {
			for ; m < len(b.Marks) && b.Marks[m].Row == row; m++ {
				got = append(got, fmt.Sprintf("<%d", b.Marks[m].Time))
			}
			if row < b.N {
				got = append(got, fmt.Sprint(b.Row(row)[0].Int()))
			}
		}
		b.Release()
	}
}

func keyer(t interface{ Fatal(...any) }, s *gpflow.Schema) gpflow.Keyer {
	k, err := gpflow.NewKeyer(s, []string{"n"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// stream draws batches of numbers, each of them once if unique, with marks, and
// returns them with what they say: numbers and marks in order.
func stream(t *rapid.T, s *gpflow.Schema, unique bool) (all []*gpflow.Batch, says []string) {
	now, rows := 0, 0
	for range rapid.IntRange(1, 8).Draw(t, "batches") {
		w := gpflow.NewBuilder(s)
		for range rapid.SampledFrom([]int{0, 1, 3, 40, 600, 1024}).Draw(t, "rows") {
			n := rows
			if rows++; !unique {
				n = rapid.IntRange(0, 50).Draw(t, "n")
			}
			w.Row(0)[0] = gpflow.Int(int64(n))
			says = append(says, fmt.Sprint(n))
			if rapid.IntRange(0, 20).Draw(t, "mark") == 0 {
				now++
				w.Mark(gpflow.Timestamp(now))
				says = append(says, fmt.Sprintf("<%d", now))
			}
		}
		all = append(all, w.TakeAlways())
	}
	return all, says
}

func isMark(s string) bool { return s[0] == '<' }

// merged returns says without marks that are followed by another at once: the
// later one says it all.
func merged(says []string) (out []string) {
	for i, s := range says {
		if isMark(s) && i+1 < len(says) && isMark(says[i+1]) {
			continue
		}
		out = append(out, s)
	}
	return out
}

// push sends batches, emptying and flushing at random, and returns what came
// on each channel.
func push(t *rapid.T, o *exchange.Output, r *receivers, all []*gpflow.Batch) [][]string {
	got := make([][]string, len(r.inboxes))
	for _, b := range all {
		o.Push(b)
		switch rapid.IntRange(0, 3).Draw(t, "then") {
		case 0:
			o.Flush()
		case 1:
			o.FlushIdle()
		case 2:
			i := rapid.IntRange(0, len(got)-1).Draw(t, "take")
			got[i] = append(got[i], r.take(i)...)
		}
	}
	o.Signal(exchange.Event{Kind: exchange.End})
	var sent, received int64
	for i := range got {
		got[i] = append(got[i], r.take(i)...)
		if n := len(got[i]); n == 0 || got[i][n-1] != "end" {
			t.Fatalf("channel %d does not end: %v", i, got[i])
		}
		got[i] = merged(got[i][:len(got[i])-1])
		sent, received = sent+r.channels[i].Sent(), received+r.channels[i].Received()
	}
	if sent != received {
		t.Fatalf("%d rows sent, %d received", sent, received)
	}
	return got
}

// checkMarks complains unless a channel carried its rows and all marks, in the
// order of the stream.
func checkMarks(t *rapid.T, channel int, says, got []string, mine func(row string) bool) {
	var want []string
	for _, s := range says {
		if isMark(s) || mine(s) {
			want = append(want, s)
		}
	}
	if want = merged(want); !slices.Equal(got, want) {
		t.Fatalf("channel %d: got %v, want %v", channel, got, want)
	}
}

func TestForwardAndBroadcastCarryEverything(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		all, says := stream(t, s, false)
		n := rapid.IntRange(1, 3).Draw(t, "channels")
		r := receive(n)
		o := exchange.NewForward(s, r.channels[0])
		if n > 1 {
			o = exchange.NewBroadcast(s, r.channels)
		}
		for i, got := range push(t, o, r, all) {
			checkMarks(t, i, says, got, func(string) bool { return true })
		}
		if rows := len(slices.DeleteFunc(says, isMark)); o.Emitted() != int64(rows) || r.channels[0].Sent() != int64(rows) {
			t.Fatalf("emitted %d, sent %d, of %d rows", o.Emitted(), r.channels[0].Sent(), rows)
		}
	})
}

// TestHashGoesToTheOwner: a key has one channel, which sees all of its rows.
func TestHashGoesToTheOwner(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		all, says := stream(t, s, false)
		n := rapid.IntRange(1, 4).Draw(t, "channels")
		r := receive(n)
		o := exchange.NewHash(s, r.channels, keyer(t, s), rapid.SampledFrom([]int{4, 128, 1024}).Draw(t, "groups"))
		owner := map[string]int{}
		channels := push(t, o, r, all)
		for i, got := range channels {
			for _, v := range got {
				if at, ok := owner[v]; ok && at != i && !isMark(v) {
					t.Fatalf("%s came on channels %d and %d", v, at, i)
				}
				owner[v] = i
			}
		}
		for i, got := range channels {
			checkMarks(t, i, says, got, func(row string) bool { return owner[row] == i })
		}
	})
}

func TestHashUsesEveryChannel(t *testing.T) {
	s := numbers()
	r := receive(3)
	o := exchange.NewHash(s, r.channels, keyer(t, s), 1024)
	o.Push(count(s, 0, 900))
	o.Flush()
	for i, c := range r.channels {
		if c.Sent() < 200 || c.Sent() > 400 {
			t.Errorf("channel %d got %d of 900 keys", i, c.Sent())
		}
	}
}

// TestRebalance: each row is on one channel, in order, behind its marks.
func TestRebalance(t *testing.T) {
	s := numbers()
	rapid.Check(t, func(t *rapid.T) {
		all, says := stream(t, s, true)
		r := receive(rapid.IntRange(2, 4).Draw(t, "channels"))
		owner := map[string]int{}
		got := push(t, exchange.NewRebalance(s, r.channels), r, all)
		for i := range got {
			for _, v := range got[i] {
				if at, ok := owner[v]; ok && !isMark(v) {
					t.Fatalf("%s came on channels %d and %d", v, at, i)
				}
				owner[v] = i
			}
		}
		for i := range got {
			checkMarks(t, i, says, got[i], func(row string) bool {
				at, ok := owner[row]
				return !ok || at == i
			})
		}
	})
}

func TestRebalanceTakesTurns(t *testing.T) {
	s := numbers()
	r := receive(3)
	o := exchange.NewRebalance(s, r.channels)
	for i := range 300 {
		o.Push(count(s, 100*i, 100*i+100))
	}
	o.Flush()
	for i, c := range r.channels {
		if c.Sent() < 9000 || c.Sent() > 11000 {
			t.Errorf("channel %d got %d of 30000 rows", i, c.Sent())
		}
	}
}

// TestWholeBatchesAreNotCopied: on one channel, large batches pass as they are.
func TestWholeBatchesAreNotCopied(t *testing.T) {
	s := numbers()
	for name, open := range map[string]func(*receivers) *exchange.Output{
		"forward": func(r *receivers) *exchange.Output { return exchange.NewForward(s, r.channels[0]) },
		"hash":    func(r *receivers) *exchange.Output { return exchange.NewHash(s, r.channels, keyer(t, s), 8) },
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(1)
			o := open(r)
			small, large := count(s, 0, 3), count(s, 3, 1003)
			o.Push(small)
			o.Push(large)
			_, first, _ := r.inboxes[0].Take()
			_, second, _ := r.inboxes[0].Take()
			if first.Batch.N != 3 || second.Batch != large {
				t.Errorf("%d rows came first, and the large batch was copied: %t", first.Batch.N, second.Batch != large)
			}
		})
	}
}

// TestSmallBatchesGrow: what is pushed in small pieces arrives in large ones,
// but for a receiver that has nothing to do.
func TestSmallBatchesGrow(t *testing.T) {
	s := numbers()
	r := receive(1)
	o := exchange.NewForward(s, r.channels[0])
	for i := range 20 {
		o.Push(count(s, i, i+1))
		o.FlushIdle()
	}
	if sent := r.channels[0].Sent(); sent != 0 {
		t.Errorf("%d rows were sent to a receiver that has not asked", sent)
	}
	if _, _, ok := r.inboxes[0].Take(); ok {
		t.Error("something came")
	}
	o.FlushIdle()
	if _, e, ok := r.inboxes[0].Take(); !ok || e.Batch.N != 20 {
		t.Error("an idle receiver does not get the rows in one batch")
	}
	if o.FlushIdle(); !r.inboxes[0].Empty() {
		t.Error("an empty batch was sent")
	}
}

// TestMarksReachStarvingChannels: a receiver that gets no rows, and is not idle
// either, hears of the time all the same.
func TestMarksReachStarvingChannels(t *testing.T) {
	s := numbers()
	r := receive(2)
	o := exchange.NewHash(s, r.channels, keyer(t, s), 1024)
	for i := range 1000 {
		w := gpflow.NewBuilder(s)
		w.Row(0)[0] = gpflow.Int(7)
		w.Mark(gpflow.Timestamp(i))
		o.Push(w.Take())
	}
	for i := range r.inboxes {
		got := r.take(i)
		if len(got) == 0 {
			t.Fatalf("channel %d heard nothing of 1000 marks", i)
		}
		var last int
		_, _ = fmt.Sscanf(got[len(got)-1], "<%d", &last)
		if last < 900 {
			t.Errorf("channel %d was told %s last, of 1000 marks", i, got[len(got)-1])
		}
	}
}

// TestCollectedBytesAreBounded: what an output has collected, and not sent, is
// no more than a batch, also where rows point to memory that no batch pins.
func TestCollectedBytesAreBounded(t *testing.T) {
	s := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)}, gpflow.Column{Name: "text", Type: gpflow.T(gpflow.KindString)})
	text := strings.Repeat("x", 100<<10)
	for name, open := range map[string]func(*receivers) *exchange.Output{
		"forward":   func(r *receivers) *exchange.Output { return exchange.NewForward(s, r.channels[0]) },
		"rebalance": func(r *receivers) *exchange.Output { return exchange.NewRebalance(s, r.channels) },
		"broadcast": func(r *receivers) *exchange.Output { return exchange.NewBroadcast(s, r.channels) },
		"hash":      func(r *receivers) *exchange.Output { return exchange.NewHash(s, r.channels, keyer(t, s), 8) },
		"computed": func(r *receivers) *exchange.Output {
			return exchange.NewHashComputed(s, r.channels, keyer(t, s).Append, 8)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(2)
			o := open(r)
			pushed, sent := int64(0), int64(0)
			for i := range 300 {
				w := gpflow.NewBuilder(s)
				row := w.Row(0)
				row[0], row[1] = gpflow.Int(int64(i)), gpflow.String(text)
				o.Push(w.Take())
				pushed++
			}
			for _, c := range r.channels {
				sent += c.Sent()
				if rows, bytes := c.InFlight(); rows > 0 && bytes/rows > int64(len(text))+100 {
					t.Errorf("%d bytes are counted for %d rows", bytes, rows)
				}
			}
			if name == "broadcast" {
				pushed *= 2
			}
			if held := (pushed - sent) * int64(len(text)); held > 2*gpflow.BatchBytes {
				t.Errorf("%d bytes are held for two channels", held)
			}
		})
	}
}
