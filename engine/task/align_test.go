package task_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/task"
)

// aligning is a task that adds up its input, with a snapshot of the sum at each
// barrier.
type aligning struct {
	*rig
	out   *reader
	sum   int64
	taken []string
}

func newAligning(channels int) *aligning {
	a := &aligning{}
	l := link("op", &script{process: func(in gpflow.Rows, out *gpflow.Collector) (int, error) {
		for i := in.From; i < in.To; i++ {
			a.sum += in.Row(i)[0].Int()
		}
		return passOn(in, out)
	}}, 0)
	a.out = read(l, 0, numbers(), plenty)
	a.rig = newRig(channels, l)
	a.OnBarrier = func(id gpflow.CheckpointID) { a.taken = append(a.taken, fmt.Sprint(id, ":", a.sum)) }
	return a
}

func TestAlignment(t *testing.T) {
	for name, c := range map[string]struct {
		play  func(a *aligning)
		taken []string
		out   []string
	}{
		"rows behind a barrier wait for the other channel's": {
			play: func(a *aligning) {
				a.send(0, 1, barrier(1), 10)
				a.send(1, 2)
				a.run(t)
				a.send(1, 3, barrier(1), 20)
			},
			taken: []string{"1:6"}, out: []string{"1", "2", "3", "|1", "10", "20"},
		},
		"a channel that has ended has no barrier": {
			play:  func(a *aligning) { a.send(0, 1, drained); a.send(1, 2, barrier(1), 3) },
			taken: []string{"1:3"}, out: []string{"1", "2", "|1", "3"},
		},
		"a channel that ends while the others wait": {
			play:  func(a *aligning) { a.send(0, 1, barrier(1), 5); a.send(1, 2, drained) },
			taken: []string{"1:3"}, out: []string{"1", "2", "|1", "5"},
		},
		"a newer barrier ends the older checkpoint": {
			play: func(a *aligning) {
				a.send(0, 1, barrier(1), 2)
				a.send(1, barrier(2), 4)
				a.run(t)
				a.send(0, barrier(2), 8)
			},
			taken: []string{"2:3"}, out: []string{"1", "2", "|2", "4", "8"},
		},
		"barriers of a checkpoint that was given up": {
			play: func(a *aligning) {
				a.send(0, 1, barrier(1), 2)
				a.run(t)
				a.Abort(1)
				a.send(1, barrier(1), 4, barrier(2))
				a.send(0, barrier(2))
			},
			taken: []string{"2:7"}, out: []string{"1", "2", "4", "|2"},
		},
		"given up before any barrier came": {
			play: func(a *aligning) {
				a.Abort(1)
				a.send(0, barrier(1), 1, barrier(2))
				a.send(1, barrier(1), barrier(2))
			},
			taken: []string{"2:1"}, out: []string{"1", "|2"},
		},
		"one after the other": {
			play: func(a *aligning) {
				a.send(0, barrier(1), 1, barrier(2), 2)
				a.send(1, 4, barrier(1), 8, barrier(2))
			},
			taken: []string{"1:4", "2:13"}, out: []string{"4", "|1", "1", "8", "|2", "2"},
		},
		"both end, and nothing is left to align": {
			play:  func(a *aligning) { a.send(0, barrier(1), drained); a.send(1, drained) },
			taken: []string{"1:0"}, out: []string{"|1", "end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAligning(2)
			c.play(a)
			a.run(t)
			want(t, "snapshots", a.taken, c.taken...)
			want(t, "out", a.out.take(-1), c.out...)
		})
	}
}

// TestRestore: a task that goes on from a snapshot has its ledger, says first
// how far time has come, and never goes behind it.
func TestRestore(t *testing.T) {
	made := func() (*rig, *reader, *[]gpflow.Timestamp) {
		var marks []gpflow.Timestamp
		l := link("op", &script{process: passOn, mark: func(at gpflow.Timestamp, _ *gpflow.Collector) (bool, error) {
			marks = append(marks, at)
			return true, nil
		}}, 0)
		l.Hold = 3
		out := read(l, 0, numbers(), plenty)
		return newRig(1, l), out, &marks
	}
	first, out, _ := made()
	var saved task.Snapshot
	first.OnBarrier = func(gpflow.CheckpointID) { saved = first.Snapshot() }
	first.send(0, 1, 2, gpflow.Timestamp(10), barrier(1))
	first.run(t)
	out.take(-1)

	second, out, marks := made()
	if err := second.Restore(saved); err != nil {
		t.Fatal(err)
	}
	second.send(0, gpflow.Timestamp(5), 7, gpflow.Timestamp(12))
	second.run(t)
	want(t, "out", out.take(-1), "<7", "7", "<9")
	if !reflect.DeepEqual(*marks, []gpflow.Timestamp{10, 12}) {
		t.Errorf("the marks were %v", *marks)
	}
	f := second.Flow(0)
	if f.Taken != 3 || f.Emitted[0] != 3 || f.Counts.In != 3 || f.Counts.Passed != 3 {
		t.Errorf("the ledger is %+v", f)
	}
}

// TestRestoreEmitsNothing: an operator that has to emit what had been emitted
// before is wrong.
func TestRestoreEmitsNothing(t *testing.T) {
	l := link("op", &script{process: passOn, mark: func(at gpflow.Timestamp, out *gpflow.Collector) (bool, error) {
		out.Create(at)[0] = gpflow.Int(1)
		return true, nil
	}}, 0)
	read(l, 0, numbers(), plenty)
	r := newRig(1, l)
	err := r.Restore(task.Snapshot{"op": {Mark: 10}})
	if err == nil {
		t.Error("it was restored")
	}
}
